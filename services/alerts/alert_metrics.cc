#include "services/alerts/alert_metrics.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

constexpr absl::Duration kRefresh = absl::Seconds(1);

template <class Builder>
auto& Family(Metrics* metrics, Builder builder, const char* name, const char* help) {
  return builder.Name(name).Help(help).Register(metrics->registry());
}

// "critical" of SEVERITY_CRITICAL.
std::string Word(const std::string& name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

}  // namespace

AlertMetrics::AlertMetrics(Metrics* metrics)
    : steps_(Family(metrics, prometheus::BuildCounter(), "rapport_alert_steps_total",
                    "Steps in the life of alerts, as read from the alerts log since the start")),
      open_(
          Family(metrics, prometheus::BuildGauge(), "rapport_alerts_open", "Alerts that are open")),
      subscribers_(Family(metrics, prometheus::BuildGauge(), "rapport_alert_stream_subscribers",
                          "Connections to the stream of alerts")
                       .Add({})),
      deliveries_(Family(metrics, prometheus::BuildCounter(), "rapport_web_hook_deliveries_total",
                         "Attempts to deliver a step to a web hook, by what came of it")),
      pending_(Family(metrics, prometheus::BuildGauge(), "rapport_web_hook_pending_steps",
                      "Steps that wait for delivery, at most 10000, where this process delivers")),
      oldest_pending_(Family(metrics, prometheus::BuildGauge(),
                             "rapport_web_hook_oldest_pending_seconds",
                             "Age of the oldest step that waits for delivery; 0 for none")),
      disabled_(Family(metrics, prometheus::BuildGauge(), "rapport_web_hook_disabled",
                       "1 when the receiver answered 410 and nobody has enabled it since")) {}

void AlertMetrics::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    woken_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void AlertMetrics::Count(const std::vector<FedStepPtr>& steps) {
  for (const FedStepPtr& step : steps) {
    steps_
        .Add({{"change", Word(query::v1::AlertChange_Name(step->step.change()), "ALERT_CHANGE_")},
              {"severity", Word(alert::v1::Severity_Name(step->step.severity()), "SEVERITY_")}})
        .Increment();
  }
}

void AlertMetrics::CountDelivery(const std::string& web_hook, int status, bool settled) {
  const bool taken = status >= 200 && status < 300;
  deliveries_
      .Add({{"web_hook", web_hook},
            {"result", taken     ? "taken"
                       : settled ? "given_up"
                                 : "failed"}})
      .Increment();
}

void AlertMetrics::Watch(const AlertBook* book, const AlertStreams* streams,
                         const WebHookSender* web_hooks) {
  thread_ = std::thread([this, book, streams, web_hooks] {
    while (true) {
      Refresh(*book, *streams, *web_hooks);
      MutexLock lock(&mutex_);
      if (!stopping_) woken_.WaitFor(&mutex_, kRefresh);
      if (stopping_) return;
    }
  });
}

void AlertMetrics::Refresh(const AlertBook& book, const AlertStreams& streams,
                           const WebHookSender& web_hooks) {
  for (const auto& [severity, count] : book.OpenBySeverity()) {
    open_.Add({{"severity", Word(alert::v1::Severity_Name(severity), "SEVERITY_")}})
        .Set(static_cast<double>(count));
  }
  subscribers_.Set(static_cast<double>(streams.subscribers()));
  const query::v1::WebHooksPage page = web_hooks.List();
  for (const query::v1::WebHookStatus& hook : page.web_hooks()) {
    const std::map<std::string, std::string> label = {{"web_hook", hook.name()}};
    pending_.Add(label).Set(static_cast<double>(hook.pending()));
    oldest_pending_.Add(label).Set(
        hook.has_oldest_pending_at()
            ? absl::ToDoubleSeconds(absl::Now() - FromProto(hook.oldest_pending_at()))
            : 0);
    disabled_.Add(label).Set(hook.disabled() ? 1 : 0);
  }
}

}  // namespace rapport
