#include "libs/import/group_mapper.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/import/assign.h"
#include "libs/import/columns.h"
#include "libs/import/evaluate.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

// Whether the rule is meant for row `i` of the group.
bool IsMeant(const RulePlan& rule, absl::Span<const CsvRow> rows, size_t i) {
  const CsvRow* const previous = i == 0 ? nullptr : &rows[i - 1];
  return std::all_of(rule.conditions.begin(), rule.conditions.end(),
                     [&](const ConditionPlan& condition) {
                       return Holds(condition, condition.previous_row ? previous : &rows[i]);
                     });
}

}  // namespace

bool GroupMapper::SameGroup(const CsvRow& first, const CsvRow& second) const {
  if (plan_.group_columns.empty()) return false;
  return std::all_of(plan_.group_columns.begin(), plan_.group_columns.end(), [&](int column) {
    return first[static_cast<size_t>(column)] == second[static_cast<size_t>(column)];
  });
}

absl::StatusOr<GroupMapper::Client> GroupMapper::ClientOfRow(const RowGroup& row) const {
  absl::StatusOr<std::string> text = EvaluateText(plan_.client, row);
  if (!plan_.client_identifier.has_value()) {
    RAPPORT_RETURN_IF_ERROR(Annotate(text.status(), "client_id"));
    if (text->empty()) return absl::InvalidArgumentError("client_id: is required");
    return Client{*std::move(text), std::nullopt};
  }
  RAPPORT_RETURN_IF_ERROR(Annotate(text.status(), "client_identifier"));
  if (text->empty()) return absl::InvalidArgumentError("client_identifier: is required");
  const IdentifierPlan& plan = *plan_.client_identifier;
  absl::StatusOr<Identifier> identifier = Normalize(plan.kind, *text, plan.issuer, plan.forms);
  if (!identifier.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("client_identifier: ", identifier.status().message()));
  }
  return Client{ProvisionalClientId(*identifier), *std::move(identifier)};
}

absl::StatusOr<GroupMapper::Client> GroupMapper::ClientOf(absl::Span<const CsvRow> rows,
                                                          size_t* bad_row) const {
  Client client;
  for (size_t i = 0; i < rows.size(); ++i) {
    *bad_row = i;
    RAPPORT_ASSIGN_OR_RETURN(Client one, ClientOfRow({rows.subspan(i, 1)}));
    if (i == 0) {
      client = std::move(one);
    } else if (one.client_id != client.client_id) {
      return absl::InvalidArgumentError(absl::StrCat("the client differs from '", client.client_id,
                                                     "' in line ", rows.front().line(),
                                                     " of the same group"));
    }
  }
  *bad_row = 0;
  return client;
}

Touchpoint GroupMapper::MakeLink(const Identifier& identifier, const Touchpoint& met) const {
  Touchpoint link;
  link.set_source(plan_.source);
  link.set_source_event_id(absl::StrCat("identifier/", KeyOf(identifier)));
  const EventId id = MakeEventId(link.source(), link.source_event_id());
  link.set_event_id(id.bytes.data(), id.bytes.size());
  link.set_client_id(met.client_id());
  *link.mutable_occurred_at() = met.occurred_at();
  link.mutable_identifier_linked()->set_kind(identifier.kind);
  link.mutable_identifier_linked()->set_value(identifier.value);
  link.mutable_identifier_linked()->set_issuer(identifier.issuer);
  return link;
}

absl::StatusOr<bool> GroupMapper::SetTime(const RulePlan& rule, const RowGroup& group,
                                          Touchpoint* touchpoint) const {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> time, EvaluateTime(rule.time, group));
  if (!time.has_value()) {
    if (rule.time_may_lack) return false;
    return absl::InvalidArgumentError("when: is required");
  }
  if (*time > now_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "occurred_at: ", absl::FormatTime(absl::RFC3339_sec, *time, absl::UTCTimeZone()),
        " lies ahead (is the time_format right?)"));
  }
  ToProto(*time, touchpoint->mutable_occurred_at());
  return true;
}

absl::Status GroupMapper::SetFields(const RulePlan& rule, RowGroup* group,
                                    Touchpoint* touchpoint) const {
  // A kind may have no field that is told.
  touchpoint->GetReflection()->MutableMessage(touchpoint, rule.kind);
  for (const AssignmentPlan& assignment : rule.assignments) {
    RAPPORT_RETURN_IF_ERROR(Assign(assignment, plan_.marks, group, touchpoint));
  }
  for (const RowListPlan& list : rule.row_lists) {
    RAPPORT_RETURN_IF_ERROR(AddRowList(list, plan_.marks, group, touchpoint));
  }
  return absl::OkStatus();
}

