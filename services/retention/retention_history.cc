#include "services/retention/retention_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"
#include "libs/serving/as_of.h"
#include "services/retention/retention_answer.h"

namespace rapport {
namespace {

using query::v1::RetentionMark;
using touchpoint::v1::Touchpoint;

constexpr int kUsualDays = 183;
constexpr int kMostDays = 1'096;
// So much of a day is not seen at its end: what is shown in milliseconds still names that day.
constexpr absl::Duration kBeforeMidnight = absl::Milliseconds(1);

absl::Time EndOfDay(absl::Time at) {
  const absl::CivilDay day = absl::ToCivilDay(at, absl::UTCTimeZone());
  return absl::FromCivil(day + 1, absl::UTCTimeZone()) - kBeforeMidnight;
}

// What people did about an alert; nullopt of all else.
std::optional<RetentionMark> MarkOfAction(const Touchpoint& touchpoint) {
  RetentionMark mark;
  if (touchpoint.has_alert_acknowledged()) {
    mark.set_change(query::v1::RETENTION_CHANGE_ACKNOWLEDGED);
    mark.set_alert_id(touchpoint.alert_acknowledged().alert_id());
  } else if (touchpoint.has_alert_snoozed()) {
    mark.set_change(query::v1::RETENTION_CHANGE_SNOOZED);
    mark.set_alert_id(touchpoint.alert_snoozed().alert_id());
  } else if (touchpoint.has_alert_dismissed()) {
    mark.set_change(query::v1::RETENTION_CHANGE_DISMISSED);
    mark.set_alert_id(touchpoint.alert_dismissed().alert_id());
  } else if (touchpoint.has_alert_resolved()) {
    mark.set_change(query::v1::RETENTION_CHANGE_RESOLVED);
    mark.set_alert_id(touchpoint.alert_resolved().alert_id());
  } else {
    return std::nullopt;
  }
  *mark.mutable_at() = touchpoint.occurred_at();
  mark.set_agent_id(touchpoint.agent_id());
  return mark;
}

// A step of the alert; nullopt of one that a person's action has already told, or that is none.
std::optional<RetentionMark> MarkOfStep(const alert::v1::AlertEvent& event) {
  RetentionMark mark;
  if (event.has_raised()) {
    mark.set_change(query::v1::RETENTION_CHANGE_RAISED);
  } else if (event.has_updated()) {
    mark.set_change(query::v1::RETENTION_CHANGE_UPDATED);
  } else if (event.has_cleared() && event.cleared().reason() != alert::v1::CLEAR_REASON_RESOLVED &&
             event.cleared().reason() != alert::v1::CLEAR_REASON_DISMISSED) {
    mark.set_change(query::v1::RETENTION_CHANGE_CLEARED);
    mark.set_clear_reason(event.cleared().reason());
  } else if (event.has_escalated()) {
    mark.set_change(query::v1::RETENTION_CHANGE_ESCALATED);
  } else {
    return std::nullopt;
  }
  *mark.mutable_at() = event.at();
  mark.set_alert_id(event.alert_id());
  mark.set_score(event.score());
  mark.set_severity(event.severity());
  return mark;
}

}  // namespace

absl::StatusOr<RetentionPeriod> RetentionPeriodOf(std::optional<absl::Time> from,
                                                  std::optional<absl::Time> to, absl::Time clock) {
  const absl::Time end = std::min(to.value_or(clock), clock);
  const RetentionPeriod period = {.from = from.value_or(end - absl::Hours(24 * kUsualDays)),
                                  .to = end};
  if (to && period.from > *to) return absl::InvalidArgumentError("from is later than to");
  if (period.to - period.from > absl::Hours(24 * kMostDays)) {
    return absl::InvalidArgumentError(absl::StrCat("from is more than ", kMostDays,
                                                   " days before the end; ask for less at a time"));
  }
  return period;
}

query::v1::RetentionHistory FoldRetentionHistory(const std::string& client_id,
                                                 std::vector<Touchpoint> touchpoints,
                                                 const RetentionSettings& settings,
                                                 const RetentionPeriod& period) {
  query::v1::RetentionHistory history;
  history.set_client_id(client_id);
  *history.mutable_thresholds() = ThresholdsOf(settings);
  std::vector<RetentionMark> marks;
  absl::Time first = absl::InfiniteFuture();
  for (const Touchpoint& touchpoint : touchpoints) {
    first = std::min(first, FromProto(touchpoint.occurred_at()));
    if (auto mark = MarkOfAction(touchpoint)) marks.push_back(*std::move(mark));
  }
  AsOfFold<Retention> fold(client_id, settings, std::move(touchpoints));
  for (absl::Time at = std::max(period.from, first); at <= period.to;
       at = EndOfDay(at) + kBeforeMidnight) {
    const absl::Time moment = std::min(EndOfDay(at), period.to);
    const RetentionExplanation explanation = ExplainRetention(fold.At(moment), settings, moment);
    query::v1::RetentionDay& day = *history.add_days();
    ToProto(moment, day.mutable_at());
    day.set_score(explanation.score);
    for (const alert::v1::Reason& told : explanation.reasons) *day.add_reasons() = ToReason(told);
  }
  for (const alert::v1::AlertEvent& event : fold.effects()) {
    if (auto mark = MarkOfStep(event)) marks.push_back(*std::move(mark));
  }
  std::stable_sort(marks.begin(), marks.end(), [](const RetentionMark& a, const RetentionMark& b) {
    return FromProto(a.at()) < FromProto(b.at());
  });
  int score = 0;
  for (RetentionMark& mark : marks) {
    // An action is at the score that was told before it.
    if (mark.score() == 0) mark.set_score(score);
    score = mark.score();
    const absl::Time when = FromProto(mark.at());
    if (when >= period.from && when <= period.to) *history.add_marks() = std::move(mark);
  }
  return history;
}

}  // namespace rapport
