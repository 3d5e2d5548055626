#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/backtest/judge.h"

// Chances from facts: ln(chance / (1 - chance)) = weight_0 + weight_1 * fact_1 + ...
// Source of the fit: iteratively reweighted least squares, T. Hastie, R. Tibshirani, J. Friedman,
// "The Elements of Statistical Learning", 2nd edition, 4.4.1, with a ridge (3.4.1).

namespace rapport::risk_model {

// 1 / (1 + e^-log_odds), for any log-odds.
double ChanceOf(double log_odds);

// What was known of somebody, as numbers, and what happened. Each has as many facts.
class Examples {
 public:
  explicit Examples(size_t facts) : facts_(facts) {}

  // `group`: of whom it is told (a client of whom several moments are, say). Cross-validation never
  // learns from one example of a group to forecast another.
  void Add(absl::Span<const double> facts, bool happened, uint64_t group);

  size_t facts() const { return facts_; }
  size_t size() const { return happened_.size(); }
  absl::Span<const double> Facts(size_t i) const {
    return absl::MakeConstSpan(values_).subspan(i * facts_, facts_);
  }
  bool Happened(size_t i) const { return happened_[i] != 0; }
  uint64_t Group(size_t i) const { return groups_[i]; }

 private:
  size_t facts_;
  std::vector<double> values_;
  std::vector<uint8_t> happened_;
  std::vector<uint64_t> groups_;
};

struct LogisticSettings {
  // Half of it times the square of each weight of a standardised fact (not of weight_0) is taken
  // off ln L. At 0.1 it decides only where the examples leave a weight open: facts that tell the
  // same, or that tell everything.
  double ridge = 0.1;
  // As many that it happened to, and that it did not happen to.
  int64_t least_of_each = 20;
};

struct LogisticModel {
  // In the units of the facts; the first is weight_0. A fact that is the same everywhere has
  // weight 0 and an infinite error.
  std::vector<double> weights;
  // Standard errors of the weights, from the curvature of ln L with its ridge.
  std::vector<double> errors;
  double log_likelihood = 0;  // without the ridge

  double LogOdds(absl::Span<const double> facts) const;
  double Chance(absl::Span<const double> facts) const;
};

// At most 100 facts. Takes the same steps each time.
// InvalidArgument: a fact that is not finite. FailedPrecondition: too few examples of a kind.
absl::StatusOr<LogisticModel> FitLogistic(const Examples& examples,
                                          const LogisticSettings& settings = {});

// What was forecast of each example by a model of the others: the groups are dealt to `folds` parts
// by a hash, the same one each time, and each part is forecast by a model of all others.
absl::StatusOr<std::vector<backtest::Forecast>> CrossValidate(
    const Examples& examples, int folds, const LogisticSettings& settings = {});

}  // namespace rapport::risk_model
