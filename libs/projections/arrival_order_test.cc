#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

// The order of arrival matters neither to profiles, nor to deals, nor to risk factors: random
// histories, shuffled as a whole, with duplicates, give the same states byte for byte.

namespace rapport {
namespace {

using testing::HistoryOptions;
using testing::PlainFold;
using testing::Random;
using touchpoint::v1::Touchpoint;

constexpr int kHistories = 24;
constexpr int kOrders = 3;

const state::v1::ProfileState& Independent(const state::v1::ProfileState& state) { return state; }
const state::v1::DealPipelineState& Independent(const state::v1::DealPipelineState& state) {
  return state;
}
const state::v1::RiskFactors& Independent(const state::v1::RetentionState& state) {
  return state.factors();
}

template <class P>
std::string FoldAll(const std::vector<Touchpoint>& history) {
  PlainFold<P> fold;
  for (const Touchpoint& touchpoint : history) fold.Fold(touchpoint);
  EXPECT_TRUE(fold.dead_letters().empty());
  std::string all;
  for (const auto& [client, state] : fold.states()) {
    all += client + "\n";
    all += Independent(state).DebugString();
    // What readers never look at may not differ either.
    all += Independent(state).SerializeAsString();
  }
  return all;
}

template <class P>
class ArrivalOrder : public ::testing::Test {};

class Names {
 public:
  template <class P>
  static std::string GetName(int) {
    return P::kName;
  }
};
using Projections = ::testing::Types<Profile, DealPipeline, Retention>;
TYPED_TEST_SUITE(ArrivalOrder, Projections, Names);

// Few clients with many touchpoints, so that bounded sets overflow, and the usual case.
HistoryOptions OptionsOf(int round) {
  HistoryOptions options;
  options.seed = static_cast<uint64_t>(round) + 1;
  options.client_count = round % 2 == 0 ? 2 : 12;
  options.touchpoint_count = round % 2 == 0 ? 900 : 300;
  options.tick = absl::Hours(24 * 5);
  // Sources with dates only: steps at one moment.
  if (round % 3 == 0) options.resolution = absl::Hours(24);
  return options;
}

TYPED_TEST(ArrivalOrder, DoesNotMatter) {
  for (int round = 0; round < kHistories; ++round) {
    std::vector<Touchpoint> history = testing::RandomHistory(OptionsOf(round));
    const std::string expected = FoldAll<TypeParam>(history);
    ASSERT_FALSE(expected.empty());
    Random random(static_cast<uint64_t>(round));
    for (int order = 0; order < kOrders; ++order) {
      testing::Shuffle(&history, &random);
      ASSERT_EQ(FoldAll<TypeParam>(history), expected)
          << "seed " << round + 1 << " order " << order;
    }
  }
}

TYPED_TEST(ArrivalOrder, DuplicatesDoNotMatter) {
  HistoryOptions options = OptionsOf(1);
  options.duplicate_percent = 0;
  options.late_percent = 0;
  const std::string once = FoldAll<TypeParam>(testing::RandomHistory(options));
  std::vector<Touchpoint> history = testing::RandomHistory(options);
  const std::vector<Touchpoint> copy = history;
  history.insert(history.end(), copy.begin(), copy.end());
  EXPECT_EQ(FoldAll<TypeParam>(history), once);
}

// The same log gives the same alerts, and there is something to compare.
TEST(RetentionReplay, GivesTheSameAlerts) {
  size_t alerts = 0;
  for (int round = 0; round < kHistories; ++round) {
    const std::vector<Touchpoint> history = testing::RandomHistory(OptionsOf(round));
    PlainFold<Retention> first;
    PlainFold<Retention> second;
    for (const Touchpoint& touchpoint : history) first.Fold(touchpoint);
    for (const Touchpoint& touchpoint : history) second.Fold(touchpoint);
    ASSERT_EQ(first.effects().size(), second.effects().size());
    for (size_t i = 0; i < first.effects().size(); ++i)
      EXPECT_EQ(first.effects()[i].SerializeAsString(), second.effects()[i].SerializeAsString());
    alerts += first.effects().size();
  }
  EXPECT_GT(alerts, 100u);
}

// The life of each alert is raised, updated any number of times, cleared; and no two are open at
// once.
TEST(RetentionReplay, AtMostOneOpenAlertForEachClient) {
  for (int round = 0; round < kHistories; ++round) {
    PlainFold<Retention> fold;
    for (const Touchpoint& touchpoint : testing::RandomHistory(OptionsOf(round)))
      fold.Fold(touchpoint);
    std::map<std::string, std::string> open;
    for (const alert::v1::AlertEvent& effect : fold.effects()) {
      if (effect.has_reminded()) continue;
      std::string& alert = open[effect.client_id()];
      if (effect.has_handed_over()) {
        EXPECT_EQ(alert, "") << "an open one is updated instead\n" << effect.DebugString();
        continue;
      }
      if (effect.has_raised()) {
        EXPECT_EQ(alert, "") << effect.DebugString();
        alert = effect.alert_id();
      }
      EXPECT_EQ(alert, effect.alert_id()) << effect.DebugString();
      if (effect.has_cleared()) alert.clear();
    }
    for (const auto& [client, state] : fold.states())
      EXPECT_EQ(state.alert().phase() == state::v1::ALERT_PHASE_OPEN, !open[client].empty());
  }
}

}  // namespace
}  // namespace rapport
