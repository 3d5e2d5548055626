#include "libs/bonus/scheme.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/bonus/test_figures.h"

namespace rapport {
namespace {

using testing::HasSubstr;

absl::StatusOr<BonusSchemes> Parse(const std::string& text) {
  return BonusSchemes::Parse("bonus.textproto", text, FindTestKpi);
}

std::vector<std::string> WarningsOf(const std::string& text) {
  const absl::StatusOr<BonusSchemes> schemes = Parse(text);
  EXPECT_OK(schemes);
  std::vector<std::string> warnings;
  if (!schemes.ok()) return warnings;
  for (const query::v1::BonusWarning& warning : schemes->all().front().warnings) {
    warnings.push_back(absl::StrCat(query::v1::BonusWarningKind_Name(warning.kind()).substr(19),
                                    " ", warning.kpi(), ": ", warning.text()));
  }
  return warnings;
}

const char kThreshold[] = "threshold { kpi: 'new_clients' bonus: '1000' }";

struct Refused {
  std::string text;
  std::string why;
};

TEST(BonusSchemesTest, RefusesWhatIsWrongAndSaysWhatIsRight) {
  const auto rows = [](const std::string& a, const std::string& b) {
    return SchemeOf(absl::StrCat("matrix { bonus: '1000' rows { kpi: 'revenue' weight: '", a,
                                 "' } rows { kpi: 'new_clients' weight: '", b, "' } }"));
  };
  const std::vector<Refused> cases = {
      {"schemes { nmae: 'x' }", "bonus.textproto:1:15: "},
      {"", "there is no scheme in it"},
      {rows("0.4", "0.5"),
       "scheme 'sellers', rule 'rule': the weights sum to 0.9, and must sum "
       "to 1: 0.1 is missing"},
      {rows("0.7", "0.5"), "the weights sum to 1.2, and must sum to 1: 0.2 is too much"},
      {rows("-0.4", "1.4"), "weight is '-0.4'; write a number from 0 on"},
      {SchemeOf("threshold { kpi: 'EBIT' bonus: '1000' }"), "there is no KPI 'EBIT'"},
      {SchemeOf("threshold { kpi: 'new_clients' bonus: '10,00' }"), "bonus: amount '10,00'"},
      {SchemeOf("threshold { kpi: 'new_clients' bonus: '-5' }"), "bonus is '-5', below 0"},
      {SchemeOf("percentage { kpi: 'new_clients' percent: '2' }"), "'new_clients' is no money"},
      {SchemeOf("percentage { kpi: 'revenue' percent: '2.5.1' }"), "percent is '2.5.1'"},
      {SchemeOf("contest { kpi: 'revenue' prizes: '100' prizes: '200' }"),
       "the prizes 100, 200 grow with the rank"},
      {SchemeOf("stage_points { stages { stage: DEAL_STAGE_LOST points: 5 } per_point: '1' }"),
       "stage DEAL_STAGE_LOST is none that is paid for"},
      {SchemeOf("stage_points { stages { stage: DEAL_STAGE_WON } per_point: '1' }"),
       "points of DEAL_STAGE_WON are 0; they must be above 0"},
      {SchemeOf(""), "pays for nothing; there are: threshold, percentage"},
      {SchemeOf(absl::StrCat(kThreshold, " floor: '20' cap: '10'")),
       "floor, 20.00 EUR, is above cap, 10.00 EUR"},
      {absl::StrReplaceAll(SchemeOf(kThreshold), {{"'month'", "'week'"}}),
       "period is 'week'; there are: month, quarter, year"},
      {absl::StrReplaceAll(SchemeOf(kThreshold), {{"'EUR'", "'euro'"}}),
       "currency_code 'euro' is not an ISO 4217 code"},
      {absl::StrReplaceAll(SchemeOf(kThreshold), {{"2026-01-01", "2026-13-01"}}),
       "from is '2026-13-01'; write a day"},
      {SchemeOf(kThreshold, "to: '2025-01-01'"), "to, 2025-01-01, is not after from, 2026-01-01"},
      {absl::StrCat(SchemeOf(kThreshold), SchemeOf(kThreshold)),
       "scheme 'sellers' stands there twice"},
  };
  for (const Refused& one : cases) {
    EXPECT_THAT(Parse(one.text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(one.why)))
        << one.text;
  }
}

TEST(BonusSchemesTest, TellsAllProblemsAtOnce) {
  EXPECT_THAT(Parse(SchemeOf("threshold { kpi: 'EBIT' bonus: 'much' }", "to: 'never'")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(HasSubstr("EBIT"), HasSubstr("amount 'much'"),
                                      HasSubstr("to is 'never'"))));
}

TEST(BonusSchemesTest, WarnsOfWhatIsQuestionable) {
  EXPECT_THAT(WarningsOf(SchemeOf(kThreshold)),
              testing::ElementsAre("CLIFF new_clients: all or nothing: just short of the plan of "
                                   "'new_clients' it pays 0, and at the plan 1000.00 EUR"));
  EXPECT_THAT(
      WarningsOf(SchemeOf("percentage { kpi: 'revenue' percent: '2' }",
                          "goal: BONUS_GOAL_RELATIONS base: '400' variable_at_plan: '600'")),
      testing::ElementsAre(HasSubstr("RELATIONS_MOSTLY_VARIABLE : the goal is relations, and 60.0 "
                                     "% of the pay depends on results")));
  EXPECT_THAT(WarningsOf(SchemeOf("percentage { kpi: 'revenue' percent: '2' }",
                                  "goal: BONUS_GOAL_DEALS base: '400' variable_at_plan: '600'")),
              testing::IsEmpty());
  EXPECT_THAT(
      WarningsOf(SchemeOf("percentage { kpi: 'revenue' percent: '2' }", "value_takes_months: 18")),
      testing::ElementsAre(HasSubstr("HORIZON_TOO_SHORT : a month is over before")));
  EXPECT_THAT(WarningsOf(SchemeOf("contest { kpi: 'service_level' prizes: '100' }")),
              testing::ElementsAre(HasSubstr("KPI_NOT_THEIRS service_level")));
  EXPECT_THAT(WarningsOf(SchemeOf("matrix { bonus: '1000' rows { kpi: 'inaccurate_information' "
                                  "weight: '0.5' } rows { kpi: 'new_clients' weight: '0.5' "
                                  "least_percent: '80' } }")),
              testing::ElementsAre(HasSubstr("at its plan it pays 0.5 of 1000.00 EUR, and just "
                                             "above it 0"),
                                   HasSubstr("just short of 80 % of the plan")));
}

TEST(BonusSchemesTest, FindsTheSchemeThatHolds) {
  const auto scheme = [](const std::string& name, const std::string& rest) {
    return absl::StrCat("schemes { name: '", name, "' period: 'month' currency_code: 'EUR' ", rest,
                        " rules { name: 'r' ", kThreshold, " } }");
  };
  ASSERT_OK_AND_ASSIGN(
      const BonusSchemes schemes,
      Parse(absl::StrCat(scheme("old", "from: '2025-01-01' units: 'north'"),
                         scheme("new", "from: '2026-04-01' to: '2027-01-01' units: 'north'"),
                         scheme("hers", "from: '2026-01-01' people: 'anna'"))));
  const auto name = [&](const char* person, absl::CivilDay first) -> std::string {
    const BonusScheme* const found =
        schemes.Find(person, {"a", "north"}, BonusPeriod::kMonth, first);
    return found == nullptr ? "" : found->name;
  };
  EXPECT_EQ(name("anna", absl::CivilDay(2026, 5, 1)), "hers");
  EXPECT_EQ(name("anna", absl::CivilDay(2025, 5, 1)), "old");
  EXPECT_EQ(name("ben", absl::CivilDay(2026, 3, 1)), "old");
  EXPECT_EQ(name("ben", absl::CivilDay(2026, 4, 1)), "new");
  EXPECT_EQ(name("ben", absl::CivilDay(2027, 1, 1)), "old");
  EXPECT_EQ(name("ben", absl::CivilDay(2024, 12, 1)), "");
  EXPECT_EQ(schemes.Find("ben", {"north"}, BonusPeriod::kYear, absl::CivilDay(2026, 1, 1)),
            nullptr);
}

}  // namespace
}  // namespace rapport
