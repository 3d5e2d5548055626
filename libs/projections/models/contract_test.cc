#include "libs/projections/models/contract.h"

#include <cmath>

#include "gtest/gtest.h"

namespace rapport::models {
namespace {

// Published for the "High End" cohort of 1,000 clients.
constexpr ContractParameters kHighEnd = {.6681, 3.8061};

TEST(Contract, ReproducesThePublishedForecast) {
  const double expected[] = {460.4, 435.8, 414.2, 395.1, 378.0};
  for (int year = 8; year <= 12; ++year) {
    EXPECT_NEAR(ExpectedSurvivors(kHighEnd, 1000, year), expected[year - 8], .06) << year;
  }
}

TEST(Contract, SurvivalIsTheProductOfRisingRates) {
  double product = 1;
  EXPECT_EQ(Survival(kHighEnd, 0), 1);
  for (int t = 1; t < 50; ++t) {
    product *= RenewalRate(kHighEnd, t);
    EXPECT_NEAR(Survival(kHighEnd, t), product, 1e-13);
    EXPECT_GT(RenewalRate(kHighEnd, t + 1), RenewalRate(kHighEnd, t));
  }
  // As by the beta functions of the paper.
  const auto log_beta = [](double x, double y) {
    return std::lgamma(x) + std::lgamma(y) - std::lgamma(x + y);
  };
  EXPECT_NEAR(
      std::log(product),
      log_beta(kHighEnd.alpha, kHighEnd.beta + 49) - log_beta(kHighEnd.alpha, kHighEnd.beta),
      1e-12);
}

TEST(Contract, TheChancesOfAllThatMayHappenSumUpToOne) {
  double sum = std::exp(LogLikelihoodOfStaying(kHighEnd, 7));
  for (int t = 1; t <= 7; ++t) sum += std::exp(LogLikelihoodOfLeaving(kHighEnd, t));
  EXPECT_NEAR(sum, 1, 1e-13);
}

}  // namespace
}  // namespace rapport::models
