#include "libs/history/history_routes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/event_log/read_range.h"
#include "libs/history/client_book.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"
#include "rapport/alert/v1/alert.pb.h"

namespace rapport {
namespace {

using state::v1::ClientMerge;
using touchpoint::v1::Touchpoint;

constexpr char kSource[] = "rapport/merges";

query::v1::MergeState StateOf(state::v1::MergeState state) {
  switch (state) {
    case state::v1::MERGE_STATE_UNDER_WAY:
      return query::v1::MERGE_STATE_UNDER_WAY;
    case state::v1::MERGE_STATE_DONE:
      return query::v1::MERGE_STATE_DONE;
    case state::v1::MERGE_STATE_SPLIT:
      return query::v1::MERGE_STATE_SPLIT;
    case state::v1::MERGE_STATE_REFUSED:
      return query::v1::MERGE_STATE_REFUSED;
    default:
      return query::v1::MERGE_STATE_UNSPECIFIED;
  }
}

query::v1::Merge AnswerOf(const ClientMerge& merge) {
  query::v1::Merge answer;
  answer.set_merge_id(merge.merge_id());
  answer.set_absorbed_client_id(merge.absorbed_client_id());
  answer.set_survivor_client_id(merge.survivor_client_id());
  answer.set_reason(merge.reason());
  answer.set_state(StateOf(merge.state()));
  answer.set_touchpoints(merge.touchpoints());
  *answer.mutable_decided_at() = merge.decided_at();
  if (merge.has_changed_at()) *answer.mutable_changed_at() = merge.changed_at();
  answer.set_refusal(merge.refusal());
  return answer;
}

const std::string* DealOf(const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kDealOpened:
      return &touchpoint.deal_opened().deal_id();
    case Touchpoint::kDealStageChanged:
      return &touchpoint.deal_stage_changed().deal_id();
    case Touchpoint::kDealAmountChanged:
      return &touchpoint.deal_amount_changed().deal_id();
    case Touchpoint::kDealWon:
      return &touchpoint.deal_won().deal_id();
    case Touchpoint::kDealLost:
      return &touchpoint.deal_lost().deal_id();
    case Touchpoint::kDealRemoved:
      return &touchpoint.deal_removed().deal_id();
    default:
      return nullptr;
  }
}

HttpResponse Accepted(const HttpRequest& request, const query::v1::MergeAccepted& accepted) {
  HttpResponse response = MessageResponse(request, accepted);
  response.status = 202;
  return response;
}

}  // namespace

HistoryRoutes::HistoryRoutes(EventLog* log, Options options)
    : log_(*log),
      options_(std::move(options)),
      ledger_(log, options_.notes_topic),
      orders_(log, options_.topics.touchpoints) {}

void HistoryRoutes::AddTo(HttpServer* http) {
  Add(http, "POST", "/v1/clients/{id}/merge",
      [this](const auto& request) { return Merge(request); });
  Add(http, "POST", "/v1/merges/{id}/split",
      [this](const auto& request) { return Split(request); });
  Add(http, "GET", "/v1/merges", [this](const auto& request) { return List(request); });
  Add(http, "GET", "/v1/merges/{id}", [this](const auto& request) { return Get(request); });
}

void HistoryRoutes::Add(HttpServer* http, const char* method, const char* pattern, Answer answer) {
  http->Handle(
      method, pattern,
      AnsweringFrom(&queue_, [this, answer = std::move(answer)](const HttpRequest& request) {
        const absl::Status fresh = Refresh();
        return fresh.ok() ? answer(request) : absl::StatusOr<HttpResponse>(fresh);
      }));
}

absl::Status HistoryRoutes::Refresh() {
  RAPPORT_RETURN_IF_ERROR(ledger_.Refresh());
  return orders_.Refresh(ledger_);
}

