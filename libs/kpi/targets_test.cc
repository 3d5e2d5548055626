#include "libs/kpi/targets.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/kpi/periods.h"

namespace rapport {
namespace {

using google::protobuf::TextFormat;
using testing::HasSubstr;

query::v1::Target Order(const std::string& text) {
  query::v1::Target order;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &order)) << text;
  return order;
}

const KpiSpec& Kpi(absl::string_view code) { return **FindKpi(code); }

struct Refused {
  std::string order;
  std::string why;
};

TEST(ReadTargetTest, RefusesWhatIsNoPlanAndSaysWhatWouldBe) {
  const std::string anna = "scope: 'owner' scope_id: 'anna' period: '2026-05' value: 4 ";
  const std::vector<Refused> cases = {
      {anna + "kpi: 'new_client'", "new_clients"},
      {anna + "kpi: 'EBIT'", "EBIT"},
      {anna + "kpi: 'clients'", "no plan can be set for 'clients'"},
      {anna + "kpi: 'service_level'", "moved by a unit, and not by one person"},
      {"kpi: 'new_clients' scope: 'person' scope_id: 'anna' period: '2026-05' value: 4",
       "scope is 'person'; there are: owner, team, branch, firm"},
      {"kpi: 'new_clients' scope: 'team' period: '2026-05' value: 4", "which team?"},
      {"kpi: 'new_clients' scope: 'firm' scope_id: 'x' period: '2026-05' value: 4",
       "the firm has none"},
      {"kpi: 'new_clients' scope: 'firm' value: 4", "period is missing"},
      {"kpi: 'new_clients' scope: 'firm' period: '2026-13' value: 4", "'2026-13'"},
      {"kpi: 'new_clients' scope: 'firm' from: '2026-05-02' to: '2026-05-02' value: 4",
       "to, 2026-05-02, is not after from, 2026-05-02"},
      {"kpi: 'new_clients' scope: 'firm' from: '2026-05' to: '2026-06-01' value: 4",
       "from is '2026-05'; write a day"},
      {"kpi: 'new_clients' scope: 'firm' period: '2026' from: '2026-05-02' value: 4",
       "write either"},
      {"kpi: 'new_clients' scope: 'firm' period: '2026' value: 4.5", "no whole number"},
      {"kpi: 'new_clients' scope: 'firm' period: '2026' value: -4", "below 0"},
      {"kpi: 'new_clients' scope: 'firm' period: '2026' value: 4 currency_code: 'EUR'",
       "is no money; leave it"},
      {"kpi: 'revenue' scope: 'firm' period: '2026' value: 4", "is money: write an ISO 4217 code"},
      {"kpi: 'complaints_settled' scope: 'firm' period: '2026' value: 950",
       "100 % is the most that there is; write 95 for 95 %"},
      {"kpi: 'complaints_settled' scope: 'firm' period: '2026' value: 95.55", "too many decimals"},
  };
  for (const Refused& one : cases) {
    EXPECT_THAT(ReadTarget(Order(one.order)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(one.why)))
        << one.order;
  }
}

TEST(ReadTargetTest, BecomesATargetAndComesBack) {
  absl::TimeZone zone;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Athens", &zone));
  ASSERT_OK_AND_ASSIGN(const Plan plan,
                       ReadTarget(Order("kpi: 'commitments_kept_on_time' scope: 'owner' "
                                        "scope_id: 'anna' period: '2026-Q2' value: 95.5")));
  EXPECT_EQ(plan.value, 955);
  state::v1::KpiState state;
  state::v1::KpiTarget& target = *state.add_targets();
  *target.mutable_target() = ToTargetSet(plan, zone);
  EXPECT_EQ(FromProto(target.target().period_start_at()),
            absl::FromCivil(absl::CivilDay(2026, 4, 1), zone));
  target.set_set_by("head");
  const PlanBook book(state, zone);
  ASSERT_EQ(book.all().size(), 1u);
  const query::v1::Target told = ToTarget(book.all().front());
  EXPECT_EQ(told.value(), 95.5);
  EXPECT_EQ(told.from(), "2026-04-01");
  EXPECT_EQ(told.to(), "2026-07-01");
  query::v1::Targets all;
  *all.add_targets() = told;
  const PlanBook again(all);
  ASSERT_EQ(again.all().size(), 1u);
  EXPECT_TRUE(again.all().front().IsForSame(plan));
  EXPECT_EQ(again.all().front().value, plan.value);
  EXPECT_EQ(again.all().front().set_by, "head");
}

