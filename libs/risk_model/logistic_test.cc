#include "libs/risk_model/logistic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/risk_model/platt.h"

namespace rapport::risk_model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Two facts of very unlike sizes; the chances are by `weights`.
Examples Generate(const std::vector<double>& weights, int count) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 1);
  std::uniform_real_distribution<double> coin(0, 1);
  Examples examples(2);
  for (int i = 0; i < count; ++i) {
    const std::vector<double> facts = {50'000 + 20'000 * normal(random), .01 * normal(random)};
    const double odds = weights[0] + weights[1] * facts[0] + weights[2] * facts[1];
    examples.Add(facts, coin(random) < ChanceOf(odds), static_cast<uint64_t>(i));
  }
  return examples;
}

// One fact that is 0 or 1: the weights are log-odds of the table's counts, and the variance of
// their difference is the sum of 1/count (Woolf).
TEST(Logistic, OfATwoByTwoTableItIsTheLogOddsRatio) {
  Examples examples(1);
  const auto add = [&](double fact, bool happened, int count) {
    for (int i = 0; i < count; ++i) examples.Add({fact}, happened, examples.size());
  };
  add(0, true, 30);
  add(0, false, 70);
  add(1, true, 60);
  add(1, false, 40);
  ASSERT_OK_AND_ASSIGN(const LogisticModel model, FitLogistic(examples, {.ridge = 1e-9}));
  EXPECT_NEAR(model.weights[0], std::log(30.0 / 70), 1e-8);
  EXPECT_NEAR(model.weights[1], std::log(60.0 / 40) - std::log(30.0 / 70), 1e-8);
  EXPECT_NEAR(model.errors[0], std::sqrt(1 / 30.0 + 1 / 70.0), 1e-8);
  EXPECT_NEAR(model.errors[1], std::sqrt(1 / 30.0 + 1 / 70.0 + 1 / 60.0 + 1 / 40.0), 1e-8);
  EXPECT_NEAR(model.log_likelihood,
              30 * std::log(.3) + 70 * std::log(.7) + 60 * std::log(.6) + 40 * std::log(.4), 1e-8);
  EXPECT_NEAR(model.Chance({1}), .6, 1e-8);
}

TEST(Logistic, FindsWeightsInTheUnitsOfTheFactsWithinTheirErrors) {
  const std::vector<double> truth = {-4, 6e-5, 80};
  ASSERT_OK_AND_ASSIGN(const LogisticModel model, FitLogistic(Generate(truth, 20'000)));
  for (size_t k = 0; k < truth.size(); ++k) {
    EXPECT_NEAR(model.weights[k], truth[k], 3 * model.errors[k]) << k;
    EXPECT_LT(model.errors[k], .05 * std::abs(truth[k])) << k;
  }
}

TEST(Logistic, FactsThatTellNothingTheSameOrEverythingDoNoHarm) {
  Examples examples(4);
  for (int i = 0; i < 200; ++i) {
    const double told = i < 100 ? 0 : 1;
    const double noise = i % 7;
    examples.Add({3, noise, noise, told}, i >= 100, static_cast<uint64_t>(i));
  }
  ASSERT_OK_AND_ASSIGN(const LogisticModel model, FitLogistic(examples));
  EXPECT_EQ(model.weights[1], 0);
  EXPECT_EQ(model.errors[1], std::numeric_limits<double>::infinity());
  EXPECT_NEAR(model.weights[2], model.weights[3], 1e-6);
  EXPECT_GT(model.weights[4], 3);
  EXPECT_LT(model.weights[4], 40);
  for (const double error : {model.errors[0], model.errors[2], model.errors[4]}) {
    EXPECT_TRUE(std::isfinite(error));
  }
}

TEST(Logistic, WhatTellsTooLittleOrIsNoNumberIsRefused) {
  Examples examples(1);
  for (int i = 0; i < 100; ++i) examples.Add({i / 10.0}, i < 19, static_cast<uint64_t>(i));
  EXPECT_THAT(FitLogistic(examples),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("happened in 19 examples and did not in 81"),
                             HasSubstr("at least 20"))));
  EXPECT_OK(FitLogistic(examples, {.least_of_each = 19}));
  EXPECT_THAT(CrossValidate(examples, 5, {.least_of_each = 19}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("without part")));
  examples.Add({std::nan("")}, true, 100);
  EXPECT_THAT(FitLogistic(examples),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("example 100: fact 0")));
}

// A fact that names the group, and tells all of it: whoever has seen one of a group knows the
// others. Dealt by groups, nobody has.
TEST(CrossValidation, ForecastsNoExampleFromOthersOfItsGroup) {
  constexpr size_t kGroups = 40;
  Examples examples(kGroups);
  for (size_t i = 0; i < 20 * kGroups; ++i) {
    std::vector<double> names(kGroups);
    names[i % kGroups] = 1;
    examples.Add(names, i % kGroups % 2 == 0, i % kGroups);
  }
  ASSERT_OK_AND_ASSIGN(const auto by_group, CrossValidate(examples, 5));
  EXPECT_GT(backtest::Brier(by_group), .2);
  Examples apart(kGroups);
  for (size_t i = 0; i < examples.size(); ++i) {
    apart.Add(examples.Facts(i), examples.Happened(i), i);
  }
  ASSERT_OK_AND_ASSIGN(const auto by_example, CrossValidate(apart, 5));
  EXPECT_LT(backtest::Brier(by_example), .01);
}

TEST(Platt, MakesAChanceOfAScoreThatIsTooSureAndKeepsItsRanks) {
  std::mt19937_64 random(9);
  std::normal_distribution<double> normal(0, 1);
  std::uniform_real_distribution<double> coin(0, 1);
  std::vector<ScoredOutcome> outcomes;
  for (int i = 0; i < 20'000; ++i) {
    const double log_odds = 3 * normal(random);
    outcomes.push_back({log_odds, coin(random) < ChanceOf(-.5 + .4 * log_odds)});
  }
  ASSERT_OK_AND_ASSIGN(const PlattScale scale, FitPlatt(outcomes));
  EXPECT_NEAR(scale.intercept, -.5, 3 * scale.intercept_error);
  EXPECT_NEAR(scale.slope, .4, 3 * scale.slope_error);
  EXPECT_NEAR(scale.slope_error, .0065, .002);
  std::vector<backtest::Forecast> forecasts;
  for (const ScoredOutcome& one : outcomes) {
    forecasts.push_back({scale.Chance(one.log_odds), one.happened});
  }
  for (const backtest::CalibrationRow& row : backtest::Calibration(forecasts, 10)) {
    EXPECT_LT(std::abs(row.Errors()), 3);
  }
}

TEST(Platt, AScoreThatRanksTheWrongWayRoundIsRefused) {
  std::vector<ScoredOutcome> outcomes;
  for (int i = 0; i < 200; ++i) outcomes.push_back({i / 50.0, i < 90 || i % 3 == 0});
  EXPECT_THAT(FitPlatt(outcomes), StatusIs(absl::StatusCode::kFailedPrecondition,
                                           HasSubstr("the score cannot be calibrated")));
}

}  // namespace
}  // namespace rapport::risk_model
