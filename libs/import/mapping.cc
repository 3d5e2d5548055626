#include "libs/import/mapping.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/status.h"
#include "libs/identity/phone.h"
#include "libs/import/assign.h"
#include "libs/import/plain_number.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using config::v1::Assignment;
using config::v1::Condition;
using config::v1::CsvFormat;
using config::v1::ImportMapping;
using config::v1::ImportRule;
using config::v1::RowList;
using config::v1::Value;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using touchpoint::v1::Touchpoint;
using Path = std::vector<const FieldDescriptor*>;

// A field that takes one character; `fallback` when it is empty.
absl::StatusOr<char> OneCharacter(const MappingFile& mapping, const std::string& text,
                                  absl::string_view field, char fallback) {
  if (text.size() == 1) return text[0];
  if (text.empty()) return fallback;
  return mapping.ErrorAt(mapping.proto().format(), field,
                         absl::StrCat(field, " '", text, "' is not one character"));
}

class Compiler {
 public:
  Compiler(const MappingFile& mapping, std::vector<std::string> columns,
           const LookupTables& lookups)
      : mapping_(mapping), columns_(std::move(columns)), lookups_(lookups) {}

  absl::StatusOr<ImportPlan> Run() {
    const ImportMapping& proto = mapping_.proto();
    plan_.source = proto.source();
    plan_.column_count = columns_.size();
    if (plan_.source.empty()) return mapping_.ErrorAt(proto, "source", "source is missing");
    RAPPORT_RETURN_IF_ERROR(AddRowNumber());
    RAPPORT_RETURN_IF_ERROR(CompileClient());
    if (proto.rules().empty()) return mapping_.ErrorAt(proto, "rules", "there are no rules");
    RAPPORT_RETURN_IF_ERROR(CompileFormat());
    for (const std::string& name : proto.group_columns()) {
      RAPPORT_ASSIGN_OR_RETURN(const int column, Column(name, proto, "group_columns"));
      plan_.group_columns.push_back(column);
    }
    plan_.group_name = absl::StrJoin(proto.group_columns(), ", ");
    for (const config::v1::SkippedRows& skipped : proto.skip_when()) {
      RAPPORT_ASSIGN_OR_RETURN(plan_.skipped.emplace_back(), CompileSkipped(skipped));
    }
    if (proto.has_when()) {
      RAPPORT_ASSIGN_OR_RETURN(plan_.time, CompileTime(proto.when()));
    }
    for (const ImportRule& rule : proto.rules()) {
      RAPPORT_ASSIGN_OR_RETURN(RulePlan compiled, CompileRule(rule));
      compiled.index = static_cast<int>(plan_.rules.size());
      plan_.rules.push_back(std::move(compiled));
    }
    return std::move(plan_);
  }

 private:
  absl::Status AddRowNumber() {
    const CsvFormat& format = mapping_.proto().format();
    const std::string& name = format.row_number_column();
    if (name.empty()) return absl::OkStatus();
    if (std::count(columns_.begin(), columns_.end(), name) > 0) {
      return mapping_.ErrorAt(format, "row_number_column",
                              absl::StrCat("the file has a column '", name, "' of its own"));
    }
    columns_.push_back(name);
    plan_.numbers_rows = true;
    return absl::OkStatus();
  }

  absl::StatusOr<SkipPlan> CompileSkipped(const config::v1::SkippedRows& skipped) const {
    if (skipped.conditions().empty()) {
      return mapping_.ErrorAt(skipped, "conditions", "skip_when has no conditions");
    }
    SkipPlan plan;
    std::vector<std::string> words;
    for (const Condition& condition : skipped.conditions()) {
      if (condition.previous_row()) {
        return mapping_.ErrorAt(condition, "previous_row",
                                "previous_row is for rules with each_row");
      }
      RAPPORT_ASSIGN_OR_RETURN(plan.conditions.emplace_back(),
                               CompileCondition(mapping_, columns_, condition));
      words.push_back(absl::StrCat(condition.column(), " is ", condition.negated() ? "not " : "",
                                   "'", condition.like(), "'"));
    }
    plan.reason = skipped.reason().empty() ? absl::StrJoin(words, " and ") : skipped.reason();
    return plan;
  }

