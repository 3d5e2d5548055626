#include "libs/backtest/report.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "libs/backtest/replay.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/back_office_factors.h"
#include "libs/projections/rhythm.h"

namespace rapport::backtest {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kDaysPerWeek = 7;

// An alert from its raising to its end.
struct Opened {
  absl::Time raised;
  absl::Time ended = absl::InfiniteFuture();
  std::string id;
  std::string owner;
  std::string reason;
};

std::vector<Opened> AlertsOf(const std::vector<alert::v1::AlertEvent>& steps) {
  std::vector<Opened> alerts;
  for (const alert::v1::AlertEvent& step : steps) {
    if (step.has_raised()) {
      alerts.push_back({.raised = FromProto(step.at()),
                        .id = step.alert_id(),
                        .owner = step.owner_id(),
                        .reason = step.reasons().empty() ? "" : step.reasons(0).code()});
    } else if (step.has_cleared() && !alerts.empty()) {
      alerts.back().ended = FromProto(step.at());
    }
  }
  return alerts;
}

int32_t DayOfTime(absl::Time time) { return DayOf(absl::ToUnixSeconds(time)); }
absl::Time EndOfDay(int32_t day) {
  return absl::FromUnixSeconds((int64_t{day} + 1) * kSecondsPerDay);
}

// The alert that was open when the pause began, or the first one in it.
const Opened* AlertIn(const Pause& pause, const std::vector<Opened>& alerts) {
  const absl::Time begin = EndOfDay(pause.begin);
  for (const Opened& alert : alerts) {
    if (alert.ended <= begin) continue;
    if (DayOfTime(alert.raised) >= pause.begin + pause.days) return nullptr;
    return &alert;
  }
  return nullptr;
}

int Median(std::vector<int> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

// Gathers what all clients add to.
class Judgement {
 public:
  Judgement(const Span& span, RuleReport* report) : span_(span), report_(*report) {}

  void AddAlerts(const std::vector<Opened>& alerts) {
    bool any = false;
    for (const Opened& alert : alerts) {
      if (alert.raised < span_.from || alert.raised >= span_.to) continue;
      any = true;
      ++report_.alerts;
      ++report_.alerts_by_owner[alert.owner];
      const int week = (DayOfTime(alert.raised) - DayOfTime(span_.from)) / kDaysPerWeek;
      ++by_week_[{alert.owner, week}];
    }
    report_.clients += any ? 1 : 0;
  }

  void AddPause(const Pause& pause, const std::vector<Opened>& alerts) {
    const Opened* const alert = AlertIn(pause, alerts);
    pauses_.push_back(pause);
    if (alert == nullptr) {
      alert_days_.emplace_back();
      return;
    }
    const int day = std::max(0, DayOfTime(alert->raised) - pause.begin);
    alert_days_.emplace_back(day);
    RuleReport::ByReason& by_reason = report_.by_reason[alert->reason];
    ++by_reason.alerts;
    if (!pause.departure) return;
    ++by_reason.right;
    leads_.push_back(pause.begin + span_.departure_days - DayOfTime(alert->raised));
  }

  // The notice itself raises one; foreseen is what was open before.
  void AddNotice(absl::Time given, const std::vector<Opened>& alerts) {
    if (given < span_.from || given >= span_.to) return;
    ++report_.notices;
    for (const Opened& alert : alerts) {
      if (alert.raised >= given || alert.ended <= given) continue;
      ++report_.foreseen_notices;
      notice_leads_.push_back(DayOfTime(given) - DayOfTime(alert.raised));
      return;
    }
  }

  // Only alerts that these settings would have raised: what was said of others tells nothing of
  // them.
  void AddAction(const Touchpoint& action, const std::vector<Opened>& alerts) {
    const absl::Time at = FromProto(action.occurred_at());
    if (at < span_.from || at >= span_.to) return;
    const bool dismissed = action.has_alert_dismissed();
    const std::string& id =
        dismissed ? action.alert_dismissed().alert_id() : action.alert_resolved().alert_id();
    const auto alert = std::find_if(alerts.begin(), alerts.end(), [&](const Opened& one) {
      return one.id == id && one.raised <= at && one.ended >= at;
    });
    if (alert == alerts.end()) return;
    for (RuleReport::ByPeople* by :
         {&report_.people_by_reason[alert->reason], &report_.people_by_owner[alert->owner]}) {
      const auto outcome = action.alert_resolved().outcome();
      ++by->closed;
      by->dismissed += dismissed ? 1 : 0;
      by->saved += !dismissed && outcome == touchpoint::v1::ALERT_OUTCOME_SAVED ? 1 : 0;
      by->lost += !dismissed && outcome == touchpoint::v1::ALERT_OUTCOME_LOST ? 1 : 0;
    }
  }

  void Finish() {
    report_.pauses = Judge(pauses_, alert_days_);
    report_.stopwatch = JudgeStopwatch(pauses_, report_.pauses.median_day);
    report_.median_lead_days = Median(std::move(leads_));
    report_.median_notice_lead_days = Median(std::move(notice_leads_));
    for (const auto& [owner_and_week, count] : by_week_)
      report_.most_in_a_week = std::max(report_.most_in_a_week, count);
    const double weeks = absl::ToDoubleHours(span_.to - span_.from) / 24 / kDaysPerWeek;
    const auto owners = static_cast<double>(report_.alerts_by_owner.size());
    if (owners > 0 && weeks > 0)
      report_.per_owner_and_week = static_cast<double>(report_.alerts) / owners / weeks;
  }

 private:
  const Span& span_;
  RuleReport& report_;
  std::map<std::pair<std::string, int>, int64_t> by_week_;
  std::vector<Pause> pauses_;
  std::vector<std::optional<int>> alert_days_;
  std::vector<int> leads_;
  std::vector<int> notice_leads_;
};

std::map<std::string, std::vector<Pause>> PausesByClient(const History& history, const Span& span) {
  std::map<std::string, std::vector<Pause>> by_client;
  const int32_t from = DayOfTime(span.from);
  const int32_t to = DayOfTime(span.to);
  for (Pause& pause :
       PausesOf(history.OrderDays(), DayOfTime(history.last()), span.departure_days)) {
    if (pause.begin < from || pause.begin >= to || pause.order_days < span.least_order_days)
      continue;
    by_client[pause.client_id].push_back(std::move(pause));
  }
  return by_client;
}

}  // namespace

absl::StatusOr<RuleReport> JudgeRules(const History& history, const RetentionSettings& settings,
                                      const Span& span) {
  RuleReport report;
  report.model_version = settings.model_version;
  Judgement judgement(span, &report);
  const std::map<std::string, std::vector<Pause>> pauses = PausesByClient(history, span);
  for (const std::string& client : history.Clients()) {
    RAPPORT_ASSIGN_OR_RETURN(const Replay replay,
                             ReplayClient(history, client, settings, history.last()));
    const std::vector<Opened> alerts = AlertsOf(replay.steps);
    judgement.AddAlerts(alerts);
    if (const auto place = pauses.find(client); place != pauses.end())
      for (const Pause& pause : place->second) judgement.AddPause(pause, alerts);
    if (alerts.empty() && replay.state.factors().contracts().empty()) continue;
    RAPPORT_RETURN_IF_ERROR(history.Visit(client, [&](const Touchpoint& touchpoint) {
      if (touchpoint.has_contract_terminated() &&
          IsNotice(touchpoint.contract_terminated().reason()))
        judgement.AddNotice(FromProto(touchpoint.occurred_at()), alerts);
      if (touchpoint.has_alert_dismissed() || touchpoint.has_alert_resolved())
        judgement.AddAction(touchpoint, alerts);
    }));
  }
  judgement.Finish();
  return report;
}

}  // namespace rapport::backtest
