#include "libs/projections/kpi/kpi.h"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "libs/base/time.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::PlainFold;
using ::testing::UnorderedElementsAre;
using touchpoint::v1::Touchpoint;

int32_t Day(int year, int month, int day) { return DayNumber(absl::CivilDay(year, month, day)); }

// What a client contributes of one measure: (day, amount), whoever owned it.
std::map<int32_t, int64_t> Of(const state::v1::KpiState& state, Measure measure,
                              const KpiSettings& settings = {}) {
  std::map<int32_t, int64_t> days;
  VisitContributions(state, settings, [&](const Contribution& c) {
    if (c.measure == measure && c.scope == TallyScope::kOwner) days[c.day] += c.amount;
  });
  std::erase_if(days, [](const auto& day) { return day.second == 0; });
  return days;
}

class KpiTest : public ::testing::Test {
 protected:
  // A touchpoint of client "c", as text, at a moment of UTC such as "2026-05-01 10:00".
  void Tell(const std::string& at, const std::string& text) {
    Touchpoint touchpoint;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &touchpoint)) << text;
    std::string error;
    absl::Time time;
    ASSERT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", at, &time, &error)) << error;
    ToProto(time, touchpoint.mutable_occurred_at());
    touchpoint.set_client_id("c");
    touchpoint.set_event_id(testing::EventIdOf(++number_));
    FoldOutput output;
    ASSERT_TRUE(Kpi::Apply({"c"}, touchpoint, settings_, state_, output).ok());
  }
  void Order(const std::string& at, const std::string& id, int64_t minor_units) {
    Tell(at, absl::StrCat("order_placed { order_id: '", id, "' amount { minor_units: ", minor_units,
                          " currency_code: 'EUR' } }"));
  }
  void Owner(const std::string& at, const std::string& to) {
    Tell(at, absl::StrCat("owner_assigned { to_owner_id: '", to, "' }"));
  }
  std::map<int32_t, int64_t> Days(Measure measure) const { return Of(state_, measure, settings_); }
  // (owner, day, amount).
  std::set<std::tuple<std::string, int32_t, int64_t>> Owners(Measure measure) const {
    std::set<std::tuple<std::string, int32_t, int64_t>> all;
    VisitContributions(state_, settings_, [&](const Contribution& c) {
      if (c.measure == measure && c.scope == TallyScope::kOwner) {
        all.insert({std::string(c.who), c.day, c.amount});
      }
    });
    return all;
  }

  KpiSettings settings_;
  state::v1::KpiState state_;
  uint64_t number_ = 0;
};

TEST_F(KpiTest, AClientIsOneUntilItIsSilentForTheSetTimeAndMayComeBack) {
  Order("2026-01-10 10:00", "a", 100);
  Order("2026-03-01 10:00", "b", 100);
  Order("2026-10-01 10:00", "c", 100);
  EXPECT_THAT(Days(Measure::kNewClients), ElementsAre(Pair(Day(2026, 1, 10), 1)));
  EXPECT_THAT(Days(Measure::kLostClients),
              ElementsAre(Pair(Day(2026, 3, 1) + 180, 1), Pair(Day(2026, 10, 1) + 180, 1)));
  EXPECT_THAT(Days(Measure::kBackClients), ElementsAre(Pair(Day(2026, 10, 1), 1)));
}

TEST_F(KpiTest, AContractHoldsAClientAndItsEndIsToldBeforehand) {
  Tell("2026-01-10 10:00",
       "contract_signed { contract_id: 'k' terms { starts_at { seconds: 1767225600 } "
       "ends_at { seconds: 1798675200 } } }");  // 2026-01-01, 2026-12-31
  EXPECT_THAT(Days(Measure::kClients),
              ElementsAre(Pair(Day(2026, 1, 1), 1), Pair(Day(2026, 12, 31), -1)));
  Tell("2026-05-15 10:00",
       "contract_terminated { contract_id: 'k' ends_at { seconds: 1782777600 } }");  // 2026-06-30
  EXPECT_THAT(Days(Measure::kLostClients), ElementsAre(Pair(Day(2026, 6, 30), 1)));
}

