#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/projections/models/silence.h"

namespace rapport {

// How silence in one rhythm (orders, calls, ...) counts.
struct RhythmSettings {
  // MBG/NBD, in weeks.
  models::SilenceParameters parameters;
  // Factor on logit(P_silent) - usual, where usual is logit(prior), or logit(P_silent) right after
  // the last event if that is greater: a client who is hardly known is no suspect for that alone.
  double weight = 1;
  // Bounds of the product, in log-odds.
  double least = 0;
  double most = 0;
};

// The committed model and alert rule of the retention projection. The score is
// 1000 / (1 + e^-z) with z = logit(prior) + the sum of the log-odds of all factors.
//
// Orders: parameters fitted on CDNOW. Contact channels: assumed until they are fitted on a firm's
// own data: a mean rate r/alpha per week while alive, a mean chance a/(a+b) to leave after a
// contact; their weights are low because a client may well move from one channel to another: one
// silent channel raises no alert, two do.
struct RetentionSettings {
  // Names the parameters in every alert.
  std::string model_version = "mbg-1";

  // The score of a client of whom nothing is known, in points of 1000.
  int prior_points = 260;
  // Distinct days after the first that make a rhythm, at least 1; a client with fewer has none to
  // be held against, and its contact channels don't count.
  int least_repeat_days = 2;
  // For the orders of such a client: P_silent looks so far ahead, and its silence counts with this
  // weight and at most so much, too little for an alert by itself.
  double newcomer_horizon_weeks = 13;
  double newcomer_weight = 0.5;
  double newcomer_most = 1.2;
  // P_silent looks this many of the client's own mean gaps ahead, but at least and at most this
  // long.
  double horizon_gaps = 3;
  double least_horizon_weeks = 4;
  double most_horizon_weeks = 104;

  RhythmSettings orders = {models::kMbgCdnow, 1.0, -4.0, 4.0};
  RhythmSettings phone = {{0.60, 8.0, 0.50, 2.50}, 0.35, -0.6, 0.9};
  RhythmSettings e_mail = {{0.70, 4.0, 0.50, 2.50}, 0.35, -0.6, 0.9};
  RhythmSettings meetings = {{0.80, 20.0, 0.50, 3.00}, 0.35, -0.6, 0.9};
  RhythmSettings chat = {{0.50, 6.0, 0.70, 2.00}, 0.25, -0.4, 0.7};
  RhythmSettings letters = {{0.50, 26.0, 0.70, 2.00}, 0.20, -0.3, 0.5};
  RhythmSettings portal = {{0.60, 2.0, 0.60, 2.50}, 0.35, -0.6, 0.9};

  // Log-odds of an open complaint by severity, and of all of them together at most.
  double complaint_low = 0.3;
  double complaint_medium = 0.7;
  double complaint_high = 1.2;
  double complaint_critical = 1.8;
  double complaints_most = 2.5;

  // An overdue promise; twice that once it is long overdue; and all of them at most.
  double commitment_overdue = 0.6;
  absl::Duration commitment_long_overdue = absl::Hours(60 * 24);
  double commitments_most = 2.4;
  // The latest broken promise; halves with each half-life, and is over after four.
  double commitment_broken = 0.8;
  absl::Duration commitment_broken_half_life = absl::Hours(45 * 24);

  // A mail of the client that we have left unanswered; counts from the first until the second age.
  double mail_unanswered = 0.5;
  double mails_most = 1.5;
  absl::Duration mail_answer_due = absl::Hours(48);
  absl::Duration mail_forgotten = absl::Hours(60 * 24);

  // Log-odds for a fall of the satisfaction by its whole range, and at most. The latest answer is
  // held against the mean of up to four before it, or against this when it is the only one.
  double satisfaction_fall = 3.0;
  double satisfaction_most = 1.5;
  int satisfaction_expected_permille = 600;
  absl::Duration satisfaction_half_life = absl::Hours(90 * 24);

  double competitor_named = 0.9;
  absl::Duration competitor_half_life = absl::Hours(45 * 24);

  // The latest decision maker who left; half when another one is known to be there.
  double decision_maker_left = 1.2;
  absl::Duration decision_maker_half_life = absl::Hours(90 * 24);

  // A contract that does not renew by itself, from `renewal_near` before its renewal is due until
  // `renewal_over` after, while no RENEWAL deal is open and no meeting was held in the last
  // `renewal_meeting`.
  double renewal_unplanned = 1.2;
  absl::Duration renewal_near = absl::Hours(60 * 24);
  absl::Duration renewal_over = absl::Hours(30 * 24);
  absl::Duration renewal_meeting = absl::Hours(30 * 24);

  // An alert is raised when the score reaches the first, and cleared when it falls below the
  // second.
  int raise_points = 600;
  int clear_points = 450;
  // Severity MEDIUM from raise_points on; these begin the next two. A severity falls back only when
  // the score is `severity_margin` points below its beginning.
  int high_points = 750;
  int critical_points = 900;
  int severity_margin = 50;
  // A reason that joins an open alert is told when it has at least these points.
  int new_reason_points = 50;
  // After an alert was cleared by itself, and after a person has resolved one, none is raised for
  // so long.
  absl::Duration quiet_after_clear = absl::Hours(3 * 24);
  absl::Duration quiet_after_resolve = absl::Hours(30 * 24);
};

}  // namespace rapport
