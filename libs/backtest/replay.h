#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/projections/retention/settings.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/state/v1/retention.pb.h"

namespace rapport::backtest {

// One client's past under the retention projection with some settings.
struct Replay {
  // The steps of its alerts, as they would have been told live.
  std::vector<alert::v1::AlertEvent> steps;
  state::v1::RetentionState state;  // at the end
};

// Plays the past of a client up to `until`, with a clock of its own that goes along with it. Errors
// as History::Visit.
absl::StatusOr<Replay> ReplayClient(const History& history, const std::string& client_id,
                                    const RetentionSettings& settings, absl::Time until);
// The same with other touchpoints in place of the client's own, in the order of time.
Replay ReplayTouchpoints(const std::string& client_id,
                         const std::vector<touchpoint::v1::Touchpoint>& touchpoints,
                         const RetentionSettings& settings, absl::Time until);

}  // namespace rapport::backtest
