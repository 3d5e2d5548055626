#include "libs/kpi/forecast.h"

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "libs/base/event_id.h"
#include "libs/base/time.h"
#include "libs/kpi/deal_courses.h"
#include "libs/kpi/periods.h"
#include "libs/touchpoint/identity.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using google::protobuf::TextFormat;
using query::v1::KpiDeals;
using testing::ElementsAre;
using touchpoint::v1::Touchpoint;

absl::Time At(const std::string& day) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(
      absl::ParseTime("%Y-%m-%d %H:%M", day.size() == 10 ? day + " 12:00" : day, &time, &error))
      << day;
  return time;
}

// Clients whose touchpoints a test tells.
class World {
 public:
  void Tell(const std::string& client, const std::string& day, const std::string& payload) {
    Touchpoint touchpoint;
    ASSERT_TRUE(TextFormat::ParseFromString(payload, &touchpoint)) << payload;
    touchpoint.set_client_id(client);
    touchpoint.set_event_id(std::string(MakeEventId("test", absl::StrCat(++count_)).view()));
    ToProto(At(day), touchpoint.mutable_occurred_at());
    FoldOutput none;
    ASSERT_TRUE(
        Kpi::Apply({.client_id = client}, touchpoint, settings_, states_[client], none).ok());
  }
  // A deal in EUR that is expected to close on a day.
  void Open(const std::string& deal, const std::string& day, int64_t euros,
            const std::string& close, const std::string& rest = "") {
    const int64_t seconds = close.empty() ? 0 : absl::ToUnixSeconds(At(close));
    Tell(deal, day,
         absl::StrCat(
             "deal_opened { deal_id: '", deal, "' amount { minor_units: ", euros * 100,
             " currency_code: 'EUR' } ",
             close.empty() ? "" : absl::StrCat("expected_close_at { seconds: ", seconds, " } "),
             rest, " }"));
  }
  void Stage(const std::string& deal, const std::string& day, const std::string& stage,
             const std::string& rest = "") {
    Tell(deal, day,
         absl::StrCat("deal_stage_changed { deal_id: '", deal, "' to_stage: DEAL_STAGE_", stage,
                      " ", rest, " }"));
  }
  void Win(const std::string& deal, const std::string& day) {
    Tell(deal, day, absl::StrCat("deal_won { deal_id: '", deal, "' }"));
  }
  void Lose(const std::string& deal, const std::string& day, const std::string& rest = "") {
    Tell(deal, day, absl::StrCat("deal_lost { deal_id: '", deal, "' ", rest, " }"));
  }
  void Own(const std::string& client, const std::string& day, const std::string& owner) {
    Tell(client, day, absl::StrCat("owner_assigned { to_owner_id: '", owner, "' }"));
  }

  KpiDeals Deals() const {
    KpiDeals deals;
    for (const auto& [client, state] : states_) AddCourses(state, client, settings_, &deals);
    return deals;
  }
  const KpiSettings& settings() const { return settings_; }

 private:
  KpiSettings settings_;
  std::map<std::string, state::v1::KpiState> states_;
  int count_ = 0;
};

FigureScope OwnerScope(const std::string& owner) {
  return {.scope = "owner",
          .id = owner,
          .everybody = false,
          .members = {{owner, {DayRange{0, std::numeric_limits<int32_t>::max()}}}}};
}

query::v1::KpiForecast ForecastOf(const World& world, const std::string& at,
                                  const std::string& since = "", FigureScope scope = {}) {
  ForecastRequest request{.scope = std::move(scope), .at = At(at)};
  if (!since.empty()) request.since = At(since);
  return Forecast(world.Deals(), request, world.settings());
}

// What is told of a move, and whether it adds up.
std::vector<int64_t> PartsOf(const query::v1::KpiForecastMove& move) {
  EXPECT_EQ(move.after(), move.before() + move.new_deals() - move.won() - move.lost() +
                              move.amount() + move.date() + move.stage() + move.chance() +
                              move.removed() + move.handed_over())
      << move.ShortDebugString();
  return {move.new_deals(), move.won(),    move.lost(),    move.amount(),     move.date(),
          move.stage(),     move.chance(), move.removed(), move.handed_over()};
}

