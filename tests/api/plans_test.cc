#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/event_id.h"
#include "libs/base/time.h"
#include "libs/people/people.h"
#include "libs/serving/testing/serving_fixture.h"
#include "libs/touchpoint/identity.h"
#include "rapport/query/v1/bonus.pb.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/query/v1/staff.pb.h"
#include "services/kpi/kpi.h"

// Plans, forecast and pay, over HTTP, by who may see and set them.

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using touchpoint::v1::Touchpoint;

constexpr char kSchemes[] = R"pb(
  schemes {
    name: "sellers"
    from: "2026-01-01"
    units: "a"
    period: "month"
    currency_code: "EUR"
    rules {
      name: "sales"
      percentage { kpi: "revenue" percent: "2" }
    }
    rules {
      name: "newcomers"
      threshold { kpi: "new_clients" bonus: "1000" }
    }
    rules {
      name: "first"
      contest { kpi: "revenue" prizes: "300" }
    }
    rules {
      name: "stages"
      stage_points {
        stages { stage: DEAL_STAGE_PRESENTED points: 15 }
        stages { stage: DEAL_STAGE_WON points: 50 }
        per_point: "2"
      }
    }
  })pb";

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", text, &time, &error)) << text;
  return time;
}

class PlansTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    ASSERT_OK(log_->CreateTopic("clock", 1));
    const std::string schemes = absl::StrCat(folder_.path(), "/bonus.textproto");
    std::ofstream(schemes) << kSchemes;
    config_.mutable_kpi()->set_bonus_schemes_file(schemes);
    auto people = People::Open({.config = &config_,
                                .log = log_.get(),
                                .topics = {},
                                .all_in_one = true,
                                .keeps_audit = true,
                                .http_client = &client_,
                                .master_tokens = {{.secret = "master", .name = "command line"}},
                                .now = [] { return absl::Now(); }});
    ASSERT_OK(people.status());
    people_ = *std::move(people);
    http_->SetAccess(people_->access());
    people_->AddRoutes(http_.get());
    auto service = StartKpi(env());
    ASSERT_OK(service.status());
    service_ = *std::move(service);
    Serve({service_.get()});
    query::v1::StaffOrder order;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"pb(
          units {
            unit_id: "a"
            kind: "team"
            from_at { seconds: 1 }
          }
          people {
            person_id: "head"
            unit_id: "a"
            roles: "director"
            from_at { seconds: 1 }
          }
          people {
            person_id: "lead"
            unit_id: "a"
            leads: true
            from_at { seconds: 1 }
          }
          people {
            person_id: "anna"
            unit_id: "a"
            roles: "relationship_manager"
            from_at { seconds: 1 }
          }
          people {
            person_id: "ben"
            unit_id: "a"
            roles: "relationship_manager"
            from_at { seconds: 1 }
          }
        )pb",
        &order));
    ASSERT_OK(people_->organisation()->Carry(order, "test", false).status());
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  HttpAnswer As(const std::string& person, const std::string& method, const std::string& path,
                const std::string& body = "") {
    std::string& cookie = cookies_[person];
    if (cookie.empty()) {
      const auto begun = people_->access()->BeginSession(person, "test", {}, HttpRequest());
      EXPECT_OK(begun.status());
      cookie = begun->substr(0, begun->find(';'));
    }
    HttpCall call{.method = method, .url = http_->address() + path, .body = body};
    call.headers = {{"cookie", cookie},
                    {"sec-fetch-site", "same-origin"},
                    {"content-type", "application/json"}};
    call.timeout = absl::Seconds(100);
    auto answer = client_.Fetch(call);
    EXPECT_OK(answer.status());
    return *std::move(answer);
  }
  template <class Message>
  Message Told(const HttpAnswer& answer, int status = 200) {
    Message message;
    EXPECT_EQ(answer.status, status) << answer.body;
    if (answer.status < 300) {
      EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok())
          << answer.body;
    }
    return message;
  }

  Touchpoint Make(const std::string& client, const std::string& at, const std::string& payload) {
    Touchpoint touchpoint;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(payload, &touchpoint)) << payload;
    touchpoint.set_client_id(client);
    touchpoint.set_source("test");
    touchpoint.set_source_event_id(absl::StrCat(++count_));
    touchpoint.set_event_id(std::string(MakeEventId("test", touchpoint.source_event_id()).view()));
    ToProto(At(at), touchpoint.mutable_occurred_at());
    ToProto(At(at), touchpoint.mutable_recorded_at());
    touchpoint.set_channel(touchpoint::v1::CHANNEL_BACK_OFFICE);
    return touchpoint;
  }
  Touchpoint Order(const std::string& client, const std::string& at, int64_t euros) {
    return Make(client, at,
                absl::StrCat("order_placed { order_id: '", ++count_,
                             "' amount { minor_units: ", euros * 100, " currency_code: 'EUR' } }"));
  }
  // Four clients of anna's and ben's with what they brought in May.
  std::string TellOfMay() {
    // All of it comes when May is long over.
    Tick(At("2026-06-03 11:00"));
    std::vector<Touchpoint> all;
    for (const auto& [client, owner] :
         std::vector<std::pair<std::string, std::string>>{{"c1", "anna"}, {"c2", "ben"}}) {
      all.push_back(Make(client, "2026-04-01 09:00",
                         absl::StrCat("owner_assigned { to_owner_id: '", owner, "' }")));
    }
    all.push_back(Order("c1", "2026-05-10 09:00", 87'500));
    all.push_back(Order("c2", "2026-05-11 09:00", 50'000));
    all.push_back(Make("c1", "2026-05-01 10:00",
                       "deal_opened { deal_id: 'd1' amount { minor_units: 100000 currency_code: "
                       "'EUR' } probability_permille: 500 }"));
    all.push_back(Make("c1", "2026-05-12 10:00",
                       "deal_stage_changed { deal_id: 'd1' to_stage: DEAL_STAGE_PRESENTED "
                       "probability_permille: 700 }"));
    Append(all);
    const std::string wait = Tick(At("2026-06-03 12:00"));
    EXPECT_EQ(As("head", "GET", "/v1/targets?" + wait).status, 200);
    return wait;
  }
  HttpAnswer SetTargets(const std::string& person, const std::string& targets,
                        const std::string& parameters = "") {
    return As(person, "POST", "/v1/targets" + parameters,
              absl::StrCat("{\"targets\":[", targets, "]}"));
  }

  static constexpr char kAnnasPlan[] =
      R"({"kpi":"new_clients","scope":"owner","scope_id":"anna","period":"2026-05","value":1})";

  std::unique_ptr<People> people_;
  std::unique_ptr<Service> service_;
  std::map<std::string, std::string> cookies_;
  int count_ = 0;
};

TEST_F(PlansTest, PlansAreSetByWhoLeadsAndSeenByWhomTheyAreFor) {
  TellOfMay();
  const std::string ben =
      R"({"kpi":"revenue","scope":"owner","scope_id":"ben","period":"2026-05","value":11000000,)"
      R"("currency_code":"EUR"})";
  const auto tried = Told<query::v1::TargetsChanged>(
      SetTargets("lead", absl::StrCat(kAnnasPlan, ",", ben), "?dry_run=true"));
  EXPECT_EQ(tried.position(), "");
  const auto changed =
      Told<query::v1::TargetsChanged>(SetTargets("lead", absl::StrCat(kAnnasPlan, ",", ben)), 202);
  ASSERT_EQ(changed.steps_size(), 2);
  EXPECT_EQ(changed.steps(0).what(), "set");
  const std::string wait = "?wait_for=" + changed.position();
  const auto all = Told<query::v1::Targets>(As("lead", "GET", "/v1/targets" + wait));
  ASSERT_EQ(all.targets_size(), 2);
  EXPECT_EQ(all.targets(0).set_by(), "lead");
  const auto hers = Told<query::v1::Targets>(As("anna", "GET", "/v1/targets"));
  ASSERT_EQ(hers.targets_size(), 1);
  EXPECT_EQ(hers.targets(0).kpi(), "new_clients");
  // The same again changes nothing; another value does, and tells the one before.
  EXPECT_EQ(Told<query::v1::TargetsChanged>(SetTargets("lead", kAnnasPlan)).steps(0).what(),
            "kept");
  const auto more = Told<query::v1::TargetsChanged>(
      SetTargets("head",
                 R"({"kpi":"new_clients","scope":"owner","scope_id":"anna","period":"2026-05",)"
                 R"("value":4})"),
      202);
  EXPECT_EQ(more.steps(0).what(), "changed");
  EXPECT_EQ(more.steps(0).before(), 1);
  // In figures.
  const auto values = Told<query::v1::KpiValues>(As(
      "anna", "GET",
      "/v1/kpis/values?kpi=new_clients&scope=owner:anna&from=2026-05&wait_for=" + more.position()));
  ASSERT_EQ(values.series_size(), 1);
  EXPECT_EQ(values.series(0).total().plan().value(), 4);
  EXPECT_EQ(values.series(0).total().plan().attainment_percent(), 25);
  EXPECT_EQ(As("anna", "POST", "/v1/targets", "{}").status, 403);
}

TEST_F(PlansTest, WrongPlansAreRefusedAllTogether) {
  TellOfMay();
  const HttpAnswer answer = SetTargets(
      "head", absl::StrCat(kAnnasPlan,
                           R"(,{"kpi":"new_client","scope":"firm","period":"2026-05","value":1})",
                           R"(,{"kpi":"new_clients","scope":"owner","scope_id":"nobody",)",
                           R"("period":"2026-05","value":1})",
                           R"(,{"kpi":"new_clients","scope":"team","scope_id":"z",)",
                           R"("period":"2026-05","value":1,"line":9})",
                           R"(,{"kpi":"service_level","scope":"owner","scope_id":"anna",)",
                           R"("period":"2026-05","value":80})",
                           R"(,{"kpi":"revenue","scope":"firm","period":"2026-5","value":1,)",
                           R"("currency_code":"EUR"})"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body,
              AllOf(HasSubstr("targets[1]: "), HasSubstr("new_clients"), HasSubstr("targets[2]: "),
                    HasSubstr("nobody"), HasSubstr("line 9: "), HasSubstr("there are: a"),
                    HasSubstr("moved by a unit"), HasSubstr("2026-5")));
  EXPECT_EQ(Told<query::v1::Targets>(As("head", "GET", "/v1/targets")).targets_size(), 0);
}

TEST_F(PlansTest, AStatementIsExactAndShownToThosePaidAndTheirLead) {
  TellOfMay();
  const auto changed = Told<query::v1::TargetsChanged>(SetTargets("lead", kAnnasPlan), 202);
  const std::string path = "/v1/bonus/statement?person=anna&period=2026-05";
  const auto statement = Told<query::v1::BonusStatement>(
      As("anna", "GET", absl::StrCat(path, "&wait_for=", changed.position())));
  ASSERT_EQ(statement.lines_size(), 5);
  EXPECT_EQ(statement.lines(0).reckoning(), "2 % of 87500.00 EUR = 1750.00 EUR");
  EXPECT_THAT(statement.lines(0).touchpoints(),
              HasSubstr("/v1/kpis/revenue/touchpoints?scope=owner:anna&from=2026-05&to=2026-05"));
  EXPECT_EQ(statement.lines(1).money(), 100'000);  // her one new client
  EXPECT_EQ(statement.lines(2).rank(), 1);
  EXPECT_EQ(statement.lines(3).money(), 3'000);  // one deal came to PRESENTED
  EXPECT_EQ(statement.lines(4).money(), 0);
  EXPECT_EQ(statement.total(), 175'000 + 100'000 + 30'000 + 3'000);
  // All of it came on 3 June: as reported nobody had anything.
  EXPECT_EQ(statement.total_as_reported(), 0);
  EXPECT_EQ(As("ben", "GET", path).status, 404);
  EXPECT_EQ(Told<query::v1::BonusStatement>(As("lead", "GET", path)).total(), statement.total());
  EXPECT_THAT(As("head", "GET", "/v1/bonus/statement?person=anna&period=2026-W20").body,
              HasSubstr("pay is for a month, a quarter or a year"));
  EXPECT_EQ(As("head", "GET", "/v1/bonus/statement?person=anna&period=2026-Q2").status, 404);
}

TEST_F(PlansTest, APastPeriodByAProposedScheme) {
  TellOfMay();
  const std::string proposed =
      "schemes { name: 'next' from: '2027-01-01' units: 'a' period: 'month' currency_code: 'EUR' "
      "rules { name: 'sales' percentage { kpi: 'revenue' percent: '3' } } }";
  const auto what_if = Told<query::v1::BonusWhatIf>(
      As("lead", "POST", "/v1/bonus/what-if?from=2026-05&person=ben", proposed));
  ASSERT_EQ(what_if.comparisons_size(), 1);
  EXPECT_EQ(what_if.comparisons(0).proposed().total(), 150'000);
  EXPECT_EQ(what_if.comparisons(0).present().total(), 100'000);
  EXPECT_EQ(what_if.sums(0).proposed(), 150'000);
  EXPECT_THAT(As("lead", "POST", "/v1/bonus/what-if?from=2026-05", "schemes { nmae: 'x' }").body,
              HasSubstr("body:1:15"));
  EXPECT_EQ(As("anna", "POST", "/v1/bonus/what-if?from=2026-05", proposed).status, 403);
}

TEST_F(PlansTest, ForecastAndCohortsOfWhomOneSees) {
  TellOfMay();
  const auto forecast = Told<query::v1::KpiForecast>(
      As("anna", "GET", "/v1/kpis/forecast?scope=owner:anna&since=2026-05-05"));
  ASSERT_EQ(forecast.currencies_size(), 1);
  EXPECT_EQ(forecast.currencies(0).total().weighted(), 70'000);
  EXPECT_EQ(forecast.currencies(0).move().stage(), 20'000);
  EXPECT_EQ(As("anna", "GET", "/v1/kpis/forecast?scope=owner:ben").status, 404);
  EXPECT_THAT(As("anna", "GET", "/v1/kpis/forecast?since=2027-01-01").body,
              HasSubstr("after the log's clock"));
  EXPECT_EQ(As("anna", "GET", "/v1/kpis/deals").status, 403);
  const auto cohorts =
      Told<query::v1::KpiCohorts>(As("head", "GET", "/v1/kpis/cohorts?from=2026-05&to=2026-05"));
  EXPECT_EQ(cohorts.total().opened(), 1);
  EXPECT_EQ(As("head", "GET", "/v1/kpis/cohorts?from=2026-05-03").status, 400);
}

}  // namespace
}  // namespace rapport
