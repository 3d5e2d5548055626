#include "libs/touchpoint/field_rules.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/stubs/common.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/check.h"
#include "libs/base/event_id.h"
#include "libs/touchpoint/currency.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport::touchpoint_internal {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;
using google::protobuf::internal::IsStructurallyValidUTF8;
using touchpoint::v1::Touchpoint;

constexpr int64_t kFirstSecond = -62135596800;  // 0001-01-01T00:00:00Z
constexpr int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59Z
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr size_t kMaxIdBytes = 256;
constexpr size_t kMaxTextBytes = 4096;
constexpr int kMaxElements = 1000;

struct Plan;

struct Rule {
  enum class Kind { kEnum, kInt32, kInt64, kText, kEventId, kTimestamp, kMoney, kMessage, kNone };

  const FieldDescriptor* field = nullptr;
  Kind kind = Kind::kNone;
  bool presence = false;        // HasField tells whether it is set
  int64_t low = 0;              // integers
  int64_t high = kNoLimit;      // integers
  uint64_t known_numbers = 0;   // enums: bit n for number n
  size_t max_bytes = 0;         // texts, and bytes other than event ids
  int max_elements = 0;         // repeated
  const Plan* inner = nullptr;  // messages
};

// The rules of one type of message.
struct Plan {
  // Kept, since asking a message for it costs more than a rule does.
  const Reflection* reflection = nullptr;
  std::vector<Rule> always;
  std::vector<Rule> for_writers;
};

// Limits that differ from what type and name say, by "Message.field".
struct Exception {
  absl::string_view field;
  int64_t low;
  int64_t high;
};
constexpr Exception kIntegers[] = {
    {"Money.minor_units", -kNoLimit, kNoLimit},
    {"OrderLine.quantity_milli", -kNoLimit, kNoLimit},
    {"TargetSet.units", -kNoLimit, kNoLimit},
    {"SentimentObserved.sentiment_permille", -1000, 1000},
    {"ContactPreference.from_hour", 0, 23},
    {"ContactPreference.until_hour", 1, 24},
    {"ClientDetails.key_account_points", 0, 1000},
};
constexpr Exception kTextBytes[] = {
    {"EmailExchanged.excerpt", 0, 2000}, {"NoteTaken.text", 0, 65536},
    {"MeetingHeld.minutes", 0, 65536},   {"TouchpointCorrected.correction", 0, 1 << 20},
    {"Touchpoint.source", 0, 128},       {"Touchpoint.source_event_id", 0, 1024},
};
constexpr Exception kElements[] = {
    {"OrderPlaced.lines", 0, 10000},
    {"Touchpoint.stakeholder_ids", 0, 100},
    {"Touchpoint.contradictions", 0, 20},
    {"IdentityContradiction.identifiers", 0, 2},
};

template <size_t N>
const Exception* Find(const Exception (&list)[N], const FieldDescriptor& field) {
  const std::string name = absl::StrCat(field.containing_type()->name(), ".", field.name());
  for (const Exception& exception : list) {
    if (exception.field == name) return &exception;
  }
  return nullptr;
}

class Plans {
 public:
  static const Plans& Get() {
    static const auto* const plans = new Plans;
    return *plans;
  }

  const Plan& header() const { return *header_; }

  struct Payload {
    const FieldDescriptor* field = nullptr;
    const Plan* plan = nullptr;
  };
  const Payload& payload(Touchpoint::PayloadCase kind) const {
    return payloads_.at(static_cast<size_t>(kind));
  }

 private:
  Plans() : header_(Compile(Touchpoint::descriptor())) {
    const auto* const oneof = Touchpoint::descriptor()->FindOneofByName("payload");
    for (int i = 0; i < oneof->field_count(); ++i) {
      const auto tag = static_cast<size_t>(oneof->field(i)->number());
      if (payloads_.size() <= tag) payloads_.resize(tag + 1);
      payloads_[tag] = {oneof->field(i), Compile(oneof->field(i)->message_type())};
    }
  }