absl::Status GroupMapper::CheckNew(const Touchpoint& touchpoint,
                                   const std::vector<MappedTouchpoint>& made) const {
  const bool repeated =
      event_ids_.contains(*EventId::FromBytes(touchpoint.event_id())) ||
      std::any_of(made.begin(), made.end(), [&touchpoint](const MappedTouchpoint& other) {
        return other.touchpoint.event_id() == touchpoint.event_id();
      });
  if (!repeated) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", touchpoint.source_event_id(),
                   "' stood in the file before; rows that belong together "
                   "must follow each other, and different happenings need different ids"));
}

absl::Status GroupMapper::MakeTouchpoint(const RulePlan& rule, RowGroup* group,
                                         Touchpoint touchpoint,
                                         std::vector<MappedTouchpoint>* made) const {
  RAPPORT_ASSIGN_OR_RETURN(const bool happened, SetTime(rule, *group, &touchpoint));
  if (!happened) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const std::string source_event_id,
                           EvaluateText(rule.source_event_id, *group));
  if (source_event_id.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("source_event_id of ", rule.kind->name(),
                                                   " is empty: which happening is it?"));
  }
  touchpoint.set_source_event_id(source_event_id);
  const EventId id = MakeEventId(plan_.source, source_event_id);
  touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
  RAPPORT_RETURN_IF_ERROR(SetFields(rule, group, &touchpoint));
  RAPPORT_RETURN_IF_ERROR(ValidateTouchpoint(touchpoint));
  RAPPORT_RETURN_IF_ERROR(CheckNew(touchpoint, *made));
  made->push_back({std::move(touchpoint), group->rows.front().line()});
  return absl::OkStatus();
}

absl::Status GroupMapper::MapRule(const RulePlan& rule, absl::Span<const CsvRow> rows,
                                  const Touchpoint& header, size_t* bad_row,
                                  std::vector<MappedTouchpoint>* made) const {
  if (!rule.each_row) {
    RowGroup group = {rows};
    const absl::Status status = MakeTouchpoint(rule, &group, header, made);
    *bad_row = group.bad_row;
    return status;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!IsMeant(rule, rows, i)) continue;
    *bad_row = i;
    RowGroup one = {rows.subspan(i, 1)};
    RAPPORT_RETURN_IF_ERROR(MakeTouchpoint(rule, &one, header, made));
    if (rule.once_per_group) break;
  }
  return absl::OkStatus();
}

std::vector<const RulePlan*> GroupMapper::RulesFor(absl::Span<const CsvRow> rows) const {
  std::vector<const RulePlan*> meant;
  for (const RulePlan& rule : plan_.rules) {
    size_t i = 0;
    const size_t looked_at = rule.each_row ? rows.size() : 1;
    while (i < looked_at && !IsMeant(rule, rows, i)) ++i;
    if (i < looked_at) meant.push_back(&rule);
  }
  return meant;
}

absl::Status GroupMapper::Map(absl::Span<const CsvRow> rows,
                              std::vector<MappedTouchpoint>* touchpoints, size_t* bad_row) {
  const std::vector<const RulePlan*> rules = RulesFor(rows);
  if (rules.empty()) return absl::OkStatus();
  Touchpoint header;
  header.set_source(plan_.source);
  RAPPORT_ASSIGN_OR_RETURN(const Client client, ClientOf(rows, bad_row));
  header.set_client_id(client.client_id);
  std::vector<MappedTouchpoint> made;
  const bool first_sight = !clients_.contains(header.client_id());
  for (const RulePlan* rule : rules) {
    if (rule->once_per_client && !first_sight) continue;
    RAPPORT_RETURN_IF_ERROR(MapRule(*rule, rows, header, bad_row, &made));
  }
  if (made.empty()) return absl::OkStatus();
  if (first_sight && client.identifier.has_value()) {
    made.push_back({MakeLink(*client.identifier, made.front().touchpoint), made.front().line});
  }
  clients_.insert(header.client_id());
  for (MappedTouchpoint& one : made) {
    event_ids_.insert(*EventId::FromBytes(one.touchpoint.event_id()));
    touchpoints->push_back(std::move(one));
  }
  return absl::OkStatus();
}

}  // namespace rapport
