#include "services/profiles/agenda_answer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/agenda.h"
#include "libs/serving/owned_list.h"
#include "libs/serving/query_values.h"
#include "rapport/state/v1/profile.pb.h"

namespace rapport {
namespace {

using query::v1::Agenda;
using query::v1::AgendaItem;
using query::v1::AgendaKind;
using query::v1::AgendaSection;

constexpr size_t kMostCounted = 1000;
constexpr absl::Duration kDay = absl::Hours(24);

// What of a kind is on the agenda: from so long ago to so far ahead of the clock.
struct Span {
  absl::Duration back;
  absl::Duration ahead;
};

Span SpanOf(AgendaKind kind) {
  switch (kind) {
    case query::v1::AGENDA_KIND_PROMISE:
      return {absl::InfiniteDuration(), 7 * kDay};
    case query::v1::AGENDA_KIND_MEETING:
      return {14 * kDay, 7 * kDay};
    case query::v1::AGENDA_KIND_CONTRACT:
      return {90 * kDay, 60 * kDay};
    case query::v1::AGENDA_KIND_COMPLAINT:
      return {absl::InfiniteDuration(), absl::InfiniteDuration()};
    case query::v1::AGENDA_KIND_UNANSWERED:
      return {90 * kDay, kDay};
    default:
      return {absl::InfiniteDuration(), absl::ZeroDuration()};
  }
}

std::string KindPrefix(int kind) {
  std::string prefix;
  AppendBig32(&prefix, static_cast<uint32_t>(kind));
  return prefix;
}

absl::StatusOr<AgendaQuery> ReadQuery(const ProjectionHost& host, const HttpRequest& request) {
  AgendaQuery agenda;
  RAPPORT_ASSIGN_OR_RETURN(agenda.owners, OwnerFilter::Of(request, host.env().http->access()));
  for (const std::string& kind : QueryAll(request, "kind")) {
    RAPPORT_ASSIGN_OR_RETURN(const int number,
                             ParseEnum("kind", kind, *query::v1::AgendaKind_descriptor()));
    agenda.kinds.insert(number);
  }
  RAPPORT_ASSIGN_OR_RETURN(agenda.until, QueryTime(request, "until"));
  const bool one = agenda.kinds.size() == 1;
  for (const char* name : {"cursor", "until"}) {
    if (!one && request.Query(name).has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(name, " goes with one kind; give kind="));
    }
  }
  RAPPORT_ASSIGN_OR_RETURN(agenda.page,
                           ReadPageRequest(request, one ? KindPrefix(*agenda.kinds.begin()) : ""));
  return agenda;
}

std::optional<std::string> OwnerOfRow(const ProjectionView::IndexEntry& entry) {
  state::v1::AgendaRow row;
  if (!row.ParseFromString(entry.value)) return std::nullopt;
  return row.owner_id();
}

absl::StatusOr<AgendaItem> ToItem(AgendaKind kind, const ProjectionView::IndexEntry& entry) {
  state::v1::AgendaRow row;
  absl::string_view key = entry.sort_key;
  key.remove_prefix(std::min(key.size(), sizeof(uint32_t) + sizeof(int64_t)));
  AgendaItem item;
  if (!row.ParseFromString(entry.value) || !ConsumeKeyString(&key, item.mutable_item_id())) {
    return absl::DataLossError(absl::StrCat("an entry of client ", entry.client_id, " in list ",
                                            kAgendaIndex, " is damaged"));
  }
  item.set_kind(kind);
  item.set_client_id(entry.client_id);
  item.set_client_name(row.client_name());
  item.set_owner_id(row.owner_id());
  item.set_segment(row.segment());
  item.set_key_account(row.key_account());
  item.set_text(row.text());
  item.set_detail(row.detail());
  item.set_channel(row.channel());
  if (row.has_since_at()) *item.mutable_since_at() = row.since_at();
  if (row.has_due_at()) *item.mutable_due_at() = row.due_at();
  if (row.has_amount()) *item.mutable_amount() = row.amount();
  item.set_stage(row.stage());
  item.set_severity(row.severity());
  item.set_category(row.category());
  item.set_agent_id(row.agent_id());
  item.set_termination_reason(row.termination_reason());
  item.set_auto_renewal(row.auto_renewal());
  item.set_cursor(EncodeCursor(entry.place));
  return item;
}

// The place before which no moment of the kind is earlier than `at`.
std::string PlaceAt(const std::string& prefix, absl::Time at) {
  std::string place = prefix;
  AppendOrdered64(&place, absl::ToUnixNanos(at));
  return place;
}

absl::StatusOr<AgendaSection> ReadSection(const ProjectionView& view, absl::Time clock,
                                          const AgendaQuery& query, AgendaKind kind) {
  const OwnedList list = {
      .all = kAgendaIndex, .by_owner = kAgendaByOwnerIndex, .owner_of = OwnerOfRow};
  const std::string prefix = KindPrefix(kind);
  const Span span = SpanOf(kind);
  // All of the kind; a page begins further on.
  ProjectionView::Range all{.prefix = prefix};
  // Without a clock nothing is late, and all that is known is told.
  const bool has_clock = clock != absl::InfinitePast();
  if (query.until.has_value()) {
    all.before = PlaceAt(prefix, *query.until + absl::Nanoseconds(1));
  } else if (has_clock && span.ahead != absl::InfiniteDuration()) {
    all.before = PlaceAt(prefix, clock + span.ahead + absl::Nanoseconds(1));
  }
  if (has_clock && !query.until.has_value() && span.back != absl::InfiniteDuration()) {
    all.after = PlaceAt(prefix, clock - span.back);
  }
  ProjectionView::Range page = all;
  if (!query.page.after.empty()) page.after = query.page.after;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<ProjectionView::IndexEntry> entries,
                           ListOwned(view, list, query.owners, page, query.page.limit));
  size_t count = entries.size();
  if (count == query.page.limit || !query.page.after.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(count, CountOwned(view, list, query.owners, all, kMostCounted + 1));
  }
  AgendaSection section;
  section.set_kind(kind);
  section.set_count(static_cast<int64_t>(std::min(count, kMostCounted)));
  section.set_more(count > kMostCounted);
  for (const ProjectionView::IndexEntry& entry : entries) {
    RAPPORT_ASSIGN_OR_RETURN(*section.add_items(), ToItem(kind, entry));
  }
  return section;
}

}  // namespace

absl::StatusOr<Agenda> ReadAgenda(const ProjectionView& view, absl::Time clock,
                                  const AgendaQuery& query) {
  Agenda agenda;
  for (int kind = query::v1::AgendaKind_MIN + 1; kind <= query::v1::AgendaKind_MAX; ++kind) {
    if (!query.kinds.empty() && query.kinds.count(kind) == 0) continue;
    RAPPORT_ASSIGN_OR_RETURN(AgendaSection section,
                             ReadSection(view, clock, query, static_cast<AgendaKind>(kind)));
    if (section.count() > 0) *agenda.add_sections() = std::move(section);
  }
  return agenda;
}

absl::StatusOr<Agenda> AnswerAgenda(const ProjectionHost& host, const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const AgendaQuery query, ReadQuery(host, request));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  RAPPORT_ASSIGN_OR_RETURN(Agenda agenda, ReadAgenda(reading.view, reading.clock, query));
  *agenda.mutable_watermark() = std::move(reading.watermark);
  return agenda;
}

}  // namespace rapport
