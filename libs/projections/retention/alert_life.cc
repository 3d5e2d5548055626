#include "libs/projections/retention/alert_life.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "libs/base/time.h"
#include "libs/projections/retention/client_value.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/remedies.h"
#include "libs/projections/retention/retention.h"

namespace rapport {
namespace {

using alert::v1::Severity;
using touchpoint::v1::Touchpoint;

uint64_t BitOf(ReasonCode code) { return uint64_t{1} << static_cast<int>(code); }

uint64_t BitOf(absl::string_view name) {
  for (int code = 0; code < kReasonCodes; ++code)
    if (ReasonName(static_cast<ReasonCode>(code)) == name) return uint64_t{1} << code;
  return 0;
}

}  // namespace

bool AlertLife::QuietAt(absl::Time at) const {
  return state_.alert().has_quiet_until() && at < FromProto(state_.alert().quiet_until());
}

bool AlertLife::SnoozedAt(absl::Time at) const {
  return state_.alert().has_snoozed_until() && at < FromProto(state_.alert().snoozed_until());
}

AlertLife::SeverePoints AlertLife::SeverePointsNow() const {
  constexpr int64_t kMinorUnits = 100;
  constexpr int64_t kMostPoints = 1000;
  SeverePoints severe = {settings_.high_points, settings_.critical_points};
  const std::optional<Money> yearly = YearlyValueOf(state_.factors());
  if (!yearly.has_value()) return severe;
  // The least score of which the expected loss is so much.
  const auto sooner = [&](int64_t loss_value, int points) {
    const auto lost = static_cast<__int128>(loss_value) * kMinorUnits * kMostPoints;
    const auto by_loss = (lost + yearly->minor_units - 1) / yearly->minor_units;
    return by_loss < points ? std::max(1, static_cast<int>(by_loss)) : points;
  };
  severe.high = sooner(settings_.loss_high_value, severe.high);
  severe.critical = sooner(settings_.loss_critical_value, severe.critical);
  return severe;
}

// By its number; or, as ids once were, by when it was raised.
bool AlertLife::IsPresent(absl::string_view alert_id) const {
  const state::v1::RetentionAlert& alert = state_.alert();
  const std::string present = RetentionAlertId(context_.client_id, alert);
  if (alert_id == present) return true;
  const size_t number = present.rfind('/') + 1;
  if (!absl::StartsWith(alert_id, absl::string_view(present).substr(0, number))) return false;
  absl::Time raised;
  if (!absl::ParseTime("%Y%m%dT%H%M%SZ", alert_id.substr(number), &raised, nullptr)) return false;
  return !alert.has_closed_by_people_at() || raised > FromProto(alert.closed_by_people_at());
}

void AlertLife::Act(const Touchpoint& touchpoint) {
  const absl::Time at = FromProto(touchpoint.occurred_at());
  if (touchpoint.has_alert_acknowledged()) {
    if (!Open() || !IsPresent(touchpoint.alert_acknowledged().alert_id())) return;
    *state_.mutable_alert()->mutable_acknowledged_at() = touchpoint.occurred_at();
  } else if (touchpoint.has_alert_snoozed()) {
    const auto& snoozed = touchpoint.alert_snoozed();
    if (!IsPresent(snoozed.alert_id())) return;
    state::v1::RetentionAlert& alert = *state_.mutable_alert();
    if (Open()) {
      *alert.mutable_snoozed_until() = snoozed.snoozed_until();
    } else if (!QuietAt(FromProto(snoozed.snoozed_until()))) {
      // By another model it was open: nor is it to be heard of by this one before.
      *alert.mutable_quiet_until() = snoozed.snoozed_until();
    }
  } else if (touchpoint.has_alert_dismissed()) {
    if (!IsPresent(touchpoint.alert_dismissed().alert_id())) return;
    alert::v1::AlertCleared cleared;
    cleared.set_reason(alert::v1::CLEAR_REASON_DISMISSED);
    cleared.set_dismissal_reason(touchpoint.alert_dismissed().reason());
    cleared.set_note(touchpoint.alert_dismissed().note());
    CloseByPerson(std::move(cleared), touchpoint, state::v1::ALERT_PHASE_DISMISSED, at);
  } else if (touchpoint.has_alert_resolved()) {
    if (!IsPresent(touchpoint.alert_resolved().alert_id())) return;
    const bool lost = touchpoint.alert_resolved().outcome() == touchpoint::v1::ALERT_OUTCOME_LOST;
    alert::v1::AlertCleared cleared;
    cleared.set_reason(alert::v1::CLEAR_REASON_RESOLVED);
    cleared.set_outcome(touchpoint.alert_resolved().outcome());
    cleared.set_note(touchpoint.alert_resolved().note());
    CloseByPerson(std::move(cleared), touchpoint,
                  lost ? state::v1::ALERT_PHASE_DISMISSED : state::v1::ALERT_PHASE_QUIET, at);
    ToProto(at + settings_.quiet_after_resolve, state_.mutable_alert()->mutable_quiet_until());
  }
}

void AlertLife::CloseByPerson(alert::v1::AlertCleared cleared, const Touchpoint& touchpoint,
                              state::v1::AlertPhase next, absl::Time at) {
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  cleared.set_agent_id(touchpoint.agent_id());
  if (Open()) {
    Clear(cleared, next, at);
  } else {
    alert.set_phase(next);
    alert.clear_quiet_until();
    alert.clear_told_reason_codes();
  }
  alert.clear_reached_at();
  alert.clear_cleared_at();
  alert.clear_dismissal_ended_at();
  alert.clear_snooze_ended_at();
  alert.set_closed_by_people(alert.closed_by_people() + 1);
  ToProto(at, alert.mutable_closed_by_people_at());
}

void AlertLife::Rewind(absl::Time at) {
  if (!state_.has_alert()) return;
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  const auto is_later = [at](bool has, const google::protobuf::Timestamp& time) {
    return has && FromProto(time) > at;
  };
  const bool raised_later = is_later(alert.has_raised_at(), alert.raised_at());
  const bool cleared_later = is_later(alert.has_cleared_at(), alert.cleared_at());
  if (Open() && raised_later) {
    const state::v1::RetentionAlert before = alert;
    Clear(alert::v1::CLEAR_REASON_CLOCK_CORRECTED, state::v1::ALERT_PHASE_QUIET, at);
    alert.clear_cleared_at();
    // The quiet after an alert that went away later has not begun. One that was open until then is
    // raised again at the next judgement, as the same alert.
    if (before.has_quiet_until() && !cleared_later) {
      *alert.mutable_quiet_until() = before.quiet_until();
      if (before.has_cleared_at()) *alert.mutable_cleared_at() = before.cleared_at();
    }
  } else if (!Open() && cleared_later) {
    alert.clear_cleared_at();
    alert.clear_quiet_until();
    if (!raised_later) {
      alert.set_phase(state::v1::ALERT_PHASE_OPEN);
      ToProto(at, alert.mutable_unattended_since());
      ToProto(at, alert.mutable_told_at());
      Return(at);
    }
  }
  if (!Open() && is_later(alert.has_dismissal_ended_at(), alert.dismissal_ended_at())) {
    alert.set_phase(state::v1::ALERT_PHASE_DISMISSED);
    alert.clear_dismissal_ended_at();
  }
  if (is_later(alert.has_escalated_at(), alert.escalated_at())) alert.clear_escalated_at();
  if (is_later(alert.has_reached_at(), alert.reached_at())) alert.clear_reached_at();
  if (Open() && is_later(alert.has_snooze_ended_at(), alert.snooze_ended_at())) {
    *alert.mutable_snoozed_until() = alert.snooze_ended_at();
    alert.clear_snooze_ended_at();
  }
}

void AlertLife::Judge(absl::Time at) {
  if (!Open()) TellHandover(at);
  const RiskCurve curve(state_.factors(), settings_, at);
  if (!Open() && WakeStillHolds(curve, at)) return;
  Move(curve, at);
  if (!WakeStillHolds(curve, at)) output_.wake = NextWake(curve, at);
  if (Open()) output_.wake = std::min({output_.wake, EscalatesAt(), ExpiresAt()});
}

void AlertLife::Leave(absl::Time at) {
  Clear(alert::v1::CLEAR_REASON_CLIENT_GONE, state::v1::ALERT_PHASE_QUIET, at);
}

void AlertLife::Return(absl::Time at) {
  alert::v1::AlertEvent* const event = EmitOpen(at);
  event->mutable_raised()->set_advice(event->next_step().text());
}

bool AlertLife::WakeStillHolds(const RiskCurve& curve, absl::Time at) const {
  const absl::Time wake = output_.wake;
  if (wake <= at || wake == absl::InfiniteFuture()) return false;
  if (Phase() == state::v1::ALERT_PHASE_DISMISSED || Phase() == state::v1::ALERT_PHASE_EXPIRED ||
      QuietAt(at) || SnoozedAt(at) || state_.alert().has_reached_at()) {
    return false;
  }
  // An open alert may be cleared by what fades; for the others only what grows is of interest.
  if (Open() && wake > curve.next_change()) return false;
  const double most_later = wake > curve.next_change() ? curve.pending() : 0;
  const int points = NextPoints(curve);
  const int64_t then = absl::ToUnixSeconds(wake);
  const double z = Open() ? curve.At(then) : curve.ForAlertAt(then);
  return points == 0 || z + most_later < LogOddsOf(points);
}

void AlertLife::Move(const RiskCurve& curve, absl::Time at) {
  const bool gone = IsGone(state_.factors());
  const double z = curve.ForAlertAt(absl::ToUnixSeconds(at));
  const bool has_new_notice = HasNewNotice(curve);
  if (Open()) {
    if (gone) {
      Clear(alert::v1::CLEAR_REASON_CLIENT_GONE, state::v1::ALERT_PHASE_QUIET, at);
    } else if (z < LogOddsOf(ClearPoints())) {
      Clear(alert::v1::CLEAR_REASON_BELOW_THRESHOLD, state::v1::ALERT_PHASE_QUIET, at);
      ToProto(at + settings_.quiet_after_clear, state_.mutable_alert()->mutable_quiet_until());
    } else {
      if (!SnoozedAt(at) || IsUntoldNotice(curve) || IsGraver(curve, at)) Update(curve, at);
      if (state_.alert().told_owner_id() != state_.factors().owner().owner_id()) TellUpdate(at);
      if (at >= ExpiresAt()) {
        Expire(at);
      } else if (at >= EscalatesAt()) {
        Escalate(at);
      }
    }
  } else if (Phase() == state::v1::ALERT_PHASE_DISMISSED && !has_new_notice) {
    if (z < LogOddsOf(ClearPoints())) {
      state_.mutable_alert()->set_phase(state::v1::ALERT_PHASE_QUIET);
      ToProto(at, state_.mutable_alert()->mutable_dismissal_ended_at());
    }
  } else if (Phase() == state::v1::ALERT_PHASE_EXPIRED && !has_new_notice) {
    if (z < LogOddsOf(ClearPoints())) {
      state_.mutable_alert()->set_phase(state::v1::ALERT_PHASE_QUIET);
      state_.mutable_alert()->clear_told_reason_codes();
    } else if (!gone && z >= LogOddsOf(RaisePoints()) &&
               HasNewReason(curve.At(absl::ToUnixSeconds(at)), at)) {
      Raise(at);
    }
  } else if (!gone && has_new_notice) {
    Raise(at);
  } else if (!gone && !QuietAt(at) && z >= LogOddsOf(RaisePoints())) {
    RaiseIfHeld(at);
  } else if (state_.alert().has_reached_at()) {
    state_.mutable_alert()->clear_reached_at();
  }
}

void AlertLife::RaiseIfHeld(absl::Time at) {
  if (settings_.dwell == absl::ZeroDuration()) return Raise(at);
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  if (!alert.has_reached_at()) ToProto(at, alert.mutable_reached_at());
  if (at >= FromProto(alert.reached_at()) + settings_.dwell) Raise(at);
}

bool AlertLife::IsUnattended() const {
  const state::v1::RetentionAlert& alert = state_.alert();
  return Open() && !alert.has_acknowledged_at() && !alert.has_snoozed_until();
}

absl::Time AlertLife::EscalatesAt() const {
  const state::v1::RetentionAlert& alert = state_.alert();
  if (!IsUnattended() || alert.has_escalated_at() || !alert.has_unattended_since()) {
    return absl::InfiniteFuture();
  }
  const absl::Duration after =
      alert.severity() == alert::v1::SEVERITY_CRITICAL ? settings_.escalate_critical_after
      : alert.severity() == alert::v1::SEVERITY_HIGH   ? settings_.escalate_high_after
                                                       : settings_.escalate_medium_after;
  return FromProto(alert.unattended_since()) + after;
}

absl::Time AlertLife::ExpiresAt() const {
  if (!IsUnattended() || !state_.alert().has_told_at()) return absl::InfiniteFuture();
  return FromProto(state_.alert().told_at()) + settings_.expires_after;
}

void AlertLife::Escalate(absl::Time at) {
  alert::v1::AlertEscalated escalated;
  *escalated.mutable_unattended_since() = state_.alert().unattended_since();
  *Emit(at)->mutable_escalated() = std::move(escalated);
  ToProto(at, state_.mutable_alert()->mutable_escalated_at());
}

void AlertLife::Expire(absl::Time at) {
  const uint64_t told = state_.alert().told_reason_codes();
  Clear(alert::v1::CLEAR_REASON_EXPIRED, state::v1::ALERT_PHASE_EXPIRED, at);
  // What is new since is told by what was known.
  state_.mutable_alert()->set_told_reason_codes(told);
}

bool AlertLife::IsGraver(const RiskCurve& curve, absl::Time at) const {
  const Severity before = state_.alert().severity();
  return SeverityOf(PointsOf(curve.At(absl::ToUnixSeconds(at))), curve.notice(),
                    curve.is_newcomer(), before) > before;
}

bool AlertLife::IsUntoldNotice(const RiskCurve& curve) const {
  return curve.notice().has_value() &&
         (state_.alert().told_reason_codes() & BitOf(ReasonCode::kNoticeGiven)) == 0;
}

bool AlertLife::HasNewNotice(const RiskCurve& curve) const {
  if (!curve.notice().has_value()) return false;
  const state::v1::RetentionAlert& alert = state_.alert();
  const absl::Time given_at = curve.notice()->given_at;
  return !(alert.has_closed_by_people_at() && given_at <= FromProto(alert.closed_by_people_at())) &&
         !(alert.has_cleared_at() && given_at <= FromProto(alert.cleared_at()));
}

void AlertLife::Raise(absl::Time at) {
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  alert.set_phase(state::v1::ALERT_PHASE_OPEN);
  alert.clear_severity();
  alert.clear_told_reason_codes();
  alert.clear_reached_at();
  alert.clear_escalated_at();
  ToProto(at, alert.mutable_raised_at());
  ToProto(at, alert.mutable_unattended_since());
  ToProto(at, alert.mutable_told_at());
  Return(at);
}

void AlertLife::Update(const RiskCurve& curve, absl::Time at) {
  const double z = curve.At(absl::ToUnixSeconds(at));
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  const bool reminder = alert.has_snoozed_until();
  EndSnooze();
  if (reminder) {
    ToProto(at, alert.mutable_unattended_since());
    alert.clear_escalated_at();
  }
  const Severity severity =
      SeverityOf(PointsOf(z), curve.notice(), curve.is_newcomer(), alert.severity());
  if (!reminder && severity == alert.severity() && !IsUntoldNotice(curve) && !HasNewReason(z, at))
    return;
  TellUpdate(at);
}

void AlertLife::TellHandover(absl::Time at) {
  const std::string& owner = state_.factors().owner().owner_id();
  if (!state_.has_alert() || !state_.alert().has_raised_at() ||
      state_.alert().told_owner_id() == owner) {
    return;
  }
  state_.mutable_alert()->set_told_owner_id(owner);
  alert::v1::AlertEvent& event = output_.effects.emplace_back();
  event.set_alert_id(RetentionAlertId(context_.client_id, state_.alert()));
  event.set_client_id(context_.client_id.data(), context_.client_id.size());
  event.set_owner_id(owner);
  event.set_rule(kChurnRiskRule);
  ToProto(at, event.mutable_at());
  event.set_severity(state_.alert().severity());
  event.set_score(state_.alert().score());
  event.set_model_version(settings_.model_version);
  event.mutable_handed_over();
}

void AlertLife::TellUpdate(absl::Time at) {
  alert::v1::AlertUpdated updated;
  updated.set_previous_score(state_.alert().score());
  updated.set_previous_severity(state_.alert().severity());
  *EmitOpen(at)->mutable_updated() = updated;
  ToProto(at, state_.mutable_alert()->mutable_told_at());
}

bool AlertLife::HasNewReason(double z, absl::Time at) const {
  std::vector<Finding> findings;
  const RiskCurve curve(state_.factors(), settings_, at, &findings);
  for (const Finding& finding : findings) {
    if ((state_.alert().told_reason_codes() & BitOf(finding.code)) == 0 &&
        PointsOf(z) - PointsOf(z - finding.log_odds) >= settings_.new_reason_points)
      return true;
  }
  return false;
}

void AlertLife::Clear(alert::v1::ClearReason reason, state::v1::AlertPhase next, absl::Time at) {
  alert::v1::AlertCleared cleared;
  cleared.set_reason(reason);
  Clear(cleared, next, at);
}

void AlertLife::Clear(const alert::v1::AlertCleared& cleared, state::v1::AlertPhase next,
                      absl::Time at) {
  *Emit(at)->mutable_cleared() = cleared;
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  alert.set_phase(next);
  alert.clear_told_reason_codes();
  alert.clear_acknowledged_at();
  alert.clear_unattended_since();
  alert.clear_escalated_at();
  alert.clear_told_at();
  EndSnooze();
  alert.clear_quiet_until();
  ToProto(at, alert.mutable_cleared_at());
}

void AlertLife::EndSnooze() {
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  if (!alert.has_snoozed_until()) return;
  *alert.mutable_snooze_ended_at() = alert.snoozed_until();
  alert.clear_snoozed_until();
}

absl::Time AlertLife::NextWake(const RiskCurve& curve, absl::Time at) const {
  const absl::Time next =
      Open() && SnoozedAt(at)
          ? std::min(curve.next_change(), FromProto(state_.alert().snoozed_until()))
          : curve.next_change();
  if (QuietAt(at) && !Open()) return std::min(next, FromProto(state_.alert().quiet_until()));
  if (IsGone(state_.factors())) return absl::InfiniteFuture();
  const int points = NextPoints(curve);
  if (points == 0) return next;
  if (!Open() && state_.alert().has_reached_at()) {
    return std::min(next, FromProto(state_.alert().reached_at()) + settings_.dwell);
  }
  const double z = LogOddsOf(points);
  if (!Open()) {
    // Nothing that changes before the alert could be raised at the earliest is worth a timer.
    const double earliest = z - curve.pending();
    if (curve.ForAlertAt(absl::ToUnixSeconds(at)) < earliest) {
      const absl::Time wake = curve.FirstForAlert(earliest, at, absl::InfiniteFuture())
                                  .value_or(absl::InfiniteFuture());
      if (wake > next || curve.pending() == 0) return wake;
    }
  }
  const std::optional<absl::Time> first =
      Open() ? curve.FirstAtOrAbove(z, at, next) : curve.FirstForAlert(z, at, next);
  return std::min(next, first.value_or(absl::InfiniteFuture()));
}

int AlertLife::NextPoints(const RiskCurve& curve) const {
  if (Phase() == state::v1::ALERT_PHASE_DISMISSED || Phase() == state::v1::ALERT_PHASE_EXPIRED) {
    return 0;
  }
  if (!Open()) return RaisePoints();
  if (curve.notice().has_value() || curve.is_newcomer()) return 0;
  const Severity severity = state_.alert().severity();
  const SeverePoints severe = SeverePointsNow();
  if (severity < alert::v1::SEVERITY_HIGH) return std::min(severe.high, severe.critical);
  return severity < alert::v1::SEVERITY_CRITICAL ? severe.critical : 0;
}

Severity AlertLife::SeverityOf(int points, const std::optional<Notice>& notice, bool is_newcomer,
                               Severity before) const {
  if (notice.has_value()) return notice->severity;
  if (is_newcomer) return alert::v1::SEVERITY_MEDIUM;
  const auto at_least = [&](int begin, Severity severity) {
    return points >= begin - (before >= severity ? settings_.severity_margin : 0);
  };
  const SeverePoints severe = SeverePointsNow();
  if (at_least(severe.critical, alert::v1::SEVERITY_CRITICAL)) return alert::v1::SEVERITY_CRITICAL;
  if (at_least(severe.high, alert::v1::SEVERITY_HIGH)) return alert::v1::SEVERITY_HIGH;
  return alert::v1::SEVERITY_MEDIUM;
}

alert::v1::AlertEvent* AlertLife::Emit(absl::Time at) {
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  RetentionExplanation now = ExplainRetention(state_, settings_, at);
  alert.set_severity(SeverityOf(now.score, now.notice, now.is_newcomer, alert.severity()));
  alert.set_score(now.score);
  alert::v1::AlertEvent& event = output_.effects.emplace_back();
  event.set_alert_id(RetentionAlertId(context_.client_id, alert));
  event.set_client_id(context_.client_id.data(), context_.client_id.size());
  event.set_owner_id(state_.factors().owner().owner_id());
  alert.set_told_owner_id(event.owner_id());
  event.set_rule(kChurnRiskRule);
  ToProto(at, event.mutable_at());
  event.set_severity(alert.severity());
  event.set_score(alert.score());
  event.set_model_version(settings_.model_version);
  event.set_client_name(state_.factors().label().name());
  event.set_key_account(state_.factors().key_account().flag());
  if (now.yearly_value.has_value()) {
    *event.mutable_yearly_value() = ProtoOf(*now.yearly_value);
    *event.mutable_expected_loss() = ProtoOf(ExpectedLoss(*now.yearly_value, now.score));
  }
  for (alert::v1::Reason& reason : now.reasons) {
    if (reason.points() >= settings_.new_reason_points)
      alert.set_told_reason_codes(alert.told_reason_codes() | BitOf(reason.code()));
    *event.add_reasons() = std::move(reason);
  }
  return &event;
}

alert::v1::AlertEvent* AlertLife::EmitOpen(absl::Time at) {
  alert::v1::AlertEvent* const event = Emit(at);
  if (!context_.effects_leave) return event;
  Advice advice = AdviceFor(state_.factors(), settings_, at);
  if (advice.would_clear) *event->mutable_would_clear() = *std::move(advice.would_clear);
  if (advice.next_step) *event->mutable_next_step() = *std::move(advice.next_step);
  return event;
}

}  // namespace rapport
