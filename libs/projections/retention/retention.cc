#include "libs/projections/retention/retention.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fmt/format.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/alert_life.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/risk.h"
#include "libs/projections/stamp.h"
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

std::string Text(const RhythmSettings& rhythm) {
  return fmt::format("{},{},{},{},{},{},{};", rhythm.parameters.r, rhythm.parameters.alpha,
                     rhythm.parameters.a, rhythm.parameters.b, rhythm.weight, rhythm.least,
                     rhythm.most);
}

std::string Text(const OrderRiskSettings& s) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{};", s.parameters.r,
                     s.parameters.alpha, s.parameters.a, s.parameters.b, s.horizon_weeks, s.average,
                     s.silence, s.average_silence, s.value, s.value_currency, s.average_value,
                     s.lines, s.average_lines, s.most_ratio, s.least, s.knee, s.above_knee,
                     absl::ToInt64Seconds(s.least_silence), s.least_gaps);
}

std::string Text(double value) { return fmt::format("{};", value); }
std::string Text(int value) { return fmt::format("{};", value); }
std::string Text(absl::Duration value) { return fmt::format("{};", absl::ToInt64Seconds(value)); }

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
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kErasureRequested:
    case Touchpoint::kAlertAcknowledged:
    case Touchpoint::kAlertSnoozed:
    case Touchpoint::kAlertResolved:
    case Touchpoint::kAlertDismissed:
      return true;
    case Touchpoint::kMeetingCancelled:
    case Touchpoint::kEmailDelivered:
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kTouchpointCorrected:
    case Touchpoint::kClientRegistered:
    case Touchpoint::kClientDetailsChanged:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kConsentGiven:
    case Touchpoint::kConsentWithdrawn:
    case Touchpoint::kNeedIdentified:
    case Touchpoint::kObjectionRaised:
    case Touchpoint::kObjectionSettled:
    case Touchpoint::kDealStageChanged:
    case Touchpoint::kDealAmountChanged:
    case Touchpoint::kTargetSet:
    case Touchpoint::kSentimentObserved:
    case Touchpoint::kOrderShipped:
    case Touchpoint::kOrderCancelled:
    case Touchpoint::kInvoiceIssued:
    case Touchpoint::kPaymentReceived:
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
    life.Judge(std::max(occurred, context.now));
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
  state.set_unsettled(kept->unsettled());
}

void Retention::Rewind(const FoldContext& context, const Settings& settings, State& state,
                       FoldOutput& output) {
  AlertLife(context, settings, &state, &output).Rewind(context.now);
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
  if (state.alert().phase() != state::v1::ALERT_PHASE_OPEN) return;
  state::v1::AtRiskRow row;
  row.set_owner_id(state.factors().owner().owner_id());
  row.set_score(state.alert().score());
  row.set_severity(state.alert().severity());
  *row.mutable_raised_at() = state.alert().raised_at();
  const std::string value = row.SerializeAsString();
  std::string score_key;
  AppendBig32(&score_key, static_cast<uint32_t>(1000 - row.score()));
  std::string owner_key;
  AppendKeyString(&owner_key, row.owner_id());
  index.Add(kAtRiskIndex, score_key, value);
  index.Add(kAtRiskByOwnerIndex, owner_key + score_key, value);
}

std::string Retention::Fingerprint(const Settings& s) {
  const std::string text = absl::StrCat(
      s.model_version, ";", Text(s.prior_points), Text(s.least_repeat_days), Text(s.horizon_gaps),
      Text(s.least_horizon_weeks), Text(s.most_horizon_weeks), Text(s.orders), Text(s.phone),
      Text(s.e_mail), Text(s.meetings), Text(s.chat), Text(s.letters), Text(s.portal),
      absl::StrCat(Text(s.complaint_low), Text(s.complaint_medium), Text(s.complaint_high),
                   Text(s.complaint_critical), Text(s.complaints_most)),
      absl::StrCat(Text(s.commitment_overdue), Text(s.commitment_long_overdue),
                   Text(s.commitments_most), Text(s.commitment_broken),
                   Text(s.commitment_broken_half_life)),
      absl::StrCat(Text(s.mail_unanswered), Text(s.mails_most), Text(s.mail_answer_due),
                   Text(s.mail_forgotten)),
      absl::StrCat(Text(s.satisfaction_fall), Text(s.satisfaction_most),
                   Text(s.satisfaction_expected_permille), Text(s.satisfaction_half_life)),
      absl::StrCat(Text(s.competitor_named), Text(s.competitor_half_life),
                   Text(s.decision_maker_left), Text(s.decision_maker_half_life)),
      absl::StrCat(Text(s.renewal_unplanned), Text(s.renewal_near), Text(s.renewal_over),
                   Text(s.renewal_meeting)),
      absl::StrCat(Text(s.raise_points), Text(s.clear_points), Text(s.high_points),
                   Text(s.critical_points), Text(s.severity_margin)),
      absl::StrCat(Text(s.new_reason_points), Text(s.quiet_after_clear),
                   Text(s.quiet_after_resolve)));
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

RetentionExplanation ExplainRetention(const state::v1::RetentionState& state,
                                      const RetentionSettings& settings, absl::Time now) {
  now = std::max(now, absl::UnixEpoch());
  std::vector<Finding> findings;
  const RiskCurve curve(state.factors(), settings, now, &findings, /*with_texts=*/true);
  const double z = curve.At(absl::ToUnixSeconds(now));
  RetentionExplanation explanation;
  explanation.score = PointsOf(z);
  explanation.alert_score = PointsOf(curve.ForAlertAt(absl::ToUnixSeconds(now)));
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.log_odds > b.log_odds; });
  for (Finding& finding : findings) {
    const int points = explanation.score - PointsOf(z - finding.log_odds);
    if (std::abs(points) < kLeastPoints) continue;
    alert::v1::Reason& reason = explanation.reasons.emplace_back();
    const absl::string_view name = ReasonName(finding.code);
    reason.set_code(name.data(), name.size());
    reason.set_text(std::move(finding.text));
    reason.set_points(points);
    for (std::string& id : finding.touchpoint_ids) reason.add_touchpoint_ids(std::move(id));
  }
  return explanation;
}

std::string RetentionAlertId(absl::string_view client_id, const state::v1::RetentionAlert& alert) {
  return absl::StrCat("retention/", kChurnRiskRule, "/", client_id, "/",
                      alert.closed_by_people() + 1);
}

}  // namespace rapport
