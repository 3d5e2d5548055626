#include "libs/projections/step_order.h"

#include <algorithm>

namespace rapport {
namespace {

using touchpoint::v1::DealStage;
using touchpoint::v1::Touchpoint;

// Above the stages of an opening.
constexpr int32_t kStep = 1000;
constexpr int32_t kEnd = 2000;
// A stage's ranks: room for the stage that was left.
constexpr int32_t kStages = 32;

// A deal is opened in a stage, goes through others, and is won or lost: the outcome is a stage too,
// since support follows what was won, and what was lost may be opened again.
int32_t StageRank(DealStage from, DealStage to) {
  return kStep + std::max<int32_t>(from, to) * kStages + from;
}

}  // namespace

int32_t StepRank(const Touchpoint& touchpoint) {
  // A default, since most kinds are no step: one that is forgotten goes by its event id, as ever.
  switch (touchpoint.payload_case()) {
    case Touchpoint::kDealOpened:
      return touchpoint.deal_opened().stage();
    case Touchpoint::kDealStageChanged:
      return StageRank(touchpoint.deal_stage_changed().from_stage(),
                       touchpoint.deal_stage_changed().to_stage());
    case Touchpoint::kDealAmountChanged:
    case Touchpoint::kDealNextStepSet:
      return kStep;
    case Touchpoint::kDealWon:
      return StageRank(touchpoint::v1::DEAL_STAGE_UNSPECIFIED, touchpoint::v1::DEAL_STAGE_WON);
    case Touchpoint::kDealLost:
      return StageRank(touchpoint::v1::DEAL_STAGE_UNSPECIFIED, touchpoint::v1::DEAL_STAGE_LOST);
    case Touchpoint::kDealRemoved:
      return kEnd;
    case Touchpoint::kCommitmentMoved:
    case Touchpoint::kMeetingMoved:
    case Touchpoint::kContractRenewed:
    case Touchpoint::kClientDetailsChanged:
    case Touchpoint::kStakeholderChanged:
    case Touchpoint::kOrderShipped:
      return kStep;
    case Touchpoint::kCommitmentBroken:
    case Touchpoint::kComplaintRejected:
    case Touchpoint::kContractTerminated:
    case Touchpoint::kStakeholderLeft:
    case Touchpoint::kObjectionSettled:
    case Touchpoint::kMeetingCancelled:
    case Touchpoint::kOrderCancelled:
    case Touchpoint::kConsentWithdrawn:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kErasureRequested:
      return kEnd;
    // The better end, of two that are told of one moment.
    case Touchpoint::kCommitmentKept:
    case Touchpoint::kComplaintSettled:
    case Touchpoint::kMeetingHeld:
      return kEnd + 1;
    default:
      return 0;
  }
}

bool StepBefore(const Touchpoint& a, const Touchpoint& b) {
  if (const int times = CompareTimes(a.occurred_at(), b.occurred_at()); times != 0) {
    return times < 0;
  }
  const int32_t rank_a = StepRank(a);
  const int32_t rank_b = StepRank(b);
  return rank_a != rank_b ? rank_a < rank_b : a.event_id() < b.event_id();
}

}  // namespace rapport
