#include "libs/projections/models/silence.h"

#include <cmath>

#include "gtest/gtest.h"
#include "libs/projections/models/silence_likelihood.h"
#include "libs/projections/models/solve.h"

namespace rapport::models {
namespace {

// Published for BG/NBD on CDNOW.
constexpr SilenceParameters kBgCdnow = {.243, 4.414, .793, 2.426};
constexpr double kHorizon = 39;  // weeks, as in the published figures

// E[Y(t)] as the papers write it, where the series of 2F1 and the division by a-1 are harmless. In
// MBG/NBD, `b` is one more.
double AsPublished(const SilenceParameters& p, double b, const Repeats& repeats, double time,
                   double horizon, double alive) {
  const double power = p.r + repeats.count;
  const double c = p.a + b + repeats.count - 1;
  const double z = horizon / (p.alpha + time + horizon);
  double term = 1;
  double sum = 1;
  for (int k = 0; k < 5000; ++k) {
    term *= (power + k) * (b + repeats.count + k) / ((c + k) * (k + 1)) * z;
    sum += term;
  }
  return alive * c / (p.a - 1) * (1 - std::pow(1 - z, power) * sum);
}

double BgSilent(const Repeats& repeats, double time, double horizon) {
  return 1 - ComesWithin(kBgCdnow, repeats, time, horizon, BgAlive(kBgCdnow, repeats, time));
}

TEST(Silence, BgReproducesThePublishedClient) {
  const Repeats client = {2, 30.43};
  EXPECT_NEAR(BgAlive(kBgCdnow, client, 38.86), .726579, 1e-6);
  EXPECT_NEAR(BgSilent(client, 38.86, kHorizon), .445373, 1e-6);
}

TEST(Silence, BgReproducesAFrequentClient) {
  const Repeats client = {7, 29.43};
  EXPECT_NEAR(BgAlive(kBgCdnow, client, 38.86), .641756, 1e-6);
  EXPECT_NEAR(BgSilent(client, 38.86, kHorizon), .364358, 1e-6);
}

TEST(Silence, ExpectedDaysReproduceThePublishedClients) {
  EXPECT_NEAR(BgExpectedDays(kBgCdnow, {2, 30.43}, 38.86, kHorizon), 1.226, 5e-4);
  EXPECT_NEAR(BgExpectedDays(kBgCdnow, {7, 29.43}, 38.86, kHorizon), 3.337053, 1e-6);
  EXPECT_NEAR(BgExpectedDays(kBgCdnow, {0, 0}, 38.86, kHorizon), .195098, 1e-6);
}

TEST(Silence, ExpectedDaysAreThoseOfTheFormulaWithTheHypergeometricFunction) {
  for (const double a : {.3, .9, 1.5, 8.0}) {
    const SilenceParameters p = {.6, 5, a, 1.6};
    for (const Repeats& client : {Repeats{0, 0}, Repeats{2, 30.43}, Repeats{40, 38}}) {
      for (const double horizon : {1.0, 13.0, 200.0}) {
        const double bg = AsPublished(p, p.b, client, 38.86, horizon, BgAlive(p, client, 38.86));
        EXPECT_NEAR(BgExpectedDays(p, client, 38.86, horizon) / bg, 1, 1e-9);
        const double mbg =
            AsPublished(p, p.b + 1, client, 38.86, horizon, MbgAlive(p, client, 38.86));
        EXPECT_NEAR(MbgExpectedDays(p, client, 38.86, horizon) / mbg, 1, 1e-9);
      }
    }
  }
}

// Where the formula as it is published divides by 0, or leaves the range of doubles.
TEST(Silence, ExpectedDaysAreSmoothAndFiniteEverywhere) {
  const auto at = [](double a) { return MbgExpectedDays({.5, 6, a, 1.6}, {2, 30}, 39, kHorizon); };
  EXPECT_NEAR(at(1), (at(1 - 1e-4) + at(1 + 1e-4)) / 2, 1e-8);
  EXPECT_EQ(MbgExpectedDays(kMbgCdnow, {2, 30}, 39, 0), 0);
  // Where nobody leaves: r+x in alpha+T.
  const SilenceParameters stays = {.5, 6, 1e-12, 1e6};
  EXPECT_NEAR(BgExpectedDays(stays, {3000, 39}, 39, 390), 3000.5 / 45 * 390, 1e-4);
  // A chance to come at all is no more than the days to be expected, and nearly that for a moment.
  const double day = 1 / 7.0;
  const double chance = 1 - MbgSilent(kMbgCdnow, {2, 30}, 39, day);
  EXPECT_GT(MbgExpectedDays(kMbgCdnow, {2, 30}, 39, day), chance);
  EXPECT_NEAR(MbgExpectedDays(kMbgCdnow, {2, 30}, 39, day) / chance, 1, .01);
}

TEST(Silence, LikelihoodOfThePublishedClient) {
  EXPECT_NEAR(LogLikelihood(SilenceModel::kBgNbd, kBgCdnow, {2, 30.43}, 38.86), -9.4586, 5e-5);
}

// ln L as models with gamma functions write it.
TEST(Silence, LikelihoodIsThatOfTheFormula) {
  const auto& p = kMbgCdnow;
  for (const Repeats& client : {Repeats{0, 0}, Repeats{2, 30.43}, Repeats{40, 38}}) {
    const double x = client.count;
    const double time = 38.86;
    const double rate = std::lgamma(p.r + x) - std::lgamma(p.r) + p.r * std::log(p.alpha);
    const double left = std::exp(-(p.r + x) * std::log(p.alpha + client.last));
    const double there = std::exp(-(p.r + x) * std::log(p.alpha + time));
    const auto stay = [&](double b) {
      return std::lgamma(p.a + p.b) + std::lgamma(b + x) - std::lgamma(p.b) -
             std::lgamma(p.a + b + x);
    };
    EXPECT_NEAR(LogLikelihood(SilenceModel::kMbgNbd, p, client, time),
                rate + stay(p.b + 1) + std::log(there + p.a / (p.b + x) * left), 1e-10);
    const double left_in_bg = x > 0 ? p.a / (p.b + x - 1) * left : 0;
    EXPECT_NEAR(LogLikelihood(SilenceModel::kBgNbd, p, client, time),
                rate + stay(p.b) + std::log(there + left_in_bg), 1e-10);
  }
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
