#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/risk_model/logistic.h"

namespace rapport::risk_model {

// A score as log-odds, and what happened later.
struct ScoredOutcome {
  double log_odds = 0;
  bool happened = false;
};

// Platt scaling: the chance that belongs to a score, chance = 1 / (1 + e^-(intercept + slope *
// log_odds)). With intercept 0 and slope 1 the score told the chance already. Ranks stay as they
// were while the slope is positive.
//
// Source: J. Platt, "Probabilistic outputs for support vector machines", 1999.
struct PlattScale {
  double intercept = 0;
  double slope = 1;
  double intercept_error = 0;  // standard errors
  double slope_error = 0;

  double Chance(double log_odds) const;
};

// Fitted to outcomes that the score was not made from: of a later time, or of other clients.
// Errors as FitLogistic; FailedPrecondition also when the slope is not positive: the score ranks
// the wrong way round, and no scale mends it.
absl::StatusOr<PlattScale> FitPlatt(absl::Span<const ScoredOutcome> outcomes,
                                    const LogisticSettings& settings = {});

}  // namespace rapport::risk_model
