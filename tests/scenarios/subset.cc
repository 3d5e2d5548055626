#include "tests/scenarios/subset.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

std::string Print(const Message& message, const FieldDescriptor* field, int index) {
  std::string text;
  TextFormat::PrintFieldValueToString(message, field, index, &text);
  return text;
}

// `index` is -1 for a singular field.
std::string CompareValues(const Message& expected, int expected_index, const Message& actual,
                          int actual_index, const FieldDescriptor* field) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const Reflection* reflection = expected.GetReflection();
    return expected_index < 0
               ? WhatIsMissing(reflection->GetMessage(expected, field),
                               reflection->GetMessage(actual, field))
               : WhatIsMissing(reflection->GetRepeatedMessage(expected, field, expected_index),
                               reflection->GetRepeatedMessage(actual, field, actual_index));
  }
  const std::string want = Print(expected, field, expected_index);
  const std::string got = Print(actual, field, actual_index);
  return want == got ? "" : absl::StrCat(" is ", got, " instead of ", want);
}

std::string CompareRepeated(const Message& expected, const Message& actual,
                            const FieldDescriptor* field) {
  const Reflection* reflection = expected.GetReflection();
  int next = 0;
  for (int i = 0; i < reflection->FieldSize(expected, field); ++i) {
    std::string last_difference = " is not there";
    bool found = false;
    while (!found && next < reflection->FieldSize(actual, field)) {
      const std::string difference = CompareValues(expected, i, actual, next++, field);
      found = difference.empty();
      if (!found) last_difference = difference;
    }
    if (!found) return absl::StrCat("[", i, "]", last_difference);
  }
  return "";
}

}  // namespace

std::string WhatIsMissing(const Message& expected, const Message& actual) {
  std::vector<const FieldDescriptor*> fields;
  expected.GetReflection()->ListFields(expected, &fields);
  for (const FieldDescriptor* field : fields) {
    std::string difference;
    if (field->is_repeated()) {
      difference = CompareRepeated(expected, actual, field);
    } else if (field->has_presence() && !actual.GetReflection()->HasField(actual, field)) {
      difference = " is not set";
    } else {
      difference = CompareValues(expected, -1, actual, -1, field);
    }
    if (!difference.empty()) return absl::StrCat(".", field->name(), difference);
  }
  return "";
}

}  // namespace rapport
