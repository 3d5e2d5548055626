#include "libs/projections/deal_pipeline/deal_pipeline.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/base/bytes.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

static_assert(Projection<DealPipeline>);

Touchpoint Opened(const std::string& deal_id, uint64_t number) {
  Touchpoint touchpoint;
  touchpoint.set_client_id("bakery-17");
  touchpoint.set_event_id(testing::EventIdOf(number));
  touchpoint.mutable_deal_opened()->set_deal_id(deal_id);
  touchpoint.mutable_deal_opened()->set_deal_owner_id("rm-anna");
  return touchpoint;
}

TEST(DealPipeline, ListsTheBoardByOwnerAndStageAndFindsADealByItsId) {
  testing::PlainFold<DealPipeline> fold;
  fold.Fold(Opened("D-1", 1));
  std::string deal_key;
  AppendKeyString(&deal_key, "D-1");
  std::string board_key;
  AppendKeyString(&board_key, "rm-anna");
  AppendBig32(&board_key, touchpoint::v1::DEAL_STAGE_LEAD);
  IndexWriter wanted;
  wanted.Reset("bakery-17");
  wanted.Add(kBoardIndex, board_key + deal_key);
  wanted.Add(kDealIndex, deal_key);
  const auto entries = fold.IndexEntries();
  ASSERT_EQ(entries.size(), 2u);
  const std::string& value = entries.at(wanted.entries()[0].key);
  EXPECT_EQ(entries.at(wanted.entries()[1].key), value);
  state::v1::DealRow row;
  ASSERT_TRUE(row.ParseFromString(value));
  EXPECT_EQ(row.stage(), touchpoint::v1::DEAL_STAGE_LEAD);
  EXPECT_EQ(row.probability_permille(), 50);
}

TEST(DealPipeline, ADealHasTheNameThatItsClientWasGivenLast) {
  const auto named = [](const std::string& name, int64_t seconds) {
    Touchpoint touchpoint;
    touchpoint.set_client_id("bakery-17");
    touchpoint.set_event_id(testing::EventIdOf(static_cast<uint64_t>(seconds)));
    touchpoint.mutable_occurred_at()->set_seconds(seconds);
    touchpoint.mutable_client_details_changed()->mutable_details()->set_name(name);
    return touchpoint;
  };
  testing::PlainFold<DealPipeline> fold;
  fold.Fold(named("Miller & Sons", 200));
  fold.Fold(Opened("D-1", 1));
  fold.Fold(named("Miller", 100));
  const state::v1::DealPipelineState state = fold.StateOf("bakery-17");
  EXPECT_EQ(RowOf(state, state.deals(0), {}).client_name(), "Miller & Sons");
}

TEST(DealPipeline, KeepsTheDealsWithTheGreatestIds) {
  testing::PlainFold<DealPipeline> fold;
  for (int i = 0; i < 600; ++i)
    fold.Fold(Opened(absl::StrCat("D-", 1000 + (i * 7) % 600), static_cast<uint64_t>(i)));
  const auto state = fold.StateOf("bakery-17");
  ASSERT_EQ(state.deals_size(), 512);
  EXPECT_EQ(state.deals(0).deal_id(), "D-1088");
  EXPECT_EQ(state.deals(511).deal_id(), "D-1599");
}

TEST(DealPipeline, KeepsTheLatestStagesOfADeal) {
  testing::PlainFold<DealPipeline> fold;
  for (int i = 0; i < 250; ++i) {
    Touchpoint changed;
    changed.set_client_id("bakery-17");
    changed.set_event_id(testing::EventIdOf(static_cast<uint64_t>(i)));
    changed.mutable_occurred_at()->set_seconds((i * 7) % 250);
    changed.mutable_deal_stage_changed()->set_deal_id("D-1");
    changed.mutable_deal_stage_changed()->set_to_stage(touchpoint::v1::DEAL_STAGE_PRESENTED);
    fold.Fold(changed);
  }
  const auto state = fold.StateOf("bakery-17");
  ASSERT_EQ(state.deals(0).stages_size(), 200);
  EXPECT_EQ(state.deals(0).stages(0).stamp().occurred_at().seconds(), 50);
}

TEST(DealPipeline, IsOpenUntilWonOrLost) {
  state::v1::Deal deal;
  EXPECT_TRUE(IsOpen(deal));
  deal.add_stages()->set_stage(touchpoint::v1::DEAL_STAGE_NEGOTIATION);
  EXPECT_TRUE(IsOpen(deal));
  for (const auto stage : {touchpoint::v1::DEAL_STAGE_WON, touchpoint::v1::DEAL_STAGE_SUPPORT,
                           touchpoint::v1::DEAL_STAGE_LOST}) {
    deal.add_stages()->set_stage(stage);
    EXPECT_FALSE(IsOpen(deal));
  }
}

TEST(DealPipeline, TheSettingsArePartOfTheFingerprint) {
  DealPipelineSettings changed;
  changed.stage_probability_permille[1] = 60;
  EXPECT_NE(DealPipeline::Fingerprint({}), DealPipeline::Fingerprint(changed));
}

}  // namespace
}  // namespace rapport