TEST(ForecastTest, ByMonthWithOverdueAndUndatedApart) {
  World world;
  world.Open("june", "2026-05-01", 1000, "2026-06-15");
  world.Open("late", "2026-05-01", 100, "2026-05-10");
  world.Open("undated", "2026-05-01", 10, "");
  world.Tell("pounds", "2026-05-02",
             "deal_opened { deal_id: 'pounds' amount { minor_units: 777 currency_code: 'GBP' } }");
  const query::v1::KpiForecast forecast = ForecastOf(world, "2026-05-20");
  ASSERT_EQ(forecast.currencies_size(), 2);
  const query::v1::KpiForecastCurrency& euros = forecast.currencies(0);
  ASSERT_EQ(euros.months_size(), 1);
  EXPECT_EQ(euros.months(0).month(), "2026-06-01");
  // A lead has a chance of 5 %.
  EXPECT_EQ(euros.months(0).weighted(), 5000);
  EXPECT_EQ(euros.months(0).amount(), 100000);
  EXPECT_EQ(euros.overdue().weighted(), 500);
  EXPECT_EQ(euros.undated().weighted(), 50);
  EXPECT_EQ(euros.total().weighted(), 5550);
  EXPECT_EQ(euros.total().deals(), 3);
  EXPECT_EQ(forecast.currencies(1).currency_code(), "GBP");
  EXPECT_EQ(forecast.currencies(1).total().weighted(), 39);  // 38.85
}

TEST(ForecastTest, CellsAddUpToTheTotalWhateverTheirCents) {
  World world;
  for (int i = 1; i <= 9; ++i) {
    world.Tell(absl::StrCat("d", i), "2026-05-01",
               absl::StrCat("deal_opened { deal_id: 'd", i, "' amount { minor_units: ", 10 + i,
                            " currency_code: 'EUR' } expected_close_at { seconds: ",
                            absl::ToUnixSeconds(At(absl::StrCat("2026-1", i % 3, "-15"))), " } }"));
  }
  const query::v1::KpiForecast forecast = ForecastOf(world, "2026-05-20");
  int64_t sum = 0;
  for (const auto& month : forecast.currencies(0).months()) sum += month.weighted();
  EXPECT_EQ(sum, forecast.currencies(0).total().weighted());
}

TEST(ForecastTest, ChancesAreLearnedAndDrawnToTheSetOnesWhileTheyAreFew) {
  World world;
  EXPECT_EQ(LearnChances(world.Deals(), At("2026-05-01")).stages[1].permille, 50);
  for (int i = 0; i < 20; ++i) {
    const std::string deal = absl::StrCat("d", i);
    world.Open(deal, "2026-01-01", 100, "");
    if (i < 10) world.Stage(deal, "2026-01-02", "PRESENTED");
    i < 5 ? world.Win(deal, "2026-02-01") : world.Lose(deal, "2026-02-01");
  }
  // Before they were decided they teach nothing.
  EXPECT_EQ(LearnChances(world.Deals(), At("2026-01-20")).stages[1].decided, 0);
  const StageChances chances = LearnChances(world.Deals(), At("2026-03-01"));
  EXPECT_EQ(chances.stages[1].decided, 20);
  EXPECT_EQ(chances.stages[1].won, 5);
  EXPECT_EQ(chances.stages[1].permille, 150);  // (5 x 1000 + 20 x 50) / 40
  EXPECT_EQ(chances.stages[5].decided, 10);
  EXPECT_EQ(chances.stages[5].permille, 467);  // (5 x 1000 + 20 x 450) / 30
  // What a seller judges stands.
  world.Open("judged", "2026-03-02", 100, "", "probability_permille: 900");
  EXPECT_EQ(ForecastOf(world, "2026-03-03").currencies(0).total().weighted(), 9000);
}

TEST(ForecastTest, WhyItMoved) {
  World world;
  for (const char* deal : {"won", "lost", "amount", "stage", "same", "removed", "judged"}) {
    world.Open(deal, "2026-05-01", 100, "2026-07-01", "probability_permille: 500");
  }
  world.Stage("stage", "2026-05-02", "CONTACTED", "probability_permille: 200");
  const auto euros = [](std::vector<int64_t> amounts) {
    for (int64_t& amount : amounts) amount *= 100;
    return amounts;
  };
  world.Open("new", "2026-05-12", 10, "2026-07-01", "probability_permille: 500");
  world.Win("won", "2026-05-12");
  world.Lose("lost", "2026-05-12");
  world.Tell("amount", "2026-05-12",
             "deal_amount_changed { deal_id: 'amount' amount { minor_units: 14000 currency_code: "
             "'EUR' } }");
  world.Stage("stage", "2026-05-12", "PRESENTED", "probability_permille: 300");
  world.Stage("judged", "2026-05-12", "LEAD", "probability_permille: 600");
  world.Tell("removed", "2026-05-12", "deal_removed { deal_id: 'removed' }");
  const query::v1::KpiForecast forecast = ForecastOf(world, "2026-05-20", "2026-05-10");
  const query::v1::KpiForecastMove& move = forecast.currencies(0).move();
  EXPECT_EQ(move.before(), 32000);
  EXPECT_EQ(move.after(), forecast.currencies(0).total().weighted());
  EXPECT_THAT(PartsOf(move), testing::ElementsAreArray(euros({5, 50, 50, 20, 0, 20, 0, -50, 0})));
}