absl::StatusOr<HttpResponse> HistoryRoutes::Merge(const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"dry_run"}));
  RAPPORT_ASSIGN_OR_RETURN(const bool dry_run, QueryFlag(request, "dry_run"));
  query::v1::MergeRequest asked;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &asked));
  const std::string& absorbed = request.PathValue("id");
  RAPPORT_RETURN_IF_ERROR(CheckMerge(absorbed, asked.into()));
  for (const std::string& client : {absorbed, asked.into()}) {
    RAPPORT_RETURN_IF_ERROR(CheckKnown(client));
  }
  if (dry_run) {
    RAPPORT_ASSIGN_OR_RETURN(const query::v1::MergePreview preview,
                             Preview(absorbed, asked.into()));
    return MessageResponse(request, preview);
  }
  Touchpoint touchpoint;
  touchpoint.set_client_id(absorbed);
  auto* merged = touchpoint.mutable_clients_merged();
  merged->set_absorbed_client_id(absorbed);
  merged->set_survivor_client_id(asked.into());
  merged->set_reason(asked.reason());
  const absl::Time now = options_.now();
  merged->set_merge_id(
      MakeEventId(absorbed, absl::StrCat(asked.into(), "\n", absl::ToUnixNanos(now))).ToHex());
  const std::string merge_id = merged->merge_id();
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::MergeAccepted accepted,
                           Write(std::move(touchpoint), merge_id));
  return Accepted(request, accepted);
}

absl::Status HistoryRoutes::CheckMerge(const std::string& absorbed,
                                       const std::string& survivor) const {
  if (survivor.empty()) {
    return absl::InvalidArgumentError("into: is missing; it is the client who stays");
  }
  if (survivor == absorbed) {
    return absl::InvalidArgumentError(
        absl::StrCat("into: client '", absorbed, "' cannot be merged into itself"));
  }
  const auto name = [](const ClientMerge& merge) {
    return absl::StrCat("client '", merge.absorbed_client_id(), "' goes on under '",
                        merge.survivor_client_id(), "' already, by merge ", merge.merge_id());
  };
  std::vector<const ClientMerge*> standing = {ledger_.AbsorbedBy(absorbed),
                                              ledger_.AbsorbedBy(survivor)};
  for (const auto& [merge_id, merge] : orders_.merges()) {
    if (merge.absorbed_client_id() == absorbed || merge.absorbed_client_id() == survivor) {
      standing.push_back(&merge);
    }
  }
  for (const ClientMerge* merge : standing) {
    if (merge == nullptr) continue;
    return absl::FailedPreconditionError(merge->absorbed_client_id() == absorbed
                                             ? absl::StrCat(name(*merge), "; split it first")
                                             : absl::StrCat("into: ", name(*merge),
                                                            "; merge into '",
                                                            ledger_.RootOf(survivor), "'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<query::v1::MergePreview> HistoryRoutes::Preview(const std::string& absorbed,
                                                               const std::string& survivor) const {
  ClientBooks books(&log_, options_.topics.touchpoints);
  RAPPORT_RETURN_IF_ERROR(books.Update({absorbed}));
  std::map<std::string, int64_t> kinds;
  std::set<std::string> deals;
  query::v1::MergePreview preview;
  for (const Touchpoint& touchpoint : books.Of(absorbed).History()) {
    const int number = static_cast<int>(touchpoint.payload_case());
    ++kinds[Touchpoint::descriptor()->FindFieldByNumber(number)->name()];
    if (const std::string* deal = DealOf(touchpoint)) deals.insert(*deal);
    preview.set_touchpoints(preview.touchpoints() + 1);
  }
  preview.set_absorbed_client_id(absorbed);
  preview.set_survivor_client_id(survivor);
  for (const auto& [kind, touchpoints] : kinds) {
    query::v1::KindCount* count = preview.add_kinds();
    count->set_kind(kind);
    count->set_touchpoints(touchpoints);
  }
  std::stable_sort(preview.mutable_kinds()->begin(), preview.mutable_kinds()->end(),
                   [](const auto& a, const auto& b) { return a.touchpoints() > b.touchpoints(); });
  preview.set_deals(static_cast<int64_t>(deals.size()));
  RAPPORT_ASSIGN_OR_RETURN(const int64_t alerts, OpenAlerts(absorbed));
  preview.set_alerts(alerts);
  return preview;
}

absl::Status HistoryRoutes::EachRecordOf(const std::string& client, const std::string& topic,
                                         const Take& take) const {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_.PartitionCount(topic));
  const Partition partition = PartitionOf(client, partitions);
  const absl::Status enough = absl::CancelledError("enough");
  const absl::Status read =
      ReadToEnd(log_, topic, partition, Offset(0),
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  for (const RecordView& record : records) {
                    if (record.key == client && !take(record)) return enough;
                  }
                  return absl::OkStatus();
                });
  return read == enough ? absl::OkStatus() : read;
}

absl::Status HistoryRoutes::CheckKnown(const std::string& client) const {
  bool known = false;
  RAPPORT_RETURN_IF_ERROR(EachRecordOf(client, options_.topics.touchpoints, [&](const RecordView&) {
    known = true;
    return false;
  }));
  if (known) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("there is no client '", client, "'"));
}

