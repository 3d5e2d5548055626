#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "libs/backtest/judge.h"
#include "libs/base/status_matchers.h"
#include "libs/projections/models/silence_likelihood.h"
#include "libs/risk_model/silence_fit.h"
#include "libs/risk_model/spend_fit.h"
#include "libs/risk_model/testing/cdnow.h"

// The models on real clients, in weeks: the parameters that are published, or were computed
// independently, and who buys nothing in the 39 weeks after the calibration period.

namespace rapport::risk_model {
namespace {

using backtest::Forecast;
using models::SilenceModel;
using models::SilenceParameters;

const std::vector<CdnowClient>& Clients() {
  static const auto* const clients = new std::vector<CdnowClient>(ReadCdnow());
  return *clients;
}

std::vector<ClientHistory> Histories() {
  std::vector<ClientHistory> histories;
  for (const CdnowClient& client : Clients()) histories.push_back(client.history);
  return histories;
}

// Of "buys nothing", by a score that is higher the likelier it is.
template <class Score>
std::vector<Forecast> Forecasts(const Score& score) {
  std::vector<Forecast> forecasts;
  for (const CdnowClient& client : Clients()) {
    forecasts.push_back({score(client.history), client.silent_later});
  }
  return forecasts;
}

double Silent(const ClientHistory& client) {
  return MbgSilent(models::kMbgCdnow, client.repeats, client.time, kCdnowHorizonWeeks);
}

void ExpectParameters(const SilenceFit& fit, const SilenceParameters& expected) {
  EXPECT_NEAR(fit.parameters.r, expected.r, 1.5e-5);
  EXPECT_NEAR(fit.parameters.alpha, expected.alpha, 1.5e-5);
  EXPECT_NEAR(fit.parameters.a, expected.a, 1.5e-5);
  EXPECT_NEAR(fit.parameters.b, expected.b, 1.5e-5);
  EXPECT_EQ(fit.clients, 2357);
  EXPECT_EQ(fit.repeaters, 946);
  EXPECT_FALSE(fit.degenerate) << fit.explanation;
}

TEST(Cdnow, BgNbdIsFittedAsPublished) {
  ASSERT_OK_AND_ASSIGN(const SilenceFit fit, FitSilence(SilenceModel::kBgNbd, Histories()));
  ExpectParameters(fit, {.24259, 4.41353, .79289, 2.42575});
  EXPECT_NEAR(fit.log_likelihood, -9582.4, .05);
}

TEST(Cdnow, MbgNbdIsFittedAsPublished) {
  ASSERT_OK_AND_ASSIGN(const SilenceFit fit, FitSilence(SilenceModel::kMbgNbd, Histories()));
  ExpectParameters(fit, models::kMbgCdnow);
  EXPECT_NEAR(fit.log_likelihood, -9582.133, .0005);
  double sum = 0;
  for (const ClientHistory& client : Histories()) {
    sum +=
        models::LogLikelihood(SilenceModel::kMbgNbd, fit.parameters, client.repeats, client.time);
  }
  EXPECT_NEAR(fit.log_likelihood, sum, 1e-7);
}

TEST(Cdnow, GammaGammaIsFittedAsPublished) {
  std::vector<models::Spend> spends;
  for (const CdnowClient& client : Clients()) spends.push_back(client.spend);
  ASSERT_OK_AND_ASSIGN(const SpendFit fit, FitSpend(spends));
  EXPECT_EQ(fit.clients, 946);
  EXPECT_NEAR(fit.parameters.p, 6.25, .01);
  EXPECT_NEAR(fit.parameters.q, 3.74, .01);
  EXPECT_NEAR(fit.parameters.v, 15.44, .05);
  EXPECT_LT(std::abs(fit.correlation), .15);
  EXPECT_FALSE(fit.degenerate) << fit.explanation;
  const double expected[] = {24.65, 18.91, 35.17, 35.17, 35.17, 71.46};
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_NEAR(models::ExpectedValue(fit.parameters, spends[i]), expected[i], .1) << i;
  }
}

TEST(Cdnow, ModelsRankAsComputedIndependentlyAndBesideThemThePlainHiatus) {
  constexpr SilenceParameters kBg = {.24259, 4.41353, .79289, 2.42575};
  const double by_days = backtest::Auc(Forecasts([&](const ClientHistory& client) {
    return -BgExpectedDays(kBg, client.repeats, client.time, kCdnowHorizonWeeks);
  }));
  const double by_mbg_days = backtest::Auc(Forecasts([&](const ClientHistory& client) {
    return -MbgExpectedDays(models::kMbgCdnow, client.repeats, client.time, kCdnowHorizonWeeks);
  }));
  const double by_silence = backtest::Auc(Forecasts(Silent));
  const double by_hiatus = backtest::Auc(
      Forecasts([](const ClientHistory& client) { return client.time - client.repeats.last; }));
  const double by_bg_alive = backtest::Auc(Forecasts(
      [&](const ClientHistory& client) { return 1 - BgAlive(kBg, client.repeats, client.time); }));
  std::cout << absl::StrFormat(
      "  AUC of \"no purchase in 39 weeks\": E[Y] of BG %.4f, of MBG %.4f, P_silent %.4f, hiatus "
      "%.4f, P(alive) of BG %.4f\n",
      by_days, by_mbg_days, by_silence, by_hiatus, by_bg_alive);
  EXPECT_GE(by_days, .77);
  EXPECT_NEAR(by_days, .773, .001);
  EXPECT_NEAR(by_silence, .760, .001);
  EXPECT_NEAR(by_hiatus, .771, .001);
  // Worse than chance: who came once is alive by definition.
  EXPECT_NEAR(by_bg_alive, .316, .001);
}

TEST(Cdnow, SilenceIsCalibrated) {
  const std::vector<Forecast> forecasts = Forecasts(Silent);
  EXPECT_NEAR(backtest::Brier(forecasts), .161, .0005);
  const auto silent = static_cast<double>(std::count_if(
      forecasts.begin(), forecasts.end(), [](const Forecast& f) { return f.happened; }));
  const double share = silent / static_cast<double>(forecasts.size());
  EXPECT_NEAR(share * (1 - share), .206, .0005);
}

}  // namespace
}  // namespace rapport::risk_model
