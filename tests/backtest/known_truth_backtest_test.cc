// What the retention projection says about clients of whom the truth is known (client_world.h),
// beside the stopwatch of libs/backtest: once as if orders were all that is known of them, and once
// with all that they let show. Prints what it found.
//
// An alert is counted once. It belongs to the pause in which the client left, if one begins while
// the alert is open and within 13 weeks after it was raised, which is as far as the score looks; on
// day 0 then, since the client was still there. Or else it belongs to the pause in which it was
// raised. So an alert that is raised between orders and stays open over several more is right once
// or wrong once, as it was for whoever read it. Beside it stands the harder count, each pause held
// against the alert that was open in it: there such an alert is wrong once for each order that
// came, even when the client left in the end.
//
// The stopwatch of as many days is asked alert by alert: how often silence of as many days as that
// alert came after is right. At the median day alone it would be compared with a mixture: some
// alerts come soon, of clients who order seldom, and others after day 150, where every stopwatch is
// right, since by then the pause is a departure. That number is printed, too.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "libs/backtest/judge.h"
#include "libs/base/time.h"
#include "libs/projections/retention/reasons.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/testing/plain_fold.h"
#include "tests/backtest/client_world.h"

namespace rapport {
namespace {

using alert::v1::AlertEvent;
using backtest::OrderDay;
using backtest::Pause;
using backtest::Verdict;
using testing::WorldClient;
using touchpoint::v1::Touchpoint;
using AlertDays = std::vector<std::optional<int>>;

constexpr int kDepartureDays = 150;
constexpr int kHorizonDays = 91;
constexpr int kRhythmDays = 3;
constexpr int32_t kStillOpen = std::numeric_limits<int32_t>::max();

int32_t DayOf(const google::protobuf::Timestamp& time) { return rapport::DayOf(time.seconds()); }

struct AlertSpan {
  int32_t raised = 0;
  int32_t cleared = kStillOpen;
};
using AlertSpans = std::map<std::string, std::vector<AlertSpan>>;

struct Firm {
  testing::WorldOptions options;
  std::vector<WorldClient> clients;
  std::map<std::string, const WorldClient*> by_id;
  // Of clients with a rhythm, and early enough that it is known of each whether it is a departure:
  // of later ones it would be known only of those that ended.
  std::vector<Pause> pauses;
  int32_t known_until = 0;
  int32_t end_day = 0;
};

const Firm& TheFirm() {
  static const Firm* const firm = [] {
    auto* made = new Firm;
    made->clients = testing::MakeClients(made->options);
    std::map<std::string, std::vector<OrderDay>> orders;
    for (const WorldClient& client : made->clients) {
      made->by_id[client.id] = &client;
      for (const Touchpoint& touchpoint : client.history) {
        if (!touchpoint.has_order_placed()) continue;
        orders[client.id].push_back(
            {DayOf(touchpoint.occurred_at()), touchpoint.order_placed().amount().minor_units()});
      }
    }
    made->end_day = rapport::DayOf(absl::ToUnixSeconds(made->options.start)) + made->options.days;
    made->known_until = made->end_day - kDepartureDays - 1;
    for (Pause& pause : backtest::PausesOf(orders, made->end_day, kDepartureDays)) {
      if (pause.order_days >= kRhythmDays && pause.begin <= made->known_until)
        made->pauses.push_back(std::move(pause));
    }
    return made;
  }();
  return *firm;
}

// All clients' alerts by the touchpoints that are known. The clock goes along in steps and with
// each touchpoint.
template <class Known>
std::vector<AlertEvent> AlertsOf(const Firm& firm, const Known& is_known, absl::Duration step) {
  std::vector<AlertEvent> alerts;
  for (const WorldClient& client : firm.clients) {
    testing::PlainFold<Retention> fold;
    absl::Time tick = firm.options.start;
    const auto tick_until = [&](absl::Time until) {
      for (; tick <= until; tick += step) fold.AdvanceTo(tick);
      fold.AdvanceTo(until);
    };
    for (const Touchpoint& touchpoint : client.history) {
      if (!is_known(touchpoint)) continue;
      tick_until(FromProto(touchpoint.occurred_at()));
      fold.Fold(touchpoint);
    }
    tick_until(firm.options.start + absl::Hours(24) * firm.options.days);
    EXPECT_TRUE(fold.dead_letters().empty());
    alerts.insert(alerts.end(), fold.effects().begin(), fold.effects().end());
  }
  return alerts;
}

AlertSpans SpansOf(const std::vector<AlertEvent>& alerts) {
  AlertSpans spans;
  for (const AlertEvent& event : alerts) {
    if (event.has_raised()) spans[event.client_id()].push_back({DayOf(event.at())});
    if (event.has_cleared()) spans[event.client_id()].back().cleared = DayOf(event.at());
  }
  return spans;
}

bool IsOpenIn(const AlertSpan& span, const Pause& pause) {
  return span.raised < pause.begin + pause.days && span.cleared > pause.begin;
}

// For each pause the day of the first alert that belongs to it.
AlertDays OncePerAlert(const Firm& firm, const AlertSpans& spans) {
  std::map<std::string, std::vector<size_t>> pauses_of;
  for (size_t i = 0; i < firm.pauses.size(); ++i) pauses_of[firm.pauses[i].client_id].push_back(i);
  AlertDays days(firm.pauses.size());
  for (const auto& [client, of_client] : spans) {
    for (const AlertSpan& span : of_client) {
      std::optional<size_t> belongs_to;
      for (const size_t i : pauses_of[client]) {
        const Pause& pause = firm.pauses[i];
        const bool raised_in_it =
            span.raised >= pause.begin && span.raised < pause.begin + pause.days;
        const bool left =
            pause.departure && IsOpenIn(span, pause) && pause.begin - span.raised <= kHorizonDays;
        if (raised_in_it || left) belongs_to = i;
      }
      if (!belongs_to.has_value()) continue;
      const Pause& pause = firm.pauses[*belongs_to];
      // Whether it will have been right is not known yet.
      if (!pause.departure && span.cleared > firm.known_until &&
          firm.known_until - span.raised < kHorizonDays)
        continue;
      const int day = std::max(0, span.raised - pause.begin);
      days[*belongs_to] = std::min(days[*belongs_to].value_or(day), day);
    }
  }
  return days;
}

// For each pause the day from which on an alert was open in it.
AlertDays OncePerPause(const Firm& firm, const AlertSpans& spans) {
  AlertDays days;
  for (const Pause& pause : firm.pauses) {
    std::optional<int> first;
    const auto of_client = spans.find(pause.client_id);
    if (of_client != spans.end()) {
      for (const AlertSpan& span : of_client->second) {
        const int day = std::max(0, span.raised - pause.begin);
        if (IsOpenIn(span, pause)) first = std::min(first.value_or(day), day);
      }
    }
    days.push_back(first);
  }
  return days;
}

// How often the stopwatch is right that waits for as many days as each of the alerts did; the mean.
double StopwatchOfEach(const Firm& firm, const AlertDays& days) {
  std::map<int, double> right;
  double sum = 0;
  int64_t alerts = 0;
  for (size_t i = 0; i < days.size(); ++i) {
    if (!days[i].has_value()) continue;
    const auto [place, is_new] = right.try_emplace(*days[i]);
    if (is_new) place->second = backtest::JudgeStopwatch(firm.pauses, *days[i]).Right();
    sum += place->second;
    ++alerts;
  }
  return alerts == 0 ? 0 : sum / static_cast<double>(alerts);
}

void Print(const std::string& rule, const Verdict& verdict) {
  std::cout << absl::StrFormat(
      "  %-32s %4d alerts  right %.3f +- %.3f  found %.3f  median day %3d\n", rule, verdict.alerts,
      verdict.Right(), verdict.RightError(), verdict.Found(), verdict.median_day);
}

// What came of the alerts that were raised by what is known.
struct Outcome {
  AlertDays days;
  Verdict verdict;
  double stopwatch_of_each = 0;
  Verdict stopwatch;  // of the median day
};

Outcome JudgeAlerts(const Firm& firm, const std::vector<AlertEvent>& alerts,
                    const std::string& known) {
  const AlertSpans spans = SpansOf(alerts);
  Outcome outcome;
  outcome.days = OncePerAlert(firm, spans);
  outcome.verdict = backtest::Judge(firm.pauses, outcome.days);
  outcome.stopwatch_of_each = StopwatchOfEach(firm, outcome.days);
  outcome.stopwatch = backtest::JudgeStopwatch(firm.pauses, outcome.verdict.median_day);
  Print(known, outcome.verdict);
  std::cout << absl::StrFormat("    %-42s right %.3f\n", "silence of as many days, each",
                               outcome.stopwatch_of_each);
  Print("  silence of the median day", outcome.stopwatch);
  Print("  each pause, alert open in it", backtest::Judge(firm.pauses, OncePerPause(firm, spans)));
  return outcome;
}

int Median(std::vector<int> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Departures of clients of one kind, and how much earlier the other signs told of them.
struct Departures {
  int count = 0;
  int by_orders = 0;  // those with an alert
  int by_all = 0;
  int at_once = 0;         // by all signs, on day 0
  std::vector<int> leads;  // of those with both, in days
};

std::map<std::string, Departures> DeparturesByTruth(const Firm& firm, const AlertDays& by_orders,
                                                    const AlertDays& by_all) {
  std::map<std::string, Departures> departures;
  for (size_t i = 0; i < firm.pauses.size(); ++i) {
    const Pause& pause = firm.pauses[i];
    if (!pause.departure) continue;
    const WorldClient& client = *firm.by_id.at(pause.client_id);
    const bool left = client.decided_day.has_value() && pause.begin + pause.days == firm.end_day;
    Departures& of_kind = departures[!left                 ? "came back after all"
                                     : client.lets_it_show ? "left, and it showed"
                                                           : "left without a word"];
    ++of_kind.count;
    if (by_orders[i].has_value()) ++of_kind.by_orders;
    if (by_all[i].has_value()) ++of_kind.by_all;
    if (by_all[i] == 0) ++of_kind.at_once;
    if (by_orders[i].has_value() && by_all[i].has_value())
      of_kind.leads.push_back(*by_orders[i] - *by_all[i]);
  }
  return departures;
}

const std::vector<AlertEvent>& AlertsByAllSigns() {
  static const auto* const alerts = new std::vector<AlertEvent>(AlertsOf(
      TheFirm(), [](const Touchpoint&) { return true; }, absl::Hours(24)));
  return *alerts;
}

TEST(KnownTruthBacktest, SignsMakeAlertsRightMoreOftenAndEarlier) {
  const Firm& firm = TheFirm();
  std::cout << absl::StrFormat(
      "%d clients; pauses of those with %d order days and more: %d, departures: %d\n",
      firm.clients.size(), kRhythmDays, firm.pauses.size(),
      backtest::JudgeStopwatch(firm.pauses, 0).departures);
  const Outcome orders = JudgeAlerts(
      firm,
      AlertsOf(
          firm, [](const Touchpoint& one) { return one.has_order_placed(); }, absl::Hours(24)),
      "orders alone");
  const Outcome all = JudgeAlerts(firm, AlertsByAllSigns(), "orders and all other signs");
  for (const int days : {30, 45, 60, 90, 120})
    Print(absl::StrFormat("silence of %d days", days), backtest::JudgeStopwatch(firm.pauses, days));
  std::vector<int> leads;
  for (const auto& [kind, departures] : DeparturesByTruth(firm, orders.days, all.days)) {
    std::cout << absl::StrFormat(
        "  departures, %-20s %3d  alerts by orders %3d, by all %3d (%d at once)  "
        "median lead %d days\n",
        kind, departures.count, departures.by_orders, departures.by_all, departures.at_once,
        Median(departures.leads));
    leads.insert(leads.end(), departures.leads.begin(), departures.leads.end());
  }

  EXPECT_GE(orders.verdict.Right(), orders.stopwatch_of_each);
  EXPECT_GE(all.verdict.Right(), all.stopwatch_of_each + 0.10);
  EXPECT_GE(all.verdict.Right(), all.stopwatch.Right() + 0.10);
  EXPECT_LE(all.verdict.median_day, orders.verdict.median_day - 30);
  EXPECT_GE(Median(leads), 30);
  EXPECT_GE(all.verdict.Found(), orders.verdict.Found());
}

TEST(KnownTruthBacktest, EveryReasonIsTold) {
  std::set<std::string> told;
  for (const AlertEvent& event : AlertsByAllSigns())
    for (const alert::v1::Reason& reason : event.reasons()) told.insert(reason.code());
  for (int code = 0; code < kReasonCodes; ++code) {
    const std::string name(ReasonName(static_cast<ReasonCode>(code)));
    EXPECT_EQ(told.count(name), 1U) << name;
  }
}

TEST(KnownTruthBacktest, TheStepOfTheClockDoesNotMatter) {
  const std::vector<AlertEvent>& daily = AlertsByAllSigns();
  const std::vector<AlertEvent> weekly = AlertsOf(
      TheFirm(), [](const Touchpoint&) { return true; }, absl::Hours(7 * 24));
  ASSERT_EQ(daily.size(), weekly.size());
  for (size_t i = 0; i < daily.size(); ++i) {
    // Of several moments that one late timer makes up for, the cause names the first.
    AlertEvent one = daily[i];
    AlertEvent other = weekly[i];
    one.clear_cause();
    other.clear_cause();
    ASSERT_EQ(one.SerializeAsString(), other.SerializeAsString()) << one.DebugString();
  }
}

}  // namespace
}  // namespace rapport
