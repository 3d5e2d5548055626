#include "libs/kpi/figures.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/kpi/requests.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int32_t kFirst = std::numeric_limits<int32_t>::min();
constexpr int32_t kLast = std::numeric_limits<int32_t>::max();

int32_t Day(int month, int day) { return DayNumber(absl::CivilDay(2026, month, day)); }
DayRange Period(const std::string& text) { return *ParsePeriod("from", text); }
const KpiSpec* Kpi(const std::string& code) { return *FindKpi(code); }

// Sums of single days, as a projection's states would give them.
class Sums {
 public:
  Sums& Add(Measure measure, const std::string& who, int32_t day, int64_t amount,
            const std::string& sub = "", bool reported = true) {
    sums_.push_back({measure, who, day, amount, sub, reported});
    return *this;
  }
  SumTable Read(const SumQuestion& question) const {
    SumTable table(question.slots());
    for (const Sum& sum : sums_) {
      const std::optional<size_t> slot = question.SlotOf(sum.measure, sum.day);
      if (!slot) continue;
      const bool firm = question.scope == TallyScope::kFirm;
      table.Add({sum.measure, firm ? "" : sum.who, 0, sum.sub}, *slot,
                {.all = sum.amount, .reported = sum.reported ? sum.amount : 0});
    }
    return table;
  }

 private:
  struct Sum {
    Measure measure;
    std::string who;
    int32_t day;
    int64_t amount;
    std::string sub;
    bool reported;
  };
  std::vector<Sum> sums_;
};

FigureEnv Env(int month, int day) {
  FigureEnv env;
  env.clock = absl::FromCivil(absl::CivilDay(2026, month, day), absl::UTCTimeZone());
  return env;
}

FigureScope Team(KpiMembers members) {
  return {.scope = "team", .id = "t", .everybody = false, .members = std::move(members)};
}

query::v1::KpiSeries Series(const Sums& sums, FigureRequest request, const FigureEnv& env) {
  const FigurePlan plan(std::move(request), env);
  const auto values = plan.Values(sums.Read(plan.question()));
  EXPECT_OK(values);
  EXPECT_THAT(values->series(), SizeIs(1));
  return values->series(0);
}

TEST(PeriodsTest, AreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(Period("2026-05"), (DayRange{Day(5, 1), Day(6, 1)}));
  EXPECT_EQ(Period("2026-Q2"), (DayRange{Day(4, 1), Day(7, 1)}));
  EXPECT_EQ(Period("2026-05-31"), (DayRange{Day(5, 31), Day(6, 1)}));
  EXPECT_EQ(Period("2026").days(), 365);
  // The first ISO week of 2026 begins in 2025.
  EXPECT_EQ(FormatDay(Period("2026-W01").from), "2025-12-29");
  for (const char* text : {"", "26", "2026-00", "2026-13", "2026-02-30", "2026-W54", "2026-Q5",
                           "2026-5", "2026/05", "1969", "2026-05-31x"}) {
    EXPECT_THAT(ParsePeriod("from", text).status().message(), HasSubstr("write 2026, 2026-Q2"))
        << text;
  }
}

TEST(PeriodsTest, StepsAreThoseOfTheCalendar) {
  EXPECT_THAT(StepsOf(Period("2026-Q1"), KpiStep::kMonth), SizeIs(3));
  const std::vector<DayRange> weeks = StepsOf(Period("2026-05"), KpiStep::kWeek);
  EXPECT_THAT(weeks, SizeIs(5));
  EXPECT_EQ(FormatDay(weeks[1].from), "2026-05-04");
  EXPECT_EQ(PeriodBefore(Period("2026-Q1")), (Period("2025-Q4")));
  EXPECT_EQ(PeriodBefore(Period("2026-W10")), Period("2026-W09"));
  EXPECT_EQ(YearBefore(Period("2026-05")), Period("2025-05"));
  EXPECT_EQ(YearBefore(Period("2026-W10")), Period("2025-W10"));
}

TEST(RatesTest, AreExactAndSayWhatIsMissing) {
  config::v1::Kpis section;
  section.set_reporting_currency("EUR");
  auto& rate = *section.add_rates();
  rate.set_currency_code("JPY");
  rate.set_from("2026-05-10");
  rate.set_rate("0.00615");
  const auto rates = KpiRates::Of(section);
  ASSERT_OK(rates);
  // 1000 yen are 6.15 euro.
  EXPECT_EQ(*rates->Convert(1000, "JPY", Day(5, 10)), 615);
  EXPECT_EQ(*rates->Convert(-1000, "JPY", Day(7, 1)), -615);
  EXPECT_EQ(*rates->Convert(7, "EUR", Day(1, 1)), 7);
  EXPECT_THAT(rates->Convert(1, "JPY", Day(5, 9)).status().message(),
              HasSubstr("no rate of JPY to EUR for 2026-05-09"));
  EXPECT_THAT(rates->Convert(1, "USD", Day(5, 9)).status().message(), HasSubstr("USD"));
  rate.set_rate("1.2.3");
  EXPECT_THAT(KpiRates::Of(section).status().message(), HasSubstr("1.2.3"));
}

