#include "libs/projections/models/silence.h"

#include <cmath>

#include "gtest/gtest.h"
#include "libs/projections/models/solve.h"

namespace rapport::models {
namespace {

// Published for BG/NBD on CDNOW.
constexpr SilenceParameters kBgCdnow = {.243, 4.414, .793, 2.426};
constexpr double kYear = 39;  // weeks, the horizon of the published figures

double BgSilent(const Repeats& repeats, double time, double horizon) {
  return 1 - ComesWithin(kBgCdnow, repeats, time, horizon, BgAlive(kBgCdnow, repeats, time));
}

TEST(Silence, BgReproducesThePublishedClient) {
  const Repeats client = {2, 30.43};
  EXPECT_NEAR(BgAlive(kBgCdnow, client, 38.86), .726579, 1e-6);
  EXPECT_NEAR(BgSilent(client, 38.86, kYear), .445373, 1e-6);
}

TEST(Silence, BgReproducesAFrequentClient) {
  const Repeats client = {7, 29.43};
  EXPECT_NEAR(BgAlive(kBgCdnow, client, 38.86), .641756, 1e-6);
  EXPECT_NEAR(BgSilent(client, 38.86, kYear), .364358, 1e-6);
}

TEST(Silence, OneTimeClientIsAliveInBgAndDoubtfulInMbg) {
  const Repeats client = {0, 0};
  EXPECT_EQ(BgAlive(kBgCdnow, client, 38.86), 1);
  EXPECT_NEAR(MbgAlive(kMbgCdnow, client, 38.86), .389717, 2e-5);
}

TEST(Silence, SilenceGrowsWithTimeAlone) {
  const Repeats client = {5, 20};
  double before = MbgSilent(kMbgCdnow, client, 20, 8);
  for (double time = 21; time < 200; time += 1) {
    const double now = MbgSilent(kMbgCdnow, client, time, 8);
    EXPECT_GT(now, before) << time;
    before = now;
  }
  EXPECT_LT(before, 1);
}

TEST(Silence, LogOddsAreThoseOfTheChance) {
  for (const Repeats& client : {Repeats{0, 0}, Repeats{2, 30.43}, Repeats{30, 38}}) {
    const MbgSilentLogOdds log_odds(kMbgCdnow, client, 13);
    for (const double wait : {0.0, 1.0, 10.0, 60.0}) {
      const double silent = MbgSilent(kMbgCdnow, client, client.last + wait, 13);
      EXPECT_NEAR(log_odds.At(client.last + wait), std::log(silent / (1 - silent)), 1e-6);
    }
    EXPECT_EQ(log_odds.At(client.last - 1), log_odds.At(client.last));
    EXPECT_NEAR(std::log(log_odds.OddsAtLast()), log_odds.At(client.last), 1e-12);
    EXPECT_GT(log_odds.At(1e6), 10);
  }
}

TEST(Silence, SurpriseIsOneAtTheLastEventAndFallsByThePower) {
  const Repeats client = {4, 10};
  EXPECT_EQ(CadenceSurprise(kMbgCdnow, client, 10), 1);
  const double base = (kMbgCdnow.alpha + 10) / (kMbgCdnow.alpha + 15);
  EXPECT_NEAR(CadenceSurprise(kMbgCdnow, client, 15), std::pow(base, kMbgCdnow.r + 4), 1e-12);
}

// The crossing of a threshold by time alone, in minutes, against a plain walk.
TEST(Solve, FindsTheMinuteAtWhichSilenceCrosses) {
  const Repeats client = {30, 38};
  constexpr double kMinutesPerWeek = 7 * 24 * 60;
  const auto silent = [&](int64_t minutes) {
    return MbgSilent(kMbgCdnow, client, static_cast<double>(minutes) / kMinutesPerWeek, 4);
  };
  const auto from = static_cast<int64_t>(38 * kMinutesPerWeek);
  const auto crossing = FirstAtOrAbove(silent, from, from + int64_t{5} * 366 * 24 * 60, .6);
  ASSERT_TRUE(crossing.has_value());
  EXPECT_GE(silent(*crossing), .6);
  EXPECT_LT(silent(*crossing - 1), .6);
  EXPECT_EQ(FirstAtOrAbove(silent, *crossing - 3, *crossing + 1000, .6), crossing);
}

TEST(Solve, FindsStepsInFewCalls) {
  for (const int64_t step : {int64_t{1}, int64_t{17}, int64_t{999'999}, int64_t{1'000'000}}) {
    int calls = 0;
    const auto f = [&](int64_t x) {
      ++calls;
      return x >= step ? 5.0 : -1.0;
    };
    EXPECT_EQ(FirstAtOrAbove(f, 0, 1'000'000, 0), step);
    EXPECT_LE(calls, 65) << step;
  }
}

TEST(Solve, NoCrossingInTheBracket) {
  const auto f = [](int64_t x) { return static_cast<double>(x); };
  EXPECT_EQ(FirstAtOrAbove(f, 0, 10, 10.5), std::nullopt);
  EXPECT_EQ(FirstAtOrAbove(f, 0, 10, 10), 10);
}

}  // namespace
}  // namespace rapport::models