  const Plan* Compile(const Descriptor* type) {
    auto& slot = plans_[type];
    if (slot != nullptr) return slot.get();
    slot = std::make_unique<Plan>();
    Plan* const plan = slot.get();  // `slot` itself moves when the map grows
    plan->reflection = MessageFactory::generated_factory()->GetPrototype(type)->GetReflection();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      if (IsPayload(field)) continue;
      const Rule rule = MakeRule(field);
      if (rule.kind == Rule::Kind::kNone) continue;
      (IsForWriters(rule) ? plan->for_writers : plan->always).push_back(rule);
    }
    return plan;
  }

  static bool IsPayload(const FieldDescriptor& field) {
    return field.containing_type() == Touchpoint::descriptor() && field.containing_oneof();
  }

  static bool IsForWriters(const Rule& rule) {
    return rule.kind == Rule::Kind::kText ||
           (rule.kind == Rule::Kind::kMessage && rule.inner->always.empty());
  }

  Rule MakeRule(const FieldDescriptor& field) {
    Rule rule;
    rule.field = &field;
    rule.presence = field.has_presence();
    if (field.is_repeated()) {
      const Exception* const exception = Find(kElements, field);
      rule.max_elements = exception != nullptr ? static_cast<int>(exception->high) : kMaxElements;
    }
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM:
        SetEnumRule(field, &rule);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_INT64:
        SetIntegerRule(field, &rule);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        SetTextRule(field, &rule);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        SetMessageRule(field, &rule);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
      case FieldDescriptor::CPPTYPE_UINT64:
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        RAPPORT_CHECK(false, field.full_name(), ": touchpoints have no values of this type");
    }
    return rule;
  }

  static void SetEnumRule(const FieldDescriptor& field, Rule* rule) {
    rule->kind = Rule::Kind::kEnum;
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      const int number = field.enum_type()->value(i)->number();
      RAPPORT_CHECK(number >= 0 && number < 64, field.full_name(), ": no rule for this number");
      rule->known_numbers |= uint64_t{1} << number;
    }
  }

  static void SetIntegerRule(const FieldDescriptor& field, Rule* rule) {
    RAPPORT_CHECK(!field.is_repeated(), field.full_name(), ": no rule for repeated integers");
    rule->kind = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ? Rule::Kind::kInt32
                                                                    : Rule::Kind::kInt64;
    if (const Exception* const exception = Find(kIntegers, field)) {
      rule->low = exception->low;
      rule->high = exception->high;
    } else if (absl::EndsWith(field.name(), "_permille")) {
      rule->high = 1000;
    }
  }

  static void SetTextRule(const FieldDescriptor& field, Rule* rule) {
    const Exception* const exception = Find(kTextBytes, field);
    if (field.type() == FieldDescriptor::TYPE_BYTES && exception == nullptr) {
      RAPPORT_CHECK(absl::EndsWith(field.name(), "event_id") && !field.is_repeated(),
                    field.full_name(), ": no rule for these bytes");
      rule->kind = Rule::Kind::kEventId;
      return;
    }
    rule->kind = Rule::Kind::kText;
    const bool is_id = absl::EndsWith(field.name(), "_id") || absl::EndsWith(field.name(), "_ids");
    rule->max_bytes = is_id ? kMaxIdBytes : kMaxTextBytes;
    if (exception != nullptr) rule->max_bytes = static_cast<size_t>(exception->high);
  }

  void SetMessageRule(const FieldDescriptor& field, Rule* rule) {
    const Descriptor* const type = field.message_type();
    if (type == Timestamp::descriptor()) {
      RAPPORT_CHECK(!field.is_repeated(), field.full_name(), ": no rule for repeated times");
      rule->kind = Rule::Kind::kTimestamp;
    } else if (type == touchpoint::v1::Money::descriptor()) {
      RAPPORT_CHECK(!field.is_repeated(), field.full_name(), ": no rule for repeated amounts");
      rule->kind = Rule::Kind::kMoney;
    } else {
      rule->kind = Rule::Kind::kMessage;
      rule->inner = Compile(type);
    }
  }

  absl::flat_hash_map<const Descriptor*, std::unique_ptr<Plan>> plans_;
  const Plan* const header_;
  std::vector<Payload> payloads_;  // by tag
};

bool Fail(const Rule& rule, std::string reason, Failure* failure) {
  failure->path = rule.field->name();
  failure->reason = std::move(reason);
  return false;
}

bool CheckEnum(const Rule& rule, int number, Failure* failure) {
  if (number >= 0 && number < 64 && (rule.known_numbers >> number & 1) != 0) return true;
  return Fail(rule, absl::StrCat(number, " is no known ", rule.field->enum_type()->name()),
              failure);
}

bool CheckInteger(const Rule& rule, int64_t value, Failure* failure) {
  if (value >= rule.low && value <= rule.high) return true;
  if (rule.high == kNoLimit) return Fail(rule, absl::StrCat(value, " is negative"), failure);
  return Fail(rule, absl::StrCat(value, " is not within ", rule.low, " and ", rule.high), failure);
}

bool CheckText(const Rule& rule, const std::string& text, Failure* failure) {
  if (text.size() > rule.max_bytes) {
    return Fail(
        rule,
        absl::StrCat("is ", text.size(), " bytes long; at most ", rule.max_bytes, " are kept"),
        failure);
  }
  if (rule.field->type() == FieldDescriptor::TYPE_BYTES ||
      IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()))) {
    return true;
  }
  return Fail(rule, "is not UTF-8", failure);
}

bool CheckEventId(const Rule& rule, const std::string& id, Failure* failure) {
  if (id.empty() || id.size() == EventId::kSize) return true;
  return Fail(rule, absl::StrCat("has ", id.size(), " bytes, not ", EventId::kSize), failure);
}

bool CheckTimestamp(const Rule& rule, const Timestamp& time, Failure* failure) {
  if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond) {
    return Fail(rule, absl::StrCat(time.seconds(), " s is not within the years 1 to 9999"),
                failure);
  }
  if (time.nanos() >= 0 && time.nanos() < 1'000'000'000) return true;
  return Fail(rule, absl::StrCat("has ", time.nanos(), " nanoseconds, not 0 to 999999999"),
              failure);
}

