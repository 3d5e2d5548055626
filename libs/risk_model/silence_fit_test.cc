#include "libs/risk_model/silence_fit.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/risk_model/testing/generated_clients.h"

namespace rapport::risk_model {
namespace {

using models::SilenceModel;
using models::SilenceParameters;
using ::testing::AllOf;
using ::testing::HasSubstr;

void ExpectSame(const SilenceFit& a, const SilenceFit& b) {
  EXPECT_EQ(a.parameters.r, b.parameters.r);
  EXPECT_EQ(a.parameters.alpha, b.parameters.alpha);
  EXPECT_EQ(a.parameters.a, b.parameters.a);
  EXPECT_EQ(a.parameters.b, b.parameters.b);
  EXPECT_EQ(a.log_likelihood, b.log_likelihood);
}

TEST(SilenceFit, FindsTheParametersThatClientsLiveBy) {
  const SilenceParameters truth = {.8, 30, .7, 2.5};
  for (const SilenceModel model : {SilenceModel::kBgNbd, SilenceModel::kMbgNbd}) {
    ASSERT_OK_AND_ASSIGN(const SilenceFit fit,
                         FitSilence(model, GenerateClients(model, truth, 40'000, 1500, 1)));
    EXPECT_NEAR(fit.parameters.r / truth.r, 1, .06);
    EXPECT_NEAR(fit.parameters.alpha / truth.alpha, 1, .06);
    EXPECT_NEAR(fit.parameters.a / truth.a, 1, .1);
    EXPECT_NEAR(fit.parameters.b / truth.b, 1, .1);
    EXPECT_FALSE(fit.degenerate) << fit.explanation;
  }
}

TEST(SilenceFit, NeitherThreadsNorTheOrderOfClientsChangeADigit) {
  std::vector<ClientHistory> clients =
      GenerateClients(SilenceModel::kMbgNbd, models::kMbgCdnow, 30'000, 365, 2);
  ASSERT_OK_AND_ASSIGN(const SilenceFit one, FitSilence(SilenceModel::kMbgNbd, clients));
  ASSERT_GT(one.groups, 8192) << "too few to be shared out";
  ASSERT_OK_AND_ASSIGN(const SilenceFit two,
                       FitSilence(SilenceModel::kMbgNbd, clients, {.threads = 2}));
  ExpectSame(one, two);
  std::reverse(clients.begin(), clients.end());
  ASSERT_OK_AND_ASSIGN(const SilenceFit reversed, FitSilence(SilenceModel::kMbgNbd, clients));
  ExpectSame(one, reversed);
}

TEST(SilenceFit, WhereNobodyLeavesItSaysSo) {
  for (const SilenceModel model : {SilenceModel::kBgNbd, SilenceModel::kMbgNbd}) {
    const auto clients = GenerateClients(model, {1, 6, 1e-9, 1}, 2000, 365, 3);
    ASSERT_OK_AND_ASSIGN(const SilenceFit fit, FitSilence(model, clients));
    EXPECT_TRUE(fit.degenerate);
    EXPECT_GT(fit.mean_alive, .995);
    EXPECT_THAT(fit.explanation, AllOf(HasSubstr("2000 clients"), HasSubstr("however long silent"),
                                       HasSubstr("keep the parameters used so far")));
  }
}

// Each comes by the same rate: no finite r and alpha are the likeliest.
TEST(SilenceFit, WhereAParameterIsLeftOpenItSaysWhich) {
  const auto clients = GenerateClients(SilenceModel::kBgNbd, {1e4, 5e4, 1, 4}, 3000, 365, 4);
  ASSERT_OK_AND_ASSIGN(const SilenceFit fit, FitSilence(SilenceModel::kBgNbd, clients));
  EXPECT_TRUE(fit.degenerate);
  EXPECT_THAT(fit.explanation, HasSubstr("leaves open r, alpha, which"));
}

TEST(SilenceFit, TooFewRepeatersAreRefused) {
  std::vector<ClientHistory> clients(1000, ClientHistory{{0, 0}, 30});
  for (int i = 0; i < 49; ++i) clients[static_cast<size_t>(i)].repeats = {1, 7};
  EXPECT_THAT(FitSilence(SilenceModel::kMbgNbd, clients),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("49 of 1000 clients"), HasSubstr("at least 50"))));
}

TEST(SilenceFit, HistoriesThatCannotBeAreRefused) {
  for (const ClientHistory& wrong :
       {ClientHistory{{1.5, 2}, 3}, ClientHistory{{1, 4}, 3}, ClientHistory{{0, 1}, 3},
        ClientHistory{{1, 0}, 3}, ClientHistory{{-1, 1}, 3}, ClientHistory{{1, 1}, 1.0 / 0.0},
        ClientHistory{{0.0 / 0.0, 1}, 3}}) {
    EXPECT_THAT(FitSilence(SilenceModel::kBgNbd, {wrong}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("looked at after")));
  }
}

}  // namespace
}  // namespace rapport::risk_model
