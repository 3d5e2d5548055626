#include "libs/projections/retention/retention.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fmt/format.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/alert_life.h"
#include "libs/projections/retention/call_list.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/reason_text.h"
#include "libs/projections/retention/reminders.h"
#include "libs/projections/retention/risk.h"
#include "libs/projections/retention/settings_file.h"
#include "libs/projections/retention/signs.h"
#include "libs/projections/stamp.h"
#include "libs/projections/step_order.h"
#include "xxhash.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

// A touchpoint that happened further away than this from the log's clock is not judged at once.
constexpr absl::Duration kLive = absl::Hours(24);
// Reasons that move the score by less are not told.
constexpr int kLeastPoints = 10;

bool IsAlertAction(const Touchpoint& touchpoint) {
  return touchpoint.has_alert_acknowledged() || touchpoint.has_alert_snoozed() ||
         touchpoint.has_alert_resolved() || touchpoint.has_alert_dismissed();
}

// What has happened comes first, since a call can begin with it; then what the client is like; and
// then what speaks against the risk.
int PlaceOf(const Finding& finding) {
  if (finding.log_odds <= 0) return 2;
  const bool trait = finding.code == ReasonCode::kLittleOrdered ||
                     finding.code == ReasonCode::kSmallOrders ||
                     finding.code == ReasonCode::kSingleContact;
  return trait ? 1 : 0;
}

}  // namespace

bool Retention::Wants(const Touchpoint& touchpoint) {
  if (touchpoint.client_id().empty()) return false;
  switch (touchpoint.payload_case()) {
    case Touchpoint::kOrderPlaced:
    case Touchpoint::kCallCompleted:
    case Touchpoint::kEmailExchanged:
    case Touchpoint::kMeetingHeld:
    case Touchpoint::kChatExchanged:
    case Touchpoint::kLetterExchanged:
    case Touchpoint::kPortalUsed:
    case Touchpoint::kComplaintOpened:
    case Touchpoint::kComplaintSettled:
    case Touchpoint::kComplaintRejected:
    case Touchpoint::kCommitmentMade:
    case Touchpoint::kCommitmentMoved:
    case Touchpoint::kCommitmentKept:
    case Touchpoint::kCommitmentBroken:
    case Touchpoint::kSatisfactionScored:
    case Touchpoint::kCompetitorMentioned:
    case Touchpoint::kStakeholderAdded:
    case Touchpoint::kStakeholderChanged:
    case Touchpoint::kStakeholderLeft:
    case Touchpoint::kContractSigned:
    case Touchpoint::kContractRenewed:
    case Touchpoint::kContractTerminated:
    case Touchpoint::kDealOpened:
    case Touchpoint::kDealWon:
    case Touchpoint::kDealLost:
    case Touchpoint::kDealRemoved:
    case Touchpoint::kOwnerAssigned:
    case Touchpoint::kClientRegistered:
    case Touchpoint::kClientDetailsChanged:
    case Touchpoint::kMeetingCancelled:
    case Touchpoint::kMeetingPlanned:
    case Touchpoint::kMeetingMoved:
    case Touchpoint::kConsentGiven:
    case Touchpoint::kConsentWithdrawn:
    case Touchpoint::kObjectionRaised:
    case Touchpoint::kObjectionSettled:
    case Touchpoint::kSentimentObserved:
    case Touchpoint::kOrderShipped:
    case Touchpoint::kOrderCancelled:
    case Touchpoint::kInvoiceIssued:
    case Touchpoint::kPaymentReceived:
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kErasureRequested:
    case Touchpoint::kAlertAcknowledged:
    case Touchpoint::kAlertSnoozed:
    case Touchpoint::kAlertResolved:
    case Touchpoint::kAlertDismissed:
      return true;
    case Touchpoint::kEmailDelivered:
    case Touchpoint::kNoteTaken:
    case Touchpoint::kDealNextStepSet:
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kTouchpointCorrected:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kIdentifierUnlinked:
    case Touchpoint::kClientsDistinguished:
    case Touchpoint::kNeedIdentified:
    case Touchpoint::kDealStageChanged:
    case Touchpoint::kDealAmountChanged:
    case Touchpoint::kTargetSet:
    case Touchpoint::kDeadLetterRetried:
    case Touchpoint::kDeadLetterSkipped:
    case Touchpoint::kClockAdvanced:
    case Touchpoint::kClockCorrected:
    case Touchpoint::PAYLOAD_NOT_SET:
      return false;
  }
  return false;
}