bool CheckMoney(const Rule& rule, const touchpoint::v1::Money& money, Failure* failure) {
  if (IsCurrency(money.currency_code())) return true;
  Fail(
      rule,
      absl::StrCat("'", money.currency_code(), "' is not an ISO 4217 code such as EUR, GBP or USD"),
      failure);
  failure->path += ".currency_code";
  return false;
}

bool Run(const Plan& plan, const Message& message, Depth depth, Failure* failure);

bool RunInner(const Rule& rule, const Message& inner, Depth depth, Failure* failure) {
  if (Run(*rule.inner, inner, depth, failure)) return true;
  failure->Prepend(rule.field->name());
  return false;
}

bool CheckSingular(const Rule& rule, const Message& message, const Reflection& get, Depth depth,
                   Failure* failure) {
  if (rule.presence && !get.HasField(message, rule.field)) return true;
  switch (rule.kind) {
    case Rule::Kind::kEnum:
      return CheckEnum(rule, get.GetEnumValue(message, rule.field), failure);
    case Rule::Kind::kInt32:
      return CheckInteger(rule, get.GetInt32(message, rule.field), failure);
    case Rule::Kind::kInt64:
      return CheckInteger(rule, get.GetInt64(message, rule.field), failure);
    case Rule::Kind::kText: {
      std::string scratch;
      return CheckText(rule, get.GetStringReference(message, rule.field, &scratch), failure);
    }
    case Rule::Kind::kEventId: {
      std::string scratch;
      return CheckEventId(rule, get.GetStringReference(message, rule.field, &scratch), failure);
    }
    case Rule::Kind::kTimestamp:
      return CheckTimestamp(
          rule, static_cast<const Timestamp&>(get.GetMessage(message, rule.field)), failure);
    case Rule::Kind::kMoney:
      return CheckMoney(
          rule, static_cast<const touchpoint::v1::Money&>(get.GetMessage(message, rule.field)),
          failure);
    case Rule::Kind::kMessage:
      return RunInner(rule, get.GetMessage(message, rule.field), depth, failure);
    case Rule::Kind::kNone:
      break;
  }
  return true;
}

bool CheckElement(const Rule& rule, const Message& message, const Reflection& get, int index,
                  Depth depth, Failure* failure) {
  switch (rule.kind) {
    case Rule::Kind::kEnum:
      return CheckEnum(rule, get.GetRepeatedEnumValue(message, rule.field, index), failure);
    case Rule::Kind::kText: {
      std::string scratch;
      return CheckText(rule, get.GetRepeatedStringReference(message, rule.field, index, &scratch),
                       failure);
    }
    case Rule::Kind::kMessage:
      return Run(*rule.inner, get.GetRepeatedMessage(message, rule.field, index), depth, failure);
    default:  // MakeRule lets no other kind repeat
      return true;
  }
}

bool CheckRepeated(const Rule& rule, const Message& message, const Reflection& get, Depth depth,
                   Failure* failure) {
  const int size = get.FieldSize(message, rule.field);
  if (depth == Depth::kAll && size > rule.max_elements) {
    return Fail(rule,
                absl::StrCat("has ", size, " elements; at most ", rule.max_elements, " are kept"),
                failure);
  }
  for (int i = 0; i < size; ++i) {
    if (CheckElement(rule, message, get, i, depth, failure)) continue;
    if (rule.kind != Rule::Kind::kMessage) failure->path.clear();
    failure->Prepend(absl::StrCat(rule.field->name(), "[", i, "]"));
    return false;
  }
  return true;
}

bool RunRules(const std::vector<Rule>& rules, const Message& message, const Reflection& get,
              Depth depth, Failure* failure) {
  for (const Rule& rule : rules) {
    const bool good = rule.max_elements > 0 ? CheckRepeated(rule, message, get, depth, failure)
                                            : CheckSingular(rule, message, get, depth, failure);
    if (!good) return false;
  }
  return true;
}

bool Run(const Plan& plan, const Message& message, Depth depth, Failure* failure) {
  const Reflection& get = *plan.reflection;
  if (!RunRules(plan.always, message, get, depth, failure)) return false;
  return depth == Depth::kFold || RunRules(plan.for_writers, message, get, depth, failure);
}

}  // namespace

bool CheckHeaderFields(const Touchpoint& touchpoint, Depth depth, Failure* failure) {
  return Run(Plans::Get().header(), touchpoint, depth, failure);
}

bool CheckPayloadFields(const Touchpoint& touchpoint, Depth depth, Failure* failure) {
  const Plans::Payload& payload = Plans::Get().payload(touchpoint.payload_case());
  return Run(*payload.plan, Plans::Get().header().reflection->GetMessage(touchpoint, payload.field),
             depth, failure);
}

}  // namespace rapport::touchpoint_internal