  absl::Status CompileFormat() {
    const CsvFormat& format = mapping_.proto().format();
    RAPPORT_ASSIGN_OR_RETURN(plan_.marks.decimal,
                             OneCharacter(mapping_, format.decimal_mark(), "decimal_mark", '.'));
    RAPPORT_ASSIGN_OR_RETURN(
        plan_.marks.thousands,
        OneCharacter(mapping_, WithAsciiMarks(format.thousands_mark()), "thousands_mark", '\0'));
    if (plan_.marks.thousands == plan_.marks.decimal) {
      return mapping_.ErrorAt(format, "thousands_mark",
                              absl::StrCat("'", format.thousands_mark(),
                                           "' cannot stand before the decimals and between "
                                           "thousands; is the decimal_mark right?"));
    }
    time_.format = format.time_format().empty() ? absl::RFC3339_full : format.time_format();
    time_.zone = absl::UTCTimeZone();
    return ReadZone(format, format.time_zone(), &time_.zone);
  }

  absl::Status CompileClient() {
    const ImportMapping& proto = mapping_.proto();
    if (proto.has_client_id() == proto.has_client_identifier()) {
      return mapping_.ErrorAt(proto, "client_identifier",
                              proto.has_client_id()
                                  ? "client_identifier stands in place of client_id"
                                  : "client_id is missing");
    }
    const config::v1::ClientIdentifier& identifier = proto.client_identifier();
    RAPPORT_ASSIGN_OR_RETURN(
        plan_.client,
        CompileTextValue(proto.has_client_id() ? proto.client_id() : identifier.value()));
    if (proto.has_client_id()) return absl::OkStatus();
    const bool is_phone = identifier.kind() == touchpoint::v1::IDENTIFIER_KIND_PHONE;
    if (identifier.kind() == touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED) {
      return mapping_.ErrorAt(identifier, "kind", "the client_identifier has no kind");
    }
    if (is_phone && !IsPhoneRegion(identifier.phone_region())) {
      return mapping_.ErrorAt(identifier, "phone_region",
                              absl::StrCat("phone_region '", identifier.phone_region(),
                                           "' is no region such as DE or GB"));
    }
    plan_.client_identifier = IdentifierPlan{identifier.kind(), identifier.issuer(), {}};
    plan_.client_identifier->forms.phone.default_region = identifier.phone_region();
    return absl::OkStatus();
  }

  // Leaves the zone as it is where none is named.
  absl::Status ReadZone(const Message& where, const std::string& name, absl::TimeZone* zone) const {
    if (name.empty() || absl::LoadTimeZone(name, zone)) return absl::OkStatus();
    return mapping_.ErrorAt(
        where, "time_zone",
        absl::StrCat("time zone '", name, "' is not known here (is tzdata installed?)"));
  }

  absl::StatusOr<int> Column(absl::string_view name, const Message& where,
                             absl::string_view field) const {
    return ColumnOf(mapping_, columns_, name, where, field);
  }

  absl::StatusOr<TextPlan> CompileText(absl::string_view text, const Message& where,
                                       absl::string_view field) const {
    TextPlan plan;
    std::string literal;
    const auto flush = [&plan, &literal] {
      if (!literal.empty()) plan.parts.push_back({std::exchange(literal, {}), -1});
    };
    while (!text.empty()) {
      const char c = text.front();
      if ((c == '{' || c == '}') && text.size() > 1 && text[1] == c) {
        literal += c;
        text.remove_prefix(2);
        continue;
      }
      if (c == '}') return mapping_.ErrorAt(where, field, "a } without {; write }} for the sign");
      if (c != '{') {
        literal += c;
        text.remove_prefix(1);
        continue;
      }
      const size_t end = text.find('}');
      if (end == absl::string_view::npos) {
        return mapping_.ErrorAt(where, field, "a { without }; write {{ for the sign");
      }
      flush();
      RAPPORT_ASSIGN_OR_RETURN(const int column, Column(text.substr(1, end - 1), where, field));
      plan.parts.push_back({"", column});
      plan.has_column = true;
      text.remove_prefix(end + 1);
    }
    flush();
    return plan;
  }