// What the figure of a KPI has beside a plan of 2026-05 at `now`.
query::v1::KpiPlan PlanBeside(const std::string& kpi, const std::string& plan,
                              const std::string& figure, const std::string& now) {
  query::v1::Targets targets;
  *targets.add_targets() =
      Order("kpi: '" + kpi + "' scope: 'owner' scope_id: 'anna' period: '2026-05' " + plan);
  query::v1::KpiValues values;
  values.set_scope("owner");
  values.set_scope_id("anna");
  values.set_by("owner");
  absl::Time until;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, now, &until, &error)) << error;
  ToProto(until, values.mutable_until());
  query::v1::KpiSeries& series = *values.add_series();
  series.set_code(kpi);
  if (kpi == "revenue") series.set_currency_code("EUR");
  EXPECT_TRUE(TextFormat::ParseFromString(figure, series.mutable_total()));
  series.mutable_total()->set_from("2026-05-01");
  series.mutable_total()->set_to("2026-06-01");
  AddPlans(PlanBook(targets), absl::UTCTimeZone(), &values);
  return values.series(0).total().plan();
}

TEST(AddPlansTest, AttainmentByDirection) {
  const std::string end = "2026-06-10T00:00:00Z";
  EXPECT_EQ(PlanBeside("revenue", "value: 10000000 currency_code: 'EUR'",
                       "numerator: 8750000 denominator: 1 value: 8750000", end)
                .attainment_percent(),
            87.5);
  const query::v1::KpiPlan kept = PlanBeside("commitments_kept_on_time", "value: 95",
                                             "numerator: 17 denominator: 20 value: 85", end);
  EXPECT_EQ(kept.attainment_percent(), 89.4737);
  EXPECT_FALSE(kept.attained());
  EXPECT_FALSE(kept.has_pace());
  const query::v1::KpiPlan wrong =
      PlanBeside("inaccurate_information", "value: 4", "numerator: 2 denominator: 1 value: 2", end);
  EXPECT_TRUE(wrong.attained());
  EXPECT_FALSE(wrong.has_attainment_percent());
}

TEST(AddPlansTest, ATargetOfZeroIsNone) {
  EXPECT_EQ(PlanBeside("new_clients", "value: 0", "numerator: 4 denominator: 1 value: 4",
                       "2026-06-10T00:00:00Z")
                .ByteSizeLong(),
            0u);
}

TEST(AddPlansTest, AnotherCurrencyIsNone) {
  EXPECT_EQ(PlanBeside("revenue", "value: 100 currency_code: 'GBP'",
                       "numerator: 4 denominator: 1 value: 4", "2026-06-10T00:00:00Z")
                .ByteSizeLong(),
            0u);
}

TEST(AddPlansTest, PaceOnAStraightLineAndByWorkingDays) {
  const std::string figure = "numerator: 4 denominator: 1 value: 4";
  // 2026-05 has 31 days, 21 of them from Monday to Friday; it begins on a Friday.
  const query::v1::KpiPlan early =
      PlanBeside("new_clients", "value: 31", figure, "2026-05-03T12:00:00Z");
  EXPECT_EQ(early.pace(), 2.5);
  EXPECT_EQ(early.pace_working_days(), 1.4762);  // one of 21
  const query::v1::KpiPlan late =
      PlanBeside("new_clients", "value: 31", figure, "2026-06-03T00:00:00Z");
  EXPECT_EQ(late.pace(), 31);
  EXPECT_EQ(late.pace_working_days(), 31);
  const query::v1::KpiPlan before =
      PlanBeside("new_clients", "value: 31", figure, "2026-04-03T00:00:00Z");
  EXPECT_EQ(before.pace(), 0);
}

TEST(FactOfTest, WithoutADenominatorThereIsNone) {
  query::v1::KpiFigure figure;
  figure.set_numerator(0);
  figure.set_denominator(0);
  EXPECT_FALSE(FactOf(Kpi("commitments_kept_on_time"), figure).has_value());
}

}  // namespace
}  // namespace rapport
