#include "libs/import/assign.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/check.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "rapport/touchpoint/v1/common.pb.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;
using touchpoint::v1::Money;
using Path = std::vector<const FieldDescriptor*>;

absl::StatusOr<Decimal> SumOfProducts(const ValuePlan& value, Decimal::Marks marks,
                                      RowGroup* group) {
  Decimal sum;
  for (size_t i = 0; i < group->rows.size(); ++i) {
    group->bad_row = i;
    Decimal product = Decimal::FromInteger(1);
    for (const int column : value.factors) {
      RAPPORT_ASSIGN_OR_RETURN(const Decimal factor,
                               Decimal::Parse(group->rows[i][static_cast<size_t>(column)], marks));
      RAPPORT_ASSIGN_OR_RETURN(product, product.Times(factor));
    }
    RAPPORT_ASSIGN_OR_RETURN(sum, sum.Plus(product));
  }
  group->bad_row = 0;
  return sum;
}

// nullopt: the value is left out.
absl::StatusOr<std::optional<Decimal>> EvaluateNumber(const ValuePlan& value, Decimal::Marks marks,
                                                      RowGroup* group) {
  Decimal number;
  switch (value.content) {
    case ValuePlan::Content::kText: {
      RAPPORT_ASSIGN_OR_RETURN(const std::string text, EvaluateText(value, *group));
      if (text.empty()) return std::nullopt;
      RAPPORT_ASSIGN_OR_RETURN(number, Decimal::Parse(text, marks));
      break;
    }
    case ValuePlan::Content::kProductSum: {
      RAPPORT_ASSIGN_OR_RETURN(number, SumOfProducts(value, marks, group));
      break;
    }
    case ValuePlan::Content::kRowCount:
      number = Decimal::FromInteger(static_cast<int64_t>(group->rows.size()));
  }
  return value.negated ? number.Negated() : number;
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  const std::string word = absl::AsciiStrToLower(text);
  if (word == "true" || word == "yes" || word == "1") return true;
  if (word == "false" || word == "no" || word == "0") return false;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is none of true, false, yes, no, 1, 0"));
}

// The message that holds the last field of the path. Messages on the way are made; of a repeated
// one it is its one element.
Message* Descend(const Path& path, Message* root) {
  Message* message = root;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const auto* const get = message->GetReflection();
    if (!path[i]->is_repeated()) {
      message = get->MutableMessage(message, path[i]);
    } else if (get->FieldSize(*message, path[i]) == 0) {
      message = get->AddMessage(message, path[i]);
    } else {
      message = get->MutableRepeatedMessage(message, path[i], 0);
    }
  }
  return message;
}

absl::Status SetNumber(const AssignmentPlan& assignment, Decimal::Marks marks, RowGroup* group,
                       Message* root) {
  const ValuePlan& value = assignment.value;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<Decimal> number,
                           EvaluateNumber(value, marks, group));
  if (!number.has_value()) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const int64_t integer,
                           number->ToInteger(value.decimal_shift, value.rounded));
  const FieldDescriptor* const field = assignment.path.back();
  Message* const message = Descend(assignment.path, root);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
    message->GetReflection()->SetInt64(message, field, integer);
    return absl::OkStatus();
  }
  if (integer > std::numeric_limits<int32_t>::max() ||
      integer < std::numeric_limits<int32_t>::min()) {
    return absl::OutOfRangeError(absl::StrCat(integer, " is too large"));
  }
  message->GetReflection()->SetInt32(message, field, static_cast<int32_t>(integer));
  return absl::OkStatus();
}

absl::Status SetMoney(const AssignmentPlan& assignment, Decimal::Marks marks, RowGroup* group,
                      Message* root) {
  const ValuePlan& value = assignment.value;
  const std::string currency = FillIn(value.currency, group->rows.front());
  marks.currency = currency;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<Decimal> number,
                           EvaluateNumber(value, marks, group));
  if (!number.has_value()) return absl::OkStatus();
  const int digits = CurrencyDigits(currency);
  if (digits < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("currency '", currency, "' is not an ISO 4217 code such as EUR, GBP or USD"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const int64_t minor_units, number->ToInteger(digits, value.rounded));
  Message* const message = Descend(assignment.path, root);
  auto* const money = static_cast<Money*>(
      message->GetReflection()->MutableMessage(message, assignment.path.back()));
  money->set_minor_units(minor_units);
  money->set_currency_code(currency);
  return absl::OkStatus();
}

