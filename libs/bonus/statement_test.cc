#include "libs/bonus/statement.h"

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/bonus/test_figures.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

using nlohmann::json;
using query::v1::BonusStatement;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kCents = 100;

// The vector of this id in testdata/kpi_vectors.json.
json VectorOf(const std::string& id) {
  std::ifstream file(TESTDATA "/kpi_vectors.json");
  const json all = json::parse(file);
  for (const json& one : all) {
    if (one["id"] == id) return one;
  }
  ADD_FAILURE() << "there is no vector " << id;
  return {};
}

const std::vector<std::string>& People() {
  static const std::vector<std::string> people = {"anna", "ben", "clara"};
  return people;
}

BonusStatement Reckon(const std::string& scheme, TestFigures& figures,
                      const std::string& person = "anna") {
  const auto schemes = BonusSchemes::Parse("bonus.textproto", scheme, FindTestKpi);
  EXPECT_OK(schemes);
  if (!schemes.ok()) return {};
  const auto statement = ReckonBonus(schemes->all().front(), person, People(), figures);
  EXPECT_OK(statement);
  return statement.ok() ? *statement : BonusStatement();
}

TEST(BonusVectorsTest, PlanAttainment) {
  for (const char* id : {"plan_attainment", "plan_attainment_zero_plan"}) {
    const json vector = VectorOf(id);
    const auto percent =
        AttainmentPercent(BonusFigure::Ratio{vector["inputs"]["fact"], 1},
                          vector["inputs"]["plan"].get<int64_t>(), query::v1::KPI_DIRECTION_UP);
    EXPECT_EQ(percent ? json(*percent) : json(nullptr), vector["expected"]) << id;
  }
}

TEST(BonusVectorsTest, Threshold) {
  const json vector = VectorOf("bonus_threshold");
  std::vector<int64_t> paid;
  for (const json& one : vector["inputs"]["cases"]) {
    TestFigures figures;
    figures.Set("anna", "new_clients", {one["fact"], 1}, vector["inputs"]["plan"].get<int64_t>());
    const BonusStatement statement =
        Reckon(SchemeOf(absl::StrCat("threshold { kpi: 'new_clients' bonus: '",
                                     vector["inputs"]["bonus"].get<int>(), "' }")),
               figures);
    paid.push_back(statement.total() / kCents);
    // The cliff is named, with the figure at which it is.
    ASSERT_EQ(statement.cliffs_size(), 1);
    EXPECT_EQ(statement.cliffs(0).at(), 4);
    EXPECT_EQ(statement.cliffs(0).now(), one["fact"].get<double>());
    EXPECT_EQ(statement.cliffs(0).before(), 0);
    EXPECT_EQ(statement.cliffs(0).after(), 1000 * kCents);
  }
  EXPECT_EQ(json(paid), vector["expected"]);
}

TEST(BonusVectorsTest, Percentage) {
  const json vector = VectorOf("bonus_percent");
  TestFigures figures;
  figures.Set("anna", "revenue", {vector["inputs"]["sales"].get<int64_t>() * kCents, 1});
  const BonusStatement statement =
      Reckon(SchemeOf(absl::StrCat("percentage { kpi: 'revenue' percent: '",
                                   vector["inputs"]["percent"].get<int>(), "' }")),
             figures);
  EXPECT_EQ(statement.total(), std::llround(vector["expected"].get<double>() * kCents));
  EXPECT_EQ(statement.lines(0).reckoning(), "2 % of 87500.00 EUR = 1750.00 EUR");
}

