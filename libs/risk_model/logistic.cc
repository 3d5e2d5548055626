#include "libs/risk_model/logistic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/risk_model/cholesky.h"

namespace rapport::risk_model {
namespace {

constexpr size_t kMostFacts = 100;
constexpr int kMostSteps = 100;
constexpr int kMostHalvings = 30;
// Of what a step would gain by the curvature, per example.
constexpr double kGain = 1e-18;
constexpr double kRounding = 1e-14;

// ln of the chance of what happened.
double LogLikelihoodOf(double log_odds, bool happened) {
  const double z = happened ? log_odds : -log_odds;
  return std::min(z, 0.0) - std::log1p(std::exp(-std::abs(z)));
}

// Each fact less its mean, in units of its standard deviation; 0 where it never changes.
class Standard {
 public:
  explicit Standard(const Examples& examples)
      : means_(examples.facts()), deviations_(examples.facts()) {
    const auto count = static_cast<double>(examples.size());
    for (size_t i = 0; i < examples.size(); ++i) {
      for (size_t k = 0; k < means_.size(); ++k) means_[k] += examples.Facts(i)[k] / count;
    }
    for (size_t i = 0; i < examples.size(); ++i) {
      for (size_t k = 0; k < means_.size(); ++k) {
        const double apart = examples.Facts(i)[k] - means_[k];
        deviations_[k] += apart * apart / count;
      }
    }
    for (size_t k = 0; k < means_.size(); ++k) {
      deviations_[k] = std::sqrt(deviations_[k]);
      // What is left of rounding is no change.
      if (deviations_[k] <= 1e-12 * std::abs(means_[k])) deviations_[k] = 0;
    }
  }

  // With a 1 before them.
  void Write(absl::Span<const double> facts, std::vector<double>& to) const {
    to[0] = 1;
    for (size_t k = 0; k < means_.size(); ++k) {
      to[k + 1] = deviations_[k] == 0 ? 0 : (facts[k] - means_[k]) / deviations_[k];
    }
  }

  // weight_0 + sum of weight * (fact - mean) / deviation, in the units of the facts. `inverse`:
  // covariances of the standardised weights.
  void ToUnits(const std::vector<double>& weights, const SymmetricMatrix& inverse,
               LogisticModel& model) const {
    const size_t size = weights.size();
    model.weights = weights;
    model.errors.resize(size);
    std::vector<double> of_first(size);  // of the standardised weights in weight_0
    of_first[0] = 1;
    for (size_t k = 1; k < size; ++k) {
      if (deviations_[k - 1] == 0) {
        model.weights[k] = 0;
        model.errors[k] = std::numeric_limits<double>::infinity();
        continue;
      }
      of_first[k] = -means_[k - 1] / deviations_[k - 1];
      model.weights[k] = weights[k] / deviations_[k - 1];
      model.errors[k] = std::sqrt(inverse.At(k, k)) / deviations_[k - 1];
      model.weights[0] += of_first[k] * weights[k];
    }
    double variance = 0;
    for (size_t i = 0; i < size; ++i) {
      for (size_t k = 0; k < size; ++k) variance += of_first[i] * of_first[k] * inverse.At(i, k);
    }
    model.errors[0] = std::sqrt(variance);
  }

 private:
  std::vector<double> means_;
  std::vector<double> deviations_;
};

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

// Newton's method on ln L less the ridge, which has one maximum.
class Newton {
 public:
  Newton(const Examples& examples, double ridge)
      : examples_(examples),
        standard_(examples),
        ridge_(ridge),
        weights_(examples.facts() + 1),
        slope_(weights_.size()),
        curvature_(weights_.size()) {}

  LogisticModel Run() {
    double value = Value(weights_);
    for (int step = 0; step < kMostSteps; ++step) {
      Derive();
      const std::vector<double> direction = Factors().Solve(slope_);
      if (Dot(direction, slope_) < kGain * static_cast<double>(examples_.size())) break;
      if (!Step(direction, value)) break;
    }
    Derive();
    LogisticModel model;
    model.log_likelihood = value + Penalty(weights_);
    standard_.ToUnits(weights_, Factors().Inverse(), model);
    return model;
  }

 private:
  Cholesky Factors() const {
    std::optional<Cholesky> factors = Cholesky::Of(curvature_);
    RAPPORT_CHECK(factors.has_value(), "a ridge leaves no direction flat");
    return *std::move(factors);
  }

  // As far in the direction as `value` does not fall, but for rounding; false where it falls
  // everywhere.
  bool Step(const std::vector<double>& direction, double& value) {
    double length = 1;
    for (int halving = 0; halving < kMostHalvings; ++halving, length /= 2) {
      std::vector<double> next = weights_;
      for (size_t k = 0; k < next.size(); ++k) next[k] += length * direction[k];
      const double next_value = Value(next);
      if (next_value < value - kRounding * std::abs(value)) continue;
      weights_ = std::move(next);
      value = next_value;
      return true;
    }
    return false;
  }

