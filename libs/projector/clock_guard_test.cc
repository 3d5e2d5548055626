#include "libs/projector/clock_guard.h"

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using Verdict = ClockGuard::Verdict;

constexpr absl::Duration kYear = absl::Hours(24 * 365);

// A machine's clocks: `wall` may be set, the clock since boot goes its way.
class ClockGuardTest : public ::testing::Test {
 protected:
  ClockReading Now() const { return {wall_, boot_, synchronised_}; }
  void Pass(absl::Duration time) {
    wall_ += time;
    boot_ += time;
  }
  // Looks once a second, as a ticker does.
  Verdict Watch(absl::Duration time) {
    Verdict verdict = guard_.Judge(Now());
    for (absl::Duration passed; passed < time; passed += absl::Seconds(1)) {
      Pass(absl::Seconds(1));
      verdict = guard_.Judge(Now());
    }
    return verdict;
  }

  absl::Time wall_ = absl::FromUnixSeconds(1796000000);
  absl::Duration boot_ = absl::Seconds(40);
  bool synchronised_ = false;
  ClockGuard guard_{ClockGuard::Limits{}};
};

TEST_F(ClockGuardTest, AnEmptyLogTakesWhateverTimeItIs) {
  guard_.Begin(absl::InfinitePast(), Now());
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
}

TEST_F(ClockGuardTest, AShortStopIsNoQuestion) {
  guard_.Begin(wall_ - absl::Minutes(9), Now());
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
  EXPECT_EQ(guard_.reason(), "");
}

TEST_F(ClockGuardTest, AStartYearsOrAnHourAheadForSecondsNeverTicks) {
  const absl::Time last = wall_ - absl::Minutes(1);
  for (const absl::Duration ahead : {absl::Hours(1), 5 * kYear, 10 * kYear}) {
    ClockGuard guard{ClockGuard::Limits{}};
    wall_ += ahead;
    guard.Begin(last, Now());
    for (int second = 0; second < 30; ++second) {
      EXPECT_EQ(guard.Judge(Now()), Verdict::kHeld) << ahead;
      Pass(absl::Seconds(1));
    }
    EXPECT_THAT(guard.reason(), HasSubstr("is not believed until"));
    wall_ -= ahead;
    EXPECT_EQ(guard.Judge(Now()), Verdict::kBelieved) << ahead;
    EXPECT_EQ(guard.reason(), "");
  }
}

TEST_F(ClockGuardTest, AClockThatIsYearsAheadIsNotBelievedHoweverLongItRuns) {
  guard_.Begin(wall_ - 5 * kYear, Now());
  EXPECT_EQ(Watch(absl::Hours(2)), Verdict::kHeld);
  EXPECT_THAT(guard_.reason(), HasSubstr("an operator says what time it is"));
}

TEST_F(ClockGuardTest, AMachineThatWasOffForAWeekendGoesOnByItself) {
  guard_.Begin(wall_ - absl::Hours(62), Now());
  EXPECT_EQ(Watch(absl::Minutes(9)), Verdict::kHeld);
  EXPECT_THAT(guard_.reason(), HasSubstr("it has run evenly for another 1m"));
  EXPECT_EQ(Watch(absl::Minutes(1)), Verdict::kBelieved);
}

TEST_F(ClockGuardTest, AClockThatIsSetIsWatchedAnew) {
  guard_.Begin(wall_ - absl::Hours(62), Now());
  EXPECT_EQ(Watch(absl::Minutes(8)), Verdict::kHeld);
  wall_ += absl::Hours(1);
  EXPECT_EQ(Watch(absl::Minutes(9)), Verdict::kHeld);
  EXPECT_EQ(Watch(absl::Minutes(1)), Verdict::kBelieved);
}

TEST_F(ClockGuardTest, TheKernelsSynchronisedClockIsBelievedAtOnce) {
  guard_.Begin(wall_ - 5 * kYear, Now());
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kHeld);
  synchronised_ = true;
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
}

TEST_F(ClockGuardTest, ALeapOfARunningProcessIsHeld) {
  guard_.Begin(wall_, Now());
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
  guard_.Ticked(Now());
  // Asleep: both clocks go on. However long, that is no leap.
  Pass(absl::Hours(90));
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
  guard_.Ticked(Now());
  wall_ += absl::Hours(1);
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kHeld);
  wall_ -= absl::Hours(1);
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
}

TEST_F(ClockGuardTest, ALogThatIsAheadStandsUntilItIsCorrected) {
  guard_.Begin(wall_ + 5 * kYear, Now());
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kStands);
  EXPECT_THAT(guard_.reason(), HasSubstr("1825 days ahead of this machine's"));
  EXPECT_OK(ClockGuard::CheckConfirmation(wall_ - absl::Minutes(4), Now()));
  guard_.Ticked(Now());
  EXPECT_EQ(guard_.Judge(Now()), Verdict::kBelieved);
}

TEST_F(ClockGuardTest, AnOperatorAndTheMachineMustAgree) {
  EXPECT_THAT(
      ClockGuard::CheckConfirmation(wall_ - 5 * kYear, Now()),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("set that machine's clock first")));
}

TEST(ClockReading, IsThatOfThisMachine) {
  const absl::Time before = absl::Now();
  const ClockReading first = ReadClocks();
  const ClockReading second = ReadClocks();
  EXPECT_GE(first.wall, before - absl::Seconds(1));
  EXPECT_GT(first.since_boot, absl::ZeroDuration());
  EXPECT_GE(second.since_boot, first.since_boot);
}

}  // namespace
}  // namespace rapport
