#include "libs/backtest/judge.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::backtest {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::SizeIs;

// a: waits 10 and 200 days; b: orders once, 160 days before the end; c: once, 100 days before it.
std::vector<Pause> Some() {
  return PausesOf({{"a", {{0, 100}, {10, 200}, {210, 50}}}, {"b", {{50, 1000}}}, {"c", {{110, 7}}}},
                  /*end_day=*/210, /*departure_days=*/150);
}

TEST(Pauses, OnlyThoseWhoseEndIsKnownCount) {
  const std::vector<Pause> pauses = Some();
  ASSERT_THAT(pauses, SizeIs(3));
  EXPECT_EQ(pauses[0].days, 10);
  EXPECT_FALSE(pauses[0].departure);
  EXPECT_EQ(pauses[1].days, 200);
  EXPECT_EQ(pauses[1].order_days, 2);
  EXPECT_EQ(pauses[1].value, 300);
  EXPECT_TRUE(pauses[1].departure);
  EXPECT_EQ(pauses[2].client_id, "b");
  EXPECT_EQ(pauses[2].days, 160);
  EXPECT_TRUE(pauses[2].departure);
}

TEST(Judging, AnAlertIsRightInADepartureAndOneAtItsEndIsTooLate) {
  const Verdict verdict = Judge(Some(), std::vector<std::optional<int>>{9, 40, 160});
  EXPECT_EQ(verdict.alerts, 2);
  EXPECT_EQ(verdict.right, 1);
  EXPECT_EQ(verdict.departures, 2);
  EXPECT_THAT(verdict.Right(), DoubleEq(0.5));
  EXPECT_THAT(verdict.RightError(), DoubleNear(0.35355, 1e-5));
  EXPECT_THAT(verdict.Found(), DoubleEq(0.5));
  EXPECT_THAT(verdict.right_value, DoubleEq(0.75));
  EXPECT_THAT(verdict.found_value, DoubleNear(300.0 / 1300, 1e-12));
  EXPECT_EQ(verdict.median_day, 40);
}

TEST(Judging, TheStopwatchAlertsWhereverThePauseIsLongEnough) {
  EXPECT_EQ(JudgeStopwatch(Some(), 9).alerts, 3);
  EXPECT_EQ(JudgeStopwatch(Some(), 10).alerts, 2);
  EXPECT_THAT(JudgeStopwatch(Some(), 10).Right(), DoubleEq(1));
  EXPECT_EQ(JudgeStopwatch(Some(), 300).alerts, 0);
  EXPECT_THAT(JudgeStopwatch(Some(), 300).Right(), DoubleEq(0));
}

TEST(Forecasts, AucCountsPairsAndTiesHalf) {
  EXPECT_THAT(Auc(std::vector<Forecast>{{.1, false}, {.4, true}, {.4, false}, {.8, true}}),
              DoubleEq(0.875));
  EXPECT_THAT(Auc(std::vector<Forecast>{{.9, false}, {.1, true}}), DoubleEq(0));
  EXPECT_THAT(Auc(std::vector<Forecast>{{.9, true}}), DoubleEq(0.5));
}

TEST(Forecasts, BrierAndCalibrationHoldChancesAgainstWhatHappened) {
  const std::vector<Forecast> forecasts = {{.8, true}, {.2, false}, {.6, false}, {.4, true}};
  EXPECT_THAT(Brier(forecasts), DoubleNear(0.2, 1e-12));
  const std::vector<CalibrationRow> rows = Calibration(forecasts, 2);
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].count, 2);
  EXPECT_THAT(rows[0].chance, DoubleNear(0.3, 1e-12));
  EXPECT_THAT(rows[0].happened, DoubleEq(0.5));
  EXPECT_THAT(rows[0].Errors(), DoubleNear(0.2 / 0.324037, 1e-5));
  EXPECT_THAT(rows[1].chance, DoubleNear(0.7, 1e-12));
}

}  // namespace
}  // namespace rapport::backtest