TEST(BonusVectorsTest, Matrix) {
  const json vector = VectorOf("kpi_matrix");
  TestFigures figures;
  std::string rows;
  for (const json& row : vector["inputs"]["rows"]) {
    std::string kpi = row["kpi"];
    std::replace(kpi.begin(), kpi.end(), ' ', '_');
    figures.Set("anna", kpi, {row["fact"], 1}, row["plan"].get<int64_t>());
    absl::StrAppend(&rows, "rows { kpi: '", kpi, "' weight: '", row["weight"].get<double>(), "' }");
  }
  const BonusStatement statement =
      Reckon(SchemeOf(absl::StrCat("matrix { bonus: '1000000' ", rows, " }")), figures);
  // 1,000,000.00 makes a cent of each ten-thousandth of a percent.
  EXPECT_NEAR(static_cast<double>(statement.total()) / 1e6, vector["expected"].get<double>(),
              0.005);
  ASSERT_EQ(statement.lines_size(), 4);
  EXPECT_EQ(statement.lines(0).reckoning(), "0.4 x 87.5 % x 1000000.00 EUR = 350000.00 EUR");
  EXPECT_EQ(statement.lines(2).attainment_percent(), 89.4737);
  EXPECT_EQ(statement.lines(2).money(), 17'894'737);
}

TEST(BonusVectorsTest, StagePoints) {
  const json vector = VectorOf("bonus_stage");
  TestFigures figures;
  std::string stages;
  for (const auto& [stage, points] : vector["inputs"]["points"].items()) {
    const auto& reached = vector["inputs"]["stages_reached"];
    figures.Set("anna", "DEAL_STAGE_" + stage,
                {std::count(reached.begin(), reached.end(), stage), 1});
    absl::StrAppend(&stages, "stages { stage: DEAL_STAGE_", stage, " points: ", points.get<int>(),
                    " }");
  }
  const BonusStatement statement =
      Reckon(SchemeOf(absl::StrCat("stage_points { ", stages, " per_point: '0.01' }")), figures);
  EXPECT_EQ(statement.total(), vector["expected"].get<int64_t>());
}

