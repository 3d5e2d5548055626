#include "libs/projections/retention/alert_life.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "libs/base/time.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/retention/retention.h"

namespace rapport {
namespace {

using alert::v1::Severity;
using touchpoint::v1::Touchpoint;

constexpr char kAdvice[] = "Call before the client does, and begin with the first reason.";

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

int AlertLife::RaisePoints() const { return Sooner(settings_.raise_points); }
int AlertLife::ClearPoints() const { return Sooner(settings_.clear_points); }

int AlertLife::Sooner(int points) const {
  if (!state_.factors().key_account().flag()) return points;
  return std::max(1, points - settings_.key_account_points);
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
    CloseByPerson(alert::v1::CLEAR_REASON_DISMISSED, state::v1::ALERT_PHASE_DISMISSED, at);
  } else if (touchpoint.has_alert_resolved()) {
    if (!IsPresent(touchpoint.alert_resolved().alert_id())) return;
    const bool lost = touchpoint.alert_resolved().outcome() == touchpoint::v1::ALERT_OUTCOME_LOST;
    CloseByPerson(alert::v1::CLEAR_REASON_RESOLVED,
                  lost ? state::v1::ALERT_PHASE_DISMISSED : state::v1::ALERT_PHASE_QUIET, at);
    ToProto(at + settings_.quiet_after_resolve, state_.mutable_alert()->mutable_quiet_until());
  }
}

void AlertLife::CloseByPerson(alert::v1::ClearReason reason, state::v1::AlertPhase next,
                              absl::Time at) {
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  if (Open()) {
    Clear(reason, next, at);
  } else {
    alert.set_phase(next);
    alert.clear_quiet_until();
  }
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
      Return(at);
    }
  }
  if (!Open() && is_later(alert.has_dismissal_ended_at(), alert.dismissal_ended_at())) {
    alert.set_phase(state::v1::ALERT_PHASE_DISMISSED);
    alert.clear_dismissal_ended_at();
  }
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
}

void AlertLife::Leave(absl::Time at) {
  Clear(alert::v1::CLEAR_REASON_CLIENT_GONE, state::v1::ALERT_PHASE_QUIET, at);
}

void AlertLife::Return(absl::Time at) { Emit(at)->mutable_raised()->set_advice(kAdvice); }

bool AlertLife::WakeStillHolds(const RiskCurve& curve, absl::Time at) const {
  const absl::Time wake = output_.wake;
  if (wake <= at || wake == absl::InfiniteFuture()) return false;
  if (Phase() == state::v1::ALERT_PHASE_DISMISSED || QuietAt(at) || SnoozedAt(at)) return false;
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
      if (!SnoozedAt(at) || IsUntoldNotice(curve)) Update(curve, at);
      if (state_.alert().told_owner_id() != state_.factors().owner().owner_id()) TellUpdate(at);
    }
  } else if (Phase() == state::v1::ALERT_PHASE_DISMISSED && !has_new_notice) {
    if (z < LogOddsOf(ClearPoints())) {
      state_.mutable_alert()->set_phase(state::v1::ALERT_PHASE_QUIET);
      ToProto(at, state_.mutable_alert()->mutable_dismissal_ended_at());
    }
  } else if (!gone && (has_new_notice || (!QuietAt(at) && z >= LogOddsOf(RaisePoints())))) {
    Raise(at);
  }
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
  ToProto(at, alert.mutable_raised_at());
  alert::v1::AlertEvent* event = Emit(at);
  event->mutable_raised()->set_advice(kAdvice);
}

void AlertLife::Update(const RiskCurve& curve, absl::Time at) {
  const double z = curve.At(absl::ToUnixSeconds(at));
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  const bool reminder = alert.has_snoozed_until();
  EndSnooze();
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
  *Emit(at)->mutable_updated() = updated;
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
  Emit(at)->mutable_cleared()->set_reason(reason);
  state::v1::RetentionAlert& alert = *state_.mutable_alert();
  alert.set_phase(next);
  alert.clear_told_reason_codes();
  alert.clear_acknowledged_at();
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
  const absl::Time next = curve.next_change();
  if (Open() && SnoozedAt(at)) return std::min(next, FromProto(state_.alert().snoozed_until()));
  if (QuietAt(at) && !Open()) return std::min(next, FromProto(state_.alert().quiet_until()));
  if (IsGone(state_.factors())) return absl::InfiniteFuture();
  const int points = NextPoints(curve);
  if (points == 0) return next;
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
  if (Phase() == state::v1::ALERT_PHASE_DISMISSED) return 0;
  if (!Open()) return RaisePoints();
  if (curve.notice().has_value() || curve.is_newcomer()) return 0;
  if (state_.alert().severity() < alert::v1::SEVERITY_HIGH) return settings_.high_points;
  if (state_.alert().severity() < alert::v1::SEVERITY_CRITICAL) return settings_.critical_points;
  return 0;
}

Severity AlertLife::SeverityOf(int points, const std::optional<Notice>& notice, bool is_newcomer,
                               Severity before) const {
  if (notice.has_value()) return notice->severity;
  if (is_newcomer) return alert::v1::SEVERITY_MEDIUM;
  const auto at_least = [&](int begin, Severity severity) {
    return points >= begin - (before >= severity ? settings_.severity_margin : 0);
  };
  if (at_least(settings_.critical_points, alert::v1::SEVERITY_CRITICAL))
    return alert::v1::SEVERITY_CRITICAL;
  if (at_least(settings_.high_points, alert::v1::SEVERITY_HIGH)) return alert::v1::SEVERITY_HIGH;
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
  for (alert::v1::Reason& reason : now.reasons) {
    if (reason.points() >= settings_.new_reason_points)
      alert.set_told_reason_codes(alert.told_reason_codes() | BitOf(reason.code()));
    *event.add_reasons() = std::move(reason);
  }
  return &event;
}

}  // namespace rapport