TEST_F(KpiTest, APersonsWordEndsAClientThatDay) {
  Order("2026-01-10 10:00", "a", 100);
  Tell("2026-02-01 10:00", "alert_resolved { alert_id: 'x' outcome: ALERT_OUTCOME_LOST }");
  EXPECT_THAT(Days(Measure::kLostClients), ElementsAre(Pair(Day(2026, 2, 1), 1)));
  Order("2026-02-20 10:00", "b", 100);
  EXPECT_THAT(Days(Measure::kBackClients), ElementsAre(Pair(Day(2026, 2, 20), 1)));
}

TEST_F(KpiTest, AHandoverCountsFromTheBeginningOfItsDayAndMovesWhatStands) {
  Owner("2026-01-05 09:00", "anna");
  Order("2026-05-10 08:00", "a", 100);
  Order("2026-05-20 08:00", "b", 300);
  Owner("2026-05-20 15:00", "ben");
  EXPECT_THAT(Owners(Measure::kOrdered),
              UnorderedElementsAre(std::tuple("anna", Day(2026, 5, 10), 100),
                                   std::tuple("ben", Day(2026, 5, 20), 300)));
  EXPECT_THAT(Owners(Measure::kOutClients),
              UnorderedElementsAre(std::tuple("anna", Day(2026, 5, 20), 1)));
  EXPECT_THAT(Owners(Measure::kInClients),
              UnorderedElementsAre(std::tuple("ben", Day(2026, 5, 20), 1)));
  EXPECT_THAT(Owners(Measure::kClients),
              UnorderedElementsAre(std::tuple("anna", Day(2026, 5, 10), 1),
                                   std::tuple("anna", Day(2026, 5, 20), -1),
                                   std::tuple("ben", Day(2026, 5, 20), 1),
                                   std::tuple("ben", Day(2026, 5, 20) + 180, -1)));
}

TEST_F(KpiTest, ACancellationIsOfItsOwnDayAndNeverMoreThanIsLeft) {
  Tell("2026-05-20 10:00",
       "order_cancelled { order_id: 'a' cancellation_id: 'x' "
       "amount { minor_units: 30 currency_code: 'EUR' } }");
  Tell("2026-05-25 10:00", "order_cancelled { order_id: 'a' cancellation_id: 'y' }");
  Order("2026-05-10 08:00", "a", 100);
  EXPECT_THAT(Days(Measure::kCancelled),
              ElementsAre(Pair(Day(2026, 5, 20), 30), Pair(Day(2026, 5, 25), 70)));
}

TEST_F(KpiTest, DaysAreThoseOfTheFirmAlsoWhenClocksChange) {
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Berlin", &settings_.time_zone));
  // The last minute of 28 March and the first of 29 March, on which clocks go forward; then the
  // same of 25 October, which has 25 hours.
  Order("2026-03-28 22:59", "a", 1);
  Order("2026-03-28 23:00", "b", 2);
  Order("2026-03-29 21:59", "c", 4);
  Order("2026-03-29 22:00", "d", 8);
  Order("2026-10-24 22:00", "e", 16);
  Order("2026-10-25 22:59", "f", 32);
  Order("2026-10-25 23:00", "g", 64);
  EXPECT_THAT(
      Days(Measure::kOrdered),
      ElementsAre(Pair(Day(2026, 3, 28), 1), Pair(Day(2026, 3, 29), 6), Pair(Day(2026, 3, 30), 8),
                  Pair(Day(2026, 10, 25), 48), Pair(Day(2026, 10, 26), 64)));
}

TEST_F(KpiTest, AHalfHourZoneHasItsOwnMidnight) {
  ASSERT_TRUE(absl::LoadTimeZone("Asia/Kolkata", &settings_.time_zone));
  Order("2026-05-01 18:29", "a", 1);
  Order("2026-05-01 18:30", "b", 2);
  EXPECT_THAT(Days(Measure::kOrdered),
              ElementsAre(Pair(Day(2026, 5, 1), 1), Pair(Day(2026, 5, 2), 2)));
}

