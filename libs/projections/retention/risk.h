#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "libs/projections/models/silence.h"
#include "libs/projections/retention/reasons.h"
#include "libs/projections/retention/settings.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/state/v1/retention.pb.h"

// From risk factors to a score: pure, and a function of the factors and the moment alone.

namespace rapport {

// The client has given notice of a contract, and has agreed on none since.
struct Notice {
  absl::Time given_at;
  alert::v1::Severity severity = alert::v1::SEVERITY_HIGH;  // by what the client is worth
};

// The risk from one moment on, as long as nothing new is folded.
class RiskCurve {
 public:
  // `findings`, if given, receives what counts at `from`, unsorted; with or without facts and ids,
  // which cost time.
  RiskCurve(const state::v1::RiskFactors& factors, const RetentionSettings& settings,
            absl::Time from, std::vector<Finding>* findings = nullptr, bool with_facts = false);

  // z at a moment from `from` until next_change(); it never falls in between, since only silence
  // grows.
  double At(int64_t unix_seconds) const;
  // What alerts are raised and cleared by, likewise: z, but as long as the client is not called
  // silent, orders count no more than for a client who never ordered.
  double ForAlertAt(int64_t unix_seconds) const;

  // When something but silence changes next: a promise falls due, a mention fades, ...;
  // InfiniteFuture when nothing will.
  absl::Time next_change() const { return next_change_; }

  const std::optional<Notice>& notice() const { return notice_; }

  // The client has ordered on one day only, and nothing but orders speaks for the risk: one of many
  // who may come again or not, and no alarm.
  bool is_newcomer() const { return is_newcomer_; }

  // What could still be added to z after next_change(), at most, without anything new: promises
  // that fall due, mails that stay unanswered, renewals that come near.
  double pending() const { return pending_; }

  // The first full minute in (from, until] at which At(), or ForAlertAt(), is at least `z`; nullopt
  // when there is none within five years.
  std::optional<absl::Time> FirstAtOrAbove(double z, absl::Time from, absl::Time until) const;
  std::optional<absl::Time> FirstForAlert(double z, absl::Time from, absl::Time until) const;

 private:
  struct Orders {
    models::MbgSilentLogOdds model;
    double weight = 0;
    double fixed = 0;  // all that does not depend on time
    double least = 0;
    double knee = 0;
    double above_knee = 0;
    int64_t first_seconds = 0;   // start of the first day
    int64_t silent_seconds = 0;  // from when on the client is called silent
  };
  struct Silence {
    models::MbgSilentLogOdds model;
    double weight = 0;
    double least = 0;
    double most = 0;
    double usual_log_odds = 0;  // of silence, right after the last event
    int64_t first_seconds = 0;  // start of the first day
  };
  class Builder;

  using Curve = double (RiskCurve::*)(int64_t) const;
  std::optional<absl::Time> First(Curve curve, double z, absl::Time from, absl::Time until) const;
  double LogOdds(const Silence& silence, int64_t unix_seconds) const;
  // The base of a client who orders.
  double OrderLogOdds(int64_t unix_seconds) const;
  // All but the base and a notice.
  double SignsAt(int64_t unix_seconds) const;
  double WithoutNoticeAt(int64_t unix_seconds) const;
  // `z` with what a notice makes of it.
  double WithNotice(double z) const;

  double prior_log_odds_ = 0;
  bool has_orders_ = false;
  Orders orders_;
  bool is_newcomer_ = false;
  double fixed_ = 0;
  std::optional<Notice> notice_;
  double notice_log_odds_ = 0;
  double notice_least_ = 0;
  double pending_ = 0;
  absl::Time next_change_ = absl::InfiniteFuture();
  std::array<Silence, 6> silences_;
  int silence_count_ = 0;
};

// At how many points an alert of this client is raised, and below how many it is cleared.
int RaisePointsOf(const state::v1::RiskFactors& factors, const RetentionSettings& settings);
int ClearPointsOf(const state::v1::RiskFactors& factors, const RetentionSettings& settings);

// 0..1000 from z, rounded.
int PointsOf(double z);
// The least z that has these points: PointsOf(z) >= points exactly when z >= LogOddsOf(points).
double LogOddsOf(int points);

}  // namespace rapport
