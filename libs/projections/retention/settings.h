#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/projections/models/silence.h"

namespace rapport {

// The base of the score of a client who orders: how likely it is to place no order within the
// horizon, told by orders alone. In log-odds, each term held against the average client:
//
//   average + silence * (logit P_silent - average_silence)
//           + value * ln((1 + what it ordered so far) / (1 + average_value))
//           + lines * ln((1 + positions on an order day) / (1 + average_lines))
//
// P_silent by MBG/NBD, for every client alike: nothing is taken off for what is usual for the
// client, since that is what tells most (who orders seldom is likelier to stay away).
struct OrderRiskSettings {
  models::SilenceParameters parameters = models::kMbgCdnow;
  double horizon_weeks = 13;

  // Chosen near a logistic regression (silence 0.61, value -0.34, lines -0.24), with less weight on
  // amounts, which differ most between firms. Of the clients of
  // deploy/import/online_retail_sample.csv.gz (UCI Online Retail, CC BY 4.0) at seven dates, 30
  // days apart, the last 13 weeks before its end: 1,883 cases, of which half ordered nothing in the
  // next 13 weeks.
  double average = 0.03;
  double silence = 0.75;
  double average_silence = 1.12;
  double value = -0.15;
  // Amounts in other currencies don't count; who ordered in none of this currency is average.
  std::string value_currency = "GBP";
  double average_value = 450;  // in whole units of the currency
  double lines = -0.30;
  double average_lines = 15;
  // What one of the two logarithms counts at most, either way.
  double most_ratio = 3;
  // The least that the whole can be, since those who order most don't all stay; and where it begins
  // to rise by a fifth only, since of those who were silent longest one in four comes back.
  double least = -3.0;
  double knee = 0.9;
  double above_knee = 0.2;

  // So long after an order, and so many of its own mean gaps after it, a client is not called
  // silent: orders alone neither raise nor hold an alert. Whoever orders twice a year is hardly
  // expected within the horizon, and need not be at risk for that.
  absl::Duration least_silence = absl::Hours(21 * 24);
  double least_gaps = 1.5;
};

// How silence in a channel counts, for a client who has been in touch often enough.
struct RhythmSettings {
  // MBG/NBD, in weeks.
  models::SilenceParameters parameters;
  // Factor on logit(P_silent) - usual, where usual is logit(prior), or logit(P_silent) right after
  // the last contact if that is greater.
  double weight = 1;
  // Bounds of the product, in log-odds.
  double least = 0;
  double most = 0;
};

// The committed model and alert rule of the retention projection. The score is the chance, in
// points of 1000, that the client orders nothing within the horizon: 1000 / (1 + e^-z), with z the
// sum of the base and of the log-odds of all other signs. Those are assumed until they are fitted
// on a firm's own data.
//
// Contact channels: a mean rate r/alpha per week while alive, a mean chance a/(a+b) to leave after
// a contact; their weights are low because a client may well move from one channel to another.
struct RetentionSettings {
  // Names the parameters in every alert.
  std::string model_version = "mbg-2";

  // The base of the score of a client who never ordered, in points of 1000.
  int prior_points = 260;
  OrderRiskSettings orders;

  // Distinct days with a contact after the first that make a rhythm, at least 1; the silence of a
  // channel with fewer doesn't count.
  int least_repeat_days = 2;
  // For channels, P_silent looks this many of the client's own mean gaps ahead, but at least and at
  // most this long.
  double horizon_gaps = 3;
  double least_horizon_weeks = 4;
  double most_horizon_weeks = 104;

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
  // second: chances, since the score is one. By orders alone, of clients of the sample above, 6 of
  // 10 alerts at 580 are right (tests/backtest).
  int raise_points = 580;
  int clear_points = 430;
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
