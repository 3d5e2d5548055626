#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/service/metrics.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "rapport/query/v1/clock.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// What ingest counts. `metrics` outlives it. Thread-safe.
class IngestMetrics {
 public:
  // Why something was not taken.
  enum class Refusal {
    kEvent,      // an event is wrong: counted by events; all others by requests
    kBody,       // the body is damaged, or no CloudEvents at all
    kTooLarge,   // body or batch
    kType,       // content type or encoding
    kQueueFull,  // too much waits for the log
    kLog,        // the log is away or full
    kCount_
  };

  explicit IngestMetrics(Metrics* metrics);

  void Accepted(touchpoint::v1::Touchpoint::PayloadCase kind, size_t count);
  void Refused(Refusal why, size_t count = 1);
  // Rejected events that could not be written to the rejected log either.
  void RejectionsLost(size_t count) { rejections_lost_->Increment(static_cast<double>(count)); }
  void BytesIn(size_t bytes) { bytes_->Increment(static_cast<double>(bytes)); }
  void QueueBytes(size_t bytes) { queue_bytes_->Set(static_cast<double>(bytes)); }
  void AppendTook(double seconds) { append_seconds_->Observe(seconds); }

 private:
  std::vector<prometheus::Counter*> accepted_;  // by payload case; null for none
  std::vector<prometheus::Counter*> refused_;   // by Refusal
  prometheus::Counter* rejections_lost_ = nullptr;
  prometheus::Counter* bytes_ = nullptr;
  prometheus::Gauge* queue_bytes_ = nullptr;
  prometheus::Histogram* append_seconds_ = nullptr;
};

// How the log's clock stands, as this process sees it.
class ClockMetrics {
 public:
  explicit ClockMetrics(Metrics* metrics);
  void Tell(const query::v1::Clock& clock);

 private:
  prometheus::Gauge* ticks_ = nullptr;
  prometheus::Gauge* stands_still_ = nullptr;
  prometheus::Gauge* ahead_seconds_ = nullptr;
};

}  // namespace rapport
