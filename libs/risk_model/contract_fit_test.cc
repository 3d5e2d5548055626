#include "libs/risk_model/contract_fit.h"

#include <vector>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport::risk_model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ContractFit, ReproducesThePublishedCohort) {
  const std::vector<int64_t> survivors = {1000, 869, 743, 653, 593, 551, 517, 491};
  ASSERT_OK_AND_ASSIGN(const ContractFit fit, FitContract(GroupsOfCohort(survivors)));
  EXPECT_NEAR(fit.parameters.alpha, .6681, 5e-5);
  EXPECT_NEAR(fit.parameters.beta, 3.8061, 5e-5);
  EXPECT_EQ(fit.clients, 1000);
  EXPECT_EQ(fit.left, 509);
  EXPECT_FALSE(fit.degenerate) << fit.explanation;
  const double expected[] = {460.4, 435.8, 414.2, 395.1, 378.0};
  for (int year = 8; year <= 12; ++year) {
    EXPECT_NEAR(models::ExpectedSurvivors(fit.parameters, 1000, year), expected[year - 8], .06);
  }
}

TEST(ContractFit, CohortsOfSeveralAgesAreFittedTogether) {
  const models::ContractParameters truth = {.8, 3};
  std::vector<ContractGroup> groups;
  for (const int age : {2, 5, 9}) {
    std::vector<int64_t> survivors;
    for (int t = 0; t <= age; ++t) {
      survivors.push_back(static_cast<int64_t>(models::ExpectedSurvivors(truth, 1e7, t)));
    }
    for (const ContractGroup& group : GroupsOfCohort(survivors)) groups.push_back(group);
  }
  ASSERT_OK_AND_ASSIGN(const ContractFit fit, FitContract(groups));
  EXPECT_NEAR(fit.parameters.alpha, truth.alpha, 1e-4);
  EXPECT_NEAR(fit.parameters.beta, truth.beta, 1e-4);
}

TEST(ContractFit, WhereRatesDoNotRiseItSaysSo) {
  ASSERT_OK_AND_ASSIGN(
      const ContractFit fit,
      FitContract(GroupsOfCohort(std::vector<int64_t>{10'000, 9'000, 8'100, 7'290, 6'561})));
  EXPECT_TRUE(fit.degenerate);
  EXPECT_THAT(fit.explanation,
              AllOf(HasSubstr("3439 left"), HasSubstr("Take the plain rate of renewal")));
}

TEST(ContractFit, WhatTellsTooLittleOrCannotBeIsRefused) {
  EXPECT_THAT(FitContract(GroupsOfCohort(std::vector<int64_t>{100, 95, 90})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("10 of 100 clients left")));
  EXPECT_THAT(FitContract(GroupsOfCohort(std::vector<int64_t>{100, 50})),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("over 1 renewals")));
  EXPECT_THAT(FitContract(std::vector<ContractGroup>{{0, true, 5}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("before renewal 1")));
  EXPECT_THAT(FitContract(std::vector<ContractGroup>{{3, false, -5}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-5 clients")));
}

}  // namespace
}  // namespace rapport::risk_model