  double Penalty(const std::vector<double>& weights) const {
    double squares = 0;
    for (size_t k = 1; k < weights.size(); ++k) squares += weights[k] * weights[k];
    return ridge_ / 2 * squares;
  }

  double Value(const std::vector<double>& weights) const {
    std::vector<double> row(weights.size());
    double sum = 0;
    for (size_t i = 0; i < examples_.size(); ++i) {
      standard_.Write(examples_.Facts(i), row);
      sum += LogLikelihoodOf(Dot(weights, row), examples_.Happened(i));
    }
    return sum - Penalty(weights);
  }

  void Derive() {
    std::vector<double> row(weights_.size());
    std::fill(slope_.begin(), slope_.end(), 0.0);
    curvature_ = SymmetricMatrix(weights_.size());
    for (size_t i = 0; i < examples_.size(); ++i) {
      standard_.Write(examples_.Facts(i), row);
      const double chance = ChanceOf(Dot(weights_, row));
      const double error = (examples_.Happened(i) ? 1 : 0) - chance;
      for (size_t k = 0; k < row.size(); ++k) slope_[k] += error * row[k];
      curvature_.AddSquare(row, chance * (1 - chance));
    }
    for (size_t k = 1; k < weights_.size(); ++k) {
      slope_[k] -= ridge_ * weights_[k];
      curvature_.At(k, k) += ridge_;
    }
  }

  const Examples& examples_;
  Standard standard_;
  double ridge_;
  std::vector<double> weights_;
  std::vector<double> slope_;
  SymmetricMatrix curvature_;
};

// Neighbours come to different parts (the finaliser of splitmix64, G. Steele et al. 2014).
uint64_t Mixed(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

double ChanceOf(double log_odds) {
  // exp of what is not above 0 never overflows.
  const double e = std::exp(-std::abs(log_odds));
  return log_odds >= 0 ? 1 / (1 + e) : e / (1 + e);
}

void Examples::Add(absl::Span<const double> facts, bool happened, uint64_t group) {
  RAPPORT_CHECK(facts.size() == facts_, facts.size(), " facts, not ", facts_);
  values_.insert(values_.end(), facts.begin(), facts.end());
  happened_.push_back(happened ? 1 : 0);
  groups_.push_back(group);
}

double LogisticModel::LogOdds(absl::Span<const double> facts) const {
  RAPPORT_CHECK(facts.size() + 1 == weights.size(), facts.size(), " facts");
  double sum = weights[0];
  for (size_t k = 0; k < facts.size(); ++k) sum += weights[k + 1] * facts[k];
  return sum;
}

double LogisticModel::Chance(absl::Span<const double> facts) const {
  return ChanceOf(LogOdds(facts));
}

absl::StatusOr<LogisticModel> FitLogistic(const Examples& examples,
                                          const LogisticSettings& settings) {
  RAPPORT_CHECK(examples.facts() <= kMostFacts, examples.facts(), " facts");
  RAPPORT_CHECK(settings.ridge > 0 && settings.least_of_each > 0, "ridge ", settings.ridge,
                ", least_of_each ", settings.least_of_each);
  int64_t happened = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    happened += examples.Happened(i) ? 1 : 0;
    for (size_t k = 0; k < examples.facts(); ++k) {
      if (std::isfinite(examples.Facts(i)[k])) continue;
      return absl::InvalidArgumentError(absl::StrFormat(
          "example %d: fact %d is %g, and must be finite", i, k, examples.Facts(i)[k]));
    }
  }
  const int64_t not_happened = static_cast<int64_t>(examples.size()) - happened;
  if (std::min(happened, not_happened) < settings.least_of_each) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "it happened in %d examples and did not in %d; a fit needs at least %d of each: take a "
        "longer time or more clients",
        happened, not_happened, settings.least_of_each));
  }
  return Newton(examples, settings.ridge).Run();
}

absl::StatusOr<std::vector<backtest::Forecast>> CrossValidate(const Examples& examples, int folds,
                                                              const LogisticSettings& settings) {
  RAPPORT_CHECK(folds >= 2, folds, " folds");
  const auto fold_of = [&](size_t i) {
    return static_cast<int>(Mixed(examples.Group(i)) % static_cast<uint64_t>(folds));
  };
  std::vector<backtest::Forecast> forecasts(examples.size());
  for (int fold = 0; fold < folds; ++fold) {
    Examples others(examples.facts());
    for (size_t i = 0; i < examples.size(); ++i) {
      if (fold_of(i) == fold) continue;
      others.Add(examples.Facts(i), examples.Happened(i), examples.Group(i));
    }
    absl::StatusOr<LogisticModel> model = FitLogistic(others, settings);
    if (!model.ok()) {
      return Annotate(model.status(), absl::StrFormat("without part %d of %d", fold + 1, folds));
    }
    for (size_t i = 0; i < examples.size(); ++i) {
      if (fold_of(i) != fold) continue;
      forecasts[i] = {model->Chance(examples.Facts(i)), examples.Happened(i)};
    }
  }
  return forecasts;
}

}  // namespace rapport::risk_model
