#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/projections/models/silence.h"
#include "libs/projections/retention/settings.h"

namespace rapport::risk_model {

// What orders tell of a client at a moment.
struct OrderFacts {
  std::string client_id;
  models::Repeats repeats;  // weeks
  double weeks = 0;         // since its first order day
  double value = 0;         // ordered so far, in whole units of one currency; 0 for none of it
  bool has_value = false;
  double lines = 0;  // positions on an order day
  bool has_lines = false;
};

// Of all clients who ordered, by id, as it was known at the end of `past`: cut it there. Errors as
// History::Visit.
absl::StatusOr<std::vector<OrderFacts>> OrderFactsOf(const backtest::History& past, absl::Time at,
                                                     const std::string& currency);

// The currency of most orders; empty when no order has one.
absl::StatusOr<std::string> UsualCurrency(const backtest::History& history);

// Who ordered in (from, to].
std::set<std::string> WhoOrdered(const backtest::History& history, absl::Time from, absl::Time to);

// The terms of OrderRiskSettings, as held against the average client: of the silence, of the value
// and of the lines.
struct OrderTerms {
  double silence = 0;
  double value = 0;
  double lines = 0;
};
OrderTerms TermsOf(const OrderFacts& facts, const OrderRiskSettings& settings);

}  // namespace rapport::risk_model
