#include "libs/intake/json_parser.h"

#include <bitset>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/check.h"
#include "libs/base/mutex.h"
#include "libs/intake/json_text.h"
#include "libs/intake/rfc3339.h"

namespace rapport {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;
using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr int kMaxFields = 128;
constexpr size_t kMaxShownBytes = 64;

using EnumNames = absl::flat_hash_map<std::string, int>;
struct MessagePlan;

struct FieldPlan {
  enum class Kind { kEnum, kInt32, kInt64, kBool, kText, kBytes, kTimestamp, kMessage };

  const FieldDescriptor* field = nullptr;
  Kind kind = Kind::kText;
  bool repeated = false;
  bool in_oneof = false;
  size_t index = 0;  // among the fields of its message
  const MessagePlan* inner = nullptr;
  const EnumNames* names = nullptr;
};

// How one type of message is read.
struct MessagePlan {
  const Descriptor* type = nullptr;
  // Kept, since asking a message for it costs more than setting a field does.
  const Reflection* reflection = nullptr;
  absl::flat_hash_map<std::string, FieldPlan> fields;  // by both names
};

// The plans of all types asked for so far; they live for ever.
class Plans {
 public:
  static const MessagePlan& Of(const Descriptor* type) {
    static auto* const plans = new Plans;
    // Most calls of a thread ask for the type of the call before.
    thread_local const MessagePlan* last = nullptr;
    if (last == nullptr || last->type != type) {
      MutexLock lock(&plans->mutex_);
      last = plans->Compile(type);
    }
    return *last;
  }

 private:
  const MessagePlan* Compile(const Descriptor* type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto& slot = plans_[type];
    if (slot != nullptr) return slot.get();
    slot = std::make_unique<MessagePlan>();
    MessagePlan* const plan = slot.get();  // `slot` itself moves when the map grows
    plan->type = type;
    plan->reflection = MessageFactory::generated_factory()->GetPrototype(type)->GetReflection();
    RAPPORT_CHECK(type->field_count() <= kMaxFields, type->full_name(), ": too many fields");
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldPlan field = MakeField(*type->field(i));
      plan->fields.emplace(field.field->name(), field);
      plan->fields.emplace(field.field->json_name(), field);
    }
    return plan;
  }

  FieldPlan MakeField(const FieldDescriptor& field) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    FieldPlan plan;
    plan.field = &field;
    plan.repeated = field.is_repeated();
    plan.in_oneof = field.real_containing_oneof() != nullptr;
    plan.index = static_cast<size_t>(field.index());
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM:
        plan.kind = FieldPlan::Kind::kEnum;
        plan.names = Names(field.enum_type());
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        plan.kind = FieldPlan::Kind::kInt32;
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        plan.kind = FieldPlan::Kind::kInt64;
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        plan.kind = FieldPlan::Kind::kBool;
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        plan.kind = field.type() == FieldDescriptor::TYPE_BYTES ? FieldPlan::Kind::kBytes
                                                                : FieldPlan::Kind::kText;
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        RAPPORT_CHECK(!field.is_map(), field.full_name(), ": maps are not read");
        if (field.message_type() == Timestamp::descriptor()) {
          plan.kind = FieldPlan::Kind::kTimestamp;
        } else {
          plan.kind = FieldPlan::Kind::kMessage;
          plan.inner = Compile(field.message_type());
        }
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
      case FieldDescriptor::CPPTYPE_UINT64:
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        RAPPORT_CHECK(false, field.full_name(), ": values of this type are not read");
    }
    return plan;
  }

  const EnumNames* Names(const EnumDescriptor* type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto& slot = enums_[type];
    if (slot != nullptr) return slot.get();
    slot = std::make_unique<EnumNames>();
    for (int i = 0; i < type->value_count(); ++i) {
      slot->emplace(type->value(i)->name(), type->value(i)->number());
    }
    return slot.get();
  }

  Mutex mutex_;
  absl::flat_hash_map<const Descriptor*, std::unique_ptr<MessagePlan>> plans_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<const EnumDescriptor*, std::unique_ptr<EnumNames>> enums_
      ABSL_GUARDED_BY(mutex_);
};

bool Fail(std::string reason, Problem* problem) {
  problem->path.clear();
  problem->reason = std::move(reason);
  return false;
}

absl::string_view NameOf(element_type type) {
  switch (type) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "true or false";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

bool WrongType(const element& json, absl::string_view wanted, Problem* problem) {
  return Fail(absl::StrCat("is ", NameOf(json.type()), ", not ", wanted), problem);
}

absl::string_view TextOf(const element& json) {
  const auto text = json.get_string().value_unsafe();
  return absl::string_view(text.data(), text.size());
}

std::string Shown(absl::string_view text) {
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(Utf8Prefix(text, kMaxShownBytes)),
                      text.size() <= kMaxShownBytes ? "'" : "...'");
}