  absl::StatusOr<ValuePlan> CompileValue(const Value& value) const {
    ValuePlan plan;
    switch (value.content_case()) {
      case Value::kText: {
        RAPPORT_ASSIGN_OR_RETURN(plan.text, CompileText(value.text(), value, "text"));
        break;
      }
      case Value::kProductSum:
        plan.content = ValuePlan::Content::kProductSum;
        for (const std::string& name : value.product_sum().columns()) {
          RAPPORT_ASSIGN_OR_RETURN(const int column, Column(name, value.product_sum(), "columns"));
          plan.factors.push_back(column);
        }
        if (plan.factors.empty()) {
          return mapping_.ErrorAt(value, "product_sum", "product_sum names no columns");
        }
        break;
      case Value::kRowCount:
        plan.content = ValuePlan::Content::kRowCount;
        break;
      case Value::CONTENT_NOT_SET:
        return mapping_.ErrorAt(value, "", "the value has none of text, product_sum, row_count");
    }
    plan.strip_suffix = value.strip_suffix();
    for (const auto& translation : value.translations()) {
      if (!plan.translations.try_emplace(translation.from(), translation.to()).second) {
        return mapping_.ErrorAt(translation, "from",
                                absl::StrCat("'", translation.from(), "' is translated twice"));
      }
    }
    plan.translated_only = value.translated_only();
    for (const std::string& name : value.lookups()) {
      const auto table = lookups_.find(name);
      if (table == lookups_.end()) {
        return mapping_.ErrorAt(value, "lookups", absl::StrCat("there is no lookup '", name, "'"));
      }
      plan.lookups.push_back(table->second);
    }
    plan.known_only = value.known_only();
    plan.previous_row = value.previous_row();
    if (plan.previous_row && !has_previous_row_) {
      return mapping_.ErrorAt(value, "previous_row",
                              "previous_row is for rules with each_row and for row_lists");
    }
    if (plan.previous_row && plan.content != ValuePlan::Content::kText) {
      return mapping_.ErrorAt(value, "previous_row", "previous_row is for text");
    }
    plan.plus = value.plus();
    RAPPORT_ASSIGN_OR_RETURN(plan.currency, CompileText(value.currency(), value, "currency"));
    plan.decimal_shift = value.decimal_shift();
    if (plan.decimal_shift < 0 || plan.decimal_shift > 9) {
      return mapping_.ErrorAt(value, "decimal_shift", "decimal_shift is not within 0 and 9");
    }
    plan.negated = value.negated();
    plan.rounded = value.rounded();
    return plan;
  }

