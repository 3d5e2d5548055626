#include "services/ingest/ingest_metrics.h"

#include "google/protobuf/descriptor.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr const char* kReasons[] = {"event", "body", "too_large", "type", "queue_full", "log"};
static_assert(std::size(kReasons) == static_cast<size_t>(IngestMetrics::Refusal::kCount_));

}  // namespace

IngestMetrics::IngestMetrics(Metrics* metrics) {
  prometheus::Registry& registry = metrics->registry();
  auto& accepted = prometheus::BuildCounter()
                       .Name("rapport_touchpoints_in_total")
                       .Help("Touchpoints that the log has on disk, by kind.")
                       .Register(registry);
  const auto* const payload = Touchpoint::descriptor()->FindOneofByName("payload");
  for (int i = 0; i < payload->field_count(); ++i) {
    const auto tag = static_cast<size_t>(payload->field(i)->number());
    if (accepted_.size() <= tag) accepted_.resize(tag + 1, nullptr);
    accepted_[tag] = &accepted.Add({{"kind", payload->field(i)->name()}});
  }
  auto& refused = prometheus::BuildCounter()
                      .Name("rapport_ingest_refused_total")
                      .Help("What was not taken, by reason: events for \"event\", else requests.")
                      .Register(registry);
  for (const char* const reason : kReasons) refused_.push_back(&refused.Add({{"reason", reason}}));
  rejections_lost_ = &prometheus::BuildCounter()
                          .Name("rapport_ingest_rejections_lost_total")
                          .Help("Refused events that the rejected log could not take either.")
                          .Register(registry)
                          .Add({});
  bytes_ = &prometheus::BuildCounter()
                .Name("rapport_ingest_bytes_total")
                .Help("Bytes of bodies as they were sent.")
                .Register(registry)
                .Add({});
  queue_bytes_ = &prometheus::BuildGauge()
                      .Name("rapport_ingest_queue_bytes")
                      .Help("Bytes of requests that wait for the log or are being written.")
                      .Register(registry)
                      .Add({});
  append_seconds_ =
      &prometheus::BuildHistogram()
           .Name("rapport_ingest_append_seconds")
           .Help("Time until the log had a group of requests on disk.")
           .Register(registry)
           .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                                            0.1, 0.2, 0.5, 1, 2, 5, 10, 30});
}

void IngestMetrics::Accepted(Touchpoint::PayloadCase kind, size_t count) {
  accepted_.at(static_cast<size_t>(kind))->Increment(static_cast<double>(count));
}

void IngestMetrics::Refused(Refusal why, size_t count) {
  refused_.at(static_cast<size_t>(why))->Increment(static_cast<double>(count));
}

}  // namespace rapport