TEST_F(KpiTest, MovingAPromiseWithoutConsentIsNoWayToKeepIt) {
  const auto due = [](int day) {  // of May 2026, at noon
    return absl::StrCat("due_at { seconds: ",
                        absl::ToUnixSeconds(absl::FromCivil(
                            absl::CivilSecond(2026, 5, day, 12, 0, 0), absl::UTCTimeZone())),
                        " }");
  };
  Tell("2026-05-01 10:00", absl::StrCat("commitment_made { commitment_id: 'p' ", due(5), " }"));
  Tell("2026-05-04 10:00", absl::StrCat("commitment_moved { commitment_id: 'p' ", due(9), " }"));
  Tell("2026-05-08 10:00", "commitment_kept { commitment_id: 'p' }");
  EXPECT_THAT(Days(Measure::kDueCommitments), ElementsAre(Pair(Day(2026, 5, 5), 1)));
  EXPECT_THAT(Days(Measure::kKeptOnTime), IsEmpty());
  EXPECT_THAT(Days(Measure::kKeptLate), ElementsAre(Pair(Day(2026, 5, 5), 1)));
  EXPECT_THAT(Days(Measure::kMovedAlone), ElementsAre(Pair(Day(2026, 5, 5), 1)));
  Tell("2026-05-04 11:00",
       absl::StrCat("commitment_moved { commitment_id: 'p' ", due(9), " agreed_by_client: true }"));
  EXPECT_THAT(Days(Measure::kKeptOnTime), ElementsAre(Pair(Day(2026, 5, 9), 1)));
}

TEST_F(KpiTest, APromiseForADateHasItsWholeDay) {
  Tell("2026-05-01 10:00",
       "commitment_made { commitment_id: 'p' due_at { seconds: 1777939200 } }");  // 2026-05-05 0:00
  Tell("2026-05-05 17:00", "commitment_kept { commitment_id: 'p' }");
  EXPECT_THAT(Days(Measure::kKeptOnTime), ElementsAre(Pair(Day(2026, 5, 5), 1)));
}

TEST_F(KpiTest, AResponseIsOfTheDayOfTheQuestion) {
  Tell("2026-05-13 09:00", "direction: DIRECTION_INBOUND email_exchanged { thread_id: 't' }");
  EXPECT_THAT(Days(Measure::kAnswered), IsEmpty());
  Tell("2026-05-13 09:30", "direction: DIRECTION_INBOUND email_exchanged { thread_id: 't' }");
  Tell("2026-05-13 10:00",
       "direction: DIRECTION_OUTBOUND email_exchanged { thread_id: 't' auto_reply: true }");
  Tell("2026-05-14 09:00", "direction: DIRECTION_OUTBOUND email_exchanged { thread_id: 't' }");
  EXPECT_THAT(Days(Measure::kInbound), ElementsAre(Pair(Day(2026, 5, 13), 1)));
  EXPECT_THAT(Days(Measure::kResponseMillis),
              ElementsAre(Pair(Day(2026, 5, 13), int64_t{24} * 3600 * 1000)));
}

TEST_F(KpiTest, ADealsAmountAtWinningCountsAndAReopenedDealTakesItBack) {
  Tell("2026-05-02 10:00",
       "deal_opened { deal_id: 'd' kind: DEAL_KIND_NEW_BUSINESS "
       "amount { minor_units: 100 currency_code: 'EUR' } }");
  Tell("2026-05-22 10:00",
       "deal_won { deal_id: 'd' amount { minor_units: 90 currency_code: 'EUR' } }");
  Tell("2026-06-01 10:00",
       "deal_amount_changed { deal_id: 'd' amount { minor_units: 500 currency_code: 'EUR' } }");
  EXPECT_THAT(Days(Measure::kWonAmount), ElementsAre(Pair(Day(2026, 5, 22), 90)));
  EXPECT_THAT(Days(Measure::kDaysToWin), ElementsAre(Pair(Day(2026, 5, 22), 20)));
  EXPECT_THAT(Days(Measure::kOpenDeals),
              ElementsAre(Pair(Day(2026, 5, 2), 1), Pair(Day(2026, 5, 22), -1)));
  Tell("2026-06-02 10:00", "deal_stage_changed { deal_id: 'd' to_stage: DEAL_STAGE_NEGOTIATION }");
  EXPECT_THAT(Days(Measure::kWonAmount), IsEmpty());
  EXPECT_EQ(Days(Measure::kOpenDeals)[Day(2026, 6, 2)], 1);
}

