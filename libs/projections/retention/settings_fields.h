#pragma once

#include <string>

#include "libs/projections/retention/settings.h"

// The settings by name, each once: what tells them apart, reads them from a file and shows them
// goes by this list. A new setting belongs here too.

namespace rapport {

// What a setting may be; durations in days.
struct SettingRange {
  double least = 0;
  double most = 0;
};

// Calls visit(name, field, range) for each setting, in a fixed order. `Settings` is
// RetentionSettings, or that as const; fields are int, int64_t, double, absl::Duration and
// std::string (with the longest length as range).
template <class Settings, class Visit>
void VisitSettings(Settings& settings, Visit&& visit) {
  constexpr SettingRange kPoints = {1, 999};
  constexpr SettingRange kLogOdds = {0, 10};
  constexpr SettingRange kAnyLogOdds = {-10, 10};
  constexpr SettingRange kDays = {0.01, 3650};
  constexpr SettingRange kPositive = {1e-6, 1e6};
  constexpr SettingRange kCount = {1, 100};
  constexpr SettingRange kPermille = {1, 1000};
  constexpr SettingRange kAmount = {0, 1e15};
  const auto parameters = [&](const std::string& prefix, auto& of) {
    visit(prefix + "r", of.r, kPositive);
    visit(prefix + "alpha", of.alpha, kPositive);
    visit(prefix + "a", of.a, kPositive);
    visit(prefix + "b", of.b, kPositive);
  };
  const auto rhythm = [&](const std::string& channel, auto& of) {
    parameters(channel + ".", of.parameters);
    visit(channel + ".weight", of.weight, kLogOdds);
    visit(channel + ".least", of.least, kAnyLogOdds);
    visit(channel + ".most", of.most, kAnyLogOdds);
  };
  visit("model_version", settings.model_version, SettingRange{1, 100});
  visit("prior_points", settings.prior_points, kPoints);
  auto& orders = settings.orders;
  parameters("orders.", orders.parameters);
  visit("orders.horizon_weeks", orders.horizon_weeks, SettingRange{1, 520});
  visit("orders.average", orders.average, kAnyLogOdds);
  visit("orders.silence", orders.silence, kAnyLogOdds);
  visit("orders.average_silence", orders.average_silence, kAnyLogOdds);
  visit("orders.value", orders.value, kAnyLogOdds);
  visit("orders.value_currency", orders.value_currency, SettingRange{3, 3});
  visit("orders.average_value", orders.average_value, kAmount);
  visit("orders.lines", orders.lines, kAnyLogOdds);
  visit("orders.average_lines", orders.average_lines, kAmount);
  visit("orders.most_ratio", orders.most_ratio, kLogOdds);
  visit("orders.least", orders.least, kAnyLogOdds);
  visit("orders.knee", orders.knee, kAnyLogOdds);
  visit("orders.above_knee", orders.above_knee, SettingRange{0, 1});
  visit("orders.least_silence", orders.least_silence, kDays);
  visit("orders.least_gaps", orders.least_gaps, SettingRange{0, 100});
  visit("least_repeat_days", settings.least_repeat_days, kCount);
  visit("horizon_gaps", settings.horizon_gaps, SettingRange{1, 520});
  visit("least_horizon_weeks", settings.least_horizon_weeks, SettingRange{1, 520});
  visit("most_horizon_weeks", settings.most_horizon_weeks, SettingRange{1, 520});
  rhythm("phone", settings.phone);
  rhythm("e_mail", settings.e_mail);
  rhythm("meetings", settings.meetings);
  rhythm("chat", settings.chat);
  rhythm("letters", settings.letters);
  rhythm("portal", settings.portal);
  visit("beside_orders", settings.beside_orders, SettingRange{0, 1});
  visit("notice_given", settings.notice_given, kLogOdds);
  visit("notice_least_points", settings.notice_least_points, kPoints);
  visit("notice_over", settings.notice_over, kDays);
  visit("notice_high_value", settings.notice_high_value, kAmount);
  visit("notice_critical_value", settings.notice_critical_value, kAmount);
  visit("complaint_low", settings.complaint_low, kLogOdds);
  visit("complaint_medium", settings.complaint_medium, kLogOdds);
  visit("complaint_high", settings.complaint_high, kLogOdds);
  visit("complaint_critical", settings.complaint_critical, kLogOdds);
  visit("complaints_most", settings.complaints_most, kLogOdds);
  visit("complaint_settled", settings.complaint_settled, kLogOdds);
  visit("complaint_rejected", settings.complaint_rejected, kLogOdds);
  visit("complaints_lately_most", settings.complaints_lately_most, kLogOdds);
  visit("complaint_half_life", settings.complaint_half_life, kDays);
  visit("commitment_overdue", settings.commitment_overdue, kLogOdds);
  visit("commitment_long_overdue", settings.commitment_long_overdue, kDays);
  visit("commitments_most", settings.commitments_most, kLogOdds);
  visit("commitment_broken", settings.commitment_broken, kLogOdds);
  visit("commitment_moved", settings.commitment_moved, kLogOdds);
  visit("commitment_broken_half_life", settings.commitment_broken_half_life, kDays);
  visit("mail_unanswered", settings.mail_unanswered, kLogOdds);
  visit("mails_most", settings.mails_most, kLogOdds);
  visit("mail_answer_due", settings.mail_answer_due, kDays);
  visit("mail_forgotten", settings.mail_forgotten, kDays);
  visit("contact_missed", settings.contact_missed, kLogOdds);
  visit("contacts_missed_most", settings.contacts_missed_most, kLogOdds);
  visit("contact_missed_half_life", settings.contact_missed_half_life, kDays);
  visit("portal_failed", settings.portal_failed, kLogOdds);
  visit("portal_failed_most", settings.portal_failed_most, kLogOdds);
  visit("portal_failed_half_life", settings.portal_failed_half_life, kDays);
  visit("meeting_cancelled", settings.meeting_cancelled, kLogOdds);
  visit("meetings_cancelled_most", settings.meetings_cancelled_most, kLogOdds);
  visit("meeting_cancelled_half_life", settings.meeting_cancelled_half_life, kDays);
  visit("satisfaction_fall", settings.satisfaction_fall, kLogOdds);
  visit("satisfaction_low", settings.satisfaction_low, kLogOdds);
  visit("satisfaction_low_permille", settings.satisfaction_low_permille, kPermille);
  visit("satisfaction_most", settings.satisfaction_most, kLogOdds);
  visit("satisfaction_half_life", settings.satisfaction_half_life, kDays);
  visit("mood_hostile", settings.mood_hostile, kLogOdds);
  visit("mood_hostile_permille", settings.mood_hostile_permille, kPermille);
  visit("mood_latest", settings.mood_latest, kCount);
  visit("mood_half_life", settings.mood_half_life, kDays);
  visit("competitor_named", settings.competitor_named, kLogOdds);
  visit("competitor_half_life", settings.competitor_half_life, kDays);
  visit("decision_maker_left", settings.decision_maker_left, kLogOdds);
  visit("decision_maker_half_life", settings.decision_maker_half_life, kDays);
  visit("single_contact", settings.single_contact, kLogOdds);
  visit("renewal_unplanned", settings.renewal_unplanned, kLogOdds);
  visit("renewal_near", settings.renewal_near, kDays);
  visit("renewal_over", settings.renewal_over, kDays);
  visit("renewal_meeting", settings.renewal_meeting, kDays);
  visit("objection_open", settings.objection_open, kLogOdds);
  visit("objections_most", settings.objections_most, kLogOdds);
  visit("objection_forgotten", settings.objection_forgotten, kDays);
  visit("owner_changed", settings.owner_changed, kLogOdds);
  visit("owners_changed_most", settings.owners_changed_most, kLogOdds);
  visit("owner_changed_half_life", settings.owner_changed_half_life, kDays);
  visit("consent_withdrawn", settings.consent_withdrawn, kLogOdds);
  visit("consent_half_life", settings.consent_half_life, kDays);
  visit("order_cancelled", settings.order_cancelled, kLogOdds);
  visit("order_cancelled_by_us", settings.order_cancelled_by_us, kLogOdds);
  visit("orders_cancelled_most", settings.orders_cancelled_most, kLogOdds);
  visit("order_cancelled_half_life", settings.order_cancelled_half_life, kDays);
  visit("orders_shrinking", settings.orders_shrinking, kLogOdds);
  visit("orders_shrinking_least", settings.orders_shrinking_least, kLogOdds);
  visit("orders_shrinking_most", settings.orders_shrinking_most, kLogOdds);
  visit("orders_shrunk_to", settings.orders_shrunk_to, SettingRange{0.01, 1});
  visit("orders_latest", settings.orders_latest, kCount);
  visit("orders_before", settings.orders_before, kCount);
  visit("rarer", settings.rarer, kLogOdds);
  visit("rarer_least", settings.rarer_least, kLogOdds);
  visit("rarer_most", settings.rarer_most, kLogOdds);
  visit("rarer_by", settings.rarer_by, SettingRange{1, 100});
  visit("gaps_latest", settings.gaps_latest, kCount);
  visit("gaps_before", settings.gaps_before, kCount);
  visit("orders_trend_half_life", settings.orders_trend_half_life, kDays);
  visit("invoice_overdue", settings.invoice_overdue, kLogOdds);
  visit("invoices_most", settings.invoices_most, kLogOdds);
  visit("invoice_grace", settings.invoice_grace, kDays);
  visit("invoice_long_overdue", settings.invoice_long_overdue, kDays);
  visit("invoice_over", settings.invoice_over, kDays);
  visit("shipment_late", settings.shipment_late, kLogOdds);
  visit("shipment_partial", settings.shipment_partial, kLogOdds);
  visit("shipments_most", settings.shipments_most, kLogOdds);
  visit("shipment_half_life", settings.shipment_half_life, kDays);
  visit("raise_points", settings.raise_points, kPoints);
  visit("clear_points", settings.clear_points, kPoints);
  visit("key_account_points", settings.key_account_points, SettingRange{0, 400});
  visit("high_points", settings.high_points, kPoints);
  visit("critical_points", settings.critical_points, kPoints);
  visit("severity_margin", settings.severity_margin, kPoints);
  visit("loss_high_value", settings.loss_high_value, kAmount);
  visit("loss_critical_value", settings.loss_critical_value, kAmount);
  visit("new_reason_points", settings.new_reason_points, kPoints);
  visit("quiet_after_clear", settings.quiet_after_clear, kDays);
  visit("quiet_after_resolve", settings.quiet_after_resolve, kDays);
  visit("dwell", settings.dwell, SettingRange{0, 365});
  visit("escalate_medium_after", settings.escalate_medium_after, kDays);
  visit("escalate_high_after", settings.escalate_high_after, kDays);
  visit("escalate_critical_after", settings.escalate_critical_after, kDays);
  visit("expires_after", settings.expires_after, kDays);
  visit("remind_before", settings.remind_before, kDays);
  visit("remind_hour", settings.remind_hour, SettingRange{0, 23});
}

}  // namespace rapport