absl::Status Retention::Apply(const FoldContext& context, const Touchpoint& touchpoint,
                              const Settings& settings, State& state, FoldOutput& output) {
  RAPPORT_RETURN_IF_ERROR(CheckEventId(touchpoint));
  FoldRiskFactors(touchpoint, state.mutable_factors());
  AlertLife life(context, settings, &state, &output);
  const absl::Time occurred = FromProto(touchpoint.occurred_at());
  if (IsAlertAction(touchpoint) && occurred >= context.retelling_since) life.Act(touchpoint);
  if (context.retelling()) return absl::OkStatus();
  const bool live = occurred > context.now - kLive && occurred < context.now + kLive;
  if (!live) state.set_unsettled(true);
  if (state.unsettled()) {
    output.wake = std::min(output.wake, std::max(context.now, absl::UnixEpoch()));
  } else {
    const absl::Time at = std::max(occurred, context.now);
    life.Judge(at);
    Remind(context, settings, at, &state, &output);
  }
  return absl::OkStatus();
}

void Retention::Wake(const FoldContext& context, absl::Time due, const Settings& settings,
                     State& state, FoldOutput& output) {
  absl::Time at = state.unsettled() ? context.now : due;
  state.clear_unsettled();
  AlertLife life(context, settings, &state, &output);
  while (true) {
    output.wake = absl::InfiniteFuture();
    life.Judge(at);
    Remind(context, settings, at, &state, &output);
    if (output.wake > context.now) return;
    at = output.wake;
  }
}

void Retention::CarryOver(const FoldContext& context, const Settings& settings, const State& before,
                          const State* kept, State& state, FoldOutput& output) {
  const auto open_alert = [](const State* of) {
    const bool open = of != nullptr && of->alert().phase() == state::v1::ALERT_PHASE_OPEN;
    return open ? absl::ToUnixMicros(FromProto(of->alert().raised_at())) : 0;
  };
  const absl::Time at = std::max(context.now, context.retelling_since);
  if (open_alert(&before) != open_alert(kept)) {
    // On copies: what is told must not show in the state.
    if (open_alert(&before) != 0) {
      State left = before;
      AlertLife(context, settings, &left, &output).Leave(at);
    }
    if (open_alert(kept) != 0) {
      State back = *kept;
      AlertLife(context, settings, &back, &output).Return(at);
    }
  }
  if (kept == nullptr) return;
  if (kept->has_alert()) *state.mutable_alert() = kept->alert();
  *state.mutable_told_reminders() = kept->told_reminders();
  state.set_unsettled(kept->unsettled());
}

void Retention::Rewind(const FoldContext& context, const Settings& settings, State& state,
                       FoldOutput& output) {
  AlertLife(context, settings, &state, &output).Rewind(context.now);
  RewindReminders(context.now, &state);
  state.set_unsettled(true);
  output.wake = context.now;
}

void Retention::Tell(const FoldContext& context, const Settings& settings, const State& state,
                     FoldOutput& output) {
  if (state.alert().phase() != state::v1::ALERT_PHASE_OPEN) return;
  State told = state;
  AlertLife(context, settings, &told, &output).Return(std::max(context.now, absl::UnixEpoch()));
  output.effects.back().set_severity(state.alert().severity());
  output.effects.back().set_score(state.alert().score());
}

