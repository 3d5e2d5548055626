#pragma once

#include "libs/service/metrics.h"
#include "prometheus/gauge.h"

namespace rapport {

// What the operating system knows of this process, under the names that Prometheus's own libraries
// use. Thread-safe.
class ProcessMetrics {
 public:
  explicit ProcessMetrics(Metrics* metrics);
  // Reads them anew.
  void Refresh();

 private:
  prometheus::Gauge& resident_bytes_;
  prometheus::Gauge& cpu_seconds_;
  prometheus::Gauge& open_files_;
};

}  // namespace rapport
