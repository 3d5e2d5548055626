#include "libs/sign_in/attempts.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rapport {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);
constexpr absl::Duration kNone = absl::ZeroDuration();

// As many failures as are free.
void Fail(SignInAttempts& attempts, const std::string& account, const std::string& address) {
  for (int i = 0; i < SignInAttempts::kFree; ++i) {
    EXPECT_EQ(attempts.Begin(account, address, kNow), kNone) << account << " " << address;
  }
}

TEST(SignInAttemptsTest, EachFurtherOneWaitsTwiceAsLong) {
  SignInAttempts attempts;
  Fail(attempts, "anna", "10.0.0.1");
  absl::Time now = kNow;
  for (int64_t seconds = 1; seconds < 3600; seconds *= 2) {
    const absl::Duration wait = std::min(absl::Seconds(seconds), absl::Minutes(15));
    EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", now), wait);
    EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", now + wait - absl::Milliseconds(1)),
              absl::Milliseconds(1));
    now += wait;
    EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", now), kNone);
  }
}

TEST(SignInAttemptsTest, AnAccountIsGuardedAgainstManyAddresses) {
  SignInAttempts attempts;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(attempts.Begin("anna", absl::StrCat("10.0.0.", i), kNow), kNone);
  }
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.9", kNow), absl::Seconds(1));
  EXPECT_EQ(attempts.Begin("ben", "10.0.0.9", kNow), kNone);
}

TEST(SignInAttemptsTest, AnAddressIsSlowedDownOverManyAccounts) {
  SignInAttempts attempts;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(attempts.Begin(absl::StrCat("account-", i), "10.0.0.1", kNow), kNone);
  }
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow), absl::Seconds(1));
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.2", kNow), kNone);
}

TEST(SignInAttemptsTest, SuccessClearsTheAccountAlone) {
  SignInAttempts attempts;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow), kNone);
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow), kNone);
  attempts.Succeeded("anna", "10.0.0.1");
  // The address has four failures, the account none.
  EXPECT_EQ(attempts.Begin("ben", "10.0.0.1", kNow), kNone);
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow), absl::Seconds(1));
  Fail(attempts, "anna", "10.0.0.2");
}

TEST(SignInAttemptsTest, WhoeverSignsInOftenDoesNotWait) {
  SignInAttempts attempts;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow), kNone);
    attempts.Succeeded("anna", "10.0.0.1");
  }
}

TEST(SignInAttemptsTest, ADayIsLongEnough) {
  SignInAttempts attempts;
  Fail(attempts, "anna", "10.0.0.1");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow + SignInAttempts::kRemembered), kNone);
  }
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow + SignInAttempts::kRemembered),
            absl::Seconds(1));
}

TEST(SignInAttemptsTest, AClockThatIsSetBackKeepsNobodyOut) {
  SignInAttempts attempts;
  Fail(attempts, "anna", "10.0.0.1");
  EXPECT_EQ(attempts.Begin("anna", "10.0.0.1", kNow - absl::Hours(5)), absl::Seconds(1));
}

TEST(SignInAttemptsTest, TheLongestUntouchedIsForgotten) {
  SignInAttempts attempts;
  Fail(attempts, "first", "10.0.0.1");
  Fail(attempts, "second", "10.0.0.2");
  // Touched again, so that "second" is the longest untouched one.
  EXPECT_EQ(attempts.Begin("first", "10.0.0.3", kNow + absl::Seconds(1)), kNone);
  for (size_t i = 0; i < SignInAttempts::kMostEntries - 1; ++i) {
    EXPECT_EQ(attempts.Begin(absl::StrCat("account-", i), absl::StrCat("address-", i), kNow),
              kNone);
  }
  EXPECT_EQ(attempts.Begin("first", "10.0.0.4", kNow + absl::Seconds(1)), absl::Seconds(2));
  EXPECT_EQ(attempts.Begin("second", "10.0.0.4", kNow), kNone);
}

}  // namespace
}  // namespace rapport