TEST(ForecastTest, WhyTheForecastOfSomeMonthsMoved) {
  World world;
  world.Open("slips", "2026-05-01", 100, "2026-06-15", "probability_permille: 500");
  world.Open("comes", "2026-05-01", 40, "2026-08-15", "probability_permille: 500");
  const auto close = [&](const std::string& deal, const std::string& day) {
    world.Stage(deal, "2026-05-12", "LEAD",
                absl::StrCat("probability_permille: 500 expected_close_at { seconds: ",
                             absl::ToUnixSeconds(At(day)), " }"));
  };
  close("slips", "2026-08-01");
  close("comes", "2026-06-30");
  ForecastRequest request{.at = At("2026-05-20"), .since = At("2026-05-10")};
  request.closing = *ParsePeriod("month", "2026-06");
  const query::v1::KpiForecast forecast = Forecast(world.Deals(), request, world.settings());
  const query::v1::KpiForecastMove& move = forecast.currencies(0).move();
  EXPECT_EQ(move.before(), 5000);
  EXPECT_EQ(move.after(), 2000);
  EXPECT_EQ(move.date(), -3000);
  PartsOf(move);
}

TEST(ForecastTest, HandoversMoveADealFromOneForecastToAnother) {
  World world;
  world.Own("deal", "2026-04-01", "anna");
  world.Open("deal", "2026-05-01", 100, "2026-07-01", "probability_permille: 500");
  world.Own("deal", "2026-05-12", "ben");
  const auto anna = ForecastOf(world, "2026-05-20", "2026-05-10", OwnerScope("anna"));
  EXPECT_EQ(anna.currencies(0).move().handed_over(), -5000);
  EXPECT_EQ(anna.currencies(0).total().weighted(), 0);
  const auto ben = ForecastOf(world, "2026-05-20", "2026-05-10", OwnerScope("ben"));
  EXPECT_EQ(ben.currencies(0).move().handed_over(), 5000);
  PartsOf(ben.currencies(0).move());
}

TEST(ForecastTest, CalibrationTellsWhatWasForecastAndWhatCame) {
  World world;
  world.Open("a", "2026-01-15", 100, "2026-04-10", "probability_permille: 400");
  world.Open("b", "2026-03-15", 50, "2026-04-10", "probability_permille: 500");
  world.Win("a", "2026-04-20");
  const query::v1::KpiForecast forecast = ForecastOf(world, "2026-05-20");
  std::vector<std::string> april;
  for (const query::v1::KpiCalibration& one : forecast.calibrations()) {
    if (one.month() == "2026-04-01") {
      april.push_back(absl::StrCat(one.at(), " ", one.forecast(), " ", one.won()));
    }
  }
  EXPECT_THAT(april, ElementsAre("2026-02-01 4000 10000", "2026-03-01 4000 10000",
                                 "2026-04-01 6500 10000"));
}

// A source that tells of the first contact after the deal was made.
TEST(CohortsTest, ADealWhoseOpeningIsToldLateIsWon) {
  World world;
  world.Win("early", "2026-01-17");
  world.Open("early", "2026-02-02", 100, "");
  const query::v1::KpiDeals deals = world.Deals();
  const DealStanding deal = StandingAt(deals.deals(0), At("2026-03-01"));
  EXPECT_EQ(deal.state, DealStanding::State::kWon);
  EXPECT_EQ(LearnChances(deals, At("2026-03-01")).stages[1].won, 1);
}

