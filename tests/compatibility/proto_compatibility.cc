#include "tests/compatibility/proto_compatibility.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/compatibility/descriptor_walk.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptorProto;

// [first, second), whatever kind of declaration it comes from.
using Interval = std::pair<int64_t, int64_t>;

std::vector<Interval> ReservedOf(const pb::DescriptorProto& message) {
  std::vector<Interval> intervals;
  for (const auto& range : message.reserved_range())
    intervals.push_back({range.start(), range.end()});
  return intervals;
}

std::vector<Interval> ReservedOf(const pb::EnumDescriptorProto& declaration) {
  std::vector<Interval> intervals;
  for (const auto& range : declaration.reserved_range()) {
    intervals.push_back({range.start(), int64_t{range.end()} + 1});  // an enum's end is inclusive
  }
  return intervals;
}

bool Covers(std::vector<Interval> intervals, const Interval& wanted) {
  std::sort(intervals.begin(), intervals.end());
  int64_t next = wanted.first;
  for (const Interval& interval : intervals) {
    if (interval.first <= next) next = std::max(next, interval.second);
  }
  return next >= wanted.second;
}

template <class Declaration>
bool ReservesName(const Declaration& declaration, const std::string& name) {
  const auto& names = declaration.reserved_name();
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Comparison {
 public:
  std::vector<std::string> Run(const pb::FileDescriptorSet& released,
                               const pb::FileDescriptorSet& current) {
    CompareMessages(released, current);
    CompareEnums(released, current);
    return std::move(breaches_);
  }

 private:
  template <class... Parts>
  void Report(const std::string& name, const Parts&... parts) {
    breaches_.push_back(absl::StrCat(name, ": ", parts...));
  }

  void CompareMessages(const pb::FileDescriptorSet& released,
                       const pb::FileDescriptorSet& current) {
    std::map<std::string, const pb::DescriptorProto*> now;
    for (const MessageView& view : MessagesOf(current)) now[view.full_name] = view.message;
    std::set<std::string> referred;
    for (const FieldView& view : FieldsOf(released)) {
      if (view.field->type_name() != absl::StrCat(".", view.parent.full_name)) {
        referred.insert(view.field->type_name());
      }
    }
    for (const MessageView& view : MessagesOf(released)) {
      const auto found = now.find(view.full_name);
      if (found != now.end()) {
        CompareFields(view.full_name, *view.message, *found->second);
        CompareReserved(view.full_name, *view.message, *found->second);
      } else if (referred.count(absl::StrCat(".", view.full_name)) == 0) {
        Report(view.full_name, "the message was deleted, but records of it may be stored");
      }
    }
  }

  void CompareFields(const std::string& name, const pb::DescriptorProto& before,
                     const pb::DescriptorProto& now) {
    std::map<int, const Field*> fields;
    for (const Field& field : now.field()) fields[field.number()] = &field;
    for (const Field& field : before.field()) {
      const auto found = fields.find(field.number());
      if (found != fields.end()) {
        CompareField(absl::StrCat(name, ".", field.name()), before, field, now, *found->second);
      } else {
        CheckDeletion(absl::StrCat(name, ".", field.name()), field.name(), field.number(), now);
      }
    }
  }

  void CompareField(const std::string& name, const pb::DescriptorProto& before_parent,
                    const Field& before, const pb::DescriptorProto& now_parent, const Field& now) {
    if (before.name() != now.name()) {
      Report(name, "tag ", before.number(), " is now named ", now.name(),
             "; a new meaning needs a new tag");
    }
    if (before.type() != now.type() || before.type_name() != now.type_name()) {
      Report(name, "type changed from ", TypeOf(before), " to ", TypeOf(now));
    }
    if (before.label() != now.label()) Report(name, "changed between single and repeated");
    if (before.proto3_optional() != now.proto3_optional()) {
      Report(name, "changed between optional and always present");
    }
    const std::string oneof_before = OneofOf(before_parent, before);
    const std::string oneof_now = OneofOf(now_parent, now);
    if (oneof_before != oneof_now) {
      Report(name, "moved from oneof \"", oneof_before, "\" to oneof \"", oneof_now, "\"");
    }
  }

  void CompareEnums(const pb::FileDescriptorSet& released, const pb::FileDescriptorSet& current) {
    std::map<std::string, const pb::EnumDescriptorProto*> now;
    for (const EnumView& view : EnumsOf(current)) now[view.full_name] = view.declaration;
    for (const EnumView& view : EnumsOf(released)) {
      const auto found = now.find(view.full_name);
      if (found == now.end()) continue;  // a field that still uses it has changed its type
      CompareValues(view.full_name, *view.declaration, *found->second);
      CompareReserved(view.full_name, *view.declaration, *found->second);
    }
  }

  void CompareValues(const std::string& name, const pb::EnumDescriptorProto& before,
                     const pb::EnumDescriptorProto& now) {
    std::map<int, std::string> values;
    for (const auto& value : now.value()) values[value.number()] = value.name();
    for (const auto& value : before.value()) {
      const std::string value_name = absl::StrCat(name, ".", value.name());
      const auto found = values.find(value.number());
      if (found == values.end()) {
        CheckDeletion(value_name, value.name(), value.number(), now);
      } else if (found->second != value.name()) {
        Report(value_name, "number ", value.number(), " is now named ", found->second,
               "; a new meaning needs a new number");
      }
    }
  }

  template <class Declaration>
  void CheckDeletion(const std::string& full_name, const std::string& name, int64_t number,
                     const Declaration& now) {
    if (!Covers(ReservedOf(now), {number, number + 1})) {
      Report(full_name, "was deleted, but its number ", number, " is not reserved");
    }
    if (!ReservesName(now, name)) {
      Report(full_name, "was deleted, but its name \"", name, "\" is not reserved");
    }
  }

  template <class Declaration>
  void CompareReserved(const std::string& name, const Declaration& before, const Declaration& now) {
    for (const Interval& interval : ReservedOf(before)) {
      if (Covers(ReservedOf(now), interval)) continue;
      Report(name, "numbers ", interval.first, " to ", interval.second - 1,
             " are no longer reserved");
    }
    for (const std::string& reserved : before.reserved_name()) {
      if (ReservesName(now, reserved)) continue;
      Report(name, "name \"", reserved, "\" is no longer reserved");
    }
  }

  static std::string TypeOf(const Field& field) {
    return field.has_type_name() ? field.type_name().substr(1) : Field::Type_Name(field.type());
  }

  std::vector<std::string> breaches_;
};

}  // namespace

std::vector<std::string> Incompatibilities(const pb::FileDescriptorSet& released,
                                           const pb::FileDescriptorSet& current) {
  return Comparison().Run(released, current);
}

pb::FileDescriptorSet BaselineOf(pb::FileDescriptorSet current) {
  for (pb::FileDescriptorProto& file : *current.mutable_file()) file.clear_source_code_info();
  return current;
}

}  // namespace rapport
