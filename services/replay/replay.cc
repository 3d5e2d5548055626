#include "services/replay/replay.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/history/history_writer.h"
#include "libs/projector/clock_ticker.h"
#include "libs/serving/clock_candidate.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/work_queue.h"
#include "nlohmann/json.hpp"
#include "services/replay/rejections.h"

namespace rapport {
namespace {

using nlohmann::ordered_json;

HttpResponse JsonResponse(int status, const ordered_json& body) {
  HttpResponse response;
  response.status = status;
  response.body = body.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  return response;
}

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

ordered_json RejectionJson(const Rejection& rejection) {
  const rejected::v1::RejectedRecord& record = rejection.record;
  return {{"position", FormatPosition(rejection.position)},
          {"source", record.source()},
          {"file", record.file()},
          {"line", record.line()},
          {"reason", record.reason()},
          {"rejected_at", Rfc3339(FromProto(record.rejected_at()))},
          {"content", record.content()}};
}

class Replay : public Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Start(const ServiceEnv& env) {
    RAPPORT_ASSIGN_OR_RETURN(const int rejected, env.log->PartitionCount(env.topics.rejected));
    auto replay = std::make_unique<Replay>(env, rejected);
    // All in one process, ingest ticks and sources carries out merges.
    if (env.all_in_one) return replay;
    const std::string member = absl::StrCat("replay-", env.instance);
    RAPPORT_ASSIGN_OR_RETURN(replay->clock_, StartClock(env, member));
    RAPPORT_ASSIGN_OR_RETURN(
        replay->history_,
        HistoryWriter::Start(env.log, {.topics = env.topics, .member = member, .now = absl::Now}));
    return replay;
  }

  Replay(const ServiceEnv& env, int partitions)
      : rejections_(std::make_shared<Rejections>(env.log, env.topics, partitions)) {
    const auto later = [this](absl::StatusOr<HttpResponse> (*answer)(const Rejections&,
                                                                     const HttpRequest&)) {
      // Reading the log may wait for a broker.
      return
          [queue = queue_, rejections = rejections_, answer](HttpRequest request, HttpReply reply) {
            queue->Add([rejections, answer, request = std::move(request),
                        shared = std::make_shared<HttpReply>(std::move(reply))] {
              absl::StatusOr<HttpResponse> response = answer(*rejections, request);
              shared->Send(response.ok() ? *std::move(response) : ErrorResponse(response.status()));
            });
          };
    };
    env.http->Handle("GET", "/v1/rejected", later(&List));
    env.http->Handle("GET", "/v1/rejected/{position}", later(&Show));
    env.http->Handle("POST", "/v1/rejected/{position}/retry", later(&Retry));
  }

  absl::Status Ready() const override {
    return history_ == nullptr ? absl::OkStatus() : history_->trouble();
  }
  std::vector<std::string> Warnings() const override {
    return clock_ == nullptr ? std::vector<std::string>() : ClockWarnings(*clock_);
  }

 private:
  static absl::StatusOr<HttpResponse> List(const Rejections& rejections,
                                           const HttpRequest& request) {
    RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"cursor", "limit"}));
    RAPPORT_ASSIGN_OR_RETURN(const auto limit,
                             QueryNumber(request, "limit", 1, static_cast<int64_t>(kLargestPage)));
    RecordPosition from{Partition(0), Offset(0)};
    if (const auto cursor = request.Query("cursor"); cursor && !cursor->empty()) {
      RAPPORT_ASSIGN_OR_RETURN(from, ParsePosition("cursor", *cursor, rejections.partitions()));
    }
    RAPPORT_ASSIGN_OR_RETURN(
        const RejectionPage page,
        rejections.List(from, static_cast<size_t>(limit.value_or(kDefaultPage))));
    ordered_json list = ordered_json::array();
    for (const Rejection& rejection : page.rejections) list.push_back(RejectionJson(rejection));
    return JsonResponse(
        200, {{"rejected", list}, {"next_cursor", page.next ? FormatPosition(*page.next) : ""}});
  }

  static absl::StatusOr<RecordPosition> PositionOf(const Rejections& rejections,
                                                   const HttpRequest& request) {
    return ParsePosition("position", request.PathValue("position"), rejections.partitions());
  }

  static absl::StatusOr<HttpResponse> Show(const Rejections& rejections,
                                           const HttpRequest& request) {
    RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
    RAPPORT_ASSIGN_OR_RETURN(const RecordPosition position, PositionOf(rejections, request));
    RAPPORT_ASSIGN_OR_RETURN(const Rejection rejection, rejections.Find(position));
    return JsonResponse(200, RejectionJson(rejection));
  }

  static absl::StatusOr<HttpResponse> Retry(const Rejections& rejections,
                                            const HttpRequest& request) {
    RAPPORT_ASSIGN_OR_RETURN(const RecordPosition position, PositionOf(rejections, request));
    RAPPORT_ASSIGN_OR_RETURN(const Retried retried,
                             rejections.Retry(position, request.body, absl::Now()));
    return JsonResponse(
        202, {{"event_id", retried.event_id}, {"position", FormatPosition(retried.position)}});
  }

  const std::shared_ptr<Rejections> rejections_;
  const std::shared_ptr<WorkQueue> queue_ = std::make_shared<WorkQueue>();
  // Candidates, so that there is time, and merges are carried out, where neither ingest nor sources
  // runs.
  std::unique_ptr<ClockTicker> clock_;
  std::unique_ptr<HistoryWriter> history_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartReplay(const ServiceEnv& env) {
  return Replay::Start(env);
}

}  // namespace rapport