  absl::Status RefuseTimeParts(const Value& value) const {
    for (const char* const field : {"time_format", "time_zone", "later_by"}) {
      const auto* const descriptor = Value::descriptor()->FindFieldByName(field);
      if (value.GetReflection()->HasField(value, descriptor)) {
        return mapping_.ErrorAt(value, field, absl::StrCat(field, " is for times"));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ValuePlan> CompileTime(const Value& value) const {
    RAPPORT_ASSIGN_OR_RETURN(ValuePlan plan, CompileWritten(value));
    plan.time = time_;
    if (!value.time_format().empty()) plan.time.format = value.time_format();
    RAPPORT_RETURN_IF_ERROR(ReadZone(value, value.time_zone(), &plan.time.zone));
    const config::v1::Later& later = value.later_by();
    RAPPORT_ASSIGN_OR_RETURN(plan.time.later_months, CompileText(later.months(), later, "months"));
    RAPPORT_ASSIGN_OR_RETURN(plan.time.later_days, CompileText(later.days(), later, "days"));
    return plan;
  }

  absl::StatusOr<ValuePlan> CompileTextValue(const Value& value) const {
    RAPPORT_RETURN_IF_ERROR(RefuseTimeParts(value));
    return CompileWritten(value);
  }

  // A value for a text or a time.
  absl::StatusOr<ValuePlan> CompileWritten(const Value& value) const {
    RAPPORT_ASSIGN_OR_RETURN(ValuePlan plan, CompileValue(value));
    const auto refuse = [&](absl::string_view field) {
      return mapping_.ErrorAt(value, field, absl::StrCat(field, " is for numbers and amounts"));
    };
    if (plan.content == ValuePlan::Content::kProductSum) return refuse("product_sum");
    if (plan.content == ValuePlan::Content::kRowCount) return refuse("row_count");
    if (plan.negated) return refuse("negated");
    if (plan.rounded) return refuse("rounded");
    if (plan.decimal_shift != 0) return refuse("decimal_shift");
    if (!plan.currency.parts.empty()) return refuse("currency");
    return plan;
  }

  absl::StatusOr<ValuePlan> CompileValueFor(const FieldDescriptor& field,
                                            const Value& value) const {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_INT64:
        if (!value.currency().empty()) {
          return mapping_.ErrorAt(value, "currency", "currency is for amounts");
        }
        RAPPORT_RETURN_IF_ERROR(RefuseTimeParts(value));
        return CompileValue(value);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (field.message_type() != touchpoint::v1::Money::descriptor()) return CompileTime(value);
        RAPPORT_RETURN_IF_ERROR(RefuseTimeParts(value));
        if (value.currency().empty()) {
          return mapping_.ErrorAt(value, "currency", "an amount needs a currency");
        }
        if (value.decimal_shift() != 0) {
          return mapping_.ErrorAt(value, "decimal_shift", "an amount is shifted by its currency");
        }
        return CompileValue(value);
      default:
        break;
    }
    return CompileTextValue(value);
  }

  absl::StatusOr<Path> CompilePath(const std::string& text, const Descriptor* root,
                                   const Message& where) const {
    Path path;
    const Descriptor* type = root;
    for (const absl::string_view step : absl::StrSplit(text, '.')) {
      const FieldDescriptor* const field =
          type == nullptr ? nullptr : type->FindFieldByName(std::string(step));
      if (field == nullptr) {
        return mapping_.ErrorAt(
            where, "field",
            absl::StrCat("there is no field '", step, "' in ",
                         type == nullptr ? path.back()->full_name() : type->full_name()));
      }
      path.push_back(field);
      type = field->message_type();
    }
    return path;
  }

  absl::StatusOr<AssignmentPlan> CompileAssignment(const Assignment& assignment,
                                                   const Descriptor* root) const {
    AssignmentPlan plan;
    plan.name = assignment.field();
    RAPPORT_ASSIGN_OR_RETURN(plan.path, CompilePath(assignment.field(), root, assignment));
    const FieldDescriptor& field = *plan.path.back();
    const bool settable = field.type() != FieldDescriptor::TYPE_BYTES &&
                          (field.message_type() == nullptr ||
                           field.message_type() == touchpoint::v1::Money::descriptor() ||
                           field.message_type() == google::protobuf::Timestamp::descriptor());
    if (!settable) {
      return mapping_.ErrorAt(
          assignment, "field",
          absl::StrCat(
              assignment.field(), " is a ",
              field.message_type() == nullptr ? "field of bytes" : field.message_type()->name(),
              ", which has no value of its own"));
    }
    if (!assignment.has_value()) {
      return mapping_.ErrorAt(assignment, "field", "the assignment has no value");
    }
    RAPPORT_ASSIGN_OR_RETURN(plan.value, CompileValueFor(field, assignment.value()));
    RAPPORT_RETURN_IF_ERROR(TryConstant(plan, assignment, root));
    return plan;
  }

  // A value that is the same for every row must suit its field.
  absl::Status TryConstant(const AssignmentPlan& plan, const Assignment& assignment,
                           const Descriptor* root) const {
    const ValuePlan& value = plan.value;
    if (value.content != ValuePlan::Content::kText || value.text.has_column ||
        value.currency.has_column || value.time.later_months.has_column ||
        value.time.later_days.has_column) {
      return absl::OkStatus();
    }
    const std::unique_ptr<Message> scratch(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(root)->New());
    const CsvRow row;
    RowGroup group = {absl::MakeConstSpan(&row, 1), &row};
    const absl::Status status = Assign(plan, plan_.marks, &group, scratch.get());
    if (status.ok()) return status;
    return mapping_.ErrorAt(assignment.value(), "text", status.message());
  }

  // The import itself sets these.
  static bool IsReserved(const FieldDescriptor& field) {
    switch (field.number()) {
      case Touchpoint::kEventIdFieldNumber:
      case Touchpoint::kClientIdFieldNumber:
      case Touchpoint::kOccurredAtFieldNumber:
      case Touchpoint::kRecordedAtFieldNumber:
      case Touchpoint::kSourceFieldNumber:
      case Touchpoint::kSourceEventIdFieldNumber:
        return true;
      default:
        return false;
    }
  }

  absl::Status CheckTop(const Path& path, const FieldDescriptor& kind, const Message& where) const {
    if (IsReserved(*path.front())) {
      return mapping_.ErrorAt(where, "field",
                              absl::StrCat(path.front()->name(),
                                           " is set by the import; see the mapping's own fields"));
    }
    if (path.front()->containing_oneof() != nullptr && path.front() != &kind) {
      return mapping_.ErrorAt(
          where, "field",
          absl::StrCat(path.front()->name(), " belongs to another kind than ", kind.name()));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<RowListPlan> CompileRowList(const RowList& list, const FieldDescriptor& kind) {
    const bool of_rule = std::exchange(has_previous_row_, true);
    const absl::Cleanup back = [this, of_rule] { has_previous_row_ = of_rule; };
    RowListPlan plan;
    RAPPORT_ASSIGN_OR_RETURN(plan.path, CompilePath(list.field(), Touchpoint::descriptor(), list));
    RAPPORT_RETURN_IF_ERROR(CheckTop(plan.path, kind, list));
    const FieldDescriptor& field = *plan.path.back();
    if (!field.is_repeated() || field.message_type() == nullptr) {
      return mapping_.ErrorAt(list, "field", absl::StrCat(list.field(), " is no repeated message"));
    }
    for (const Assignment& assignment : list.assignments()) {
      RAPPORT_ASSIGN_OR_RETURN(plan.assignments.emplace_back(),
                               CompileAssignment(assignment, field.message_type()));
    }
    return plan;
  }

  absl::StatusOr<RulePlan> CompileRule(const ImportRule& rule) {
    has_previous_row_ = rule.each_row();
    RulePlan plan;
    const FieldDescriptor* const kind = Touchpoint::descriptor()->FindFieldByName(rule.kind());
    if (kind == nullptr || kind->containing_oneof() == nullptr) {
      return mapping_.ErrorAt(
          rule, "kind",
          absl::StrCat("'", rule.kind(), "' is no kind of touchpoint, such as order_placed"));
    }
    plan.kind = kind;
    plan.once_per_client = rule.once_per_client();
    plan.each_row = rule.each_row();
    plan.once_per_group = rule.once_per_group();
    if (plan.once_per_group && !plan.each_row) {
      return mapping_.ErrorAt(rule, "once_per_group", "once_per_group is for rules with each_row");
    }
    if (plan.once_per_client && plan.each_row) {
      return mapping_.ErrorAt(rule, "once_per_client", "once_per_client is for whole groups");
    }
    for (const Condition& condition : rule.conditions()) {
      if (condition.previous_row() && !plan.each_row) {
        return mapping_.ErrorAt(condition, "previous_row",
                                "previous_row is for rules with each_row");
      }
      RAPPORT_ASSIGN_OR_RETURN(plan.conditions.emplace_back(),
                               CompileCondition(mapping_, columns_, condition));
    }
    plan.time_may_lack = rule.has_when();
    if (!rule.has_when() && !mapping_.proto().has_when()) {
      return mapping_.ErrorAt(mapping_.proto(), "when", "when is missing");
    }
    RAPPORT_ASSIGN_OR_RETURN(plan.time,
                             CompileTime(rule.has_when() ? rule.when() : mapping_.proto().when()));
    if (!rule.has_source_event_id()) {
      return mapping_.ErrorAt(rule, "source_event_id", "the rule has no source_event_id");
    }
    RAPPORT_ASSIGN_OR_RETURN(plan.source_event_id, CompileTextValue(rule.source_event_id()));
    for (const Assignment& assignment : rule.assignments()) {
      RAPPORT_ASSIGN_OR_RETURN(AssignmentPlan compiled,
                               CompileAssignment(assignment, Touchpoint::descriptor()));
      RAPPORT_RETURN_IF_ERROR(CheckTop(compiled.path, *kind, assignment));
      plan.assignments.push_back(std::move(compiled));
    }
    for (const RowList& list : rule.row_lists()) {
      RAPPORT_ASSIGN_OR_RETURN(plan.row_lists.emplace_back(), CompileRowList(list, *kind));
    }
    return plan;
  }

  const MappingFile& mapping_;
  std::vector<std::string> columns_;  // and the number of the row
  const LookupTables& lookups_;
  bool has_previous_row_ = false;  // whether values may be of the row before
  TimePlan time_;                  // of the file
  ImportPlan plan_;
};

}  // namespace

absl::StatusOr<char> DelimiterOf(const MappingFile& mapping) {
  return OneCharacter(mapping, mapping.proto().format().delimiter(), "delimiter", ',');
}

absl::StatusOr<ImportPlan> CompileMapping(const MappingFile& mapping,
                                          const std::vector<std::string>& columns,
                                          const LookupTables& lookups) {
  return Compiler(mapping, columns, lookups).Run();
}

}  // namespace rapport