// Digits with perhaps a minus before them, and nothing else.
bool IsInteger(absl::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

bool ReadInteger(const element& json, int64_t least, int64_t most, int64_t* value,
                 Problem* problem) {
  switch (json.type()) {
    case element_type::INT64:
      *value = json.get_int64().value_unsafe();
      break;
    case element_type::UINT64:  // those that are no int64
      return Fail(absl::StrCat(json.get_uint64().value_unsafe(), " is too large"), problem);
    case element_type::DOUBLE: {
      const double number = json.get_double().value_unsafe();
      constexpr double kExact = 9007199254740992;  // 2^53
      if (number != std::trunc(number)) {
        return Fail(absl::StrCat(number, " is no integer"), problem);
      }
      if (std::abs(number) > kExact) {
        return Fail(absl::StrCat(number, " may have lost digits; write it in full"), problem);
      }
      *value = static_cast<int64_t>(number);
      break;
    }
    case element_type::STRING:
      if (!IsInteger(TextOf(json))) {
        return Fail(absl::StrCat(Shown(TextOf(json)), " is no integer"), problem);
      }
      if (!absl::SimpleAtoi(TextOf(json), value)) {
        return Fail(absl::StrCat(Shown(TextOf(json)), " is too large"), problem);
      }
      break;
    default:
      return WrongType(json, "a number", problem);
  }
  if (*value >= least && *value <= most) return true;
  return Fail(absl::StrCat(*value, " is not within ", least, " and ", most), problem);
}

bool ReadEnum(const FieldPlan& plan, const element& json, int* number, Problem* problem) {
  if (json.is_string()) {
    const auto found = plan.names->find(TextOf(json));
    if (found != plan.names->end()) {
      *number = found->second;
      return true;
    }
    return Fail(absl::StrCat(Shown(TextOf(json)), " is no ", plan.field->enum_type()->name(),
                             "; such as ", plan.field->enum_type()->value(1)->name()),
                problem);
  }
  if (!json.is_int64()) return WrongType(json, "a name or number", problem);
  int64_t value = 0;
  if (!ReadInteger(json, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max(),
                   &value, problem)) {
    return false;
  }
  *number = static_cast<int>(value);
  return true;
}

// Without padding at its end.
absl::string_view Unpadded(absl::string_view base64) {
  while (!base64.empty() && base64.back() == '=') base64.remove_suffix(1);
  return base64;
}

bool ReadBytes(const element& json, std::string* bytes, Problem* problem) {
  if (!json.is_string()) return WrongType(json, "a string", problem);
  const absl::string_view text = TextOf(json);
  // Written again, since absl passes over what does not belong there.
  if (absl::Base64Unescape(text, bytes) && Unpadded(absl::Base64Escape(*bytes)) == Unpadded(text)) {
    return true;
  }
  if (absl::WebSafeBase64Unescape(text, bytes) &&
      absl::WebSafeBase64Escape(*bytes) == Unpadded(text)) {
    return true;
  }
  return Fail(absl::StrCat(Shown(text), " is not base64"), problem);
}

bool ReadTimestamp(const element& json, Timestamp* timestamp, Problem* problem) {
  if (!json.is_string()) return WrongType(json, "a string", problem);
  if (ParseRfc3339(TextOf(json), timestamp)) return true;
  return Fail(
      absl::StrCat(Shown(TextOf(json)), " is no time such as 2026-01-02T09:00:00Z (RFC 3339)"),
      problem);
}

bool ReadObject(const MessagePlan& plan, const element& json, Message* message, Problem* problem);

// Sets the field, or adds an element to it.
bool ReadValue(const FieldPlan& plan, const Reflection& set, const element& json, Message* message,
               Problem* problem) {
  const FieldDescriptor* const field = plan.field;
  switch (plan.kind) {
    case FieldPlan::Kind::kEnum: {
      int number = 0;
      if (!ReadEnum(plan, json, &number, problem)) return false;
      plan.repeated ? set.AddEnumValue(message, field, number)
                    : set.SetEnumValue(message, field, number);
      return true;
    }
    case FieldPlan::Kind::kInt32: {
      int64_t value = 0;
      if (!ReadInteger(json, std::numeric_limits<int32_t>::min(),
                       std::numeric_limits<int32_t>::max(), &value, problem)) {
        return false;
      }
      const auto number = static_cast<int32_t>(value);
      plan.repeated ? set.AddInt32(message, field, number) : set.SetInt32(message, field, number);
      return true;
    }
    case FieldPlan::Kind::kInt64: {
      int64_t value = 0;
      if (!ReadInteger(json, std::numeric_limits<int64_t>::min(),
                       std::numeric_limits<int64_t>::max(), &value, problem)) {
        return false;
      }
      plan.repeated ? set.AddInt64(message, field, value) : set.SetInt64(message, field, value);
      return true;
    }
    case FieldPlan::Kind::kBool: {
      if (!json.is_bool()) return WrongType(json, "true or false", problem);
      const bool value = json.get_bool().value_unsafe();
      plan.repeated ? set.AddBool(message, field, value) : set.SetBool(message, field, value);
      return true;
    }
    case FieldPlan::Kind::kText: {
      if (!json.is_string()) return WrongType(json, "a string", problem);
      const absl::string_view view = TextOf(json);
      std::string text(view.data(), view.size());
      plan.repeated ? set.AddString(message, field, std::move(text))
                    : set.SetString(message, field, std::move(text));
      return true;
    }
    case FieldPlan::Kind::kBytes: {
      std::string bytes;
      if (!ReadBytes(json, &bytes, problem)) return false;
      plan.repeated ? set.AddString(message, field, std::move(bytes))
                    : set.SetString(message, field, std::move(bytes));
      return true;
    }
    case FieldPlan::Kind::kTimestamp: {
      Message* const inner =
          plan.repeated ? set.AddMessage(message, field) : set.MutableMessage(message, field);
      return ReadTimestamp(json, static_cast<Timestamp*>(inner), problem);
    }
    case FieldPlan::Kind::kMessage: {
      Message* const inner =
          plan.repeated ? set.AddMessage(message, field) : set.MutableMessage(message, field);
      return ReadObject(*plan.inner, json, inner, problem);
    }
  }
  return true;
}

bool ReadField(const FieldPlan& plan, const Reflection& set, const element& json, Message* message,
               Problem* problem) {
  if (!plan.repeated) return ReadValue(plan, set, json, message, problem);
  if (!json.is_array()) return WrongType(json, "an array", problem);
  size_t index = 0;
  const simdjson::dom::array items = json.get_array().value_unsafe();
  for (const element item : items) {
    if (!ReadValue(plan, set, item, message, problem)) {
      problem->Prepend(absl::StrCat("[", index, "]"));
      return false;
    }
    ++index;
  }
  return true;
}

// Whether another member of the field's oneof has been set.
bool OneofIsFree(const FieldPlan& plan, const Reflection& reflection, const Message& message,
                 Problem* problem) {
  if (!plan.in_oneof) return true;
  const FieldDescriptor* const other =
      reflection.GetOneofFieldDescriptor(message, plan.field->real_containing_oneof());
  if (other == nullptr) return true;
  return Fail(absl::StrCat("stands beside ", other->name(), ", and only one of them may"), problem);
}

bool ReadObject(const MessagePlan& plan, const element& json, Message* message, Problem* problem) {
  if (!json.is_object()) return WrongType(json, "an object", problem);
  std::bitset<kMaxFields> seen;
  const simdjson::dom::object members = json.get_object().value_unsafe();
  for (const auto member : members) {
    const absl::string_view name(member.key.data(), member.key.size());
    const auto found = plan.fields.find(name);
    if (found == plan.fields.end()) {
      Fail(absl::StrCat("is no field of ", plan.type->name()), problem);
      problem->Prepend(PathName(name));
      return false;
    }
    const FieldPlan& field = found->second;
    bool good = true;
    if (seen[field.index]) {
      good = Fail("stands twice", problem);
    } else if (!member.value.is_null()) {
      good = OneofIsFree(field, *plan.reflection, *message, problem) &&
             ReadField(field, *plan.reflection, member.value, message, problem);
    }
    seen.set(field.index);
    if (!good) {
      problem->Prepend(field.field->name());
      return false;
    }
  }
  return true;
}

}  // namespace

