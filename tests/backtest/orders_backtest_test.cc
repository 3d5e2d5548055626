// What the retention projection says about the clients of a real shop (UCI Online Retail, CC BY
// 4.0: deploy/import/online_retail_sample.csv.gz), held against what they did and against rules
// that a child could state. The parameters were fitted on the same clients (settings.h), so this
// holds the machinery and the threshold; that they fit other firms is not shown. Orders are all
// that is known of them. Prints what it found.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "libs/backtest/judge.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/import/mapping_file.h"
#include "libs/import/try_import.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/rhythm.h"
#include "libs/projections/testing/plain_fold.h"

namespace rapport {
namespace {

using backtest::Forecast;
using backtest::OrderDay;
using backtest::Pause;
using backtest::Verdict;
using touchpoint::v1::Touchpoint;
using AlertDays = std::vector<std::optional<int>>;

constexpr int kDepartureDays = 150;
constexpr int kHorizonDays = 91;
constexpr int kRhythmDays = 3;

int32_t DayOf(const Touchpoint& touchpoint) {
  return rapport::DayOf(touchpoint.occurred_at().seconds());
}

absl::Time EndOf(int32_t day) { return absl::FromUnixSeconds((day + 1) * kSecondsPerDay); }

// The clients of the sample, and what the projection says of them as time goes by.
class Shop {
 public:
  Shop() {
    auto mapping = MappingFile::Load(RAPPORT_DEPLOY_FOLDER "/import/online_retail.textproto");
    EXPECT_OK(mapping);
    std::vector<MappingFile> mappings;
    mappings.push_back(*std::move(mapping));
    auto tried = TryImport({RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz"}, mappings);
    EXPECT_OK(tried);
    history_ = std::move(tried->touchpoints);
    std::stable_sort(history_.begin(), history_.end(),
                     [](const Touchpoint& a, const Touchpoint& b) {
                       return FromProto(a.occurred_at()) < FromProto(b.occurred_at());
                     });
    for (const Touchpoint& one : history_) {
      if (!one.has_order_placed()) continue;
      std::vector<OrderDay>& days = orders_[one.client_id()];
      if (days.empty() || days.back().day != DayOf(one)) days.push_back({DayOf(one), 0});
      days.back().value += one.order_placed().amount().minor_units();
    }
    end_day_ = DayOf(history_.back());
    pauses_ = backtest::PausesOf(orders_, end_day_, kDepartureDays);
  }

  // With the clock going along each hour, up to the end of a day.
  testing::PlainFold<Retention> FoldUpTo(int32_t day) const {
    testing::PlainFold<Retention> fold;
    absl::Time tick = EndOf(DayOf(history_.front()) - 1);
    const auto tick_until = [&](absl::Time until) {
      for (; tick <= until; tick += absl::Hours(1)) fold.AdvanceTo(tick);
    };
    for (const Touchpoint& touchpoint : history_) {
      if (DayOf(touchpoint) > day) break;
      tick_until(FromProto(touchpoint.occurred_at()));
      fold.Fold(touchpoint);
    }
    tick_until(EndOf(day));
    return fold;
  }

  // For each pause, after how many days of it an alert was raised.
  AlertDays AlertsIn(const testing::PlainFold<Retention>& fold) const {
    std::map<std::string, std::set<int32_t>> raised;
    for (const alert::v1::AlertEvent& event : fold.effects()) {
      if (event.has_raised())
        raised[event.client_id()].insert(rapport::DayOf(event.at().seconds()));
    }
    AlertDays days;
    for (const Pause& pause : pauses_) {
      const std::set<int32_t>& of_client = raised[pause.client_id];
      const auto first = of_client.lower_bound(pause.begin);
      const bool in_it = first != of_client.end() && *first < pause.begin + pause.days;
      days.push_back(in_it ? std::optional(*first - pause.begin) : std::nullopt);
    }
    return days;
  }

  bool OrdersWithin(const std::string& client, int32_t after, int days) const {
    const std::vector<OrderDay>& all = orders_.at(client);
    return std::any_of(all.begin(), all.end(), [&](const OrderDay& order) {
      return order.day > after && order.day <= after + days;
    });
  }

  const std::vector<Pause>& pauses() const { return pauses_; }
  int32_t end_day() const { return end_day_; }

 private:
  std::vector<Touchpoint> history_;
  std::map<std::string, std::vector<OrderDay>> orders_;
  int32_t end_day_ = 0;
  std::vector<Pause> pauses_;
};

const Shop& TheShop() {
  static const Shop* const shop = new Shop;
  return *shop;
}

void Print(const std::string& rule, const Verdict& verdict) {
  std::cout << absl::StrFormat(
      "  %-32s %4d alerts  right %.3f +- %.3f  found %.3f  median day %3d  by money %.3f, %.3f\n",
      rule, verdict.alerts, verdict.Right(), verdict.RightError(), verdict.Found(),
      verdict.median_day, verdict.right_value, verdict.found_value);
}

// Those of clients who had ordered on that many days.
template <class F>
void Of(const Shop& shop, const AlertDays& alerts, int least_order_days, const F& then) {
  std::vector<Pause> pauses;
  AlertDays theirs;
  for (size_t i = 0; i < alerts.size(); ++i) {
    if (shop.pauses()[i].order_days < least_order_days) continue;
    pauses.push_back(shop.pauses()[i]);
    theirs.push_back(alerts[i]);
  }
  then(pauses, theirs);
}

// `times` the mean gap of the client's order days so far, or nothing when it has none.
AlertDays AfterOwnGaps(const Shop& shop, double times) {
  AlertDays days;
  std::map<std::string, int32_t> first;
  for (const Pause& pause : shop.pauses()) {
    const int32_t since = first.try_emplace(pause.client_id, pause.begin).first->second;
    if (pause.order_days == 1) {
      days.emplace_back();
    } else {
      days.emplace_back(static_cast<int>(times * (pause.begin - since) / (pause.order_days - 1)));
    }
  }
  return days;
}

TEST(OrdersBacktest, AlertsAreRightMoreOftenThanSilenceOfAsManyDays) {
  const Shop& shop = TheShop();
  const testing::PlainFold<Retention> fold = shop.FoldUpTo(shop.end_day());
  const AlertDays alerts = shop.AlertsIn(fold);
  for (const int least : {1, kRhythmDays}) {
    Of(shop, alerts, least, [&](const std::vector<Pause>& pauses, const AlertDays& theirs) {
      const Verdict model = backtest::Judge(pauses, theirs);
      std::cout << "pauses of clients with " << least << " order days and more: " << model.pauses
                << ", departures: " << model.departures << "\n";
      Print(RetentionSettings().model_version, model);
      Print("silence of as many days", backtest::JudgeStopwatch(pauses, model.median_day));
      for (const int days : {30, 45, 60, 90, 120}) {
        Print(absl::StrFormat("silence of %d days", days), backtest::JudgeStopwatch(pauses, days));
      }
    });
  }
  for (const double times : {2.0, 3.0}) {
    Of(shop, AfterOwnGaps(shop, times), kRhythmDays,
       [&](const std::vector<Pause>& pauses, const AlertDays& theirs) {
         Print(absl::StrFormat("%.0f x own mean gap", times), backtest::Judge(pauses, theirs));
       });
  }
  const Verdict model = backtest::Judge(shop.pauses(), alerts);
  const Verdict stopwatch = backtest::JudgeStopwatch(shop.pauses(), model.median_day);
  EXPECT_GE(model.Right(), 0.58);
  EXPECT_GE(model.Found(), 0.85);
  EXPECT_LE(model.median_day, 45);
  EXPECT_GT(model.Right(), stopwatch.Right() + 4 * stopwatch.RightError());
}

// As a forecast of "orders nothing in the next 13 weeks", 13 weeks before the end of the history.
TEST(OrdersBacktest, TheScoreIsAChanceThatRanksBetterThanRecency) {
  const Shop& shop = TheShop();
  const int32_t day = shop.end_day() - kHorizonDays;
  const testing::PlainFold<Retention> fold = shop.FoldUpTo(day);
  const OrderRiskSettings orders;
  std::vector<Forecast> scores;
  std::vector<Forecast> recency;
  std::vector<Forecast> silent;
  for (const auto& [client, state] : fold.states()) {
    if (!state.factors().has_orders()) continue;  // of whom only returned goods are known
    const state::v1::Rhythm& rhythm = state.factors().orders();
    const bool happened = !shop.OrdersWithin(client, day, kHorizonDays);
    scores.push_back(
        {ExplainRetention(state, RetentionSettings(), EndOf(day)).score / 1000.0, happened});
    recency.push_back({(day - rhythm.last_day()) / 1000.0, happened});
    const models::Repeats repeats = {static_cast<double>(RepeatDays(rhythm)),
                                     (rhythm.last_day() - rhythm.first_day()) / 7.0};
    silent.push_back({models::MbgSilent(orders.parameters, repeats,
                                        (day - rhythm.first_day()) / 7.0, orders.horizon_weeks),
                      happened});
  }
  std::cout << absl::StrFormat(
      "%d clients: AUC %.4f, Brier %.4f; recency alone AUC %.4f; P_silent alone AUC %.4f\n",
      scores.size(), backtest::Auc(scores), backtest::Brier(scores), backtest::Auc(recency),
      backtest::Auc(silent));
  EXPECT_GE(backtest::Auc(scores), backtest::Auc(recency) + 0.04);
  EXPECT_GE(backtest::Auc(scores), backtest::Auc(silent));
  EXPECT_LE(backtest::Brier(scores), 0.21);
  for (const backtest::CalibrationRow& row : backtest::Calibration(scores, 10)) {
    std::cout << absl::StrFormat("  %3d clients  told %.3f  came about %.3f  (%+.1f errors)\n",
                                 row.count, row.chance, row.happened, row.Errors());
    EXPECT_LE(std::abs(row.Errors()), 2) << "told " << row.chance;
  }
  // No fifth is above the next by more than chance explains.
  const std::vector<backtest::CalibrationRow> fifths = backtest::Calibration(scores, 5);
  for (size_t i = 0; i + 1 < fifths.size(); ++i) {
    const auto variance = [](const backtest::CalibrationRow& row) {
      return row.chance * (1 - row.chance) / static_cast<double>(row.count);
    };
    EXPECT_LE(fifths[i].happened - fifths[i + 1].happened,
              2 * std::sqrt(variance(fifths[i]) + variance(fifths[i + 1])))
        << "told " << fifths[i].chance << " and " << fifths[i + 1].chance;
  }
}

}  // namespace
}  // namespace rapport
