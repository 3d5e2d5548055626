#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/time.h"
#include "libs/kpi/catalogue.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/kpi.pb.h"
#include "services/kpi/kpi.h"
#include "services/profiles/profiles.h"
#include "tests/api/kpi_world.h"

namespace rapport {
namespace {

using query::v1::KpiBreakdown;
using query::v1::KpiFigure;
using query::v1::KpiTouchpoints;
using query::v1::KpiValues;
using query::v1::KpiWaterfall;
using ::testing::DoubleNear;
using ::testing::HasSubstr;
using touchpoint::v1::Touchpoint;

constexpr double kHour = 3'600'000;
// Of medians, which are told by the middle of their bucket.
constexpr double kBucketError = 0.016;

class KpiWorldTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    auto kpi = StartKpi(env());
    ASSERT_OK(kpi);
    kpi_ = *std::move(kpi);
    auto profiles = StartProfiles(env());
    ASSERT_OK(profiles);
    profiles_ = *std::move(profiles);
    Serve({kpi_.get(), profiles_.get()});
    wait_ = AppendRecords(WorldAsItHappened(kPartitions));
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  template <class M>
  M Ask(const std::string& path) {
    const char separator = absl::StrContains(path, "?") ? '&' : '?';
    return Read<M>(absl::StrCat(path, std::string(1, separator), wait_));
  }
  // A KPI's figure of May.
  KpiFigure May(const std::string& kpi, const std::string& scope, const std::string& more = "") {
    const auto values = Ask<KpiValues>(
        absl::StrCat("/v1/kpis/values?from=2026-05&kpi=", kpi, "&scope=", scope, more));
    EXPECT_EQ(values.series_size(), 1) << kpi;
    return values.series().empty() ? KpiFigure() : values.series(0).total();
  }
  static double Aside(const KpiFigure& figure, const std::string& name) {
    for (const auto& aside : figure.asides()) {
      if (aside.name() == name) return aside.value();
    }
    ADD_FAILURE() << name;
    return 0;
  }
  // Its part of one detail.
  KpiFigure Detail(const std::string& kpi, const std::string& detail) {
    const auto breakdown =
        Ask<KpiBreakdown>(absl::StrCat("/v1/kpis/", kpi, "/breakdown?from=2026-05&by=detail"));
    for (const auto& row : breakdown.rows()) {
      if (row.id() == detail) return row.figure();
    }
    ADD_FAILURE() << kpi << " of " << detail;
    return {};
  }
  std::string Refusal(const std::string& path, int status) {
    return Error(absl::StrCat(path, absl::StrContains(path, "?") ? "&" : "?", wait_), status);
  }
  void AppendLateOrder() {
    wait_ = Tick(At("2026-06-03T09:00:00Z"));
    Touchpoint order = TouchpointOf("V01", "late", At("2026-05-30T10:00:00Z"),
                                    R"({"order_placed": {"order_id": "late", "amount":
                        {"minor_units": 300000, "currency_code": "EUR"}}})");
    ToProto(At("2026-06-03T09:00:00Z"), order.mutable_recorded_at());
    wait_ = absl::StrCat(wait_, "&", Append({order}));
    wait_ = absl::StrCat(wait_, "&", Tick(At("2026-06-04T09:00:00Z")));
  }

  std::unique_ptr<Service> kpi_;
  std::unique_ptr<Service> profiles_;
  std::string wait_;
};

constexpr char kAnna[] = "owner:anna";
constexpr char kBen[] = "owner:ben";

