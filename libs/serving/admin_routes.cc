#include "libs/serving/admin_routes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/service/access.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/state/v1/store.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr char kPosition[] = "position";

std::string PathOf(const ProjectionHost& host, absl::string_view rest) {
  return absl::StrCat("/v1/projections/", host.name(), rest);
}

HttpResponse Accepted(const HttpRequest& request, const google::protobuf::Message& message) {
  HttpResponse response = MessageResponse(request, message);
  if (response.status == 200) response.status = 202;
  return response;
}

query::v1::PartitionState ToState(const PartitionStatus& status) {
  query::v1::PartitionState state;
  state.set_partition(status.partition.value());
  state.set_position(status.position.value());
  state.set_committed(status.committed.value());
  state.set_end(status.end.value());
  state.set_lag_ms(absl::ToInt64Milliseconds(FoldLag(status, absl::Now())));
  if (status.clock != absl::InfinitePast()) ToProto(status.clock, state.mutable_clock());
  state.set_digest(absl::BytesToHexString(status.digest.ToBytes()));
  state.set_records(status.counts.records());
  state.set_folded(status.counts.folded());
  state.set_duplicates(status.counts.duplicates());
  state.set_dead_letters(status.counts.dead_letters());
  state.set_timers(status.counts.timers());
  state.set_effects(status.counts.effects());
  state.set_clients(status.counts.clients());
  state.set_trouble(std::string(status.trouble.message()));
  return state;
}

absl::StatusOr<HttpResponse> ShowStatus(ProjectionHost& host, const HttpRequest& request) {
  query::v1::ProjectionStatus answer;
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<PartitionStatus> all, host.projector().Status());
  const ProjectionIdentity& identity = host.projector().env().spec->identity();
  answer.set_projection(identity.name);
  answer.set_version(identity.version);
  answer.set_settings_fingerprint(identity.settings_fingerprint);
  answer.set_generation(host.projector().generation());
  answer.set_partition_count(host.projector().partition_count());
  for (const PartitionStatus& status : all) *answer.add_partitions() = ToState(status);
  if (const std::optional<query::v1::Job> job = host.jobs().Current()) *answer.mutable_job() = *job;
  *answer.mutable_watermark() = std::move(reading.watermark);
  return MessageResponse(request, answer);
}

// Dead letters.

std::string PlaceOf(const RecordPosition& position) {
  std::string place;
  AppendBig32(&place, static_cast<uint32_t>(position.partition.value()));
  AppendOrdered64(&place, position.offset.value());
  return place;
}

absl::StatusOr<RecordPosition> PlaceAfter(const PageRequest& page) {
  if (page.after.empty()) return RecordPosition{Partition(0), Offset(-1)};
  if (page.after.size() != 12) {
    return absl::InvalidArgumentError("cursor is of another list than that of dead letters");
  }
  return RecordPosition{Partition(static_cast<int32_t>(ReadBig32(page.after.data()))),
                        Offset(ReadOrdered64(page.after.data() + 4))};
}

query::v1::DeadLetterSummary Summarise(const state::v1::DeadLetter& letter) {
  query::v1::DeadLetterSummary summary;
  const RecordPosition position{Partition(letter.partition()), Offset(letter.offset())};
  summary.set_position(FormatPosition(position));
  summary.set_client_id(letter.client_id());
  Touchpoint touchpoint;
  if (touchpoint.ParseFromString(letter.record_value())) {
    const absl::string_view kind = KindFieldName(touchpoint.payload_case());
    summary.set_kind(kind.data(), kind.size());
  }
  *summary.mutable_recorded_at() = letter.recorded_at();
  summary.set_reason(letter.reason());
  summary.set_holds_back(letter.holds_back());
  summary.set_waiting(letter.waiting());
  summary.set_cursor(EncodeCursor(PlaceOf(position)));
  return summary;
}

