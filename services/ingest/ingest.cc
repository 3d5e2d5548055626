#include "services/ingest/ingest.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/util/json_util.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/clock_ticker.h"
#include "libs/service/http.h"
#include "libs/serving/clock_candidate.h"
#include "rapport/query/v1/clock.pb.h"
#include "services/ingest/ingest_metrics.h"
#include "services/ingest/ingest_queue.h"

namespace rapport {
namespace {

class Ingest : public Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Start(const ServiceEnv& env) {
    RAPPORT_ASSIGN_OR_RETURN(const int partitions, env.log->PartitionCount(env.topics.touchpoints));
    RAPPORT_RETURN_IF_ERROR(env.log->PartitionCount(env.topics.rejected).status());
    RAPPORT_ASSIGN_OR_RETURN(auto clock, StartClock(env, absl::StrCat("ingest-", env.instance)));
    return std::unique_ptr<Service>(new Ingest(env, partitions, std::move(clock)));
  }

  ~Ingest() override { queue_->Stop(); }

  absl::Status Ready() const override { return queue_->trouble(); }
  // The door stays open: what is accepted is judged once time goes on.
  std::vector<std::string> Warnings() const override { return ClockWarnings(*clock_); }

 private:
  Ingest(const ServiceEnv& env, int partitions, std::unique_ptr<ClockTicker> clock)
      : metrics_(std::make_shared<IngestMetrics>(env.metrics)), clock_(std::move(clock)) {
    // The server may call until it is gone, and the clock is given to another before.
    const std::weak_ptr<ClockTicker> weak = clock_;
    env.http->Handle("GET", "/v1/clock", Answering([weak](const HttpRequest& request) {
                       const std::shared_ptr<ClockTicker> ticker = weak.lock();
                       if (ticker == nullptr) return ErrorResponse(Stopping());
                       if (const absl::Status known = CheckQuery(request, {}); !known.ok()) {
                         return ErrorResponse(known);
                       }
                       return MessageResponse(request, ticker->status());
                     }));
    env.http->Handle("POST", "/v1/clock", Answering([weak](const HttpRequest& request) {
                       const std::shared_ptr<ClockTicker> ticker = weak.lock();
                       if (ticker == nullptr) return ErrorResponse(Stopping());
                       const absl::Status confirmed = Confirm(*ticker, request);
                       if (!confirmed.ok()) return ErrorResponse(confirmed);
                       HttpResponse response = MessageResponse(request, ticker->status());
                       response.status = 202;
                       return response;
                     }));
    const config::v1::Ingest& config = env.config->ingest();
    IngestQueue::Options options;
    options.touchpoints_topic = env.topics.touchpoints;
    options.rejected_topic = env.topics.rejected;
    options.max_bytes = static_cast<size_t>(config.queue_bytes());
    options.limits.max_body_bytes = static_cast<size_t>(config.max_body_bytes());
    options.limits.max_batch_events = static_cast<size_t>(config.max_batch_events());
    options.limits.max_json_depth = static_cast<size_t>(config.max_json_depth());
    options.limits.max_future = absl::Milliseconds(config.max_future_ms());
    options.limits.partitions = partitions;
    queue_ = std::make_shared<IngestQueue>(env.log, metrics_.get(), std::move(options));
    HttpServer::RouteOptions route;
    route.max_body_bytes = static_cast<size_t>(config.max_body_bytes());
    // The server may call until it is gone: what it holds lives as long.
    env.http->Handle(
        "POST", "/v1/touchpoints",
        [queue = queue_, metrics = metrics_](HttpRequest request, HttpReply reply) {
          queue->Submit(std::move(request), std::move(reply));
        },
        route);
  }

  static absl::Status Stopping() { return absl::UnavailableError("the process is ending"); }

  static absl::Status Confirm(ClockTicker& clock, const HttpRequest& request) {
    query::v1::ClockConfirmation said;
    const auto parsed = google::protobuf::util::JsonStringToMessage(request.body, &said);
    if (!parsed.ok() || !said.has_now()) {
      return absl::InvalidArgumentError(
          "now: missing; give the time that it is, as {\"now\": \"2026-11-29T20:15:00Z\"}");
    }
    return clock.Confirm(FromProto(said.now()), said.reason());
  }

  const std::shared_ptr<IngestMetrics> metrics_;
  std::shared_ptr<IngestQueue> queue_;
  const std::shared_ptr<ClockTicker> clock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartIngest(const ServiceEnv& env) {
  return Ingest::Start(env);
}

}  // namespace rapport