TEST_F(KpiTest, APersonIsCoveredForNinetyDaysAfterAContact) {
  Tell("2026-01-06 09:00",
       "stakeholder_added { stakeholder { stakeholder_id: 'p' "
       "influence: INFLUENCE_DECISION_MAKER } }");
  Tell("2026-02-01 09:00", "stakeholder_ids: 'p' meeting_held { meeting_id: 'm' }");
  Tell("2026-02-11 09:00", "stakeholder_ids: 'p' meeting_held { meeting_id: 'n' }");
  EXPECT_THAT(Days(Measure::kTouchedDecisionMakers),
              ElementsAre(Pair(Day(2026, 2, 1), 1), Pair(Day(2026, 2, 11) + 90, -1)));
  Tell("2026-03-01 09:00", "stakeholder_left { stakeholder_id: 'p' }");
  EXPECT_THAT(Days(Measure::kTouchedStakeholders),
              ElementsAre(Pair(Day(2026, 2, 1), 1), Pair(Day(2026, 3, 1), -1)));
}

TEST(KpiKeysTest, ComeBackFromTheirBytes) {
  TallyKey key{.measure = Measure::kWonAmount,
               .grain = TallyGrain::kMonth,
               .first_day = -3,
               .scope = TallyScope::kOwner,
               .who = std::string("a\0b", 3),
               .segment = 2,
               .sub = SubOf("EUR", -7),
               .known = 20'000};
  const std::optional<TallyKey> back = DecodeTallyKey(EncodeTallyKey(key));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeTallyKey(*back), EncodeTallyKey(key));
  EXPECT_EQ(PartsOf(back->sub).text, "EUR");
  EXPECT_EQ(PartsOf(back->sub).number, -7);
  EXPECT_FALSE(DecodeTallyKey("short"));
  EXPECT_FALSE(DecodeTallyKey(EncodeTallyKey(key) + "x"));
}

TEST(KpiBucketsTest, AreExactWhenSmallAndWithinTheBoundElse) {
  int32_t last = -1;
  for (int64_t value = 0; value < 5'000'000'000; value += 1 + value / 97) {
    const int32_t bucket = BucketOf(value);
    EXPECT_GE(bucket, last);
    last = bucket;
    const int64_t middle = BucketMiddle(bucket);
    EXPECT_LE(std::abs(middle - value) * 1000, value * 16) << value;
    EXPECT_EQ(BucketOf(middle), bucket);
  }
  EXPECT_EQ(BucketMiddle(BucketOf(63)), 63);
}

TEST(KpiDaysTest, MonthsBeginOnTheirFirst) {
  EXPECT_EQ(MonthOf(Day(2026, 2, 28)), Day(2026, 2, 1));
  EXPECT_EQ(MonthOf(Day(1969, 12, 31)), Day(1969, 12, 1));
  EXPECT_EQ(CivilDayOf(Day(2024, 2, 29)), absl::CivilDay(2024, 2, 29));
  EXPECT_EQ(WeekOf(Day(2026, 11, 29)), Day(2026, 11, 23));
  EXPECT_EQ(WeekOf(Day(1969, 12, 28)), Day(1969, 12, 22));
  for (int32_t day = -800'000; day < 800'000; day += 37) {
    const absl::CivilDay civil = CivilDayOf(day);
    ASSERT_EQ(YearOf(day), civil.year()) << day;
    ASSERT_EQ(MonthOf(day), DayNumber(absl::CivilDay(absl::CivilMonth(civil)))) << day;
  }
}

class RandomKpiTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  std::vector<Touchpoint> History() const {
    testing::HistoryOptions options = {
        .seed = GetParam(), .client_count = 3, .touchpoint_count = 240};
    // Sources with dates only: steps at one moment.
    if (GetParam() % 2 == 0) options.resolution = absl::Hours(24);
    return testing::RandomHistory(options);
  }
};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomKpiTest, ::testing::Range<uint64_t>(1, 7));

