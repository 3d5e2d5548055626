#include "libs/risk_model/spend_fit.h"

#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/projections/models/spend.h"

namespace rapport::risk_model {
namespace {

using models::Spend;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<Spend> Generate(const models::SpendParameters& truth, int clients) {
  std::mt19937_64 random(5);
  std::gamma_distribution<double> rate_of(truth.q, 1 / truth.v);
  std::vector<Spend> spends;
  for (int i = 0; i < clients; ++i) {
    const double orders = 1 + i % 6;
    // The mean of gamma-distributed values is gamma-distributed.
    std::gamma_distribution<double> mean_of(truth.p * orders, 1 / (orders * rate_of(random)));
    spends.push_back({orders, mean_of(random)});
  }
  return spends;
}

TEST(SpendFit, FindsTheParametersThatClientsSpendBy) {
  const models::SpendParameters truth = {5, 4, 3000};
  const std::vector<Spend> spends = Generate(truth, 40'000);
  ASSERT_OK_AND_ASSIGN(const SpendFit fit, FitSpend(spends));
  EXPECT_NEAR(fit.parameters.p / truth.p, 1, .05);
  EXPECT_NEAR(fit.parameters.q / truth.q, 1, .05);
  EXPECT_NEAR(fit.parameters.v / truth.v, 1, .08);
  EXPECT_NEAR(fit.correlation, 0, .02);
  EXPECT_FALSE(fit.degenerate) << fit.explanation;
  double sum = 0;
  for (const Spend& spend : spends) sum += models::LogLikelihood(fit.parameters, spend);
  EXPECT_NEAR(fit.log_likelihood / sum, 1, 1e-9);
}

TEST(SpendFit, WhereTheMeanOfAllIsInfiniteItSaysSo) {
  ASSERT_OK_AND_ASSIGN(const SpendFit fit, FitSpend(Generate({5, .7, 20}, 5000)));
  EXPECT_TRUE(fit.degenerate);
  EXPECT_THAT(fit.explanation, AllOf(HasSubstr("infinite"), HasSubstr("5000 clients")));
}

TEST(SpendFit, WhatTellsNothingIsLeftOutAndWhatCannotBeIsRefused) {
  std::vector<Spend> spends = Generate({5, 4, 30}, 49);
  spends.push_back({0, 0});
  spends.push_back({3, 0});
  EXPECT_THAT(FitSpend(spends), StatusIs(absl::StatusCode::kFailedPrecondition,
                                         HasSubstr("49 of 51 clients have orders")));
  spends.push_back({2, 10});
  ASSERT_OK_AND_ASSIGN(const SpendFit fit, FitSpend(spends));
  EXPECT_EQ(fit.clients, 50);
  EXPECT_EQ(fit.left_out, 2);
  EXPECT_THAT(FitSpend({{1.5, 10}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1.5 orders")));
  EXPECT_THAT(FitSpend({{1, 1.0 / 0.0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("inf")));
}

}  // namespace
}  // namespace rapport::risk_model
