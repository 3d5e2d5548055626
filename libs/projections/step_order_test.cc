#include "libs/projections/step_order.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

// Steps of one matter at one moment, as sources with dates or whole seconds tell them: what comes
// of them depends on what they are, in whatever order they arrive and whatever ids they have.

namespace rapport {
namespace {

using testing::PlainFold;
using touchpoint::v1::DealStage;
using touchpoint::v1::Touchpoint;

constexpr char kClient[] = "bakery-17";
// So many sets of event ids, which break ties by chance.
constexpr int kIds = 12;

template <class Fill>
Touchpoint Step(const Fill& fill) {
  Touchpoint touchpoint;
  touchpoint.set_client_id(kClient);
  ToProto(absl::FromUnixSeconds(1790812800), touchpoint.mutable_occurred_at());
  fill(&touchpoint);
  return touchpoint;
}

Touchpoint Opened(DealStage stage = touchpoint::v1::DEAL_STAGE_UNSPECIFIED) {
  return Step([&](Touchpoint* step) {
    step->mutable_deal_opened()->set_deal_id("D");
    step->mutable_deal_opened()->set_stage(stage);
    step->mutable_deal_opened()->mutable_amount()->set_minor_units(1);
  });
}
Touchpoint Changed(DealStage from, DealStage to) {
  return Step([&](Touchpoint* step) {
    step->mutable_deal_stage_changed()->set_deal_id("D");
    step->mutable_deal_stage_changed()->set_from_stage(from);
    step->mutable_deal_stage_changed()->set_to_stage(to);
  });
}
Touchpoint Won() {
  return Step([](Touchpoint* step) { step->mutable_deal_won()->set_deal_id("D"); });
}
Touchpoint Lost() {
  return Step([](Touchpoint* step) { step->mutable_deal_lost()->set_deal_id("D"); });
}
Touchpoint Removed() {
  return Step([](Touchpoint* step) { step->mutable_deal_removed()->set_deal_id("D"); });
}

// Calls `check` with the fold of the steps in every order, with many ids.
template <class P, class Check>
void InEveryOrder(std::vector<Touchpoint> steps, const Check& check) {
  for (int ids = 0; ids < kIds; ++ids) {
    std::vector<size_t> order;
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i].set_event_id(testing::EventIdOf(static_cast<uint64_t>(ids) * 100 + i));
      order.push_back(i);
    }
    do {
      PlainFold<P> fold;
      std::string text;
      for (const size_t i : order) {
        fold.Fold(steps[i]);
        absl::StrAppend(&text, i, " ");
      }
      SCOPED_TRACE(absl::StrCat("ids ", ids, " order ", text));
      check(fold.StateOf(kClient));
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

void ExpectStage(const std::vector<Touchpoint>& steps, DealStage stage) {
  InEveryOrder<DealPipeline>(steps, [&](const state::v1::DealPipelineState& state) {
    ASSERT_EQ(state.deals_size(), 1);
    EXPECT_EQ(StageOf(state.deals(0)), stage);
  });
}

TEST(StepOrder, ALaterStageComesAfterAnEarlierOne) {
  using namespace touchpoint::v1;  // NOLINT: the stages' names
  ExpectStage({Opened(), Changed(DEAL_STAGE_LEAD, DEAL_STAGE_PRESENTED),
               Changed(DEAL_STAGE_PRESENTED, DEAL_STAGE_NEGOTIATION)},
              DEAL_STAGE_NEGOTIATION);
  ExpectStage({Opened(), Changed(DEAL_STAGE_UNSPECIFIED, DEAL_STAGE_PRESENTED),
               Changed(DEAL_STAGE_UNSPECIFIED, DEAL_STAGE_NEGOTIATION)},
              DEAL_STAGE_NEGOTIATION);
  // Opened in a stage, and told to be in an earlier one: a step comes after the opening.
  ExpectStage(
      {Opened(DEAL_STAGE_NEGOTIATION), Changed(DEAL_STAGE_UNSPECIFIED, DEAL_STAGE_CONTACTED)},
      DEAL_STAGE_CONTACTED);
}

TEST(StepOrder, FromStageTellsThatADealWentBack) {
  using namespace touchpoint::v1;  // NOLINT: the stages' names
  ExpectStage({Opened(), Changed(DEAL_STAGE_LEAD, DEAL_STAGE_NEGOTIATION),
               Changed(DEAL_STAGE_NEGOTIATION, DEAL_STAGE_PRESENTED)},
              DEAL_STAGE_PRESENTED);
}

TEST(StepOrder, TheOutcomeComesAfterTheSteps) {
  using namespace touchpoint::v1;  // NOLINT: the stages' names
  const Touchpoint step = Changed(DEAL_STAGE_LEAD, DEAL_STAGE_NEGOTIATION);
  ExpectStage({Opened(), Won()}, DEAL_STAGE_WON);
  ExpectStage({Opened(), step, Won()}, DEAL_STAGE_WON);
  ExpectStage({Opened(), step, Lost()}, DEAL_STAGE_LOST);
  // What was won is looked after; what was lost is opened again.
  ExpectStage({Opened(), Won(), Changed(DEAL_STAGE_WON, DEAL_STAGE_SUPPORT)}, DEAL_STAGE_SUPPORT);
  ExpectStage({Opened(), Lost(), Changed(DEAL_STAGE_LOST, DEAL_STAGE_CONTACTED)},
              DEAL_STAGE_CONTACTED);
}

TEST(StepOrder, ARemovedDealIsOffTheBoardAndNeitherWonNorLost) {
  using namespace touchpoint::v1;  // NOLINT: the stages' names
  InEveryOrder<DealPipeline>(
      {Opened(), Changed(DEAL_STAGE_LEAD, DEAL_STAGE_NEGOTIATION), Removed()},
      [](const state::v1::DealPipelineState& state) {
        const state::v1::Deal& deal = state.deals(0);
        EXPECT_TRUE(IsRemoved(deal));
        EXPECT_FALSE(IsOpen(deal));
        EXPECT_FALSE(IsWon(deal));
        EXPECT_FALSE(IsLost(deal));
        IndexWriter index;
        index.Reset(kClient);
        DealPipeline::Index(state, {}, index);
        ASSERT_EQ(index.entries().size(), 1u);
        state::v1::DealRow row;
        ASSERT_TRUE(row.ParseFromString(index.entries()[0].value));
        EXPECT_TRUE(row.removed());
      });
}

TEST(StepOrder, ALossHoldsUntilTheDealIsOpenedAgain) {
  using namespace touchpoint::v1;  // NOLINT: the stages' names
  Touchpoint again = Changed(DEAL_STAGE_LOST, DEAL_STAGE_NEGOTIATION);
  again.mutable_occurred_at()->set_seconds(again.occurred_at().seconds() + 86400);
  InEveryOrder<DealPipeline>({Opened(), Lost()},
                             [](const auto& state) { EXPECT_TRUE(IsLost(state.deals(0))); });
  InEveryOrder<DealPipeline>({Opened(), Lost(), again}, [](const auto& state) {
    EXPECT_FALSE(IsLost(state.deals(0)));
    EXPECT_TRUE(IsOpen(state.deals(0)));
  });
  Touchpoint support = Changed(DEAL_STAGE_WON, DEAL_STAGE_SUPPORT);
  support.mutable_occurred_at()->set_seconds(support.occurred_at().seconds() + 86400);
  InEveryOrder<DealPipeline>({Opened(), Won(), support},
                             [](const auto& state) { EXPECT_TRUE(IsWon(state.deals(0))); });
}

// An update that comes before its creation, and one that was backdated.
TEST(StepOrder, LateAndBackdatedStagesLeaveTheLatestOne) {
  using namespace touchpoint::v1;  // NOLINT: the stages' names
  const auto on = [](int day, Touchpoint step) {
    step.mutable_occurred_at()->set_seconds(step.occurred_at().seconds() + day * 86400);
    return step;
  };
  InEveryOrder<DealPipeline>(
      {on(7, Changed(DEAL_STAGE_UNSPECIFIED, DEAL_STAGE_NEGOTIATION)), Opened(),
       on(4, Changed(DEAL_STAGE_UNSPECIFIED, DEAL_STAGE_PRESENTED))},
      [](const state::v1::DealPipelineState& state) {
        EXPECT_EQ(StageOf(state.deals(0)), DEAL_STAGE_NEGOTIATION);
        EXPECT_EQ(state.deals(0).stages_size(), 3);
        EXPECT_EQ(RowOf(state, state.deals(0), {}).stage_since_at().seconds(),
                  1790812800 + 7 * 86400);
      });
}

TEST(StepOrder, AComplaintOrPromiseThatEndedIsNotOpen) {
  const std::vector<Touchpoint> steps = {
      Step([](Touchpoint* step) { step->mutable_complaint_opened()->set_complaint_id("K"); }),
      Step([](Touchpoint* step) { step->mutable_complaint_settled()->set_complaint_id("K"); }),
      Step([](Touchpoint* step) { step->mutable_commitment_made()->set_commitment_id("P"); }),
      Step([](Touchpoint* step) { step->mutable_commitment_moved()->set_commitment_id("P"); }),
      Step([](Touchpoint* step) { step->mutable_commitment_broken()->set_commitment_id("P"); })};
  InEveryOrder<Profile>(steps, [](const state::v1::ProfileState& state) {
    EXPECT_FALSE(IsOpen(state.complaints(0)));
    EXPECT_FALSE(IsOpen(state.commitments(0)));
  });
  InEveryOrder<Retention>(steps, [](const state::v1::RetentionState& state) {
    const auto& complaint = state.factors().complaints(0);
    EXPECT_GT(complaint.closed().rank(), complaint.opened().rank());
    const auto& promise = state.factors().commitments(0);
    EXPECT_GT(promise.ended().rank(), promise.promised().rank());
  });
}

TEST(StepOrder, APersonWhoLeftAConsentWithdrawnAContractEnded) {
  const std::vector<Touchpoint> steps = {
      Step([](Touchpoint* step) {
        step->mutable_stakeholder_added()->mutable_stakeholder()->set_stakeholder_id("S");
      }),
      Step([](Touchpoint* step) { step->mutable_stakeholder_left()->set_stakeholder_id("S"); }),
      Step([](Touchpoint* step) { step->mutable_consent_given()->set_purpose("news"); }),
      Step([](Touchpoint* step) { step->mutable_consent_withdrawn()->set_purpose("news"); })};
  InEveryOrder<Profile>(steps, [](const state::v1::ProfileState& state) {
    EXPECT_FALSE(IsPresent(state.stakeholders(0)));
    EXPECT_FALSE(state.consents(0).given());
  });
  InEveryOrder<Retention>(
      {Step([](Touchpoint* step) { step->mutable_contract_signed()->set_contract_id("C"); }),
       Step([](Touchpoint* step) { step->mutable_contract_renewed()->set_contract_id("C"); }),
       Step([](Touchpoint* step) { step->mutable_contract_terminated()->set_contract_id("C"); })},
      [](const state::v1::RetentionState& state) {
        const auto& contract = state.factors().contracts(0);
        EXPECT_GT(contract.terminated().rank(), contract.agreed().rank());
      });
}

TEST(StepOrder, SortsTouchpointsAsTheFoldsTakeThem) {
  std::vector<Touchpoint> steps = {Won(), Opened()};
  for (int ids = 0; ids < kIds; ++ids) {
    steps[0].set_event_id(testing::EventIdOf(static_cast<uint64_t>(ids)));
    steps[1].set_event_id(testing::EventIdOf(static_cast<uint64_t>(ids) + 100));
    EXPECT_TRUE(StepBefore(steps[1], steps[0]));
    EXPECT_FALSE(StepBefore(steps[0], steps[1]));
  }
}

// Sums that go beyond 64 bits are exact in whatever order they come.
TEST(ProfileSums, OfTheGreatestAmountsAreExactInEveryOrder) {
  const auto paid = [](const std::string& id, int64_t units) {
    return Step([&](Touchpoint* step) {
      step->mutable_payment_received()->set_payment_id(id);
      step->mutable_payment_received()->set_invoice_id("I");
      step->mutable_payment_received()->mutable_amount()->set_minor_units(units);
      step->mutable_payment_received()->mutable_amount()->set_currency_code("EUR");
    });
  };
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  InEveryOrder<Profile>({paid("1", kMost), paid("2", kMost), paid("3", -kMost), paid("4", 7)},
                        [](const state::v1::ProfileState& state) {
                          EXPECT_EQ(state.accounts(0).paid_minor_units(),
                                    std::numeric_limits<int64_t>::min() + 6);
                          EXPECT_EQ(state.accounts(0).paid_overflows(), 1);
                          EXPECT_EQ(state.invoices(0).paid_overflows(), 1);
                        });
}

}  // namespace
}  // namespace rapport
