#include "libs/risk_model/maximise.h"

#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "libs/base/check.h"
#include "libs/risk_model/cholesky.h"
#include "nlopt.h"

namespace rapport::risk_model {
namespace {

constexpr int kMostRestarts = 12;
constexpr double kFirstStep = 0.5;  // of a logarithm
constexpr double kGain = 1e-11;
constexpr double kSpread = 1e-14;       // of the values over the simplex
constexpr double kSize = 1e-6;          // of the simplex
constexpr double kAtEnd = 1e-3;         // as a distance of logarithms
constexpr double kOpen = 2;             // as a standard error of a logarithm
constexpr int kMostEvaluations = 3000;  // between two restarts

struct Objective {
  const std::function<double(absl::Span<const double>)>& f;
  std::vector<double> parameters;
  int evaluations = 0;
};

double Evaluate(unsigned count, const double* logs, double* /*gradient*/, void* data) {
  auto& objective = *static_cast<Objective*>(data);
  ++objective.evaluations;
  for (unsigned i = 0; i < count; ++i) objective.parameters[i] = std::exp(logs[i]);
  const double value = objective.f(objective.parameters);
  return std::isfinite(value) ? value : -std::numeric_limits<double>::max();
}

// Standard errors of the logarithms by the curvature at the optimum, as if each had been known to
// +-kBeforehand: so they are finite where ln L is flat. Empty where it is no optimum.
std::vector<double> Errors(Objective& objective, const std::vector<double>& logs, double clients) {
  constexpr double kStep = 1e-3;
  constexpr double kBeforehand = 5;
  const size_t count = logs.size();
  std::vector<double> at = logs;
  const auto value = [&](size_t i, double by_i, size_t k, double by_k) {
    at = logs;
    at[i] += by_i * kStep;
    at[k] += by_k * kStep;
    return Evaluate(static_cast<unsigned>(count), at.data(), nullptr, &objective);
  };
  SymmetricMatrix information(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k <= i; ++k) {
      const double second =
          (value(i, 1, k, 1) - value(i, 1, k, -1) - value(i, -1, k, 1) + value(i, -1, k, -1)) /
          (4 * kStep * kStep);
      information.At(i, k) = -second * clients;
    }
    information.At(i, i) += 1 / (kBeforehand * kBeforehand);
  }
  const std::optional<Cholesky> factors = Cholesky::Of(information);
  if (!factors) return {};
  const SymmetricMatrix variances = factors->Inverse();
  std::vector<double> errors;
  for (size_t i = 0; i < count; ++i) errors.push_back(std::sqrt(variances.At(i, i)));
  return errors;
}

}  // namespace

Maximum Maximise(const std::function<double(absl::Span<const double>)>& log_likelihood,
                 int64_t clients, absl::Span<const Parameter> parameters) {
  const size_t count = parameters.size();
  std::vector<double> lower;
  std::vector<double> upper;
  for (const Parameter& parameter : parameters) {
    RAPPORT_CHECK(0 < parameter.least && parameter.least < 1 && 1 < parameter.most, parameter.name);
    lower.push_back(std::log(parameter.least));
    upper.push_back(std::log(parameter.most));
  }
  Objective objective = {log_likelihood, std::vector<double>(count)};
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> search(
      nlopt_create(NLOPT_LN_NELDERMEAD, static_cast<unsigned>(count)), &nlopt_destroy);
  RAPPORT_CHECK(search != nullptr);
  nlopt_set_max_objective(search.get(), &Evaluate, &objective);
  nlopt_set_lower_bounds(search.get(), lower.data());
  nlopt_set_upper_bounds(search.get(), upper.data());
  nlopt_set_initial_step1(search.get(), kFirstStep);
  nlopt_set_ftol_abs(search.get(), kSpread);
  nlopt_set_xtol_abs1(search.get(), kSize);
  nlopt_set_maxeval(search.get(), kMostEvaluations);

  Maximum maximum;
  maximum.value = -std::numeric_limits<double>::infinity();
  std::vector<double> logs(count, 0.0);
  for (int restart = 0; restart < kMostRestarts; ++restart) {
    double value = 0;
    const nlopt_result result = nlopt_optimize(search.get(), logs.data(), &value);
    RAPPORT_CHECK(result > 0 || result == NLOPT_ROUNDOFF_LIMITED,
                  "NLopt: ", static_cast<int>(result));
    const double gain = value - maximum.value;
    maximum.value = value;
    if (gain < kGain) break;
  }
  const std::vector<double> errors = Errors(objective, logs, static_cast<double>(clients));
  for (size_t i = 0; i < count; ++i) {
    maximum.at.push_back(std::exp(logs[i]));
    const bool at_end = logs[i] < lower[i] + kAtEnd || logs[i] > upper[i] - kAtEnd;
    if (at_end || errors.empty() || errors[i] > kOpen) {
      maximum.left_open.push_back(parameters[i].name);
    }
  }
  maximum.evaluations = objective.evaluations;
  return maximum;
}

}  // namespace rapport::risk_model
