#pragma once

#include <cstdint>
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

  // Chosen near a logistic regression (silence 0.61, value -0.34, lines -0.24), by the mean AUC and
  // Brier score at seven dates and by how many alerts are right and departures found; with less
  // weight on amounts, which differ most between firms and would make those who order often be
  // told of late. Of the clients of deploy/import/online_retail_sample.csv.gz (UCI Online Retail,
  // CC BY 4.0), the dates 30 days apart, the last 13 weeks before its end: 1,883 cases, of which
  // half ordered nothing in the next 13 weeks.
  double average = 0.03;
  double silence = 0.70;
  double average_silence = 1.12;
  double value = -0.22;
  // Amounts in other currencies don't count; who ordered in none of this currency is average.
  std::string value_currency = "GBP";
  double average_value = 450;  // in whole units of the currency
  double lines = -0.28;
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
  std::string model_version = "mbg-3";

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
  // What the silence of channels counts beside that of orders, which tells more: whoever orders as
  // ever need not call.
  double beside_orders = 0.5;

  // All that follows is in log-odds, and assumed. What fades has its whole weight for a half-life,
  // then half of it, a quarter, an eighth, and is over after four. `..._most` bounds what several
  // of a kind come to.

  // The client has given notice of a contract: the heaviest sign of all. The score has at least so
  // many points then, until the client agrees on a contract anew, or so long after the end.
  double notice_given = 4.0;
  int notice_least_points = 900;
  absl::Duration notice_over = absl::Hours(90 * 24);
  // The severity of such an alert goes by what the client is worth in a year: what its contract
  // says, or else what it orders; in whole units of its currency, which are taken for the same
  // whatever currency it is. MEDIUM below the first, CRITICAL from the second on and of a key
  // account; HIGH in between and when nothing is known.
  int64_t notice_high_value = 5000;
  int64_t notice_critical_value = 50000;

  // An open complaint, by severity.
  double complaint_low = 0.3;
  double complaint_medium = 0.7;
  double complaint_high = 1.2;
  double complaint_critical = 1.8;
  double complaints_most = 2.5;
  // One that was closed, fading.
  double complaint_settled = 0.15;
  double complaint_rejected = 0.3;
  double complaints_lately_most = 1.0;
  absl::Duration complaint_half_life = absl::Hours(30 * 24);

  // An overdue promise; twice that once it is long overdue.
  double commitment_overdue = 0.6;
  absl::Duration commitment_long_overdue = absl::Hours(60 * 24);
  double commitments_most = 2.4;
  // The latest broken promise, and the latest that was moved without the client's consent, fading.
  double commitment_broken = 0.8;
  double commitment_moved = 0.4;
  absl::Duration commitment_broken_half_life = absl::Hours(45 * 24);

  // A mail of the client that we have left unanswered; counts from the first until the second age.
  double mail_unanswered = 0.5;
  double mails_most = 1.5;
  absl::Duration mail_answer_due = absl::Hours(48);
  absl::Duration mail_forgotten = absl::Hours(60 * 24);

  // A call or chat of the client that nobody answered, as long as we have not spoken since; fading.
  double contact_missed = 0.35;
  double contacts_missed_most = 1.2;
  absl::Duration contact_missed_half_life = absl::Hours(7 * 24);

  // An action in the portal that failed, fading.
  double portal_failed = 0.15;
  double portal_failed_most = 0.6;
  absl::Duration portal_failed_half_life = absl::Hours(7 * 24);

  // A meeting that the client called off, as long as none was held since; fading.
  double meeting_cancelled = 0.35;
  double meetings_cancelled_most = 1.0;
  absl::Duration meeting_cancelled_half_life = absl::Hours(30 * 24);

  // By the answers to one kind of question, the worst of them, fading: a fall of the satisfaction
  // by its whole range, where the latest answer is held against the mean of up to four before it;
  // and an answer at the lower end of the range, less the nearer it is to where low begins.
  double satisfaction_fall = 1.5;
  double satisfaction_low = 0.9;
  int satisfaction_low_permille = 500;
  double satisfaction_most = 1.5;
  absl::Duration satisfaction_half_life = absl::Hours(90 * 24);

  // The mean of the latest judgements of the client's mood, at -1000 permille; fading. Nothing
  // while it is better than -mood_hostile_permille.
  double mood_hostile = 1.0;
  int mood_hostile_permille = 200;
  int mood_latest = 3;
  absl::Duration mood_half_life = absl::Hours(30 * 24);

  double competitor_named = 0.7;
  absl::Duration competitor_half_life = absl::Hours(45 * 24);

  // The latest decision maker who left; half when another one is known to be there.
  double decision_maker_left = 1.2;
  absl::Duration decision_maker_half_life = absl::Hours(90 * 24);
  // Of several people who were known one is left.
  double single_contact = 0.2;

  // A contract that does not renew by itself, from `renewal_near` before its renewal is due until
  // `renewal_over` after, while no RENEWAL deal is open, no meeting is planned and none was held in
  // the last `renewal_meeting`.
  double renewal_unplanned = 1.2;
  absl::Duration renewal_near = absl::Hours(60 * 24);
  absl::Duration renewal_over = absl::Hours(30 * 24);
  absl::Duration renewal_meeting = absl::Hours(30 * 24);

  // An objection that was not settled, for so long, or until its deal is closed.
  double objection_open = 0.35;
  double objections_most = 1.0;
  absl::Duration objection_forgotten = absl::Hours(180 * 24);

  // A handover to another manager, fading.
  double owner_changed = 0.25;
  double owners_changed_most = 0.9;
  absl::Duration owner_changed_half_life = absl::Hours(45 * 24);

  // The latest consent that was taken back and not given again, fading.
  double consent_withdrawn = 0.6;
  absl::Duration consent_half_life = absl::Hours(60 * 24);

  // An order that was cancelled as a whole, fading.
  double order_cancelled = 0.4;
  double order_cancelled_by_us = 0.2;
  double orders_cancelled_most = 1.0;
  absl::Duration order_cancelled_half_life = absl::Hours(30 * 24);

  // The mean of the latest orders has shrunk to less than this share of the mean of those before,
  // of which there are at least `orders_before`: the least of it, and for each factor of e below;
  // fading from the last order on.
  double orders_shrinking = 0.3;
  double orders_shrinking_least = 0.2;
  double orders_shrinking_most = 1.2;
  double orders_shrunk_to = 0.4;
  int orders_latest = 3;
  int orders_before = 4;
  // Likewise when the middle one of the latest gaps between days with an order, or a use of the
  // portal, has grown beyond so many times the mean of those before.
  double rarer = 0.3;
  double rarer_least = 0.2;
  double rarer_most = 0.8;
  double rarer_by = 2.0;
  int gaps_latest = 3;
  int gaps_before = 5;
  absl::Duration orders_trend_half_life = absl::Hours(60 * 24);

  // An unpaid invoice, from a grace after it was due; twice that once it is long overdue; until it
  // is no sign any more but a matter of the law.
  double invoice_overdue = 0.4;
  double invoices_most = 1.2;
  absl::Duration invoice_grace = absl::Hours(7 * 24);
  absl::Duration invoice_long_overdue = absl::Hours(30 * 24);
  absl::Duration invoice_over = absl::Hours(365 * 24);

  // A shipment that went out later than promised, and one in part whose rest is missing; fading.
  double shipment_late = 0.35;
  double shipment_partial = 0.25;
  double shipments_most = 1.0;
  absl::Duration shipment_half_life = absl::Hours(30 * 24);

  // An alert is raised when the score reaches the first, and cleared when it falls below the
  // second: chances, since the score is one. By orders alone, of clients of the sample above, 6 of
  // 10 alerts at 580 are right (tests/backtest).
  int raise_points = 580;
  int clear_points = 430;
  // So many points sooner for a key account, both: a lower chance is worth a call there.
  int key_account_points = 130;
  // Severity MEDIUM from raise_points on; these begin the next two, but for clients with one order
  // day of whom nothing else is known. A severity falls back only when
  // the score is `severity_margin` points below its beginning.
  int high_points = 750;
  int critical_points = 900;
  int severity_margin = 50;
  // A client's own value comes first: an alert is at least HIGH, or CRITICAL, from so much expected
  // loss in a year on, in whole units of its currency, whatever currency it is.
  int64_t loss_high_value = 5000;
  int64_t loss_critical_value = 50000;
  // A reason that joins an open alert is told when it has at least these points.
  int new_reason_points = 50;
  // After an alert was cleared by itself, and after a person has resolved one, none is raised for
  // so long.
  absl::Duration quiet_after_clear = absl::Hours(3 * 24);
  absl::Duration quiet_after_resolve = absl::Hours(30 * 24);
  // So long the score has to hold before it raises an alert; notice given raises at once. None as
  // committed: what goes up by silence does not come down by waiting, and a complaint is told while
  // the client is still on the line.
  absl::Duration dwell = absl::ZeroDuration();
  // An open alert that nobody has taken on, or put off, goes to the lead after so long.
  absl::Duration escalate_medium_after = absl::Hours(7 * 24);
  absl::Duration escalate_high_after = absl::Hours(24);
  absl::Duration escalate_critical_after = absl::Hours(4);
  // One that nobody took on after it was told last is closed as expired: by then the client counts
  // as lost.
  absl::Duration expires_after = absl::Hours(180 * 24);
  // What we owe the client, a promise or the answer to a complaint, is told of so long before it is
  // due, and at this hour (UTC) of the day on which it is due.
  absl::Duration remind_before = absl::Hours(1);
  int remind_hour = 7;
};

}  // namespace rapport