TEST_P(RandomKpiTest, TheOrderOfArrivalDoesNotMatter) {
  const auto fold = [](const std::vector<Touchpoint>& history) {
    PlainFold<Kpi> plain;
    for (const Touchpoint& touchpoint : history) plain.Fold(touchpoint);
    std::string all;
    for (const auto& [client, state] : plain.states()) all += state.SerializeAsString() + "\n";
    return all;
  };
  std::vector<Touchpoint> history = History();
  const std::string expected = fold(history);
  testing::Random random(GetParam());
  for (int order = 0; order < 3; ++order) {
    testing::Shuffle(&history, &random);
    EXPECT_EQ(fold(history), expected);
  }
}

// Of every owner and the firm, every segment, on every day.
TEST_P(RandomKpiTest, TheWaterfallCloses) {
  PlainFold<Kpi> plain;
  for (const Touchpoint& touchpoint : History()) plain.Fold(touchpoint);
  std::map<std::tuple<TallyScope, std::string, uint8_t, int32_t>, int64_t> rest;
  int64_t moves = 0;
  for (const auto& [bytes, sum] : plain.Sums()) {
    const std::optional<TallyKey> key = DecodeTallyKey(bytes);
    ASSERT_TRUE(key);
    if (key->grain != TallyGrain::kDay) continue;
    int sign = 0;
    switch (key->measure) {
      case Measure::kClients:
      case Measure::kLostClients:
      case Measure::kOutClients:
        sign = 1;
        break;
      case Measure::kNewClients:
      case Measure::kBackClients:
      case Measure::kInClients:
        sign = -1;
        break;
      default:
        break;
    }
    if (key->measure == Measure::kInClients) moves += sum;
    rest[{key->scope, key->who, key->segment, key->first_day}] += sign * sum;
  }
  for (const auto& [place, amount] : rest) {
    EXPECT_EQ(amount, 0) << std::get<1>(place) << " on "
                         << absl::FormatCivilTime(CivilDayOf(std::get<3>(place)));
  }
  EXPECT_GT(moves, 0);
}

// Months are the sums of their days, and the firm is the sum of its owners.
TEST_P(RandomKpiTest, MonthsAndTheFirmAreSums) {
  PlainFold<Kpi> plain;
  for (const Touchpoint& touchpoint : History()) plain.Fold(touchpoint);
  std::map<std::string, int64_t> months;
  std::map<std::string, int64_t> firm;
  for (const auto& [bytes, sum] : plain.Sums()) {
    TallyKey key = *DecodeTallyKey(bytes);
    const bool of_owner = key.scope == TallyScope::kOwner;
    const bool of_firm = key.scope == TallyScope::kFirm;
    const bool day = key.grain == TallyGrain::kDay;
    key.first_day = MonthOf(key.first_day);
    key.grain = TallyGrain::kMonth;
    months[EncodeTallyKey(key)] += day ? sum : -sum;
    if (!day || key.scope == TallyScope::kAgent || key.measure == Measure::kInClients ||
        key.measure == Measure::kOutClients) {
      continue;
    }
    key.scope = TallyScope::kFirm;
    key.who.clear();
    firm[EncodeTallyKey(key)] += of_owner ? sum : of_firm ? -sum : 0;
  }
  for (const auto& [key, rest] : months) EXPECT_EQ(rest, 0);
  for (const auto& [key, rest] : firm) EXPECT_EQ(rest, 0);
  EXPECT_GT(months.size(), 100u);
}

// What was known in time, and what later, is all that is known.
TEST_P(RandomKpiTest, WhatIsKnownLaterAddsUpToWhatIsKnown) {
  PlainFold<Kpi> plain;
  PlainFold<Kpi> at_once;
  for (const Touchpoint& touchpoint : History()) {
    plain.Fold(touchpoint);
    if (!touchpoint.has_clock_advanced()) at_once.Fold(touchpoint);
  }
  std::map<std::string, int64_t> rest;
  bool late = false;
  for (const auto& [bytes, sum] : plain.Sums()) {
    TallyKey key = *DecodeTallyKey(bytes);
    late = late || key.known != 0;
    key.known = 0;
    rest[EncodeTallyKey(key)] += sum;
  }
  for (const auto& [bytes, sum] : at_once.Sums()) rest[bytes] -= sum;
  for (const auto& [key, amount] : rest) EXPECT_EQ(amount, 0);
  EXPECT_TRUE(late);
}

}  // namespace
}  // namespace rapport
