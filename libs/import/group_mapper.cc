#include "libs/import/group_mapper.h"

#include <algorithm>
#include <numeric>
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
#include "xxhash.h"

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

std::optional<absl::uint128> GroupMapper::GroupKeyOf(const CsvRow& row) const {
  // Each value with its length, so that no two keys read alike.
  std::string key;
  for (const int column : plan_.group_columns) {
    if (static_cast<size_t>(column) >= row.size()) return std::nullopt;
    const absl::string_view value = row[static_cast<size_t>(column)];
    absl::StrAppend(&key, value.size(), " ", value);
  }
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return absl::MakeUint128(hash.high64, hash.low64);
}

const std::string* GroupMapper::SkipReason(const CsvRow& row) const {
  for (const SkipPlan& skipped : plan_.skipped) {
    const bool all = std::all_of(skipped.conditions.begin(), skipped.conditions.end(),
                                 [&](const ConditionPlan& one) { return Holds(one, &row); });
    if (all) return &skipped.reason;
  }
  return nullptr;
}

void GroupMapper::SortByTime(std::vector<CsvRow>* rows) const {
  if (!plan_.time.has_value() || rows->size() < 2) return;
  const TimePlan& written = plan_.time->time;
  std::vector<absl::Time> times(rows->size());
  bool sorted = true;
  for (size_t i = 0; i < rows->size(); ++i) {
    const CsvRow& row = (*rows)[i];
    const absl::Time before = i == 0 ? absl::InfinitePast() : times[i - 1];
    times[i] = before;
    const bool same = i > 0 && HaveSameColumns(plan_.time->text, (*rows)[i - 1], row) &&
                      HaveSameColumns(written.later_months, (*rows)[i - 1], row) &&
                      HaveSameColumns(written.later_days, (*rows)[i - 1], row);
    if (same) continue;
    const absl::StatusOr<std::optional<absl::Time>> time =
        EvaluateTime(*plan_.time, {absl::MakeConstSpan(&row, 1)});
    if (time.ok() && time->has_value()) times[i] = **time;
    sorted = sorted && times[i] >= before;
  }
  if (sorted) return;
  std::vector<size_t> order(rows->size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&times](size_t a, size_t b) { return times[a] < times[b]; });
  std::vector<CsvRow> in_order;
  in_order.reserve(rows->size());
  for (const size_t i : order) in_order.push_back(std::move((*rows)[i]));
  *rows = std::move(in_order);
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

uint64_t GroupMapper::MarkOf(const Touchpoint& touchpoint, bool once) {
  const std::string bytes =
      once ? absl::StrCat(touchpoint.client_id(), " ", static_cast<int>(touchpoint.payload_case()))
           : touchpoint.SerializeAsString();
  return XXH3_64bits(bytes.data(), bytes.size());
}

absl::StatusOr<bool> GroupMapper::IsNew(const Touchpoint& touchpoint, bool once,
                                        const Making& making) const {
  const auto given = so_far_.event_ids.find(*EventId::FromBytes(touchpoint.event_id()));
  const bool known = given != so_far_.event_ids.end();
  if (known && (given->second.file == -1) == once && (once || given->second.file != file_) &&
      given->second.mark == MarkOf(touchpoint, once)) {
    return once;
  }
  const auto has_id = [&touchpoint](const MappedTouchpoint& other) {
    return other.touchpoint.event_id() == touchpoint.event_id();
  };
  const bool twice = std::any_of(making.touchpoints.begin(), making.touchpoints.end(), has_id) ||
                     std::any_of(making.once.begin(), making.once.end(),
                                 [&](const auto& other) { return has_id(other.second); });
  if (!known && !twice) return true;
  return absl::InvalidArgumentError(
      absl::StrCat("'", touchpoint.source_event_id(), "' stood in ",
                   known && given->second.file != file_ && !once ? "another file with other values"
                                                                 : "the file before",
                   "; different happenings need different ids, or group_columns if they are one"));
}

