#include "libs/import/group_mapper.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/import/assign.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

bool Holds(const ConditionPlan& condition, const CsvRow& row) {
  const std::string value(row[static_cast<size_t>(condition.column)]);
  const bool like = fnmatch(condition.pattern.c_str(), value.c_str(), FNM_EXTMATCH) == 0;
  return like != condition.negated;
}

bool IsMeant(const RulePlan& rule, const CsvRow& row) {
  return std::all_of(rule.conditions.begin(), rule.conditions.end(),
                     [&row](const ConditionPlan& condition) { return Holds(condition, row); });
}

}  // namespace

bool GroupMapper::SameGroup(const CsvRow& first, const CsvRow& second) const {
  if (plan_.group_columns.empty()) return false;
  return std::all_of(plan_.group_columns.begin(), plan_.group_columns.end(), [&](int column) {
    return first[static_cast<size_t>(column)] == second[static_cast<size_t>(column)];
  });
}

absl::Status GroupMapper::MapRule(const RulePlan& rule, const RowGroup& rows, Touchpoint touchpoint,
                                  size_t* bad_row, std::vector<Touchpoint>* made) const {
  RowGroup group = rows;
  const std::string source_event_id = EvaluateText(rule.source_event_id, group);
  if (source_event_id.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("source_event_id of ", rule.kind->name(),
                                                   " is empty: which happening is it?"));
  }
  touchpoint.set_source_event_id(source_event_id);
  const EventId id = MakeEventId(plan_.source, source_event_id);
  touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
  // A kind may have no field that is told.
  touchpoint.GetReflection()->MutableMessage(&touchpoint, rule.kind);
  absl::Status status;
  for (const AssignmentPlan& assignment : rule.assignments) {
    if (status.ok()) status = Assign(assignment, plan_.format, &group, &touchpoint);
  }
  for (const RowListPlan& list : rule.row_lists) {
    if (status.ok()) status = AddRowList(list, plan_.format, &group, &touchpoint);
  }
  *bad_row = group.bad_row;
  RAPPORT_RETURN_IF_ERROR(status);
  RAPPORT_RETURN_IF_ERROR(ValidateTouchpoint(touchpoint));
  const bool repeated = event_ids_.contains(id) ||
                        std::any_of(made->begin(), made->end(), [&](const Touchpoint& other) {
                          return other.event_id() == touchpoint.event_id();
                        });
  if (repeated) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", source_event_id,
                     "' stood in the file before; rows that belong together "
                     "must follow each other, and different happenings need different ids"));
  }
  made->push_back(std::move(touchpoint));
  return absl::OkStatus();
}

absl::Status GroupMapper::Map(absl::Span<const CsvRow> rows, std::vector<Touchpoint>* touchpoints,
                              size_t* bad_row) {
  RowGroup group = {rows};
  *bad_row = 0;
  Touchpoint header;
  header.set_source(plan_.source);
  header.set_client_id(EvaluateText(plan_.client_id, group));
  if (header.client_id().empty()) return absl::InvalidArgumentError("client_id: is required");
  for (size_t i = 1; i < rows.size(); ++i) {
    if (EvaluateText(plan_.client_id, {rows.subspan(i, 1)}) == header.client_id()) continue;
    *bad_row = i;
    return absl::InvalidArgumentError(absl::StrCat("the client differs from '", header.client_id(),
                                                   "' in line ", rows.front().line(),
                                                   " of the same group"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time time,
                           ParseTimeText(EvaluateText(plan_.time, group), plan_.format));
  if (time > now_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "occurred_at: ", absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()),
        " lies ahead (is the time_format right?)"));
  }
  ToProto(time, header.mutable_occurred_at());

  std::vector<Touchpoint> made;
  const bool first_sight = !clients_.contains(header.client_id());
  for (const RulePlan& rule : plan_.rules) {
    if (!IsMeant(rule, rows.front()) || (rule.once_per_client && !first_sight)) continue;
    RAPPORT_RETURN_IF_ERROR(MapRule(rule, group, header, bad_row, &made));
  }
  if (made.empty()) return absl::OkStatus();
  clients_.insert(header.client_id());
  for (Touchpoint& touchpoint : made) {
    event_ids_.insert(*EventId::FromBytes(touchpoint.event_id()));
    touchpoints->push_back(std::move(touchpoint));
  }
  return absl::OkStatus();
}

}  // namespace rapport
