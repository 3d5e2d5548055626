#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/service/metrics.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

namespace rapport {

// The metrics of mails. Thread-safe.
class MailMetrics {
 public:
  explicit MailMetrics(Metrics* metrics);

  // What came of an attempt: "urgent" or "digest"; "sent", "waits", "refused", ...
  void Count(const std::string& kind, const std::string& state);
  // From its planning to the server's reply.
  void TookUrgent(absl::Duration duration);
  // `oldest`: the age of the oldest mail that waits.
  void Set(size_t pending, absl::Duration oldest, bool trouble);

 private:
  prometheus::Family<prometheus::Counter>& mails_;
  prometheus::Gauge& pending_;
  prometheus::Gauge& oldest_;
  prometheus::Gauge& trouble_;
  prometheus::Histogram& urgent_;
};

}  // namespace rapport
