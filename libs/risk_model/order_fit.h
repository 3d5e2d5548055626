#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/projections/retention/settings.h"
#include "libs/risk_model/platt.h"
#include "libs/risk_model/silence_fit.h"

namespace rapport::risk_model {

struct OrderFitSettings {
  double horizon_weeks = 13;
  // The clients are looked at every so many days.
  int step_days = 30;
  // Not before the history has lasted so long.
  int least_days = 56;
  int64_t least_examples = 200;
};

// How the base of the score was fitted, for people.
struct OrderFit {
  OrderRiskSettings orders;
  SilenceFit silence;  // of MBG/NBD; when it is degenerate, orders.parameters are the prior's
  bool silence_fitted = false;
  std::string silence_explanation;  // why not
  // Weights were fitted on what came of the clients at these moments.
  std::vector<absl::Time> fitted_at;
  int64_t examples = 0;
  int64_t happened = 0;
  // Weights and their standard errors: average, silence, value, lines.
  std::vector<double> weights;
  std::vector<double> errors;
  double log_likelihood = 0;
  // Chances were calibrated on what came of the clients at a later moment, which the weights had
  // not seen.
  absl::Time calibrated_at;
  PlattScale scale;
  int64_t calibrated_on = 0;
};

// The base of the score on the history of a firm: cut into a first part, on which weights are
// fitted, and the horizon at its end, on which their chances are calibrated. Weights that the data
// speak against (whoever is silent longer would come the sooner) are left at 0, or refused.
// FailedPrecondition: the history is too short, or tells too little; the message says what there is
// and what it takes.
absl::StatusOr<OrderFit> FitOrders(const backtest::History& history, const OrderRiskSettings& prior,
                                   const OrderFitSettings& settings = {});

}  // namespace rapport::risk_model
