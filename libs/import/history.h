#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/import/spool.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// The parts of an import that deal with time.

namespace rapport {

// Moves occurred_at and every other time in the touchpoint, but for dates of birth or foundation.
void ShiftTimes(absl::Duration by, touchpoint::v1::Touchpoint* touchpoint);

// The largest number of whole days (24 hours) that keeps `last` at or before `now`; negative when
// `last` lies ahead.
absl::Duration ShiftToNow(absl::Time last, absl::Time now);

// The time of the latest record of the topic; InfinitePast() when it is empty.
absl::StatusOr<absl::Time> LatestRecordTime(EventLog* log, absl::string_view topic, int partitions);

// The ticks of a clock over a history, in order: each multiple of `step` since 1970 after `from`.
class ClockSteps {
 public:
  ClockSteps(absl::Time from, absl::Duration step);
  // The next tick, if it is at or before `until`.
  bool Next(absl::Time until, absl::Time* tick);

 private:
  const absl::Duration step_;
  absl::Time next_;
};

}  // namespace rapport