absl::Status GroupMapper::MakeTouchpoint(const RulePlan& rule, RowGroup* group,
                                         Making* making) const {
  MappedTouchpoint made = {making->header, file_, group->rows.front().line()};
  Touchpoint& touchpoint = made.touchpoint;
  RAPPORT_ASSIGN_OR_RETURN(const bool happened, SetTime(rule, *group, &touchpoint));
  if (!happened) return absl::OkStatus();
  making->used = true;
  const bool once = rule.once_per_client;
  if (once && !so_far_.first_of_clients.MayBeFirst(rule.index, touchpoint.client_id(),
                                                   FromProto(touchpoint.occurred_at()))) {
    return absl::OkStatus();
  }
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
  RAPPORT_ASSIGN_OR_RETURN(const bool is_new, IsNew(touchpoint, once, *making));
  if (!is_new) {
    ++making->repeated;
  } else if (once) {
    making->once.emplace_back(rule.index, std::move(made));
  } else {
    making->touchpoints.push_back(std::move(made));
  }
  return absl::OkStatus();
}

absl::Status GroupMapper::MapRule(const RulePlan& rule, absl::Span<const CsvRow> rows,
                                  size_t* bad_row, Making* making) const {
  if (!rule.each_row) {
    RowGroup group = {rows};
    const absl::Status status = MakeTouchpoint(rule, &group, making);
    *bad_row = group.bad_row;
    return status;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!IsMeant(rule, rows, i)) continue;
    *bad_row = i;
    RowGroup one = {rows.subspan(i, 1), i == 0 ? nullptr : &rows[i - 1]};
    RAPPORT_RETURN_IF_ERROR(MakeTouchpoint(rule, &one, making));
    if (rule.once_per_group) break;
  }
  return absl::OkStatus();
}

void GroupMapper::AddLink(const Identifier& identifier, Making* making) const {
  const MappedTouchpoint* met = nullptr;
  const auto time_of = [](const MappedTouchpoint& one) {
    return FromProto(one.touchpoint.occurred_at());
  };
  const auto meet = [&](const MappedTouchpoint& one) {
    if (met == nullptr || time_of(one) < time_of(*met)) met = &one;
  };
  for (const MappedTouchpoint& one : making->touchpoints) meet(one);
  for (const auto& [what, one] : making->once) meet(one);
  const auto what = static_cast<int>(plan_.rules.size());
  if (met == nullptr ||
      !so_far_.first_of_clients.MayBeFirst(what, making->header.client_id(), time_of(*met))) {
    return;
  }
  MappedTouchpoint link = {MakeLink(identifier, met->touchpoint), file_, met->line};
  making->once.emplace_back(what, std::move(link));
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

absl::StatusOr<GroupMapper::Outcome> GroupMapper::Map(absl::Span<const CsvRow> rows,
                                                      std::vector<MappedTouchpoint>* touchpoints,
                                                      size_t* bad_row) {
  const std::vector<const RulePlan*> rules = RulesFor(rows);
  if (rules.empty()) return Outcome::kNotMeant;
  Making making;
  making.header.set_source(plan_.source);
  RAPPORT_ASSIGN_OR_RETURN(const Client client, ClientOf(rows, bad_row));
  making.header.set_client_id(client.client_id);
  for (const RulePlan* rule : rules) {
    RAPPORT_RETURN_IF_ERROR(MapRule(*rule, rows, bad_row, &making));
  }
  if (!making.used) return Outcome::kNotMeant;
  if (client.identifier.has_value()) AddLink(*client.identifier, &making);
  for (MappedTouchpoint& one : making.touchpoints) {
    const uint64_t mark = so_far_.several_files ? MarkOf(one.touchpoint, false) : 0;
    so_far_.event_ids.try_emplace(*EventId::FromBytes(one.touchpoint.event_id()),
                                  MadeSoFar::Given{mark, file_});
    touchpoints->push_back(std::move(one));
  }
  for (const auto& [what, one] : making.once) {
    so_far_.event_ids.try_emplace(*EventId::FromBytes(one.touchpoint.event_id()),
                                  MadeSoFar::Given{MarkOf(one.touchpoint, true), -1});
    RAPPORT_RETURN_IF_ERROR(so_far_.first_of_clients.Offer(what, one));
  }
  return making.touchpoints.empty() && making.repeated > 0 ? Outcome::kRepeated : Outcome::kUsed;
}

}  // namespace rapport
