#include "libs/intake/protobuf_check.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/stubs/common.h"
#include "google/protobuf/wire_format_lite.h"

namespace rapport {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::IsStructurallyValidUTF8;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kMaxDepth = 100;  // protobuf's own limit

bool Find(const Descriptor* type, absl::string_view bytes, int depth, Problem* problem);

// A field with a length before its bytes; true when it is damaged.
bool FindInDelimited(const FieldDescriptor* field, absl::string_view bytes, int depth,
                     Problem* problem) {
  if (field == nullptr) return false;
  if (field->type() == FieldDescriptor::TYPE_STRING) {
    if (IsStructurallyValidUTF8(bytes.data(), static_cast<int>(bytes.size()))) return false;
    problem->reason = "is not UTF-8";
    return true;
  }
  return field->type() == FieldDescriptor::TYPE_MESSAGE &&
         Find(field->message_type(), bytes, depth + 1, problem);
}

bool Find(const Descriptor* type, absl::string_view bytes, int depth, Problem* problem) {
  const auto damaged = [type, problem] {
    problem->reason = absl::StrCat("is no serialised ", type->name(), ", or is cut off");
    return true;
  };
  if (depth > kMaxDepth) return damaged();
  CodedInputStream input(reinterpret_cast<const uint8_t*>(bytes.data()),
                         static_cast<int>(bytes.size()));
  while (input.CurrentPosition() < static_cast<int>(bytes.size())) {
    const uint32_t tag = input.ReadTag();
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    if (tag == 0 || number == 0) return damaged();
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) return damaged();
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return damaged();
    const FieldDescriptor* const field = type->FindFieldByNumber(number);
    const absl::string_view rest = bytes.substr(static_cast<size_t>(input.CurrentPosition()));
    if (size > rest.size()) {
      damaged();
      if (field != nullptr) problem->Prepend(field->name());
      return true;
    }
    if (FindInDelimited(field, rest.substr(0, size), depth, problem)) {
      problem->Prepend(field->name());
      return true;
    }
    input.Skip(static_cast<int>(size));
  }
  return false;
}

}  // namespace

Problem LocateInProtobuf(const Descriptor* type, absl::string_view bytes) {
  Problem problem;
  if (!Find(type, bytes, 0, &problem)) {
    problem.reason = absl::StrCat("is no serialised ", type->name());
  }
  return problem;
}

}  // namespace rapport