absl::StatusOr<int64_t> HistoryRoutes::OpenAlerts(const std::string& client) const {
  std::set<std::string> open;
  alert::v1::AlertEvent event;
  RAPPORT_RETURN_IF_ERROR(
      EachRecordOf(client, options_.topics.alerts, [&](const RecordView& record) {
        if (!event.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
          return true;
        }
        // No steps of an alert that is open.
        if (event.has_handed_over() || event.has_reminded()) return true;
        if (event.has_cleared()) {
          open.erase(event.alert_id());
        } else {
          open.insert(event.alert_id());
        }
        return true;
      }));
  return static_cast<int64_t>(open.size());
}

absl::StatusOr<HttpResponse> HistoryRoutes::Split(const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::SplitRequest asked;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &asked));
  RAPPORT_ASSIGN_OR_RETURN(const ClientMerge merge, Find(request.PathValue("id")));
  if (merge.state() == state::v1::MERGE_STATE_SPLIT ||
      merge.state() == state::v1::MERGE_STATE_REFUSED) {
    return absl::FailedPreconditionError(absl::StrCat(
        "merge ", merge.merge_id(),
        merge.refusal().empty() ? " was taken back already"
                                : absl::StrCat(" was never carried out: ", merge.refusal())));
  }
  if (orders_.IsSplitting(merge.merge_id())) {
    return absl::FailedPreconditionError(
        absl::StrCat("merge ", merge.merge_id(), " is being taken back already"));
  }
  Touchpoint touchpoint;
  touchpoint.set_client_id(merge.absorbed_client_id());
  auto* split = touchpoint.mutable_clients_split();
  split->set_separated_client_id(merge.absorbed_client_id());
  split->set_survivor_client_id(merge.survivor_client_id());
  split->set_merge_id(merge.merge_id());
  split->set_reason(asked.reason());
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::MergeAccepted accepted,
                           Write(std::move(touchpoint), absl::StrCat(merge.merge_id(), "/split")));
  query::v1::MergeAccepted answer = accepted;
  answer.set_merge_id(merge.merge_id());
  return Accepted(request, answer);
}

absl::StatusOr<query::v1::MergeAccepted> HistoryRoutes::Write(Touchpoint touchpoint,
                                                              const std::string& merge_id) {
  touchpoint.set_source(kSource);
  touchpoint.set_source_event_id(merge_id);
  touchpoint.set_event_id(std::string(MakeEventId(kSource, merge_id).view()));
  ToProto(options_.now(), touchpoint.mutable_occurred_at());
  *touchpoint.mutable_recorded_at() = touchpoint.occurred_at();
  RAPPORT_RETURN_IF_ERROR(CheckTouchpoint(touchpoint));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions,
                           log_.Append(options_.topics.touchpoints, {MakeRecord(touchpoint)}));
  query::v1::MergeAccepted accepted;
  accepted.set_merge_id(merge_id);
  accepted.set_partition(positions.front().partition.value());
  accepted.set_offset(positions.front().offset.value());
  return accepted;
}

absl::StatusOr<ClientMerge> HistoryRoutes::Find(const std::string& merge_id) const {
  if (const ClientMerge* merge = ledger_.Find(merge_id)) return *merge;
  const auto it = orders_.merges().find(merge_id);
  if (it != orders_.merges().end()) return it->second;
  return absl::NotFoundError(absl::StrCat("there is no merge '", merge_id, "'"));
}

absl::StatusOr<HttpResponse> HistoryRoutes::Get(const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  RAPPORT_ASSIGN_OR_RETURN(const ClientMerge merge, Find(request.PathValue("id")));
  return MessageResponse(request, AnswerOf(merge));
}

absl::StatusOr<HttpResponse> HistoryRoutes::List(const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  std::vector<ClientMerge> merges;
  for (const auto& [merge_id, merge] : ledger_.merges()) merges.push_back(merge);
  for (const auto& [merge_id, merge] : orders_.merges()) merges.push_back(merge);
  std::sort(merges.begin(), merges.end(), [](const ClientMerge& a, const ClientMerge& b) {
    return FromProto(a.decided_at()) > FromProto(b.decided_at());
  });
  query::v1::MergeList list;
  for (const ClientMerge& merge : merges) *list.add_merges() = AnswerOf(merge);
  return MessageResponse(request, list);
}

}  // namespace rapport
