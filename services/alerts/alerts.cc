#include "services/alerts/alerts.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "services/alerts/alert_actions.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_feed.h"
#include "services/alerts/alert_routes.h"
#include "services/alerts/alert_streams.h"
#include "services/alerts/log_writer.h"
#include "services/alerts/mark_reader.h"

namespace rapport {
namespace {

class AlertsService : public Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Start(const ServiceEnv& env) {
    auto service = std::make_unique<AlertsService>();
    RAPPORT_RETURN_IF_ERROR(service->Open(env));
    return service;
  }

  ~AlertsService() override {
    if (feed_ != nullptr) feed_->Stop();
  }

  absl::Status Ready() const override {
    RAPPORT_RETURN_IF_ERROR(feed_->Ready());
    return marks_->Ready();
  }

 private:
  absl::Status Open(const ServiceEnv& env) {
    const config::v1::Alerts& config = env.config->alerts();
    RAPPORT_ASSIGN_OR_RETURN(const int partitions, env.log->PartitionCount(env.topics.alerts));
    book_ = std::make_unique<AlertBook>(partitions, static_cast<size_t>(config.closed_alerts()));
    RAPPORT_ASSIGN_OR_RETURN(
        feed_, AlertFeed::Open(env.log,
                               {.topic = env.topics.alerts,
                                .group = absl::StrCat("rapport-alerts-book-", env.instance),
                                .member = env.instance},
                               book_.get()));
    streams_ = std::make_unique<AlertStreams>(
        feed_.get(),
        AlertStreams::Options{.heartbeat = absl::Milliseconds(config.stream_heartbeat_ms())});
    writer_ = std::make_unique<LogWriter>(env.log);
    AddAlertRoutes(env.http, book_.get(), streams_.get(), partitions);
    AddAlertActionRoutes(env.http, {.book = book_.get(),
                                    .writer = writer_.get(),
                                    .touchpoints_topic = env.topics.touchpoints,
                                    .now = absl::Now});
    feed_->Start([this](const std::vector<FedStepPtr>& steps, const AlertCursor& after) {
      streams_->Send(steps, after);
    });
    marks_ = std::make_unique<MarkReader>(
        env.log,
        MarkReader::Options{.topic = env.topics.touchpoints,
                            .group = absl::StrCat("rapport-alerts-marks-", env.instance),
                            .member = env.instance},
        book_.get(), [this] { return feed_->Ready().ok(); });
    return absl::OkStatus();
  }

  // In the order in which they stand on each other.
  std::unique_ptr<AlertBook> book_;
  std::unique_ptr<AlertFeed> feed_;
  std::unique_ptr<AlertStreams> streams_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<MarkReader> marks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartAlerts(const ServiceEnv& env) {
  return AlertsService::Start(env);
}

}  // namespace rapport
