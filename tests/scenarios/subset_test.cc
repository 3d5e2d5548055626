#include "tests/scenarios/subset.h"

#include "gtest/gtest.h"
#include "rapport/state/v1/deal_pipeline.pb.h"

// The comparison itself must be able to fail.

namespace rapport {
namespace {

state::v1::DealPipelineState TwoDeals() {
  state::v1::DealPipelineState state;
  state.add_deals()->set_deal_id("D-1");
  state.add_deals()->set_deal_id("D-2");
  state.mutable_deals(1)->set_title("ovens");
  state.mutable_deals(1)->mutable_amount()->set_minor_units(5);
  return state;
}

TEST(Subset, NothingIsPartOfAnything) {
  EXPECT_EQ(WhatIsMissing(state::v1::DealPipelineState(), TwoDeals()), "");
}

TEST(Subset, ElementsInOrderWithOthersInBetween) {
  state::v1::DealPipelineState expected;
  expected.add_deals()->set_title("ovens");
  EXPECT_EQ(WhatIsMissing(expected, TwoDeals()), "");
  expected.add_deals()->set_deal_id("D-1");
  EXPECT_EQ(WhatIsMissing(expected, TwoDeals()), ".deals[1] is not there");
}

TEST(Subset, NamesTheDifferenceByItsPath) {
  state::v1::DealPipelineState expected;
  expected.add_deals()->set_deal_id("D-2");
  expected.mutable_deals(0)->mutable_amount()->set_minor_units(6);
  EXPECT_EQ(WhatIsMissing(expected, TwoDeals()), ".deals[0].amount.minor_units is 5 instead of 6");
}

TEST(Subset, MessageThatIsNotSet) {
  state::v1::DealPipelineState expected;
  expected.mutable_client_owner();
  EXPECT_EQ(WhatIsMissing(expected, TwoDeals()), ".client_owner is not set");
}

}  // namespace
}  // namespace rapport