absl::StatusOr<HttpResponse> ListDeadLetters(const ProjectionHost& host,
                                             const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const PageRequest page, ReadPageRequest(request, ""));
  RAPPORT_ASSIGN_OR_RETURN(const RecordPosition after, PlaceAfter(page));
  const std::optional<std::string> client = request.Query("client");
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  query::v1::DeadLetterList answer;
  bool more = false;
  bool damaged = false;
  const auto take = [&](absl::string_view value) {
    state::v1::DeadLetter letter;
    if (!letter.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return !(damaged = true);
    }
    if (client && letter.client_id() != *client) return true;
    if (static_cast<size_t>(answer.dead_letters_size()) == page.limit) return !(more = true);
    *answer.add_dead_letters() = Summarise(letter);
    return true;
  };
  RAPPORT_RETURN_IF_ERROR(reading.view.DeadLetters(take, after));
  if (damaged) return absl::DataLossError("a stored dead letter does not parse");
  if (more) {
    answer.set_next_cursor(answer.dead_letters(answer.dead_letters_size() - 1).cursor());
  }
  *answer.mutable_watermark() = std::move(reading.watermark);
  return MessageResponse(request, answer);
}

absl::StatusOr<RecordPosition> PositionInPath(ProjectionHost& host, const HttpRequest& request) {
  return ParsePosition(kPosition, request.PathValue(kPosition), host.projector().partition_count());
}

absl::StatusOr<state::v1::DeadLetter> FindDeadLetter(const ProjectionHost& host,
                                                     const ProjectionView& view,
                                                     const RecordPosition& position) {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, view.DeadLetterAt(position));
  if (!bytes) {
    return absl::NotFoundError(
        absl::StrCat("there is no dead letter of ", host.name(), " at ", FormatPosition(position)));
  }
  state::v1::DeadLetter letter;
  if (!letter.ParseFromString(*bytes)) {
    return absl::DataLossError("a stored dead letter does not parse");
  }
  return letter;
}

absl::StatusOr<HttpResponse> ShowDeadLetter(ProjectionHost& host, const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const RecordPosition position, PositionInPath(host, request));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  RAPPORT_ASSIGN_OR_RETURN(const state::v1::DeadLetter letter,
                           FindDeadLetter(host, reading.view, position));
  query::v1::DeadLetter answer;
  *answer.mutable_summary() = Summarise(letter);
  // Clients' texts are not for everybody who keeps the pipeline running.
  if (CallerOf(request).MayForAll(Permission::kReadClients)) {
    answer.set_record_key(letter.record_key());
    answer.set_record_value(letter.record_value());
    Touchpoint touchpoint;
    if (touchpoint.ParseFromString(letter.record_value())) {
      *answer.mutable_touchpoint() = std::move(touchpoint);
    }
  }
  *answer.mutable_watermark() = std::move(reading.watermark);
  return MessageResponse(request, answer);
}

// The touchpoint that has a dead letter folded again, or given up.
Record MakeOrder(const std::string& projection, const RecordPosition& position, bool skip,
                 const std::string& reason) {
  const absl::Time now = absl::Now();
  Touchpoint order;
  order.set_source("rapport/operator");
  order.set_source_event_id(absl::StrCat(projection, "/", FormatPosition(position), "/",
                                         skip ? "skip" : "retry", "/", absl::ToUnixNanos(now)));
  order.set_event_id(std::string(MakeEventId(order.source(), order.source_event_id()).view()));
  ToProto(now, order.mutable_occurred_at());
  ToProto(now, order.mutable_recorded_at());
  order.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  const auto fill = [&](auto* payload) {
    payload->set_projection(projection);
    payload->set_partition(position.partition.value());
    payload->set_offset(position.offset.value());
    payload->set_reason(reason);
  };
  if (skip) {
    fill(order.mutable_dead_letter_skipped());
  } else {
    fill(order.mutable_dead_letter_retried());
  }
  return MakeRecord(order);
}

absl::StatusOr<HttpResponse> OrderDeadLetter(ProjectionHost& host, const HttpRequest& request,
                                             bool skip) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  RAPPORT_ASSIGN_OR_RETURN(const RecordPosition position, PositionInPath(host, request));
  query::v1::DeadLetterOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  {
    RAPPORT_ASSIGN_OR_RETURN(const ProjectionHost::Reading reading, host.ReadAll());
    RAPPORT_RETURN_IF_ERROR(FindDeadLetter(host, reading.view, position).status());
  }
  const Record record = MakeOrder(host.name(), position, skip, order.reason());
  RAPPORT_ASSIGN_OR_RETURN(
      const std::vector<RecordPosition> appended,
      host.env().log->Append(host.env().topics.touchpoints, absl::MakeConstSpan(&record, 1)));
  query::v1::DeadLetterOrdered answer;
  answer.set_position(FormatPosition(appended.front()));
  return Accepted(request, answer);
}

