#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/service/metrics.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_feed.h"
#include "services/alerts/alert_streams.h"
#include "services/alerts/web_hook_sender.h"

namespace rapport {

// The metrics of rapport-alerts. Thread-safe.
class AlertMetrics {
 public:
  explicit AlertMetrics(Metrics* metrics);
  ~AlertMetrics() { Stop(); }

  void Count(const std::vector<FedStepPtr>& steps);
  // "taken", "failed" or "given_up".
  void CountDelivery(const std::string& web_hook, int status, bool settled);
  // Brings the gauges up to date every second from now on.
  void Watch(const AlertBook* book, const AlertStreams* streams, const WebHookSender* web_hooks);
  // Looks at them no more.
  void Stop();

 private:
  void Refresh(const AlertBook& book, const AlertStreams& streams, const WebHookSender& web_hooks);

  prometheus::Family<prometheus::Counter>& steps_;
  prometheus::Family<prometheus::Gauge>& open_;
  prometheus::Gauge& subscribers_;
  prometheus::Family<prometheus::Counter>& deliveries_;
  prometheus::Family<prometheus::Gauge>& pending_;
  prometheus::Family<prometheus::Gauge>& oldest_pending_;
  prometheus::Family<prometheus::Gauge>& disabled_;
  Mutex mutex_;
  CondVar woken_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rapport
