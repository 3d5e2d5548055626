#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/backtest/judge.h"
#include "libs/projections/retention/settings.h"

namespace rapport::backtest {

struct Span {
  // Alerts raised in [from, to), and pauses that began in it, are judged; what happened until the
  // end of the history tells how they ended.
  absl::Time from;
  absl::Time to;
  // A pause between two order days that is longer is a departure.
  int departure_days = 150;
  // Only pauses of clients who had ordered on so many days by then.
  int least_order_days = 1;
};

// What one set of settings would have told, and how right it was.
struct RuleReport {
  std::string model_version;
  // Raised in the span, whether or not it is known how it ended.
  int64_t alerts = 0;
  int64_t clients = 0;
  // By the owner at that time ("" for none), and all of a week to one owner: mean and most.
  std::map<std::string, int64_t> alerts_by_owner;
  double per_owner_and_week = 0;
  int64_t most_in_a_week = 0;
  // Of pauses between orders. An alert that is open when a pause begins came on its day 0.
  Verdict pauses;
  Verdict stopwatch;  // silence of as many days as the median alert
  // From the alert until the departure was certain, days, the median of those that were right.
  int median_lead_days = 0;
  // Notice that clients gave in the span, how often an alert was open before, and for how many days
  // (median).
  int64_t notices = 0;
  int64_t foreseen_notices = 0;
  int median_notice_lead_days = 0;
  // Of alerts whose pause has ended or become a departure, by their first reason.
  struct ByReason {
    int64_t alerts = 0;
    int64_t right = 0;
  };
  std::map<std::string, ByReason> by_reason;
  // What people made of the alerts that they closed in the span: by their first reason, and by the
  // owner at that time.
  struct ByPeople {
    int64_t closed = 0;
    int64_t dismissed = 0;
    int64_t saved = 0;  // resolved: the client stays, by what we did
    int64_t lost = 0;   // resolved: the client left all the same
  };
  std::map<std::string, ByPeople> people_by_reason;
  std::map<std::string, ByPeople> people_by_owner;
};

// Plays all clients' pasts under `settings`. Errors as History::Visit.
absl::StatusOr<RuleReport> JudgeRules(const History& history, const RetentionSettings& settings,
                                      const Span& span);

}  // namespace rapport::backtest
