#include "libs/projections/deal_pipeline/deal_pipeline.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/client_label.h"
#include "libs/projections/keyed_set.h"
#include "libs/projections/stamp.h"

namespace rapport {
namespace {

using state::v1::Deal;
using state::v1::DealPipelineState;
using touchpoint::v1::DealStage;
using touchpoint::v1::Touchpoint;

constexpr int kMostDeals = 512;
constexpr int kMostStages = 200;

Deal* FindDeal(absl::string_view id, DealPipelineState* state) {
  return RAPPORT_FIND_OR_ADD(state->mutable_deals(), deal_id, id, kMostDeals);
}

void AddStage(const Touchpoint& touchpoint, DealStage stage, std::optional<int> probability,
              Deal* deal) {
  state::v1::StageEntry entry;
  SetStamp(touchpoint, entry.mutable_stamp());
  entry.set_stage(stage);
  if (probability.has_value()) entry.set_probability_permille(*probability);
  AddToLatest(deal->mutable_stages(), std::move(entry), kMostStages,
              [](const auto& a, const auto& b) { return Earlier(a.stamp(), b.stamp()); });
}

void TellAmount(const Touchpoint& touchpoint, const touchpoint::v1::Money& amount, Deal* deal) {
  if (TakeIfLater(touchpoint, deal->mutable_amount_told())) *deal->mutable_amount() = amount;
}

void TellClose(const Touchpoint& touchpoint, const google::protobuf::Timestamp& at, Deal* deal) {
  if (TakeIfLater(touchpoint, deal->mutable_expected_close_told()))
    *deal->mutable_expected_close_at() = at;
}

void TellOwner(const Touchpoint& touchpoint, const std::string& owner_id,
               state::v1::DealOwner* owner) {
  if (TakeIfLater(touchpoint, owner->mutable_stamp())) owner->set_owner_id(owner_id);
}

void FoldOpened(const Touchpoint& touchpoint, Deal* deal) {
  const auto& opened = touchpoint.deal_opened();
  AddStage(touchpoint,
           opened.stage() == touchpoint::v1::DEAL_STAGE_UNSPECIFIED
               ? touchpoint::v1::DEAL_STAGE_LEAD
               : opened.stage(),
           opened.has_probability_permille() ? std::optional(opened.probability_permille())
                                             : std::nullopt,
           deal);
  if (opened.has_amount()) TellAmount(touchpoint, opened.amount(), deal);
  if (opened.has_expected_close_at()) TellClose(touchpoint, opened.expected_close_at(), deal);
  if (!opened.deal_owner_id().empty())
    TellOwner(touchpoint, opened.deal_owner_id(), deal->mutable_owner());
  if (!TakeIfLater(touchpoint, deal->mutable_opened())) return;
  deal->set_title(opened.title());
  deal->set_kind(opened.kind());
  deal->set_source(opened.source());
  deal->set_referrer_client_id(opened.referrer_client_id());
  deal->set_campaign(opened.campaign());
  *deal->mutable_product_areas() = opened.product_areas();
}

void FoldStageChanged(const Touchpoint& touchpoint, Deal* deal) {
  const auto& changed = touchpoint.deal_stage_changed();
  AddStage(touchpoint, changed.to_stage(),
           changed.has_probability_permille() ? std::optional(changed.probability_permille())
                                              : std::nullopt,
           deal);
  if (changed.has_expected_close_at()) TellClose(touchpoint, changed.expected_close_at(), deal);
  if (changed.has_deal_owner_id())
    TellOwner(touchpoint, changed.deal_owner_id(), deal->mutable_owner());
}

void FoldAmountChanged(const Touchpoint& touchpoint, Deal* deal) {
  const auto& changed = touchpoint.deal_amount_changed();
  if (changed.has_amount()) TellAmount(touchpoint, changed.amount(), deal);
  if (changed.has_expected_close_at()) TellClose(touchpoint, changed.expected_close_at(), deal);
}

void FoldWon(const Touchpoint& touchpoint, Deal* deal) {
  const auto& won = touchpoint.deal_won();
  AddStage(touchpoint, touchpoint::v1::DEAL_STAGE_WON, std::nullopt, deal);
  if (won.has_amount()) TellAmount(touchpoint, won.amount(), deal);
  if (TakeIfLater(touchpoint, deal->mutable_won())) deal->set_contract_id(won.contract_id());
}

void FoldLost(const Touchpoint& touchpoint, Deal* deal) {
  const auto& lost = touchpoint.deal_lost();
  AddStage(touchpoint, touchpoint::v1::DEAL_STAGE_LOST, std::nullopt, deal);
  if (!TakeIfLater(touchpoint, deal->mutable_lost())) return;
  deal->set_loss_reason(lost.reason());
  deal->set_loss_note(lost.note());
  deal->set_competitor(lost.competitor());
}

void FoldRemoved(const Touchpoint& touchpoint, Deal* deal) {
  if (!TakeIfLater(touchpoint, deal->mutable_removed())) return;
  deal->set_removal_reason(touchpoint.deal_removed().reason());
  deal->set_moved_to_client_id(touchpoint.deal_removed().moved_to_client_id());
}

void FoldNextStep(const Touchpoint& touchpoint, Deal* deal) {
  const auto& set = touchpoint.deal_next_step_set();
  if (!TakeIfLater(touchpoint, deal->mutable_next_step_told())) return;
  deal->set_next_step(set.next_step());
  deal->clear_next_step_due_at();
  if (set.has_due_at()) *deal->mutable_next_step_due_at() = set.due_at();
}

// Whether the deal has been in such stages ever since `stamp`, which told one of them.
template <class IsOne>
bool StaysSince(const Deal& deal, const state::v1::Stamp& stamp, IsOne is_one) {
  const auto& stages = deal.stages();
  for (auto entry = stages.rbegin(); entry != stages.rend() && is_one(entry->stage()); ++entry) {
    if (entry->stamp().event_id() == stamp.event_id()) return true;
  }
  return false;
}

// The latest of what was told of where the deal is.
state::v1::Stamp LastTold(const Deal& deal) {
  state::v1::Stamp last = deal.opened();
  const auto take = [&](const state::v1::Stamp& stamp) {
    if (Earlier(last, stamp)) last = stamp;
  };
  if (!deal.stages().empty()) take(deal.stages(deal.stages_size() - 1).stamp());
  take(deal.removed());
  return last;
}

}  // namespace

const std::string* DealIdOf(const Touchpoint& touchpoint) {
  if (touchpoint.has_deal_opened()) return &touchpoint.deal_opened().deal_id();
  if (touchpoint.has_deal_stage_changed()) return &touchpoint.deal_stage_changed().deal_id();
  if (touchpoint.has_deal_amount_changed()) return &touchpoint.deal_amount_changed().deal_id();
  if (touchpoint.has_deal_won()) return &touchpoint.deal_won().deal_id();
  if (touchpoint.has_deal_lost()) return &touchpoint.deal_lost().deal_id();
  if (touchpoint.has_deal_removed()) return &touchpoint.deal_removed().deal_id();
  if (touchpoint.has_deal_next_step_set()) return &touchpoint.deal_next_step_set().deal_id();
  return nullptr;
}

bool DealPipeline::Wants(const Touchpoint& touchpoint) {
  return !touchpoint.client_id().empty() &&
         (touchpoint.has_owner_assigned() || TellsLabel(touchpoint) ||
          DealIdOf(touchpoint) != nullptr);
}

absl::Status DealPipeline::Apply(const FoldContext&, const Touchpoint& touchpoint, const Settings&,
                                 State& state, FoldOutput&) {
  RAPPORT_RETURN_IF_ERROR(CheckEventId(touchpoint));
  if (touchpoint.has_owner_assigned()) {
    TellOwner(touchpoint, touchpoint.owner_assigned().to_owner_id(), state.mutable_client_owner());
    return absl::OkStatus();
  }
  if (TellsLabel(touchpoint)) {
    FoldClientLabel(touchpoint, state.mutable_client_label());
    return absl::OkStatus();
  }
  const std::string* deal_id = DealIdOf(touchpoint);
  Deal* deal = deal_id == nullptr ? nullptr : FindDeal(*deal_id, &state);
  if (deal == nullptr) return absl::OkStatus();
  if (touchpoint.has_deal_opened()) FoldOpened(touchpoint, deal);
  if (touchpoint.has_deal_stage_changed()) FoldStageChanged(touchpoint, deal);
  if (touchpoint.has_deal_amount_changed()) FoldAmountChanged(touchpoint, deal);
  if (touchpoint.has_deal_won()) FoldWon(touchpoint, deal);
  if (touchpoint.has_deal_lost()) FoldLost(touchpoint, deal);
  if (touchpoint.has_deal_removed()) FoldRemoved(touchpoint, deal);
  if (touchpoint.has_deal_next_step_set()) FoldNextStep(touchpoint, deal);
  return absl::OkStatus();
}

void DealPipeline::Index(const State& state, const Settings& settings, IndexWriter& index) {
  for (const Deal& deal : state.deals()) {
    const state::v1::DealRow row = RowOf(state, deal, settings);
    const std::string value = row.SerializeAsString();
    std::string deal_key;
    AppendKeyString(&deal_key, deal.deal_id());
    std::string board_key;
    AppendKeyString(&board_key, row.owner_id());
    AppendBig32(&board_key, static_cast<uint32_t>(row.stage()));
    board_key += deal_key;
    if (!row.removed()) index.Add(kBoardIndex, board_key, value);
    index.Add(kDealIndex, deal_key, value);
  }
}

std::string DealPipeline::Fingerprint(const Settings& settings) {
  return absl::StrJoin(settings.stage_probability_permille, ",");
}

DealStage StageOf(const Deal& deal) {
  return deal.stages().empty() ? touchpoint::v1::DEAL_STAGE_LEAD
                               : deal.stages(deal.stages_size() - 1).stage();
}

bool IsRemoved(const Deal& deal) {
  if (!deal.has_removed()) return false;
  return deal.stages().empty() ||
         Earlier(deal.stages(deal.stages_size() - 1).stamp(), deal.removed());
}

bool IsOpen(const Deal& deal) {
  return StageOf(deal) < touchpoint::v1::DEAL_STAGE_WON && !IsRemoved(deal);
}

bool IsWon(const Deal& deal) {
  return deal.has_won() && StaysSince(deal, deal.won(), [](DealStage stage) {
           return stage >= touchpoint::v1::DEAL_STAGE_WON &&
                  stage < touchpoint::v1::DEAL_STAGE_LOST;
         });
}

bool IsLost(const Deal& deal) {
  return deal.has_lost() && StaysSince(deal, deal.lost(), [](DealStage stage) {
           return stage == touchpoint::v1::DEAL_STAGE_LOST;
         });
}

bool StandsBefore(const state::v1::DealRow& a, const state::v1::DealRow& b) {
  if (a.removed() != b.removed()) return b.removed();
  return Earlier(b.told(), a.told());
}

const std::string& OwnerOf(const DealPipelineState& state, const Deal& deal) {
  return deal.owner().owner_id().empty() ? state.client_owner().owner_id()
                                         : deal.owner().owner_id();
}

state::v1::DealRow RowOf(const DealPipelineState& state, const Deal& deal,
                         const DealPipelineSettings& settings) {
  state::v1::DealRow row;
  row.set_deal_id(deal.deal_id());
  row.set_title(deal.title());
  row.set_kind(deal.kind());
  row.set_client_name(state.client_label().name());
  row.set_owner_id(OwnerOf(state, deal));
  row.set_stage(StageOf(deal));
  if (deal.has_amount()) *row.mutable_amount() = deal.amount();
  if (deal.has_expected_close_at()) *row.mutable_expected_close_at() = deal.expected_close_at();
  if (state::v1::Stamp told = LastTold(deal); IsSet(told)) *row.mutable_told() = std::move(told);
  row.set_removed(IsRemoved(deal));
  row.set_next_step(deal.next_step());
  if (deal.has_next_step_due_at()) *row.mutable_next_step_due_at() = deal.next_step_due_at();
  row.set_source(deal.source());
  row.set_campaign(deal.campaign());
  *row.mutable_product_areas() = deal.product_areas();
  if (IsLost(deal)) row.set_competitor(deal.competitor());
  const auto stage = static_cast<size_t>(row.stage());
  if (stage < settings.stage_probability_permille.size())
    row.set_probability_permille(settings.stage_probability_permille[stage]);
  if (deal.stages().empty()) return row;
  const state::v1::StageEntry& last = deal.stages(deal.stages_size() - 1);
  *row.mutable_stage_since_at() = last.stamp().occurred_at();
  if (last.has_probability_permille()) row.set_probability_permille(last.probability_permille());
  return row;
}

int UsualStageDays(DealStage stage) {
  static constexpr std::array<int, 16> kDays = {0, 14, 7, 14, 14, 21, 14, 21};
  const auto index = static_cast<size_t>(stage);
  return index < kDays.size() ? kDays.at(index) : 0;
}

query::v1::DealSummary SummaryOf(const std::string& client_id, const state::v1::DealRow& row,
                                 absl::Time now) {
  query::v1::DealSummary summary;
  summary.set_deal_id(row.deal_id());
  summary.set_client_id(client_id);
  summary.set_title(row.title());
  summary.set_owner_id(row.owner_id());
  summary.set_stage(row.stage());
  if (row.has_stage_since_at()) *summary.mutable_stage_at() = row.stage_since_at();
  if (row.has_amount()) *summary.mutable_amount() = row.amount();
  summary.set_probability_permille(row.probability_permille());
  if (row.has_expected_close_at()) {
    *summary.mutable_expected_close_at() = row.expected_close_at();
  }
  summary.set_next_step(row.next_step());
  if (row.has_next_step_due_at()) *summary.mutable_next_step_due_at() = row.next_step_due_at();
  summary.set_client_name(row.client_name());
  summary.set_kind(row.kind());
  summary.set_source(row.source());
  summary.set_campaign(row.campaign());
  *summary.mutable_product_areas() = row.product_areas();
  summary.set_competitor(row.competitor());
  const int usual_days = UsualStageDays(row.stage());
  summary.set_usual_stage_days(usual_days);
  if (usual_days == 0) return summary;
  summary.set_long_in_stage(row.has_stage_since_at() &&
                            now - FromProto(row.stage_since_at()) >
                                absl::Hours(24) * usual_days * kLongInStage);
  if (row.has_expected_close_at() && FromProto(row.expected_close_at()) < now) {
    summary.set_past_close(true);
    summary.set_days_past_close(
        static_cast<int32_t>((now - FromProto(row.expected_close_at())) / absl::Hours(24)));
  }
  return summary;
}

}  // namespace rapport
