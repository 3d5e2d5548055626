#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/projections/retention/settings.h"

namespace rapport::backtest {

// A change of the past, and what would have become of the alert.
struct WhatIf {
  std::string reason;   // code of the reason that goes
  std::string text;     // what is changed, for people: "without the complaint of 2025-03-10"
  absl::Time day;       // on which something else would have had to happen; the latest such day
  int changes = 0;      // touchpoints that are gone, or one that is added
  int score = 0;        // at the moment of the alert, with the change
  bool raised = false;  // whether an alert would have been raised by then all the same
};

// For the client's latest alert: each reason that spoke for it, taken away by itself. What happened
// is left out; where something did not happen, it happens the day before. Those that would have
// kept the alert away first, and of these the smallest change and the latest day. Empty when there
// was no alert.
absl::StatusOr<std::vector<WhatIf>> WhatIfs(const History& history, const std::string& client_id,
                                            const RetentionSettings& settings);

}  // namespace rapport::backtest
