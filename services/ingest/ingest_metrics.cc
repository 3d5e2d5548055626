#include "services/ingest/ingest_metrics.h"

#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "libs/base/time.h"

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

ClockMetrics::ClockMetrics(Metrics* metrics) {
  const auto gauge = [&](const char* name, const char* help) {
    return &prometheus::BuildGauge().Name(name).Help(help).Register(metrics->registry()).Add({});
  };
  ticks_ = gauge("rapport_clock_elected", "1 while this process is the one that ticks.");
  stands_still_ =
      gauge("rapport_clock_stands_still",
            "1 while the clock does not tick: this machine's is not believed, the log's "
            "is ahead, or a tick cannot be written.");
  ahead_seconds_ = gauge("rapport_clock_ahead_seconds",
                         "How far the log's last tick is ahead of this machine's clock; negative "
                         "while it is behind.");
}

void ClockMetrics::Tell(const query::v1::Clock& clock) {
  const bool standby = clock.standing() == query::v1::CLOCK_STANDING_STANDBY;
  ticks_->Set(standby ? 0 : 1);
  stands_still_->Set(standby || clock.standing() == query::v1::CLOCK_STANDING_TICKING ? 0 : 1);
  if (!clock.has_last_tick()) return;
  ahead_seconds_->Set(
      absl::ToDoubleSeconds(FromProto(clock.last_tick()) - FromProto(clock.wall_clock())));
}

}  // namespace rapport
