#pragma once

#include <string>

#include "absl/status/status.h"
#include "libs/service/metrics.h"
#include "prometheus/family.h"
#include "rapport/query/v1/source.pb.h"

namespace prometheus {
class Counter;
class Gauge;
}  // namespace prometheus

namespace rapport {

// What Prometheus is told of the sources. `metrics` outlives it. Thread-safe.
class SourceMetrics {
 public:
  explicit SourceMetrics(Metrics* metrics);

  // A request to a web hook that was answered with an error.
  void Refused(const std::string& source, const absl::Status& why);
  // What the ledger says.
  void Show(const query::v1::SourceList& ledger);

 private:
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Family<prometheus::Gauge>& items_;
  prometheus::Family<prometheus::Gauge>& gaps_;
  prometheus::Family<prometheus::Gauge>& lag_;
  prometheus::Family<prometheus::Gauge>& last_;
  prometheus::Family<prometheus::Gauge>& well_;
};

}  // namespace rapport
