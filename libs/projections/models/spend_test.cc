#include "libs/projections/models/spend.h"

#include <cmath>

#include "gtest/gtest.h"

namespace rapport::models {
namespace {

// Published for the repeat purchases of CDNOW, dollars.
constexpr SpendParameters kCdnow = {6.25, 3.74, 15.44};

TEST(Spend, ReproducesTheFirstClientsOfCdnow) {
  EXPECT_NEAR(ExpectedValue(kCdnow, {2, 22.345}), 24.65, .1);
  EXPECT_NEAR(ExpectedValue(kCdnow, {1, 11.77}), 18.91, .1);
  EXPECT_NEAR(ExpectedValue(kCdnow, {0, 0}), 35.17, .1);
  EXPECT_NEAR(ExpectedValue(kCdnow, {7, 73.7414}), 71.46, .1);
}

TEST(Spend, ManyOrdersAreBelievedAndFewAreDrawnToTheMeanOfAll) {
  const double of_all = ExpectedValue(kCdnow, {0, 0});
  EXPECT_NEAR(of_all, kCdnow.p * kCdnow.v / (kCdnow.q - 1), 1e-12);
  const double weight = kCdnow.p * 3 / (kCdnow.p * 3 + kCdnow.q - 1);
  EXPECT_NEAR(ExpectedValue(kCdnow, {3, 100}), (1 - weight) * of_all + weight * 100, 1e-12);
  EXPECT_NEAR(ExpectedValue(kCdnow, {10'000, 100}), 100, .01);
}

// The density of the mean of x orders has the integral 1 and the expectation of the model.
TEST(Spend, TheLikelihoodIsADensity) {
  for (const double orders : {1.0, 4.0}) {
    double whole = 0;
    double mean = 0;
    constexpr double kStep = 1e-3;
    for (double log_value = -15; log_value < 20; log_value += kStep) {
      const double value = std::exp(log_value);
      const double share = std::exp(LogLikelihood(kCdnow, {orders, value})) * value * kStep;
      whole += share;
      mean += share * value;
    }
    EXPECT_NEAR(whole, 1, 1e-6) << orders;
    EXPECT_NEAR(mean, ExpectedValue(kCdnow, {0, 0}), 1e-3) << orders;
  }
}

}  // namespace
}  // namespace rapport::models