// Appending waits for the log, so not on the server's thread.
HttpHandler DeadLetterOrders(ProjectionHost& host, bool skip) {
  return [&host, skip](HttpRequest request, HttpReply reply) {
    const auto shared = std::make_shared<HttpReply>(std::move(reply));
    host.chores().Add([&host, skip, shared, request = std::move(request)] {
      absl::StatusOr<HttpResponse> response = OrderDeadLetter(host, request, skip);
      shared->Send(response.ok() ? *std::move(response) : ErrorResponse(response.status()));
    });
  };
}

// Jobs.

query::v1::JobList ListOf(query::v1::Job job) {
  query::v1::JobList list;
  *list.add_jobs() = std::move(job);
  return list;
}

absl::StatusOr<HttpResponse> StartJob(ProjectionJobs& jobs, const HttpRequest& request,
                                      query::v1::JobKind kind) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::JobOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  RAPPORT_ASSIGN_OR_RETURN(query::v1::Job job, jobs.Start(kind, order));
  return Accepted(request, ListOf(std::move(job)));
}

const char* NameOf(query::v1::JobKind kind) {
  switch (kind) {
    case query::v1::JOB_KIND_REBUILD:
      return "rebuild";
    case query::v1::JOB_KIND_VERIFY:
      return "verify";
    default:
      return "rollback";
  }
}

}  // namespace

void AddAdminRoutes(ProjectionHost& host) {
  host.Answer(PathOf(host, ""), {},
              [&host](const HttpRequest& request) { return ShowStatus(host, request); });
  host.Answer(PathOf(host, "/dead-letters"), {"client", "cursor", "limit"},
              [&host](const HttpRequest& request) { return ListDeadLetters(host, request); });
  host.Answer(PathOf(host, "/dead-letters/{position}"), {},
              [&host](const HttpRequest& request) { return ShowDeadLetter(host, request); });
  HttpServer& http = *host.env().http;
  http.Handle("POST", PathOf(host, "/dead-letters/{position}/retry"),
              DeadLetterOrders(host, /*skip=*/false));
  http.Handle("POST", PathOf(host, "/dead-letters/{position}/skip"),
              DeadLetterOrders(host, /*skip=*/true));
  AddJobRoutes(
      &http, host.name(),
      {query::v1::JOB_KIND_REBUILD, query::v1::JOB_KIND_VERIFY, query::v1::JOB_KIND_ROLLBACK},
      &host.jobs());
}

void AddJobRoutes(HttpServer* http, absl::string_view projection,
                  const std::vector<query::v1::JobKind>& kinds, ProjectionJobs* jobs) {
  const std::string root = absl::StrCat("/v1/projections/", projection, "/");
  for (const query::v1::JobKind kind : kinds) {
    http->Handle("POST", root + NameOf(kind), Answering([jobs, kind](const HttpRequest& request) {
                   return StartJob(*jobs, request, kind);
                 }));
  }
  const auto steer = [&](absl::string_view path,
                         absl::StatusOr<query::v1::Job> (ProjectionJobs::*how)()) {
    http->Handle("POST", absl::StrCat(root, path),
                 Answering([jobs, how](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                   RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                   RAPPORT_ASSIGN_OR_RETURN(query::v1::Job job, (jobs->*how)());
                   return MessageResponse(request, ListOf(std::move(job)));
                 }));
  };
  steer("jobs/pause", &ProjectionJobs::Pause);
  steer("jobs/resume", &ProjectionJobs::Resume);
  steer("jobs/cancel", &ProjectionJobs::Cancel);
  http->Handle("GET", root + "jobs",
               Answering([jobs](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
                 RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
                 return MessageResponse(request, jobs->List());
               }));
}

}  // namespace rapport