JsonParser::JsonParser(size_t max_depth) : max_depth_(max_depth) {
  RAPPORT_CHECK(parser_.allocate(1 << 16, max_depth) == simdjson::SUCCESS, "no memory");
}

bool JsonParser::Parse(std::string* text, element* tree, Problem* problem) {
  text->reserve(text->size() + simdjson::SIMDJSON_PADDING);
  const simdjson::error_code error =
      parser_.parse(text->data(), text->size(), /*realloc_if_needed=*/false).get(*tree);
  if (error == simdjson::SUCCESS) return true;
  if ((error == simdjson::UTF8_ERROR || error == simdjson::DEPTH_ERROR) &&
      LocateInJson(*text, max_depth_, problem)) {
    return false;
  }
  return Fail(absl::StrCat("is not JSON: ", simdjson::error_message(error)), problem);
}

bool DecodeJson(const element& json, Message* message, Problem* problem) {
  return ReadObject(Plans::Of(message->GetDescriptor()), json, message, problem);
}

const FieldDescriptor* FindJsonField(const Descriptor* type, absl::string_view name) {
  const MessagePlan& plan = Plans::Of(type);
  const auto found = plan.fields.find(name);
  return found == plan.fields.end() ? nullptr : found->second.field;
}

std::string PathName(absl::string_view name) {
  // A colon would end the path.
  return absl::StrReplaceAll(absl::Utf8SafeCHexEscape(Utf8Prefix(name, kMaxShownBytes)),
                             {{":", "_"}});
}

}  // namespace rapport