// Random histories: whatever happened, the parts add up, for every owner, and the owners' forecasts
// to the firm's.
TEST(ForecastTest, MovesAreReconciledInRandomHistories) {
  std::mt19937 random(20261130);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 30; ++round) {
    World world;
    const auto day = [&] { return absl::StrCat("2026-0", 1 + below(6), "-1", below(10)); };
    for (int i = 0; i < 12; ++i) {
      const std::string deal = absl::StrCat("d", i);
      world.Own(deal, day(), below(2) == 0 ? "anna" : "ben");
      world.Own(deal, day(), below(2) == 0 ? "anna" : "ben");
      world.Open(deal, day(), 1 + below(1000), below(3) == 0 ? "" : day());
      for (int step = 0; step < 3; ++step) {
        world.Stage(deal, day(), below(2) == 0 ? "PRESENTED" : "CONTACTED",
                    below(2) == 0 ? absl::StrCat("probability_permille: ", below(1001)) : "");
        world.Tell(deal, day(),
                   absl::StrCat("deal_amount_changed { deal_id: '", deal,
                                "' amount { minor_units: ", below(99999), " currency_code: '",
                                below(4) == 0 ? "GBP" : "EUR", "' } }"));
      }
      if (below(3) == 0) world.Win(deal, day());
      if (below(3) == 0) world.Lose(deal, day());
      if (below(5) == 0)
        world.Tell(deal, day(), absl::StrCat("deal_removed { deal_id: '", deal, "' }"));
    }
    const std::string since = day();
    const std::string at = "2026-07-01";
    std::map<std::string, absl::int128> by_owner;
    for (const std::string owner : {"anna", "ben", "", "*"}) {
      const auto scope = owner == "*" ? FigureScope{} : OwnerScope(owner);
      const query::v1::KpiForecast before = ForecastOf(world, since, "", scope);
      const query::v1::KpiForecast now = ForecastOf(world, at, since, scope);
      for (const auto& currency : now.currencies()) {
        PartsOf(currency.move());
        EXPECT_EQ(currency.move().after(), currency.total().weighted());
        int64_t was = 0;
        for (const auto& one : before.currencies()) {
          if (one.currency_code() == currency.currency_code()) was = one.total().weighted();
        }
        EXPECT_EQ(currency.move().before(), was);
        by_owner[currency.currency_code()] += (owner == "*" ? -1 : 1) * currency.total().amount();
      }
    }
    for (const auto& [currency, difference] : by_owner) EXPECT_EQ(difference, 0) << currency;
  }
}

query::v1::KpiCohorts CohortsOf(const World& world, const std::string& from, const std::string& to,
                                const std::string& until) {
  return Cohorts(
      world.Deals(),
      {.opened = {ParsePeriod("from", from)->from, ParsePeriod("to", to)->to}, .until = At(until)},
      world.settings());
}

TEST(CohortsTest, WhatBecameOfTheDealsOfEachMonth) {
  World world;
  world.Open("a", "2026-01-10", 100, "", "source: DEAL_SOURCE_REFERRAL referrer_client_id: 'V1'");
  world.Stage("a", "2026-01-14", "PRESENTED");
  world.Win("a", "2026-01-30");
  world.Open("b", "2026-01-11", 70, "", "source: DEAL_SOURCE_INBOUND");
  world.Stage("b", "2026-01-21", "CONTACTED");
  world.Lose("b", "2026-02-01", "reason: DEAL_LOSS_REASON_COMPETITOR competitor: 'Acme'");
  world.Open("c", "2026-01-12", 10, "");
  world.Open("d", "2026-02-12", 10, "");
  world.Open("gone", "2026-02-12", 10, "");
  world.Tell("gone", "2026-02-13", "deal_removed { deal_id: 'gone' }");
  const query::v1::KpiCohorts cohorts = CohortsOf(world, "2026-01", "2026-02", "2026-03-05");
  ASSERT_EQ(cohorts.cohorts_size(), 2);
  const query::v1::KpiCohort& january = cohorts.cohorts(0);
  EXPECT_EQ(january.opened(), 3);
  EXPECT_EQ(january.won(), 1);
  EXPECT_EQ(january.lost(), 1);
  EXPECT_EQ(january.open(), 1);
  EXPECT_EQ(january.stages(0).reached(), 3);
  EXPECT_EQ(january.stages(0).mean_days(), 7);  // 4 and 10
  EXPECT_EQ(january.stages(1).reached(), 2);    // skipped ones count as reached
  EXPECT_EQ(january.stages(4).stage(), touchpoint::v1::DEAL_STAGE_PRESENTED);
  EXPECT_EQ(january.stages(4).mean_days(), 16);
  EXPECT_EQ(january.stages(7).reached(), 1);
  EXPECT_EQ(cohorts.median_days_to_win(), 20);
  EXPECT_FALSE(january.settling());
  EXPECT_TRUE(cohorts.cohorts(1).settling());
  EXPECT_EQ(cohorts.total().opened(), 4);
  ASSERT_EQ(cohorts.loss_reasons_size(), 1);
  EXPECT_EQ(cohorts.loss_reasons(0).reason(), touchpoint::v1::DEAL_LOSS_REASON_COMPETITOR);
  EXPECT_EQ(cohorts.loss_reasons(0).amounts(0).minor_units(), 7000);
  ASSERT_EQ(cohorts.referrers_size(), 1);
  EXPECT_EQ(cohorts.referrers(0).id(), "V1");
  EXPECT_EQ(cohorts.referrers(0).amounts(0).minor_units(), 10000);
  EXPECT_EQ(cohorts.competitors(0).id(), "Acme");
  EXPECT_EQ(cohorts.sources(0).id(), "referral");
  // As it was before the first was decided.
  EXPECT_EQ(CohortsOf(world, "2026-01", "2026-01", "2026-01-20").cohorts(0).won(), 0);
}

}  // namespace
}  // namespace rapport