TEST(FiguresTest, ATotalIsTheSumOfItsStepsAndNothingBehindTheClockIsRead) {
  Sums sums;
  sums.Add(Measure::kOrdered, "anna", Day(5, 3), 100, "EUR")
      .Add(Measure::kOrdered, "anna", Day(5, 20), 50, "EUR", false)
      .Add(Measure::kCancelled, "anna", Day(5, 21), 30, "EUR")
      .Add(Measure::kOrdered, "anna", Day(5, 25), 1000, "EUR");
  const auto series =
      Series(sums, {.kpis = {Kpi("revenue")}, .period = Period("2026-05"), .step = KpiStep::kWeek},
             Env(5, 22));
  EXPECT_EQ(series.total().numerator(), 120);
  EXPECT_EQ(series.total().reported().numerator(), 70);
  int64_t steps = 0;
  for (const auto& step : series.steps()) steps += step.numerator();
  EXPECT_EQ(steps, 120);
  EXPECT_FALSE(series.steps(4).has_value());
}

TEST(FiguresTest, WithoutADenominatorThereIsNoFigure) {
  const auto series =
      Series(Sums(), {.kpis = {Kpi("win_rate")}, .period = Period("2026-05")}, Env(6, 10));
  EXPECT_EQ(series.total().denominator(), 0);
  EXPECT_FALSE(series.total().has_value());
}

TEST(FiguresTest, RetentionIsOfTheClientsAtTheBeginning) {
  Sums sums;
  sums.Add(Measure::kClients, "anna", Day(3, 1), 10)
      .Add(Measure::kClients, "anna", Day(5, 5), 2)
      .Add(Measure::kLostClients, "anna", Day(5, 9), 1)
      .Add(Measure::kClients, "anna", Day(5, 9), -1);
  const FigureRequest request = {.kpis = {Kpi("client_retention_rate")},
                                 .period = Period("2026-05")};
  const auto series = Series(sums, request, Env(6, 10));
  EXPECT_EQ(series.total().numerator(), 9);
  EXPECT_EQ(series.total().denominator(), 10);
  EXPECT_EQ(series.total().value(), 90);
}

TEST(FiguresTest, GrowthIsAgainstThePeriodBeforeOfWhichAsManyDaysCount) {
  Sums sums;
  sums.Add(Measure::kOrdered, "anna", Day(4, 5), 100, "EUR")
      .Add(Measure::kOrdered, "anna", Day(4, 25), 900, "EUR")
      .Add(Measure::kOrdered, "anna", Day(5, 5), 150, "EUR")
      .Add(Measure::kOrderedNew, "anna", Day(5, 5), 20, "EUR");
  const auto series =
      Series(sums, {.kpis = {Kpi("revenue_growth")}, .period = Period("2026-05")}, Env(5, 10));
  EXPECT_EQ(series.total().value(), 50);
  ASSERT_THAT(series.total().asides(), SizeIs(2));
  EXPECT_EQ(series.total().asides(0).value(), 20);
  EXPECT_EQ(series.total().asides(1).value(), 30);
}

TEST(FiguresTest, ATeamIsItsPeopleOnTheDaysOnWhichTheyWereInIt) {
  Sums sums;
  sums.Add(Measure::kOrdered, "anna", Day(5, 3), 100, "EUR")
      .Add(Measure::kOrdered, "anna", Day(5, 20), 50, "EUR")
      .Add(Measure::kOrdered, "ben", Day(5, 20), 7, "EUR")
      .Add(Measure::kReceivables, "anna", Day(4, 1), 1000, "EUR")
      .Add(Measure::kReceivables, "ben", Day(4, 1), 10, "EUR");
  const FigureScope team = Team({{"anna", {{kFirst, Day(5, 10)}}}, {"ben", {{Day(5, 10), kLast}}}});
  const auto revenue = Series(
      sums, {.kpis = {Kpi("revenue")}, .scope = team, .period = Period("2026-05")}, Env(6, 10));
  EXPECT_EQ(revenue.total().numerator(), 107);
  const auto debts = Series(
      sums, {.kpis = {Kpi("receivables")}, .scope = team, .period = Period("2026-05")}, Env(6, 10));
  EXPECT_EQ(debts.total().numerator(), 10);
}

