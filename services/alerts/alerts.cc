#include "services/alerts/alerts.h"

#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "services/alerts/alert_actions.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_feed.h"
#include "services/alerts/alert_metrics.h"
#include "services/alerts/alert_routes.h"
#include "services/alerts/alert_streams.h"
#include "services/alerts/log_writer.h"
#include "services/alerts/mark_reader.h"
#include "services/alerts/web_hook_routes.h"
#include "services/alerts/web_hook_sender.h"

namespace rapport {
namespace {

class AlertsService : public Service {
 public:
  explicit AlertsService(const ServiceEnv& env) : env_(env) {}
  ~AlertsService() override {
    if (feed_ != nullptr) feed_->Stop();
    if (metrics_ != nullptr) metrics_->Stop();
  }

  absl::Status Start() {
    RAPPORT_RETURN_IF_ERROR(OpenBook());
    RAPPORT_RETURN_IF_ERROR(StartWebHooks());
    AddAlertRoutes(env_.http, book_.get(), streams_.get(), feed_->partition_count());
    AddAlertActionRoutes(env_.http, {.book = book_.get(),
                                     .writer = writer_.get(),
                                     .touchpoints_topic = env_.topics.touchpoints,
                                     .now = absl::Now});
    AddWebHookRoutes(env_.http, web_hooks_.get());
    feed_->Start([this](const std::vector<FedStepPtr>& steps, const AlertCursor& after) {
      streams_->Send(steps, after);
      if (!steps.empty()) web_hooks_->Wake();
      metrics_->Count(steps);
    });
    marks_ = std::make_unique<MarkReader>(
        env_.log,
        MarkReader::Options{.topic = env_.topics.touchpoints,
                            .group = absl::StrCat("rapport-alerts-marks-", env_.instance),
                            .member = env_.instance},
        book_.get(), [this] { return feed_->Ready().ok(); });
    metrics_->Watch(book_.get(), streams_.get(), web_hooks_.get());
    return absl::OkStatus();
  }

  absl::Status Ready() const override {
    RAPPORT_RETURN_IF_ERROR(feed_->Ready());
    return marks_->Ready();
  }

 private:
  absl::Status OpenBook() {
    const config::v1::Alerts& config = env_.config->alerts();
    RAPPORT_ASSIGN_OR_RETURN(const int partitions, env_.log->PartitionCount(env_.topics.alerts));
    book_ = std::make_unique<AlertBook>(
        partitions, static_cast<size_t>(config.closed_alerts()),
        AlertAddressing{.access = env_.http->access(),
                        .alerts_per_owner_and_day = config.alerts_per_owner_and_day()});
    RAPPORT_ASSIGN_OR_RETURN(
        feed_, AlertFeed::Open(env_.log,
                               {.topic = env_.topics.alerts,
                                .group = absl::StrCat("rapport-alerts-book-", env_.instance),
                                .member = env_.instance},
                               book_.get()));
    streams_ = std::make_unique<AlertStreams>(
        feed_.get(),
        AlertStreams::Options{.heartbeat = absl::Milliseconds(config.stream_heartbeat_ms())});
    writer_ = std::make_unique<LogWriter>(env_.log);
    metrics_ = std::make_unique<AlertMetrics>(env_.metrics);
    return absl::OkStatus();
  }

  absl::Status StartWebHooks() {
    RAPPORT_ASSIGN_OR_RETURN(
        web_hooks_,
        WebHookSender::Start(
            {.log = env_.log,
             .http_client = env_.http_client,
             .writer = writer_.get(),
             .feed = feed_.get(),
             .instance = env_.instance,
             .now = absl::Now,
             .jitter = [] { return absl::Uniform(absl::BitGen(), 0.0, 1.0); }},
            env_.config->alerts().web_hooks(),
            [metrics = metrics_.get()](const std::string& web_hook, int status, bool settled) {
              metrics->CountDelivery(web_hook, status, settled);
            }));
    return absl::OkStatus();
  }

  const ServiceEnv env_;
  // Each stands on those before it.
  std::unique_ptr<AlertBook> book_;
  std::unique_ptr<AlertFeed> feed_;
  std::unique_ptr<AlertStreams> streams_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<AlertMetrics> metrics_;
  std::unique_ptr<WebHookSender> web_hooks_;
  std::unique_ptr<MarkReader> marks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartAlerts(const ServiceEnv& env) {
  auto service = std::make_unique<AlertsService>(env);
  RAPPORT_RETURN_IF_ERROR(service->Start());
  return service;
}

}  // namespace rapport