TEST_F(KpiWorldTest, SalesAreThoseOfTheHandbook) {
  const KpiFigure revenue = May("revenue", kAnna);
  EXPECT_EQ(revenue.numerator(), 8'750'000);
  EXPECT_EQ(revenue.value(), 8'750'000);
  EXPECT_EQ(Aside(revenue, "gross"), 9'000'000);
  EXPECT_EQ(May("new_clients", kAnna).value(), 2);
  EXPECT_EQ(May("orders", kAnna).value(), 7);
  EXPECT_THAT(Aside(May("average_sale", kAnna), "gross"), DoubleNear(1'285'714, 1));
  EXPECT_EQ(Aside(May("revenue", kBen), "gross"), 800'000);
  EXPECT_EQ(May("new_clients", kBen).value(), 3);
  EXPECT_EQ(Aside(May("revenue", "firm"), "gross"), 9'800'000);
  const KpiFigure shipments = May("punctual_shipments", kAnna);
  EXPECT_EQ(shipments.denominator(), 4);
  EXPECT_EQ(shipments.value(), 50);
}

TEST_F(KpiWorldTest, CallsAndServiceAreThoseOfTheHandbook) {
  // The 40 that she made; 10 of the queue are told apart.
  EXPECT_EQ(May("calls", kAnna).value(), 40);
  EXPECT_EQ(May("calls", kAnna, "&by=agent").value(), 40);
  EXPECT_EQ(May("offered_calls", kAnna).value(), 10);
  EXPECT_EQ(May("effective_call_share", kAnna).numerator(), 26);
  EXPECT_EQ(May("effective_call_share", kAnna).value(), 65);
  const KpiFigure duration = May("average_call_duration", kAnna);
  EXPECT_EQ(duration.value(), 180'000);
  EXPECT_EQ(Aside(duration, "of_all_calls"), 144'000);
  EXPECT_EQ(Detail("offered_calls", "sales").value(), 10);
  EXPECT_EQ(Detail("abandon_rate", "sales").value(), 20);
  EXPECT_EQ(Detail("service_level", "sales").value(), 50);
  const KpiFigure wait = Detail("average_wait", "sales");
  EXPECT_EQ(wait.value(), 42'000);
  EXPECT_EQ(Aside(wait, "answered"), 25'000);
  EXPECT_EQ(May("csat", "firm").value(), 60);
  EXPECT_EQ(May("nps", "firm").value(), 30);
}

TEST_F(KpiWorldTest, ComplaintsAndPromisesAreThoseOfTheHandbook) {
  const KpiFigure settled = May("complaints_settled", kAnna);
  EXPECT_EQ(settled.numerator(), 6);
  EXPECT_EQ(settled.denominator(), 8);
  EXPECT_EQ(settled.value(), 75);
  EXPECT_EQ(Aside(settled, "rejected"), 1);
  EXPECT_EQ(May("inaccurate_information", kAnna).value(), 2);
  EXPECT_EQ(May("requests_not_carried_out", kAnna).value(), 3);
  EXPECT_THAT(May("time_to_settle", kAnna).value(),
              DoubleNear(48 * kHour, 48 * kHour * kBucketError));
  const KpiFigure kept = May("commitments_kept_on_time", kAnna);
  EXPECT_EQ(kept.denominator(), 20);
  EXPECT_EQ(kept.value(), 85);
  EXPECT_EQ(Aside(kept, "kept_late"), 1);
  EXPECT_EQ(Aside(kept, "not_kept"), 2);
  const KpiFigure response = May("first_response_time", kAnna);
  EXPECT_THAT(response.value(), DoubleNear(2 * kHour, 2 * kHour * kBucketError));
  EXPECT_EQ(response.n(), 3);
  EXPECT_EQ(Aside(response, "unanswered"), 1);
}

TEST_F(KpiWorldTest, DealsAndDebtsAreThoseOfTheHandbook) {
  const KpiFigure conversion = May("pipeline_conversion_rate", "firm");
  EXPECT_EQ(conversion.denominator(), 20);
  EXPECT_EQ(conversion.value(), 15);
  EXPECT_EQ(Aside(conversion, "still_open"), 12);
  EXPECT_EQ(May("win_rate", "firm").value(), 37.5);
  EXPECT_EQ(May("days_to_win", "firm").value(), 20);
  EXPECT_EQ(May("referred_deals", "firm").value(), 2);
  EXPECT_EQ(May("referred_won_deals", "firm").value(), 2);
  EXPECT_EQ(Detail("lost_deals", "price").value(), 3);
  EXPECT_EQ(Detail("lost_deals", "competitor").value(), 2);
  EXPECT_EQ(May("receivables", "firm").value(), 4'500'000);
  // 45,000 of the 90,000 that were invoiced, and not of what was ordered.
  EXPECT_EQ(May("collection_period", "firm").value(), 15.5);
  const KpiFigure coverage = May("stakeholder_coverage", "firm");
  EXPECT_EQ(coverage.value(), 75);
  EXPECT_EQ(Aside(coverage, "decision_makers"), 75);
}

TEST_F(KpiWorldTest, WhatComesLateIsKnownNowAndWasNotReported) {
  const KpiFigure before = May("revenue", kAnna);
  EXPECT_EQ(before.reported().value(), before.value());
  AppendLateOrder();
  const KpiFigure known = May("revenue", kAnna);
  EXPECT_EQ(known.value(), 9'050'000);
  EXPECT_EQ(known.reported().value(), 8'750'000);
  EXPECT_EQ(May("revenue", kAnna, "&as_reported_on=2026-06-01").reported().value(), 8'750'000);
  EXPECT_EQ(May("revenue", kAnna, "&as_reported_on=2026-06-03").reported().value(), 9'050'000);
  // One order had come by then.
  EXPECT_EQ(May("revenue", kAnna, "&as_reported_on=2026-05-11").reported().value(), 1'000'000);
  const auto changes =
      Ask<query::v1::KpiChanges>("/v1/kpis/revenue/changes?from=2026-05&scope=owner:anna");
  ASSERT_EQ(changes.changes_size(), 1);
  EXPECT_EQ(changes.changes(0).day(), "2026-05-30");
  EXPECT_EQ(changes.changes(0).known_on(), "2026-06-03");
  EXPECT_EQ(changes.changes(0).numerator(), 300'000);
  const auto parts =
      Ask<KpiTouchpoints>("/v1/kpis/revenue/touchpoints?from=2026-05&scope=owner:anna&client=V01");
  int late = 0;
  for (const auto& part : parts.parts()) late += part.late() ? 1 : 0;
  EXPECT_EQ(late, 1);
}

// Numerator and denominator, as one text to compare.
std::string Parts(int64_t numerator, int64_t denominator) {
  return absl::StrCat(numerator, " of ", denominator);
}

TEST_F(KpiWorldTest, AFigureIsTheSumOfItsStepsItsPartsAndItsTouchpoints) {
  AppendLateOrder();
  for (const KpiSpec& spec : AllKpis()) {
    if (!spec.adds_up()) continue;
    const bool has_denominator = !spec.denominator.empty();
    const bool holders = spec.code == "sales_per_manager";
    const bool flows =
        std::all_of(spec.numerator.begin(), spec.numerator.end(),
                    [](const KpiTerm& term) { return term.time == TermTime::kFlow; });
    for (const std::string scope : {"firm", kAnna, kBen}) {
      SCOPED_TRACE(absl::StrCat(spec.code, " ", scope));
      const std::string period = absl::StrCat("from=2026-04&to=2026-06&scope=", scope);
      const auto values =
          Ask<KpiValues>(absl::StrCat("/v1/kpis/values?kpi=", spec.code, "&step=week&", period));
      ASSERT_EQ(values.series_size(), 1);
      const KpiFigure& total = values.series(0).total();
      const int64_t denominator = has_denominator ? total.denominator() : 0;
      if (flows) {
        int64_t steps = 0;
        for (const KpiFigure& step : values.series(0).steps()) steps += step.numerator();
        EXPECT_EQ(steps, total.numerator());
      }
      const std::string whole = Parts(total.numerator(), denominator);
      for (const std::string by : {"owner", "segment", "client", "detail"}) {
        if (by == "detail" && spec.detail.empty()) continue;
        if (holders && by != "owner") continue;
        const auto breakdown = Ask<KpiBreakdown>(
            absl::StrCat("/v1/kpis/", spec.code, "/breakdown?by=", by, "&", period));
        EXPECT_EQ(breakdown.series().total().numerator(), total.numerator());
        int64_t above = 0;
        int64_t below = 0;
        for (const auto& row : breakdown.rows()) {
          above += row.figure().numerator();
          below += has_denominator ? row.figure().denominator() : 0;
        }
        EXPECT_EQ(Parts(above, below), whole) << by;
      }
      if (holders) continue;
      int64_t above = 0;
      int64_t below = 0;
      std::string cursor;
      do {
        const auto page =
            Ask<KpiTouchpoints>(absl::StrCat("/v1/kpis/", spec.code, "/touchpoints?limit=7&",
                                             period, cursor.empty() ? "" : "&cursor=", cursor));
        for (const auto& part : page.parts()) {
          above += part.numerator();
          below += part.denominator();
        }
        cursor = page.next_cursor();
      } while (!cursor.empty());
      EXPECT_EQ(Parts(above, below), whole) << "touchpoints";
    }
  }
}

TEST_F(KpiWorldTest, ClientsComeAndGoWithoutARest) {
  for (const std::string scope : {"firm", kAnna, kBen}) {
    SCOPED_TRACE(scope);
    const auto waterfall = Ask<KpiWaterfall>(
        absl::StrCat("/v1/kpis/waterfall?from=2026-01&to=2026-06&step=month&scope=", scope));
    std::vector<query::v1::KpiWaterfallStep> all(waterfall.steps().begin(),
                                                 waterfall.steps().end());
    all.push_back(waterfall.total());
    for (const auto& step : all) {
      EXPECT_EQ(step.at_start() + step.new_clients() + step.back() + step.came() - step.lost() -
                    step.left(),
                step.at_end())
          << step.ShortDebugString();
    }
    EXPECT_GT(waterfall.total().at_end(), 0);
  }
}

TEST_F(KpiWorldTest, WhatIsNotThereIsToldWithWhatIs) {
  EXPECT_THAT(Refusal("/v1/kpis/values?kpi=revenu", 404), HasSubstr("did you mean revenue?"));
  EXPECT_THAT(Refusal("/v1/kpis/revenues/breakdown", 404), HasSubstr("did you mean revenue?"));
  EXPECT_THAT(Refusal("/v1/kpis/values?from=2026-13", 400), HasSubstr("write 2026, 2026-Q2"));
  EXPECT_THAT(Refusal("/v1/kpis/values?from=2026-05&to=2026-04", 400),
              HasSubstr("ends before it begins"));
  EXPECT_THAT(Refusal("/v1/kpis/values?scope=owner:nobody", 404), HasSubstr("owner:nobody"));
  EXPECT_THAT(Refusal("/v1/kpis/values?scope=team:x", 404), HasSubstr("no such unit"));
  EXPECT_THAT(Refusal("/v1/kpis/values?scope=anna", 400), HasSubstr("owner:<id>"));
  EXPECT_THAT(Refusal("/v1/kpis/values?step=hour", 400), HasSubstr("day, week, month"));
  EXPECT_THAT(Refusal("/v1/kpis/values?kpi=revenue&by=agent", 400), HasSubstr("by owner alone"));
  EXPECT_THAT(Refusal("/v1/kpis/calls/breakdown?by=colour", 400), HasSubstr("there are: owner"));
  EXPECT_THAT(Refusal("/v1/kpis/revenue/touchpoints?client=nobody", 404), HasSubstr("nobody"));
}

TEST_F(KpiWorldTest, AnAnswerIsATableForWhoAsksForOne) {
  const HttpAnswer answer = *client_.Fetch(
      {.url = absl::StrCat(http_->address(), "/v1/kpis/values?kpi=revenue&from=2026-05&", wait_),
       .headers = {{"accept", "text/csv"}},
       .timeout = absl::Seconds(100)});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.HeaderValue("content-type"), "text/csv; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("kpi,currency,scope,scope_id,by,what,from,to,numerator"));
  EXPECT_THAT(answer.body, HasSubstr("revenue,EUR,firm,,owner,total,2026-05-01,2026-06-01,"));
}

}  // namespace
}  // namespace rapport