TEST(FiguresTest, TheWaterfallClosesWhenPeopleChangeUnits) {
  Sums sums;
  sums.Add(Measure::kClients, "anna", Day(3, 1), 10)
      .Add(Measure::kNewClients, "anna", Day(3, 1), 10)
      .Add(Measure::kClients, "ben", Day(5, 12), 4)
      .Add(Measure::kNewClients, "ben", Day(5, 12), 4)
      .Add(Measure::kClients, "ben", Day(6, 3), -1)
      .Add(Measure::kLostClients, "ben", Day(6, 3), 1);
  const FigurePlan plan(
      {.kpis = {&WaterfallSpec()},
       .scope = Team({{"anna", {{kFirst, Day(5, 10)}}}, {"ben", {{Day(6, 1), kLast}}}}),
       .period = {Day(5, 1), Day(7, 1)},
       .step = KpiStep::kMonth},
      Env(8, 1));
  const query::v1::KpiWaterfall waterfall = plan.Waterfall(sums.Read(plan.question()));
  ASSERT_THAT(waterfall.steps(), SizeIs(2));
  EXPECT_EQ(waterfall.steps(0).at_start(), 10);
  EXPECT_EQ(waterfall.steps(0).left(), 10);
  EXPECT_EQ(waterfall.steps(0).at_end(), 0);
  EXPECT_EQ(waterfall.steps(1).came(), 4);
  EXPECT_EQ(waterfall.steps(1).lost(), 1);
  EXPECT_EQ(waterfall.steps(1).at_end(), 3);
  EXPECT_EQ(waterfall.total().came(), 4);
  EXPECT_EQ(waterfall.total().at_end(), 3);
}

TEST(FiguresTest, CurrenciesStayApartUnlessThereAreRates) {
  Sums sums;
  sums.Add(Measure::kOrdered, "anna", Day(5, 3), 100, "EUR")
      .Add(Measure::kOrdered, "anna", Day(5, 4), 200, "GBP")
      .Add(Measure::kOrdered, "anna", Day(5, 20), 200, "GBP");
  const FigureRequest request = {.kpis = {Kpi("revenue")}, .period = Period("2026-05")};
  FigureEnv env = Env(6, 10);
  {
    const FigurePlan plan(request, env);
    const SumTable table = sums.Read(plan.question());
    EXPECT_THAT(plan.CurrenciesOf(table, *Kpi("revenue")), ElementsAre("EUR", "GBP"));
  }
  config::v1::Kpis section;
  section.set_reporting_currency("EUR");
  for (const auto& [from, text] :
       {std::pair("2026-01-01", "1.1"), std::pair("2026-05-10", "1.2")}) {
    auto& rate = *section.add_rates();
    rate.set_currency_code("GBP");
    rate.set_from(from);
    rate.set_rate(text);
  }
  env.rates = *KpiRates::Of(section);
  const auto series = Series(sums, request, env);
  EXPECT_EQ(series.currency_code(), "EUR");
  EXPECT_EQ(series.total().numerator(), 100 + 220 + 240);
}

TEST(FiguresTest, ConcentrationTakesTheTopFifth) {
  Sums sums;
  const int32_t year_end = Day(12, 31);
  const auto add = [&](int64_t clients, int64_t each) {
    const std::string sub = SubOf("EUR", BucketOf(each));
    sums.Add(Measure::kYearClients, "anna", year_end, clients, sub)
        .Add(Measure::kYearRevenue, "anna", year_end, clients * each, sub);
  };
  add(2, 400'000);
  add(2, 40'000);
  add(2, 30'000);
  add(2, 20'000);
  add(2, 10'000);
  const auto series = Series(
      sums, {.kpis = {Kpi("portfolio_concentration")}, .period = Period("2026-05")}, Env(6, 10));
  EXPECT_EQ(series.total().value(), 80);
  EXPECT_EQ(series.total().n(), 10);
}

TEST(SumsTest, AQuestionAndItsAnswerGoOverTheWire) {
  SumQuestion question = {.measures = {Measure::kOrdered, Measure::kClients},
                          .before = {Measure::kClients},
                          .holders = true,
                          .bounds = {Day(5, 1), Day(6, 1)},
                          .scope = TallyScope::kOwner,
                          .who = {"anna", "b&n"},
                          .segment = 2,
                          .known_by = Day(6, 3)};
  HttpRequest request;
  request.query = ToParameters(question);
  const auto read = ReadSumQuestion(request);
  ASSERT_OK(read);
  EXPECT_EQ(ToParameters(*read), ToParameters(question));
  SumTable table(question.slots());
  table.Add({Measure::kOrdered, "anna", 2, "EUR"}, 1, {.all = 5, .reported = 3});
  table.AddHolder("anna", 1, true);
  const auto back = ReadSumTable(ToMessage(table), question);
  ASSERT_OK(back);
  EXPECT_EQ(back->rows(), table.rows());
  EXPECT_EQ(back->holders(), table.holders());
  request.query = {{"bounds", "3,2"}};
  EXPECT_THAT(ReadSumQuestion(request).status().message(), HasSubstr("not in order"));
}

TEST(CatalogueTest, HasEveryKpiForWhichThereAreTargets) {
  for (int number = 1; number <= touchpoint::v1::Kpi_MAX; ++number) {
    const auto kpi = static_cast<touchpoint::v1::Kpi>(number);
    const KpiSpec* const spec = FindKpi(kpi);
    ASSERT_NE(spec, nullptr) << touchpoint::v1::Kpi_Name(kpi);
    EXPECT_EQ(absl::AsciiStrToUpper(absl::StrCat("KPI_", spec->code)),
              touchpoint::v1::Kpi_Name(kpi));
  }
  EXPECT_THAT(FindKpi("revenu").status().message(), HasSubstr("did you mean revenue?"));
}

}  // namespace
}  // namespace rapport
