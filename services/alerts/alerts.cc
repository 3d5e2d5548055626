#include "services/alerts/alerts.h"

#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/people/organisation_log.h"
#include "libs/people/people.h"
#include "libs/serving/work_queue.h"
#include "services/alerts/alert_actions.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_feed.h"
#include "services/alerts/alert_metrics.h"
#include "services/alerts/alert_routes.h"
#include "services/alerts/alert_streams.h"
#include "services/alerts/log_writer.h"
#include "services/alerts/mail_routes.h"
#include "services/alerts/mail_sender.h"
#include "services/alerts/mail_settings.h"
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
    RAPPORT_RETURN_IF_ERROR(StartMail());
    AddAlertRoutes(env_.http, book_.get(), streams_.get(), feed_->partition_count());
    AddAlertActionRoutes(env_.http, {.book = book_.get(),
                                     .writer = writer_.get(),
                                     .touchpoints_topic = env_.topics.touchpoints,
                                     .now = absl::Now});
    AddWebHookRoutes(env_.http, web_hooks_.get());
    AddMailRoutes(env_.http, mail_.get(), &mail_work_);
    feed_->Start([this](const std::vector<FedStepPtr>& steps, const AlertCursor& after) {
      streams_->Send(steps, after);
      if (!steps.empty()) web_hooks_->Wake();
      if (mail_ != nullptr) mail_->Take(steps, after);
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

  std::vector<std::string> Warnings() const override {
    return mail_ == nullptr ? std::vector<std::string>() : mail_->Warnings();
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

  absl::Status StartMail() {
    const config::v1::AlertMail& config = env_.config->alerts().mail();
    if (config.server().empty()) return absl::OkStatus();
    RAPPORT_ASSIGN_OR_RETURN(AlertMailSettings settings, ReadAlertMailSettings(config));
    RAPPORT_ASSIGN_OR_RETURN(std::string key, DeploymentKey(*env_.config, env_.all_in_one));
    if (key.empty()) {
      return absl::FailedPreconditionError(
          "alerts.mail needs access.key_file, the same for all processes: links in mails are "
          "signed by it");
    }
    RAPPORT_ASSIGN_OR_RETURN(organisation_,
                             OrganisationLog::Open(env_.log, env_.topics.organisation, absl::Now));
    RAPPORT_ASSIGN_OR_RETURN(
        mail_, MailSender::Start(
                   {.log = env_.log,
                    .feed = feed_.get(),
                    .metrics = env_.metrics,
                    .instance = env_.instance,
                    .settings = std::move(settings),
                    .api = MailApiEnv(config),
                    .key = std::move(key),
                    .firm = [organisation = organisation_.get()] { return organisation->Get(); },
                    .now = absl::Now,
                    .jitter = [] { return absl::Uniform(absl::BitGen(), 0.0, 1.0); }}));
    return absl::OkStatus();
  }

  MailApi::Env MailApiEnv(const config::v1::AlertMail& config) const {
    MailApi::Env api = {.http_client = env_.http_client,
                        .access = env_.http->access(),
                        .url = config.api_url(),
                        .ca_file = env_.config->http().ca_file()};
    if (!api.url.empty()) return api;
    if (env_.all_in_one) {
      api.url = env_.http->address();
      api.ca_file = OwnCaFile(env_.config->http());
      api.connect_to = env_.http->local_address();
    } else {
      const bool tls = !env_.config->http().tls_key_file().empty();
      api.url = absl::StrCat(tls ? "https://" : "http://", env_.config->gateway().listen());
    }
    return api;
  }

  const ServiceEnv env_;
  // Each stands on those before it.
  std::unique_ptr<AlertBook> book_;
  std::unique_ptr<AlertFeed> feed_;
  std::unique_ptr<AlertStreams> streams_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<AlertMetrics> metrics_;
  std::unique_ptr<WebHookSender> web_hooks_;
  std::unique_ptr<OrganisationLog> organisation_;
  std::unique_ptr<MailSender> mail_;
  // Ends before what it works with; the server has been drained by then.
  WorkQueue mail_work_;
  std::unique_ptr<MarkReader> marks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartAlerts(const ServiceEnv& env) {
  auto service = std::make_unique<AlertsService>(env);
  RAPPORT_RETURN_IF_ERROR(service->Start());
  return service;
}

}  // namespace rapport
