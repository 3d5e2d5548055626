#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/backtest/judge.h"
#include "libs/projections/retention/settings.h"

namespace rapport::risk_model {

// The most urgent of all, as many as somebody has time for.
struct Budget {
  double share = 0;  // of all clients
  int64_t clients = 0;
  double precision = 0;  // share of them to whom it happened
  double recall = 0;     // share of those to whom it happened that are among them
};

// A score as a forecast of "orders nothing within the horizon".
struct Evaluation {
  std::string name;
  bool is_chance = false;  // or a rule that only ranks
  std::vector<backtest::Forecast> forecasts;
  double auc = 0;
  double auc_error = 0;
  double brier = 0;  // of chances
  std::vector<backtest::CalibrationRow> tenths;
  std::vector<Budget> budgets;
};

struct EvaluationSettings {
  double horizon_weeks = 13;
};

// Scores of all clients who had ordered by `at`, from what was known then: the history is cut
// there, and each model's score is what the projection would have told. Beside them stand rules
// that a child could state: recency, frequency, RFM (the sum of the fifths of recency, frequency
// and value), and P_silent of the models' own parameters alone. FailedPrecondition: the history
// does not go on for a horizon after `at`, or nobody had ordered by then.
absl::StatusOr<std::vector<Evaluation>> Evaluate(const backtest::History& history, absl::Time at,
                                                 const std::vector<RetentionSettings>& models,
                                                 const EvaluationSettings& settings = {});

// The calibration of the chances as a picture: told against came about, with standard errors.
std::string CalibrationSvg(const std::vector<Evaluation>& evaluations);

}  // namespace rapport::risk_model
