#include "libs/risk_model/contract_fit.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "libs/base/check.h"
#include "libs/risk_model/maximise.h"

namespace rapport::risk_model {
namespace {

using models::ContractParameters;

constexpr int kMostRenewals = 10'000;

double LogLikelihood(absl::Span<const ContractGroup> groups, const ContractParameters& parameters) {
  double sum = 0;
  for (const ContractGroup& group : groups) {
    sum += static_cast<double>(group.clients) *
           (group.left ? models::LogLikelihoodOfLeaving(parameters, group.renewals)
                       : models::LogLikelihoodOfStaying(parameters, group.renewals));
  }
  return sum;
}

}  // namespace

std::vector<ContractGroup> GroupsOfCohort(absl::Span<const int64_t> survivors) {
  std::vector<ContractGroup> groups;
  for (size_t t = 1; t < survivors.size(); ++t) {
    RAPPORT_CHECK(survivors[t] <= survivors[t - 1], survivors[t], " after ", survivors[t - 1]);
    groups.push_back({static_cast<int>(t), true, survivors[t - 1] - survivors[t]});
  }
  if (!survivors.empty()) {
    groups.push_back({static_cast<int>(survivors.size()) - 1, false, survivors.back()});
  }
  return groups;
}

absl::StatusOr<ContractFit> FitContract(absl::Span<const ContractGroup> groups,
                                        const ContractFitSettings& settings) {
  ContractFit fit;
  int most_renewals = 0;
  for (const ContractGroup& group : groups) {
    if (group.renewals < (group.left ? 1 : 0) || group.renewals > kMostRenewals ||
        group.clients < 0) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%d clients that %s %d renewals: nobody leaves before renewal 1, there are at most %d "
          "renewals, and no fewer than 0 clients",
          group.clients, group.left ? "left at" : "are there after", group.renewals,
          kMostRenewals));
    }
    fit.clients += group.clients;
    if (group.left) fit.left += group.clients;
    if (group.clients > 0) most_renewals = std::max(most_renewals, group.renewals);
  }
  if (fit.left < settings.least_left || most_renewals < 2) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d of %d clients left, over %d renewals; a fit needs at least %d over at least 2: take "
        "a longer time or more clients",
        fit.left, fit.clients, most_renewals, settings.least_left));
  }
  constexpr double kLeast = 1e-5;
  constexpr double kMost = 1e6;
  const std::array<Parameter, 2> parameters = {Parameter{"alpha", kLeast, kMost},
                                               Parameter{"beta", kLeast, kMost}};
  const auto count = static_cast<double>(fit.clients);
  const Maximum maximum = Maximise(
      [&](absl::Span<const double> p) {
        return LogLikelihood(groups, ContractParameters{p[0], p[1]}) / count;
      },
      fit.clients, parameters);
  fit.parameters = {maximum.at[0], maximum.at[1]};
  fit.log_likelihood = maximum.value * count;
  if (!maximum.left_open.empty()) {
    fit.degenerate = true;
    fit.explanation = absl::StrFormat(
        "The fit to %d clients, of whom %d left, leaves open %s: the rates of renewal do not "
        "rise from one to the next. Take the plain rate of renewal. "
        "(alpha %.4g, beta %.4g)",
        fit.clients, fit.left, absl::StrJoin(maximum.left_open, ", "), fit.parameters.alpha,
        fit.parameters.beta);
  }
  return fit;
}

}  // namespace rapport::risk_model