TEST(BonusVectorsTest, ContestWithTies) {
  const json vector = VectorOf("contest");
  TestFigures figures;
  for (const auto& [person, sales] : vector["inputs"]["sales"].items()) {
    figures.Set(person, "revenue", {sales.get<int64_t>() * kCents, 1});
  }
  const std::string scheme =
      SchemeOf("contest { kpi: 'revenue' prizes: '900' prizes: '500' prizes: '100' }");
  json ranks = json::object();
  std::vector<int64_t> money;
  for (const std::string& person : People()) {
    const BonusStatement statement = Reckon(scheme, figures, person);
    ranks[person] = statement.lines(0).rank();
    money.push_back(statement.total());
  }
  EXPECT_EQ(ranks, vector["expected"]["ranks"]);
  EXPECT_THAT(money, ElementsAre(90'000, 90'000, 10'000));
  const BonusStatement last = Reckon(scheme, figures, "clara");
  ASSERT_EQ(last.cliffs_size(), 1);
  EXPECT_EQ(last.cliffs(0).at(), 5'000'000);
  EXPECT_EQ(last.cliffs(0).after(), 90'000);
}

TEST(ReckonBonusTest, NobodyWinsAContestByNothing) {
  const std::string scheme = SchemeOf("contest { kpi: 'revenue' prizes: '900' prizes: '500' }");
  TestFigures figures;
  for (const std::string& person : People()) figures.Set(person, "revenue", {0, 1});
  EXPECT_EQ(Reckon(scheme, figures).total(), 0);
  figures.Set("ben", "revenue", {kCents, 1});
  EXPECT_EQ(Reckon(scheme, figures, "ben").total(), 90'000);
  // Second, and still with nothing; a prize is a leap away.
  EXPECT_EQ(Reckon(scheme, figures, "anna").total(), 0);
  EXPECT_EQ(Reckon(scheme, figures, "anna").cliffs_size(), 1);
}

TEST(BonusVectorsTest, LikeWithLike) {
  ASSERT_EQ(VectorOf("kpi_fair")["expected"]["comparable"], false);
  TestFigures figures;
  for (const std::string& person : People()) figures.Set(person, "revenue", {1, 1});
  figures.SetSegment("anna", touchpoint::v1::SEGMENT_CORPORATE);
  const std::string scheme = SchemeOf("contest { kpi: 'revenue' prizes: '900' }");
  EXPECT_EQ(Reckon(scheme, figures).warnings_size(), 0);
  figures.SetSegment("ben", touchpoint::v1::SEGMENT_PERSONAL);
  const BonusStatement statement = Reckon(scheme, figures);
  ASSERT_EQ(statement.warnings_size(), 1);
  EXPECT_EQ(statement.warnings(0).kind(), query::v1::BONUS_WARNING_KIND_PORTFOLIOS_NOT_ALIKE);
}

TEST(BonusVectorsTest, Direction) {
  const json vector = VectorOf("kpi_direction");
  const BonusFigure::Ratio fact{vector["inputs"]["fact"], 1};
  const int64_t plan = vector["inputs"]["plan"];
  EXPECT_EQ(IsAttained(fact, plan, query::v1::KPI_DIRECTION_DOWN), vector["expected"]["attained"]);
  EXPECT_FALSE(IsAttained(fact, plan, query::v1::KPI_DIRECTION_UP));
  EXPECT_EQ(AttainmentPercent(fact, plan, query::v1::KPI_DIRECTION_DOWN), 100);
  EXPECT_EQ(AttainmentPercent(BonusFigure::Ratio{5, 1}, plan, query::v1::KPI_DIRECTION_DOWN), 0);
}

TEST(BonusVectorsTest, RelationsAndHorizon) {
  // 60 % variable where the goal is relations; 12,000 beside 48,000 for a year.
  const auto warnings = [](const std::string& rest, const std::string& period) {
    std::string scheme = SchemeOf("percentage { kpi: 'revenue' percent: '1' }", rest);
    scheme.replace(scheme.find("'month'"), 7, "'" + period + "'");
    const auto schemes = BonusSchemes::Parse("bonus.textproto", scheme, FindTestKpi);
    EXPECT_OK(schemes);
    std::vector<query::v1::BonusWarningKind> kinds;
    for (const auto& warning : schemes->all().front().warnings) kinds.push_back(warning.kind());
    return kinds;
  };
  const json relations = VectorOf("bonus_relations");
  const int share = relations["inputs"]["variable_share_pct"];
  EXPECT_EQ(relations["expected"]["warning"], true);
  EXPECT_THAT(warnings(absl::StrCat("goal: BONUS_GOAL_RELATIONS base: '", 100 - share,
                                    "' variable_at_plan: '", share, "'"),
                       "month"),
              ElementsAre(query::v1::BONUS_WARNING_KIND_RELATIONS_MOSTLY_VARIABLE));
  const json kam = VectorOf("bonus_kam");
  EXPECT_EQ(kam["expected"]["warning_horizon"], true);
  EXPECT_THAT(warnings(absl::StrCat("goal: BONUS_GOAL_RELATIONS base: '",
                                    kam["inputs"]["base"].get<int>(), "' variable_at_plan: '",
                                    kam["inputs"]["variable"].get<int>(), "' value_takes_months: ",
                                    kam["inputs"]["horizon_months"].get<int>() + 1),
                       "year"),
              ElementsAre(query::v1::BONUS_WARNING_KIND_HORIZON_TOO_SHORT));
}

TEST(ReckonBonusTest, WithoutAPlanOrAFigureNothingIsPaidAndTheLineSaysSo) {
  TestFigures figures;
  const std::string scheme = SchemeOf("threshold { kpi: 'new_clients' bonus: '1000' }");
  figures.Set("anna", "new_clients", {7, 1});
  EXPECT_EQ(Reckon(scheme, figures).lines(0).lacks(), "no_plan");
  figures.Set("anna", "new_clients", {7, 1}, 0);
  EXPECT_EQ(Reckon(scheme, figures).lines(0).lacks(), "no_plan");
  EXPECT_EQ(Reckon(scheme, figures).total(), 0);
  EXPECT_EQ(
      Reckon(SchemeOf("percentage { kpi: 'revenue' percent: '2' }"), figures).lines(0).lacks(),
      "no_figure");
}

TEST(ReckonBonusTest, FloorsAndCaps) {
  TestFigures figures;
  figures.Set("anna", "revenue", {1'000'000, 1}, 400'000);
  const BonusStatement capped = Reckon(
      SchemeOf("percentage { kpi: 'revenue' percent: '2' } cap: '150'", "floor: '20'"), figures);
  EXPECT_EQ(capped.total(), 15'000);
  EXPECT_EQ(capped.lines(0).before_limits(), 20'000);
  EXPECT_THAT(capped.lines(0).reckoning(), HasSubstr("the cap of 150.00 EUR makes it 150.00 EUR"));
  const BonusStatement beyond =
      Reckon(SchemeOf("percentage { kpi: 'revenue' percent: '2' beyond_plan: true }", "cap: '100'"),
             figures);
  EXPECT_EQ(beyond.sum_of_lines(), 12'000);
  EXPECT_EQ(beyond.total(), 10'000);
  figures.Set("anna", "revenue", {-500, 1});
  EXPECT_EQ(Reckon(SchemeOf("percentage { kpi: 'revenue' percent: '2' }", "floor: '20'"), figures)
                .total(),
            2'000);
}

TEST(ReckonBonusTest, LimitsOfARowOfAMatrix) {
  TestFigures figures;
  const std::string scheme = SchemeOf(
      "matrix { bonus: '1000' rows { kpi: 'revenue' weight: '1' least_percent: '80' "
      "most_percent: '120' } }");
  const auto paid = [&](int64_t fact) {
    figures.Set("anna", "revenue", {fact, 1}, 1000);
    return Reckon(scheme, figures).total();
  };
  EXPECT_EQ(paid(799), 0);
  EXPECT_EQ(paid(800), 80'000);
  EXPECT_EQ(paid(1300), 120'000);
  const BonusStatement statement = Reckon(scheme, figures);
  EXPECT_EQ(statement.lines(0).attainment_percent(), 130);
  EXPECT_EQ(statement.lines(0).counted_percent(), 120);
  ASSERT_EQ(statement.cliffs_size(), 1);
  EXPECT_EQ(statement.cliffs(0).at(), 800);
  EXPECT_EQ(statement.cliffs(0).after(), 80'000);
}

TEST(ReckonBonusTest, AsReportedBesideAsKnown) {
  TestFigures figures;
  figures.Set("anna", "revenue", {105'000, 1}, 100'000);
  figures.Report("anna", "revenue", {95'000, 1});
  const BonusStatement statement =
      Reckon(SchemeOf("threshold { kpi: 'revenue' bonus: '300' }"), figures);
  EXPECT_EQ(statement.total(), 30'000);
  EXPECT_EQ(statement.total_as_reported(), 0);
}

TEST(ReckonBonusTest, ExactWhateverTheSize) {
  TestFigures figures;
  constexpr int64_t kLarge = 9'000'000'000'000'000'001;
  figures.Set("anna", "revenue", {kLarge, 3});
  // A third of a hundredth: 30,000,000,000,000,000.00333...
  EXPECT_EQ(Reckon(SchemeOf("percentage { kpi: 'revenue' percent: '1' }"), figures).total(),
            30'000'000'000'000'000);
  figures.Set("anna", "revenue", {1, 2});
  EXPECT_EQ(Reckon(SchemeOf("percentage { kpi: 'revenue' percent: '100' }"), figures).total(), 1);
  figures.Set("anna", "revenue", {kLarge, 1});
  const auto schemes = BonusSchemes::Parse(
      "bonus.textproto", SchemeOf("percentage { kpi: 'revenue' percent: '900' }"), FindTestKpi);
  ASSERT_OK(schemes);
  EXPECT_THAT(ReckonBonus(schemes->all().front(), "anna", People(), figures),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("beyond 64 bits")));
}

}  // namespace
}  // namespace rapport
