#include "libs/serving/clock_candidate.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/service/metrics.h"
#include "prometheus/gauge.h"
#include "rapport/query/v1/clock.pb.h"

namespace rapport {
namespace {

// The log puts the configured prefix before it, as before the others.
constexpr char kClockTopic[] = "clock";

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

}  // namespace

absl::StatusOr<std::unique_ptr<ClockTicker>> StartClock(const ServiceEnv& env,
                                                        const std::string& member) {
  const config::v1::Clock& config = env.config->clock();
  ClockTicker::Options options;
  options.interval = absl::Milliseconds(config.interval_ms());
  options.member = member;
  options.limits.max_step = absl::Milliseconds(config.max_step_ms());
  options.limits.steady = absl::Milliseconds(config.steady_ms());
  options.limits.max_absence = absl::Hours(config.max_absence_hours());
  options.on_look = [metrics = std::make_shared<ClockMetrics>(env.metrics)](
                        const ClockTicker& clock) { metrics->Tell(clock.status()); };
  return ClockTicker::Start(env.log, env.topics, kClockTopic, std::move(options));
}

std::vector<std::string> ClockWarnings(const ClockTicker& clock) {
  const query::v1::Clock status = clock.status();
  if (status.reason().empty()) return {};
  return {absl::StrCat("the clock does not tick: ", status.reason())};
}

}  // namespace rapport