void Retention::Index(const State& state, const Settings& settings, IndexWriter& index) {
  IndexCallList(state, index);
  if (state.alert().phase() != state::v1::ALERT_PHASE_OPEN) return;
  state::v1::AtRiskRow row;
  row.set_owner_id(state.factors().owner().owner_id());
  row.set_score(state.alert().score());
  row.set_severity(state.alert().severity());
  *row.mutable_raised_at() = state.alert().raised_at();
  const std::string value = row.SerializeAsString();
  const std::optional<Money> yearly = YearlyValueOf(state.factors());
  const int64_t loss = yearly.has_value() ? ExpectedLoss(*yearly, row.score()).minor_units : 0;
  std::string score_key;
  AppendBig32(&score_key, static_cast<uint32_t>(1000 - row.score()));
  std::string loss_key;
  AppendOrdered64(&loss_key, -loss);
  std::string owner_key;
  AppendKeyString(&owner_key, row.owner_id());
  index.Add(kAtRiskIndex, score_key, value);
  index.Add(kAtRiskByOwnerIndex, owner_key + score_key, value);
  index.Add(kAtRiskByLossIndex, loss_key, value);
  index.Add(kAtRiskByOwnerAndLossIndex, owner_key + loss_key, value);
}

std::string Retention::Fingerprint(const Settings& settings) {
  const std::string text = SettingsText(settings);
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

RetentionExplanation ExplainRetention(const state::v1::RetentionState& state,
                                      const RetentionSettings& settings, absl::Time now) {
  now = std::max(now, absl::UnixEpoch());
  std::vector<Finding> findings;
  const RiskCurve curve(state.factors(), settings, now, &findings, /*with_facts=*/true);
  const double z = curve.At(absl::ToUnixSeconds(now));
  RetentionExplanation explanation;
  explanation.score = PointsOf(z);
  explanation.notice = curve.notice();
  explanation.is_newcomer = curve.is_newcomer();
  explanation.yearly_value = YearlyValueOf(state.factors());
  explanation.alert_score = PointsOf(curve.ForAlertAt(absl::ToUnixSeconds(now)));
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::pair(PlaceOf(a), -a.log_odds) < std::pair(PlaceOf(b), -b.log_odds);
  });
  for (Finding& finding : findings) {
    const int points = explanation.score - PointsOf(z - finding.log_odds);
    if (std::abs(points) < kLeastPoints) continue;
    alert::v1::Reason& reason = explanation.reasons.emplace_back();
    const absl::string_view name = ReasonName(finding.code);
    reason.set_code(name.data(), name.size());
    reason.set_text(ReasonText(finding.code, finding.facts, points < 0));
    reason.set_points(points);
    *reason.mutable_facts() = std::move(finding.facts);
    for (std::string& id : finding.touchpoint_ids) reason.add_touchpoint_ids(std::move(id));
  }
  return explanation;
}

std::vector<query::v1::PromisePrice> PriceOfPromises(const state::v1::RetentionState& state,
                                                     const RetentionSettings& settings,
                                                     absl::Time now) {
  state::v1::RiskFactors factors = state.factors();
  std::vector<state::v1::CommitmentFactor*> open;
  for (auto& commitment : *factors.mutable_commitments()) {
    if (!IsOpenPromise(commitment) || FromProto(commitment.due_at()) <= now) continue;
    open.push_back(&commitment);
    commitment.set_end(state::v1::COMMITMENT_END_KEPT);
  }
  std::stable_sort(open.begin(), open.end(), [](const auto* a, const auto* b) {
    return CompareTimes(a->due_at(), b->due_at()) < 0;
  });
  std::vector<query::v1::PromisePrice> prices;
  for (state::v1::CommitmentFactor* commitment : open) {
    query::v1::PromisePrice& price = prices.emplace_back();
    price.set_commitment_id(commitment->commitment_id());
    *price.mutable_due_at() = commitment->due_at();
    const absl::Time after = FromProto(commitment->due_at()) + absl::Minutes(1);
    const auto score = [&] {
      return PointsOf(RiskCurve(factors, settings, after).At(absl::ToUnixSeconds(after)));
    };
    price.set_score_if_kept(score());
    commitment->clear_end();
    price.set_score_if_failed(score());
    commitment->set_end(state::v1::COMMITMENT_END_KEPT);
  }
  return prices;
}

std::string RetentionAlertId(absl::string_view client_id, const state::v1::RetentionAlert& alert) {
  return absl::StrCat("retention/", kChurnRiskRule, "/", client_id, "/",
                      alert.closed_by_people() + 1);
}

}  // namespace rapport
