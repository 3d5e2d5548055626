#include "services/ingest/ingest.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/projector/clock_ticker.h"
#include "services/ingest/ingest_metrics.h"
#include "services/ingest/ingest_queue.h"

namespace rapport {
namespace {

// The log puts the configured prefix before it, as before the others.
constexpr char kClockTopic[] = "clock";

class Ingest : public Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Start(const ServiceEnv& env) {
    RAPPORT_ASSIGN_OR_RETURN(const int partitions, env.log->PartitionCount(env.topics.touchpoints));
    RAPPORT_RETURN_IF_ERROR(env.log->PartitionCount(env.topics.rejected).status());
    RAPPORT_ASSIGN_OR_RETURN(
        auto clock, ClockTicker::Start(env.log, env.topics, kClockTopic,
                                       absl::Milliseconds(env.config->clock().interval_ms()),
                                       absl::StrCat("ingest-", env.instance)));
    return std::unique_ptr<Service>(new Ingest(env, partitions, std::move(clock)));
  }

  ~Ingest() override { queue_->Stop(); }

  absl::Status Ready() const override { return queue_->trouble(); }
  std::vector<std::string> Warnings() const override {
    const absl::Status clock = clock_->trouble();
    if (clock.ok()) return {};
    return {absl::StrCat("clock: ", clock.message())};
  }

 private:
  Ingest(const ServiceEnv& env, int partitions, std::unique_ptr<ClockTicker> clock)
      : metrics_(std::make_shared<IngestMetrics>(env.metrics)), clock_(std::move(clock)) {
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

  const std::shared_ptr<IngestMetrics> metrics_;
  std::shared_ptr<IngestQueue> queue_;
  const std::unique_ptr<ClockTicker> clock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartIngest(const ServiceEnv& env) {
  return Ingest::Start(env);
}

}  // namespace rapport
