#include "libs/backtest/replay.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/backtest/report.h"
#include "libs/backtest/what_if.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/step_order.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

namespace rapport::backtest {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using touchpoint::v1::Touchpoint;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time Start() { return absl::FromCivil(absl::CivilDay(2025, 1, 6), absl::UTCTimeZone()); }

Touchpoint At(const std::string& client, absl::Time time, uint64_t number) {
  Touchpoint touchpoint;
  touchpoint.set_client_id(client);
  touchpoint.set_event_id(testing::EventIdOf(number));
  ToProto(time, touchpoint.mutable_occurred_at());
  return touchpoint;
}

Touchpoint Order(const std::string& client, absl::Time time, uint64_t number) {
  Touchpoint order = At(client, time, number);
  order.mutable_order_placed()->mutable_amount()->set_minor_units(1000);
  order.mutable_order_placed()->mutable_amount()->set_currency_code("EUR");
  return order;
}

std::string Told(const alert::v1::AlertEvent& event) {
  return absl::StrCat(event.client_id(), " ", absl::ToUnixMicros(FromProto(event.at())), " ",
                      static_cast<int>(event.change_case()), " ", event.score(), " ",
                      event.severity(), " ",
                      event.reasons().empty() ? "" : event.reasons(0).text());
}

// As they happen, with a clock that goes along: what live would have raised.
TEST(Replay, RaisesTheAlertsThatLiveWouldHaveRaised) {
  int alerts = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    testing::HistoryOptions options;
    options.seed = seed;
    options.client_count = 5;
    options.touchpoint_count = 400;
    std::vector<Touchpoint> past;
    for (Touchpoint& touchpoint : testing::RandomHistory(options)) {
      const bool about_the_log = touchpoint.client_id().empty() ||
                                 touchpoint.has_history_reopened() ||
                                 touchpoint.has_history_closed() || touchpoint.has_clients_merged();
      if (!about_the_log) past.push_back(std::move(touchpoint));
    }
    History history;
    for (const Touchpoint& touchpoint : past) history.Add(touchpoint);
    std::stable_sort(past.begin(), past.end(), StepBefore);
    testing::PlainFold<Retention> live;
    for (const Touchpoint& touchpoint : past) {
      const absl::Time at = FromProto(touchpoint.occurred_at());
      for (absl::Time tick = std::max(live.now(), at - 40 * kDay); tick < at;
           tick += absl::Hours(3))
        live.AdvanceTo(tick);
      live.AdvanceTo(at);
      live.Fold(touchpoint);
    }
    live.AdvanceTo(history.last() + 30 * kDay);
    std::vector<std::string> wanted;
    for (const alert::v1::AlertEvent& event : live.effects()) wanted.push_back(Told(event));
    std::vector<std::string> told;
    for (const std::string& client : history.Clients()) {
      const auto replay =
          ReplayClient(history, client, RetentionSettings(), history.last() + 30 * kDay);
      ASSERT_OK(replay);
      for (const alert::v1::AlertEvent& event : replay->steps) told.push_back(Told(event));
    }
    std::sort(wanted.begin(), wanted.end());
    std::sort(told.begin(), told.end());
    alerts += static_cast<int>(told.size());
    // The replay knows its client by the context alone.
    EXPECT_EQ(told, wanted) << "seed " << seed;
  }
  EXPECT_GT(alerts, 100);
}

TEST(History, IsTheSameForEveryOrderOfArrivalAndCut) {
  History history(Start() + 50 * kDay);
  std::vector<Touchpoint> orders;
  for (int i = 0; i < 10; ++i)
    orders.push_back(Order("a", Start() + i * 7 * kDay, static_cast<uint64_t>(i + 1)));
  for (auto order = orders.rbegin(); order != orders.rend(); ++order) history.Add(*order);
  history.Add(orders[0]);
  const std::vector<OrderDay> days = history.OrderDays().at("a");
  ASSERT_EQ(days.size(), 8u);
  EXPECT_EQ(days.back().day - days.front().day, 49);
  EXPECT_EQ(days.front().value, 1000);
  const History earlier = history.CutAt(Start() + 8 * kDay);
  EXPECT_EQ(earlier.OrderDays().at("a").size(), 2u);
  EXPECT_EQ(earlier.last(), Start() + 7 * kDay);
  EXPECT_THAT(history.Visit("b", [](const Touchpoint&) {}).message(), HasSubstr("client 'b'"));
}

TEST(History, WhatIsToldAnewTakesThePlaceOfWhatWasTold) {
  History history;
  history.Add(Order("a", Start(), 1));
  history.Add(Order("a", Start() + kDay, 2));
  Touchpoint reopened = At("a", Start() + 2 * kDay, 3);
  reopened.mutable_history_reopened();
  history.Add(reopened);
  EXPECT_THAT(history.Clients(), IsEmpty());
  history.Add(Order("a", Start() + kDay, 2));
  EXPECT_EQ(history.touchpoints(), 1);
}

