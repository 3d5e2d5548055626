#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/projection.h"
#include "libs/projections/retention/risk.h"
#include "libs/projections/retention/settings.h"
#include "rapport/state/v1/retention.pb.h"

namespace rapport {

// Moves the alert of one client through its life, during one call of the projection.
class AlertLife {
 public:
  AlertLife(const FoldContext& context, const RetentionSettings& settings,
            state::v1::RetentionState* state, FoldOutput* output)
      : context_(context), settings_(settings), state_(*state), output_(*output) {}

  // What a person did about the client's alert, open or not by this model: what was decided holds.
  // Nothing when it names another alert than the present one.
  void Act(const touchpoint::v1::Touchpoint& touchpoint);

  // Judges the risk at `at`: raises, updates or clears, and sets output.wake to the next moment
  // that may change something, or a moment before it; always after `at`.
  void Judge(absl::Time at);

  // The clock had been ahead, and the true time is `at`.
  void Rewind(absl::Time at);

  // The open alert is closed, since the client goes on otherwise than it stood.
  void Leave(absl::Time at);
  // The open alert, which readers hold for closed, is open again.
  void Return(absl::Time at);

 private:
  bool Open() const { return Phase() == state::v1::ALERT_PHASE_OPEN; }
  state::v1::AlertPhase Phase() const { return state_.alert().phase(); }
  // The thresholds for this client.
  int RaisePoints() const { return RaisePointsOf(state_.factors(), settings_); }
  int ClearPoints() const { return ClearPointsOf(state_.factors(), settings_); }
  // From how many points on an alert is HIGH, and CRITICAL: fewer where much stands to be lost.
  struct SeverePoints {
    int high = 0;
    int critical = 0;
  };
  SeverePoints SeverePointsNow() const;
  bool QuietAt(absl::Time at) const;
  bool SnoozedAt(absl::Time at) const;
  // Whether nothing can happen from `at` until output.wake, as it stands.
  bool WakeStillHolds(const RiskCurve& curve, absl::Time at) const;
  void Move(const RiskCurve& curve, absl::Time at);
  // Whether the open alert is graver than it was told last.
  bool IsGraver(const RiskCurve& curve, absl::Time at) const;
  // Whether the client has given notice, and the open alert has not told it yet.
  bool IsUntoldNotice(const RiskCurve& curve) const;
  // Whether the client has given notice after all that was decided about its alerts so far.
  bool HasNewNotice(const RiskCurve& curve) const;
  void Raise(absl::Time at);
  // Raises once the score has held for long enough.
  void RaiseIfHeld(absl::Time at);
  // Since nobody has taken the open alert on. When it is to go to the lead, and when it expires;
  // InfiniteFuture when neither is to be.
  bool IsUnattended() const;
  absl::Time EscalatesAt() const;
  absl::Time ExpiresAt() const;
  void Escalate(absl::Time at);
  void Expire(absl::Time at);
  void Update(const RiskCurve& curve, absl::Time at);
  // That the open alert is as it is now; it goes to whoever owns the client now.
  void TellUpdate(absl::Time at);
  // That the client of alerts which are closed has another owner, who sees them from now on.
  void TellHandover(absl::Time at);
  bool HasNewReason(double z, absl::Time at) const;
  bool IsPresent(absl::string_view alert_id) const;
  // A person closed the alert, as `cleared` tells.
  void CloseByPerson(alert::v1::AlertCleared cleared, const touchpoint::v1::Touchpoint& touchpoint,
                     state::v1::AlertPhase next, absl::Time at);
  void Clear(const alert::v1::AlertCleared& cleared, state::v1::AlertPhase next, absl::Time at);
  void Clear(alert::v1::ClearReason reason, state::v1::AlertPhase next, absl::Time at);
  void EndSnooze();
  absl::Time NextWake(const RiskCurve& curve, absl::Time at) const;
  // The score that is to be told when time alone reaches it; 0 for none.
  int NextPoints(const RiskCurve& curve) const;
  alert::v1::Severity SeverityOf(int points, const std::optional<Notice>& notice, bool is_newcomer,
                                 alert::v1::Severity before) const;
  alert::v1::AlertEvent* Emit(absl::Time at);
  // Of a step after which the alert is open: what can be done about it.
  alert::v1::AlertEvent* EmitOpen(absl::Time at);

  const FoldContext& context_;
  const RetentionSettings& settings_;
  state::v1::RetentionState& state_;
  FoldOutput& output_;
};

}  // namespace rapport