absl::Status SetEnum(const FieldDescriptor* field, const std::string& text, const Path& path,
                     Message* root) {
  const auto* const number = field->enum_type()->FindValueByName(text);
  if (number == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no ", field->enum_type()->name(), ", such as ",
                     field->enum_type()->value(field->enum_type()->value_count() - 1)->name()));
  }
  Message* const message = Descend(path, root);
  if (field->is_repeated()) {
    message->GetReflection()->AddEnum(message, field, number);
  } else {
    message->GetReflection()->SetEnum(message, field, number);
  }
  return absl::OkStatus();
}

void SetString(const FieldDescriptor* field, const std::string& text, const Path& path,
               Message* root) {
  Message* const message = Descend(path, root);
  if (field->is_repeated()) {
    message->GetReflection()->AddString(message, field, text);
  } else {
    message->GetReflection()->SetString(message, field, text);
  }
}

absl::Status SetTime(const AssignmentPlan& assignment, const RowGroup& group, Message* root) {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> time,
                           EvaluateTime(assignment.value, group));
  if (!time.has_value()) return absl::OkStatus();
  const FieldDescriptor* const field = assignment.path.back();
  RAPPORT_CHECK(field->message_type() == Timestamp::descriptor(), field->full_name());
  Message* const message = Descend(assignment.path, root);
  ToProto(*time, static_cast<Timestamp*>(message->GetReflection()->MutableMessage(message, field)));
  return absl::OkStatus();
}

absl::Status SetFromText(const AssignmentPlan& assignment, const RowGroup& group, Message* root) {
  const FieldDescriptor* const field = assignment.path.back();
  RAPPORT_ASSIGN_OR_RETURN(const std::string text, EvaluateText(assignment.value, group));
  if (text.empty()) return absl::OkStatus();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    SetString(field, text, assignment.path, root);
    return absl::OkStatus();
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return SetEnum(field, text, assignment.path, root);
  }
  RAPPORT_CHECK(field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL, field->full_name());
  RAPPORT_ASSIGN_OR_RETURN(const bool truth, ParseBool(text));
  Message* const message = Descend(assignment.path, root);
  message->GetReflection()->SetBool(message, field, truth);
  return absl::OkStatus();
}

absl::Status AssignUnnamed(const AssignmentPlan& assignment, Decimal::Marks marks, RowGroup* group,
                           Message* root) {
  const FieldDescriptor* const field = assignment.path.back();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
      field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
    return SetNumber(assignment, marks, group, root);
  }
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return SetFromText(assignment, *group, root);
  }
  if (field->message_type() == Money::descriptor()) {
    return SetMoney(assignment, marks, group, root);
  }
  return SetTime(assignment, *group, root);
}

}  // namespace

absl::Status Assign(const AssignmentPlan& assignment, Decimal::Marks marks, RowGroup* group,
                    Message* root) {
  return Annotate(AssignUnnamed(assignment, marks, group, root), assignment.name);
}

absl::Status AddRowList(const RowListPlan& list, Decimal::Marks marks, RowGroup* group,
                        Message* root) {
  Message* const parent = Descend(list.path, root);
  for (size_t i = 0; i < group->rows.size(); ++i) {
    group->bad_row = i;
    RowGroup one = {group->rows.subspan(i, 1), i == 0 ? group->previous : &group->rows[i - 1]};
    Message* const element = parent->GetReflection()->AddMessage(parent, list.path.back());
    for (const AssignmentPlan& assignment : list.assignments) {
      RAPPORT_RETURN_IF_ERROR(Assign(assignment, marks, &one, element));
    }
  }
  group->bad_row = 0;
  return absl::OkStatus();
}

}  // namespace rapport