TEST(Report, HoldsAlertsAgainstWhatHappened) {
  History history;
  uint64_t number = 0;
  // One leaves after twelve weeks, the other goes on for two years.
  for (int i = 0; i < 12; ++i) history.Add(Order("left", Start() + i * 7 * kDay, ++number));
  for (int i = 0; i < 104; ++i) history.Add(Order("stays", Start() + i * 7 * kDay, ++number));
  Touchpoint complaint = At("left", Start() + 78 * kDay, ++number);
  complaint.mutable_complaint_opened()->set_complaint_id("C");
  complaint.mutable_complaint_opened()->set_severity(touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
  history.Add(complaint);
  const Span span = {.from = Start(), .to = Start() + 700 * kDay};
  const auto report = JudgeRules(history, RetentionSettings(), span);
  ASSERT_OK(report);
  EXPECT_EQ(report->model_version, RetentionSettings().model_version);
  EXPECT_EQ(report->clients, 1);
  EXPECT_EQ(report->pauses.departures, 1);
  EXPECT_EQ(report->pauses.right, 1);
  EXPECT_EQ(report->pauses.alerts, 1);
  EXPECT_LT(report->pauses.median_day, 60);
  EXPECT_EQ(report->median_lead_days, 150 - report->pauses.median_day);
  EXPECT_EQ(report->by_reason.at("complaint_open").right, 1);
  // Another set of rules, side by side.
  RetentionSettings calm;
  calm.complaint_critical = 0;
  const auto other = JudgeRules(history, calm, span);
  ASSERT_OK(other);
  EXPECT_GT(other->pauses.median_day, report->pauses.median_day);
}

TEST(Report, TellsWhatPeopleMadeOfTheAlerts) {
  History history;
  uint64_t number = 0;
  for (const std::string client : {"a", "b"}) {
    Touchpoint complaint = At(client, Start(), ++number);
    complaint.set_owner_id("anna");
    complaint.mutable_complaint_opened()->set_severity(touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
    history.Add(complaint);
  }
  Touchpoint dismissed = At("a", Start() + kDay, ++number);
  dismissed.mutable_alert_dismissed()->set_alert_id("retention/churn_risk/a/1");
  history.Add(dismissed);
  Touchpoint saved = At("b", Start() + kDay, ++number);
  saved.mutable_alert_resolved()->set_alert_id("retention/churn_risk/b/1");
  saved.mutable_alert_resolved()->set_outcome(touchpoint::v1::ALERT_OUTCOME_SAVED);
  history.Add(saved);
  const Span span = {.from = Start(), .to = Start() + 300 * kDay};
  const auto report = JudgeRules(history, RetentionSettings(), span);
  ASSERT_OK(report);
  const RuleReport::ByPeople& by = report->people_by_reason.at("complaint_open");
  EXPECT_EQ(by.closed, 2);
  EXPECT_EQ(by.dismissed, 1);
  EXPECT_EQ(by.saved, 1);
  EXPECT_EQ(by.lost, 0);
  EXPECT_EQ(report->people_by_owner.at("anna").closed, 2);
  // Rules that would have raised none of them are not judged by what was said of them.
  RetentionSettings calm;
  calm.complaint_critical = 0;
  const auto other = JudgeRules(history, calm, span);
  ASSERT_OK(other);
  EXPECT_THAT(other->people_by_reason, IsEmpty());
}

TEST(WhatIf, NamesTheSmallestChangeThatWouldHaveKeptTheAlertAway) {
  History history;
  uint64_t number = 0;
  for (int i = 0; i < 12; ++i) history.Add(Order("a", Start() + i * 7 * kDay, ++number));
  Touchpoint competitor = At("a", Start() + 79 * kDay, ++number);
  competitor.mutable_competitor_mentioned()->set_competitor("Acme");
  history.Add(competitor);
  Touchpoint complaint = At("a", Start() + 80 * kDay, ++number);
  complaint.mutable_complaint_opened()->set_complaint_id("C");
  complaint.mutable_complaint_opened()->set_severity(touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
  history.Add(complaint);
  history.Add(At("b", Start() + 300 * kDay, ++number));
  const auto what_ifs = WhatIfs(history, "a", RetentionSettings());
  ASSERT_OK(what_ifs);
  ASSERT_GE(what_ifs->size(), 2u);
  const WhatIf& first = what_ifs->front();
  EXPECT_FALSE(first.raised);
  EXPECT_LT(first.score, RetentionSettings().raise_points);
  EXPECT_EQ(first.changes, 1);
  const auto without_complaint =
      std::find_if(what_ifs->begin(), what_ifs->end(),
                   [](const WhatIf& what_if) { return what_if.reason == "complaint_open"; });
  ASSERT_NE(without_complaint, what_ifs->end());
  EXPECT_EQ(without_complaint->day, Start() + 80 * kDay);
  EXPECT_THAT(without_complaint->text, HasSubstr("a complaint has been open since 2025-03-27"));
  const auto none = WhatIfs(history, "b", RetentionSettings());
  ASSERT_OK(none);
  EXPECT_THAT(*none, IsEmpty());
}

TEST(Report, TellsWhichNoticesWereForeseen) {
  History history;
  uint64_t number = 0;
  for (const std::string client : {"complained", "calm"}) {
    Touchpoint signed_ = At(client, Start(), ++number);
    signed_.mutable_contract_signed()->set_contract_id("K");
    history.Add(signed_);
    if (client == "complained") {
      Touchpoint complaint = At(client, Start() + 60 * kDay, ++number);
      complaint.mutable_complaint_opened()->set_severity(
          touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
      history.Add(complaint);
    }
    Touchpoint notice = At(client, Start() + 100 * kDay, ++number);
    notice.mutable_contract_terminated()->set_contract_id("K");
    history.Add(notice);
  }
  const auto report =
      JudgeRules(history, RetentionSettings(), {.from = Start(), .to = Start() + 300 * kDay});
  ASSERT_OK(report);
  EXPECT_EQ(report->notices, 2);
  EXPECT_EQ(report->foreseen_notices, 1);
  EXPECT_EQ(report->median_notice_lead_days, 40);
  EXPECT_EQ(report->alerts, 2);
}

}  // namespace
}  // namespace rapport::backtest
