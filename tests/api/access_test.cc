#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "libs/base/mutex.h"
#include "libs/base/time.h"
#include "libs/organisation/organisation.h"
#include "libs/people/people.h"
#include "libs/people/route_rules.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/alert.pb.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/handover.pb.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/retention.pb.h"
#include "services/alerts/alerts.h"
#include "services/ingest/ingest.h"
#include "services/kpi/kpi.h"
#include "services/pipeline/pipeline.h"
#include "services/profiles/profiles.h"
#include "services/replay/replay.h"
#include "services/retention/retention.h"
#include "services/sources/sources.h"

// Who may do and see what, over HTTP, of all services together.

namespace rapport {
namespace {

using organisation::v1::Role;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using touchpoint::v1::Touchpoint;

class AccessTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    ASSERT_OK(log_->CreateTopic("clock", 1));
    auto people = People::Open({.config = &config_,
                                .log = log_.get(),
                                .topics = {},
                                .all_in_one = true,
                                .keeps_audit = true,
                                .http_client = &client_,
                                .master_tokens = {{.secret = "master", .name = "command line"}},
                                .now = [this] { return now_; }});
    ASSERT_OK(people.status());
    people_ = *std::move(people);
    http_->SetAccess(people_->access());
    people_->AddRoutes(http_.get());
    std::vector<const Service*> running;
    for (const StartService& start :
         {StartService(StartIngest), StartService(StartProfiles), StartService(StartRetention),
          StartService(StartPipeline), StartService(StartKpi), StartService(StartAlerts),
          StartService(StartReplay), StartService(StartSources)}) {
      auto service = start(env());
      ASSERT_OK(service.status());
      services_.push_back(*std::move(service));
      running.push_back(services_.back().get());
    }
    Serve(running);
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  void Staff(const std::string& text) {
    query::v1::StaffOrder order;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &order)) << text;
    ASSERT_OK(people_->organisation()->Carry(order, "test", false).status());
  }
  // A cookie by which the person asks.
  const std::string& SignedIn(const std::string& person) {
    std::string& cookie = cookies_[person];
    if (cookie.empty()) {
      const auto begun = people_->access()->BeginSession(person, "test", {}, HttpRequest());
      EXPECT_OK(begun.status());
      cookie = begun->substr(0, begun->find(';'));
    }
    return cookie;
  }
  HttpAnswer As(const std::string& person, const std::string& method, const std::string& path,
                const std::string& body = "") {
    HttpCall call{.method = method, .url = http_->address() + path, .body = body};
    call.headers = {{"cookie", SignedIn(person)},
                    {"sec-fetch-site", "same-origin"},
                    {"content-type", "application/json"}};
    call.timeout = absl::Seconds(100);
    auto answer = client_.Fetch(call);
    EXPECT_OK(answer.status());
    return *std::move(answer);
  }
  template <class Message>
  Message Told(const HttpAnswer& answer) {
    Message message;
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (answer.status == 200) {
      EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok());
    }
    return message;
  }

  // A client of this owner who has given notice, and a deal with them; all know of it.
  void AddClient(const std::string& client, const std::string& owner) {
    const absl::Time at = absl::Now() - absl::Hours(24);
    std::vector<Touchpoint> touchpoints;
    const auto add = [&](Touchpoint::PayloadCase kind) -> Touchpoint& {
      return touchpoints.emplace_back(
          testing::MakeTouchpoint(kind, client, absl::StrCat(kind), at));
    };
    add(Touchpoint::kClientRegistered)
        .mutable_client_registered()
        ->mutable_details()
        ->set_name("Name of " + client);
    if (!owner.empty()) {
      add(Touchpoint::kOwnerAssigned).mutable_owner_assigned()->set_to_owner_id(owner);
    }
    auto& terms = *add(Touchpoint::kContractSigned).mutable_contract_signed();
    terms.set_contract_id("k");
    ToProto(at + absl::Hours(24 * 90), terms.mutable_terms()->mutable_ends_at());
    auto& ended = *add(Touchpoint::kContractTerminated).mutable_contract_terminated();
    ended.set_contract_id("k");
    ToProto(at + absl::Hours(24 * 90), ended.mutable_ends_at());
    ended.set_reason(touchpoint::v1::TERMINATION_REASON_CLIENT_CANCELLED);
    auto& deal = *add(Touchpoint::kDealOpened).mutable_deal_opened();
    deal.set_deal_id("deal of " + client);
    deal.set_title("Lamps");
    deal.set_stage(touchpoint::v1::DEAL_STAGE_LEAD);
    deal.mutable_amount()->set_minor_units(100);
    deal.mutable_amount()->set_currency_code("EUR");
    for (Touchpoint& touchpoint : touchpoints) touchpoint.clear_owner_id();
    Settle(Append(touchpoints));
  }
  // Comes back when all three projections have what was appended.
  void Settle(const std::string& wait) {
    for (const char* const list : {"/v1/clients", "/v1/retention/at-risk", "/v1/pipeline/board"}) {
      EXPECT_EQ(AsMaster(absl::StrCat(list, "?limit=1&", wait)).status, 200) << list;
    }
  }

  // Alerts of clients, by client, once there are as many.
  std::map<std::string, std::string> Alerts(size_t count) {
    std::map<std::string, std::string> alerts;
    while (alerts.size() < count) {
      const HttpAnswer answer = AsMaster("/v1/alerts?limit=500");
      const auto page = Told<query::v1::AlertsPage>(answer);
      for (const query::v1::Alert& alert : page.alerts()) {
        alerts[alert.client_id()] = alert.alert_id();
      }
    }
    return alerts;
  }
  HttpAnswer AsMaster(const std::string& path) {
    HttpCall call{.url = http_->address() + path};
    call.headers = {{"authorization", "Bearer master"}};
    call.timeout = absl::Seconds(100);
    return *client_.Fetch(call);
  }

  // Everybody whom the person's lists name; each list has to name the same.
  std::set<std::string> SeenInLists(const std::string& person, const std::string& query = "") {
    std::set<std::string> clients;
    const auto list =
        Told<query::v1::ClientList>(As(person, "GET", "/v1/clients?limit=500" + query));
    for (const auto& client : list.clients()) clients.insert(client.client_id());
    std::set<std::string> alerts;
    const auto page =
        Told<query::v1::AlertsPage>(As(person, "GET", "/v1/alerts?limit=500" + query));
    for (const auto& alert : page.alerts()) alerts.insert(alert.client_id());
    EXPECT_EQ(alerts, clients) << person;
    for (const char* const sort : {"score", "loss"}) {
      std::set<std::string> at_risk;
      const auto risks = Told<query::v1::AtRiskList>(
          As(person, "GET", absl::StrCat("/v1/retention/at-risk?limit=500&sort=", sort, query)));
      for (const auto& client : risks.clients()) at_risk.insert(client.client_id());
      EXPECT_EQ(at_risk, clients) << person << " by " << sort;
    }
    std::set<std::string> deals;
    const auto board =
        Told<query::v1::Board>(As(person, "GET", "/v1/pipeline/board?limit=500" + query));
    for (const auto& column : board.columns()) {
      EXPECT_EQ(column.deal_count(), column.deals_size());
      for (const auto& deal : column.deals()) deals.insert(deal.client_id());
    }
    EXPECT_EQ(deals, clients) << person;
    std::set<std::string> matters;
    const auto agenda = Told<query::v1::Agenda>(
        As(person, "GET",
           absl::StrCat("/v1/agenda?limit=500&kind=contract&until=2100-01-01T00:00:00Z", query)));
    for (const auto& section : agenda.sections()) {
      EXPECT_EQ(section.count(), section.items_size());
      for (const auto& item : section.items()) matters.insert(item.client_id());
    }
    EXPECT_EQ(matters, clients) << person;
    return clients;
  }
  // Whether single reads give the client to the person: all of them, or none.
  bool SeenByItself(const std::string& person, const std::string& client,
                    const std::string& alert) {
    std::set<int> statuses;
    for (const std::string& path :
         {"/v1/clients/" + client, "/v1/clients/" + client + "/timeline",
          "/v1/clients/" + client + "/touchpoints",
          "/v1/clients/" + client +
              "?as_of=" + absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()),
          "/v1/retention/" + client, "/v1/deals/deal%20of%20" + client, "/v1/alerts/" + alert}) {
      const int status = As(person, "GET", path).status;
      EXPECT_TRUE(status == 200 || status == 404) << path << " " << status;
      statuses.insert(status);
    }
    EXPECT_EQ(statuses.size(), 1u) << person << " " << client;
    return statuses.count(200) > 0;
  }

  absl::Time now_ = absl::Now();
  std::unique_ptr<People> people_;
  std::vector<std::unique_ptr<Service>> services_;
  std::map<std::string, std::string> cookies_;
};

// No route is forgotten, and each role may what the table says of it and no more.
TEST_F(AccessTest, EveryRouteIsAskedForByEveryRole) {
  std::string firm;
  std::map<Role, std::string> people;
  for (int number = organisation::v1::Role_MIN + 1; number <= organisation::v1::Role_MAX;
       ++number) {
    const auto role = static_cast<Role>(number);
    people[role] = RoleName(role);
    absl::StrAppend(&firm, "people { person_id: '", RoleName(role), "' roles: '", RoleName(role),
                    "' }");
  }
  Staff(firm);
  const std::set<std::string> open = {"GET /healthz", "GET /readyz", "GET /v1/session",
                                      "POST /v1/session", "DELETE /v1/session",
                                      "POST /v1/invitations", "GET /sign-in", "GET /v1/sign-in",
                                      "POST /v1/sources/{name}", "GET /v1/sign-in/callback",
                                      // By the ticket in a mail.
                                      "GET /v1/mail/unsubscribe/{ticket}",
                                      "POST /v1/mail/unsubscribe/{ticket}", "GET /openapi.json"};
  int asked = 0;
  for (const HttpServer::Route& route : http_->routes()) {
    const std::string name = absl::StrCat(route.method, " ", route.pattern);
    const std::optional<RouteRule> rule = FindRule(route.method, route.pattern);
    EXPECT_EQ(rule.has_value(), open.count(name) == 0) << name << " has no rule, and is not open";
    if (!rule) continue;
    const std::string path = absl::StrCat(
        absl::StrReplaceAll(route.pattern,
                            {{"{position}", "0:0"}, {"{id...}", "x"}, {"{", ""}, {"}", ""}}),
        "?no_such_parameter=1");
    for (const auto& [role, person] : people) {
      const HttpAnswer answer = As(person, route.method, path);
      const bool may = (PermissionsOf(role) & static_cast<uint32_t>(rule->permission)) != 0;
      EXPECT_EQ(answer.status != 403, may)
          << person << " " << name << ": " << answer.status << " " << answer.body;
      EXPECT_NE(answer.status, 401) << person << " " << name;
      ++asked;
    }
    // Nobody at all.
    EXPECT_EQ(Call(route.method, path).status, 401) << name;
  }
  EXPECT_GT(asked, 400);
}

TEST_F(AccessTest, ListsAndSinglesGiveWhatTheOrganisationGives) {
  Staff(
      "units { unit_id: 'west' kind: 'branch' } units { unit_id: 'red' parent_unit_id: 'west' }"
      "people { person_id: 'anna' unit_id: 'red' leads: true roles: 'relationship_manager' }"
      "people { person_id: 'ben' unit_id: 'red' roles: 'relationship_manager' }"
      "people { person_id: 'carl' unit_id: 'west' roles: 'relationship_manager' }"
      "people { person_id: 'dora' roles: 'director' }"
      "people { person_id: 'ada' roles: 'analyst' }");
  for (const auto& [client, owner] : std::vector<std::pair<std::string, std::string>>{
           {"a1", "anna"}, {"a2", "anna"}, {"b1", "ben"}, {"c1", "carl"}, {"n1", ""}}) {
    AddClient(client, owner);
  }
  const std::map<std::string, std::string> alerts = Alerts(5);
  EXPECT_THAT(SeenInLists("anna"), ElementsAre("a1", "a2", "b1"));
  EXPECT_THAT(SeenInLists("ben"), ElementsAre("b1"));
  EXPECT_THAT(SeenInLists("carl"), ElementsAre("c1"));
  EXPECT_THAT(SeenInLists("dora"), ElementsAre("a1", "a2", "b1", "c1", "n1"));
  EXPECT_THAT(SeenInLists("dora", "&team=red"), ElementsAre("a1", "a2", "b1"));
  EXPECT_THAT(SeenInLists("dora", "&branch=west"), ElementsAre("a1", "a2", "b1", "c1"));
  EXPECT_THAT(SeenInLists("dora", "&owner=ben&owner=carl"), ElementsAre("b1", "c1"));
  EXPECT_THAT(SeenInLists("anna", "&branch=west"), ElementsAre("a1", "a2", "b1"));
  EXPECT_THAT(SeenInLists("ben", "&owner=anna"), IsEmpty());
  EXPECT_EQ(As("dora", "GET", "/v1/clients?team=nowhere").status, 400);
  for (const auto& [person, seen] :
       std::map<std::string, std::set<std::string>>{{"anna", {"a1", "a2", "b1"}},
                                                    {"ben", {"b1"}},
                                                    {"carl", {"c1"}},
                                                    {"dora", {"a1", "a2", "b1", "c1", "n1"}}}) {
    for (const auto& [client, alert] : alerts) {
      EXPECT_EQ(SeenByItself(person, client, alert), seen.count(client) > 0)
          << person << " " << client;
      EXPECT_EQ(As(person, "POST", absl::StrCat("/v1/alerts/", alert, "/acknowledge"), "{}").status,
                seen.count(client) > 0 ? 202 : 404)
          << person << " " << client;
    }
  }
  // What is not there and what is another's are told in the same words.
  EXPECT_EQ(absl::StrReplaceAll(As("ben", "GET", "/v1/clients/a1").body, {{"a1", "zz"}}),
            As("ben", "GET", "/v1/clients/zz").body);
  // Sums without names.
  const auto board = Told<query::v1::Board>(As("ada", "GET", "/v1/pipeline/board"));
  ASSERT_EQ(board.columns_size(), 1);
  EXPECT_EQ(board.columns(0).deal_count(), 5);
  EXPECT_EQ(board.columns(0).deals_size(), 0);
  EXPECT_EQ(As("ada", "GET", "/v1/clients").status, 403);
  // Figures: one's own, one's unit's, or all.
  const auto figures = [this](const std::string& person, const std::string& query) {
    return As(person, "GET", "/v1/kpis/values?kpi=portfolio&from=2026" + query).status;
  };
  EXPECT_EQ(figures("ben", ""), 200);
  EXPECT_EQ(figures("ben", "&scope=owner:ben"), 200);
  EXPECT_EQ(figures("ben", "&scope=owner:anna"), 404);
  EXPECT_EQ(figures("ben", "&scope=team:red"), 404);
  EXPECT_EQ(figures("anna", "&scope=team:red"), 200);
  EXPECT_EQ(figures("anna", "&scope=branch:west"), 404);
  EXPECT_EQ(figures("anna", "&scope=firm"), 403);
  EXPECT_EQ(figures("dora", "&scope=branch:west"), 200);
  EXPECT_EQ(figures("ada", "&scope=firm"), 200);
  const std::string by_client = "/v1/kpis/portfolio/breakdown?from=2026&by=client";
  EXPECT_EQ(As("ada", "GET", by_client).status, 403);
  EXPECT_EQ(As("ben", "GET", by_client).status, 200);
  EXPECT_EQ(As("ada", "GET", "/v1/kpis/portfolio/touchpoints?from=2026").status, 403);
}

TEST_F(AccessTest, AHandoverTakesTheAlertAlongAndSaysWhoDidIt) {
  Staff(
      "units { unit_id: 'red' }"
      "people { person_id: 'anna' unit_id: 'red' leads: true roles: 'relationship_manager' }"
      "people { person_id: 'ben' unit_id: 'red' roles: 'relationship_manager' }"
      "people { person_id: 'carl' roles: 'relationship_manager' }");
  AddClient("a1", "anna");
  AddClient("a2", "anna");
  AddClient("c1", "carl");
  const std::map<std::string, std::string> alerts = Alerts(3);
  EXPECT_EQ(
      As("ben", "POST", "/v1/handovers", R"({"from_owner_id":"anna","to_owner_id":"ben"})").status,
      403);
  EXPECT_EQ(As("anna", "POST", "/v1/handovers", R"({"from_owner_id":"anna","to_owner_id":"carl"})")
                .status,
            403)
      << "out of her reach";
  EXPECT_EQ(
      As("anna", "POST", "/v1/handovers", R"({"from_owner_id":"anna","to_owner_id":"bem"})").status,
      400)
      << "misspelt";
  const auto tried = Told<query::v1::Handover>(
      As("anna", "POST", "/v1/handovers?dry_run=true",
         R"({"from_owner_id":"anna","to_owner_id":"ben","client_ids":["a1","c1","zz"]})"));
  EXPECT_EQ(tried.clients(), 1);
  EXPECT_THAT(tried.unknown_client_ids(), UnorderedElementsAre("c1", "zz"));
  EXPECT_THAT(SeenInLists("ben"), IsEmpty());
  EXPECT_EQ(As("anna", "POST", "/v1/handovers",
               R"({"from_owner_id":"anna","to_owner_id":"ben","client_ids":["a1"],"reason":"x"})")
                .status,
            202);
  while (As("ben", "GET", "/v1/clients/a1").status != 200 ||
         As("ben", "GET", "/v1/retention/a1").status != 200 ||
         As("ben", "GET", "/v1/deals/deal%20of%20a1").status != 200 ||
         As("ben", "GET", "/v1/alerts/" + alerts.at("a1")).status != 200) {
  }
  EXPECT_THAT(SeenInLists("ben"), ElementsAre("a1"));
  // What is closed goes along, too.
  EXPECT_EQ(As("anna", "POST", absl::StrCat("/v1/alerts/", alerts.at("a2"), "/dismiss"),
               R"({"reason":"false_alarm"})")
                .status,
            202);
  while (!absl::StrContains(AsMaster("/v1/alerts/" + alerts.at("a2")).body, "STATE_CLOSED")) {
  }
  EXPECT_EQ(As("ben", "GET", "/v1/alerts/" + alerts.at("a2")).status, 404);
  EXPECT_EQ(As("anna", "POST", "/v1/handovers",
               R"({"from_owner_id":"anna","to_owner_id":"ben","client_ids":["a2"]})")
                .status,
            202);
  while (As("ben", "GET", "/v1/alerts/" + alerts.at("a2")).status != 200) {
  }
  const HttpAnswer touchpoints = As("ben", "GET", "/v1/clients/a1/touchpoints");
  EXPECT_TRUE(absl::StrContains(touchpoints.body, R"("recorded_by":"anna")")) << touchpoints.body;
}

// A person writes in their own name, or for those they lead, of clients whom they see.
TEST_F(AccessTest, WhoWritesIsWhoIsSignedIn) {
  Staff(
      "units { unit_id: 'red' }"
      "people { person_id: 'anna' unit_id: 'red' leads: true roles: 'relationship_manager' }"
      "people { person_id: 'ben' unit_id: 'red' roles: 'relationship_manager' }"
      "people { person_id: 'ada' roles: 'analyst' }");
  AddClient("a1", "anna");
  AddClient("b1", "ben");
  Alerts(2);
  const auto write = [this](const std::string& person, const std::string& client,
                            const std::string& id, const std::string& agent) {
    HttpCall call{.method = "POST",
                  .url = absl::StrCat(http_->address(), "/v1/clients/", client, "/touchpoints")};
    call.headers = {{"cookie", SignedIn(person)},
                    {"sec-fetch-site", "same-origin"},
                    {"content-type", "application/cloudevents+json"}};
    call.body = absl::StrCat(
        R"({"specversion":"1.0","source":"console","type":"rapport.touchpoint.v1.NoteTaken",)",
        R"("id":")", id, R"(","subject":")", client, R"(","time":")",
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()), R"(",)",
        R"("data":{)", agent.empty() ? "" : absl::StrCat(R"("agent_id":")", agent, R"(",)"),
        R"("note_taken":{"text":"likes lamps"}}})");
    call.timeout = absl::Seconds(100);
    return *client_.Fetch(call);
  };
  EXPECT_EQ(write("ben", "b1", "1", "").status, 202);
  EXPECT_EQ(write("anna", "b1", "2", "").status, 202);
  EXPECT_EQ(write("anna", "b1", "3", "ben").status, 202);
  EXPECT_EQ(write("ben", "b1", "4", "anna").status, 403);
  EXPECT_EQ(write("ada", "b1", "5", "").status, 403);
  const HttpAnswer others = write("ben", "a1", "6", "");
  EXPECT_EQ(others.status, 404);
  EXPECT_EQ(absl::StrReplaceAll(others.body, {{"a1", "zz"}}), write("ben", "zz", "7", "").body);
  // Who did it, and who wrote it down.
  std::map<std::string, std::pair<std::string, std::string>> signed_by;
  while (signed_by.size() < 3) {
    const auto told = Told<query::v1::Touchpoints>(As("ben", "GET", "/v1/clients/b1/touchpoints"));
    for (const auto& touchpoint : told.touchpoints()) {
      if (!touchpoint.has_note_taken()) continue;
      signed_by[touchpoint.source_event_id()] = {touchpoint.agent_id(), touchpoint.recorded_by()};
    }
  }
  EXPECT_EQ(signed_by["1"], std::pair(std::string("ben"), std::string("ben")));
  EXPECT_EQ(signed_by["2"], std::pair(std::string("anna"), std::string("anna")));
  EXPECT_EQ(signed_by["3"], std::pair(std::string("ben"), std::string("anna")));
  // What anna wrote is not ben's to take back; she may take back what he wrote.
  const auto timeline =
      Told<query::v1::Timeline>(As("ben", "GET", "/v1/clients/b1/timeline?details=true"));
  const auto id_of = [&](const std::string& number) {
    for (const auto& entry : timeline.touchpoints()) {
      if (entry.touchpoint().source_event_id() == number) return entry.touchpoint_id();
    }
    return std::string();
  };
  const auto withdraw = [&](const std::string& person, const std::string& number) {
    return As(person, "POST",
              absl::StrCat("/v1/clients/b1/touchpoints/", id_of(number), "/withdraw"))
        .status;
  };
  EXPECT_EQ(withdraw("ben", "2"), 403);
  EXPECT_EQ(withdraw("anna", "1"), 202);
}

TEST_F(AccessTest, AStreamEndsWithTheSessionAndGivesWhatItsReaderSees) {
  Staff(
      "people { person_id: 'anna' roles: 'relationship_manager' }"
      "people { person_id: 'ben' roles: 'relationship_manager' }");
  struct Read {
    Mutex mutex;
    CondVar changed;
    std::string text ABSL_GUARDED_BY(mutex);
    bool ended ABSL_GUARDED_BY(mutex) = false;
  } read;
  HttpCall stream{.url = http_->address() + "/v1/alerts/stream"};
  stream.headers = {{"cookie", SignedIn("anna")}};
  stream.timeout = absl::InfiniteDuration();
  stream.on_body = [&read](absl::string_view piece) {
    const MutexLock lock(&read.mutex);
    absl::StrAppend(&read.text, piece);
    read.changed.SignalAll();
    return true;
  };
  client_.Send(std::move(stream), [&read](const absl::StatusOr<HttpAnswer>&) {
    const MutexLock lock(&read.mutex);
    read.ended = true;
    read.changed.SignalAll();
  });
  const auto await = [&read](const std::string& text) {
    const MutexLock lock(&read.mutex);
    while (!absl::StrContains(read.text, text)) read.changed.Wait(&read.mutex);
  };
  await("id: ");
  AddClient("b1", "ben");
  AddClient("a1", "anna");
  await(R"("client_id":"a1")");
  HttpCall end{.method = "DELETE", .url = http_->address() + "/v1/staff/anna/sessions"};
  end.headers = {{"authorization", "Bearer master"}};
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, client_.Fetch(end));
  EXPECT_EQ(answer.status, 204);
  AddClient("a2", "anna");
  const MutexLock lock(&read.mutex);
  while (!read.ended) read.changed.Wait(&read.mutex);
  EXPECT_FALSE(absl::StrContains(read.text, "b1")) << read.text;
  EXPECT_FALSE(absl::StrContains(read.text, "a2")) << read.text;
}

// Random moves, absences and handovers, held against a plain oracle.
TEST_F(AccessTest, NobodyEverSeesAClientWhomTheTableDoesNotGiveThem) {
  const std::vector<std::string> people = {"p0", "p1", "p2", "p3", "p4"};
  const std::vector<std::string> units = {"u0", "u1", "u2"};
  std::string firm =
      "units { unit_id: 'u0' } units { unit_id: 'u1' parent_unit_id: 'u0' }"
      "units { unit_id: 'u2' parent_unit_id: 'u1' }";
  for (const std::string& person : people) {
    absl::StrAppend(&firm, "people { person_id: '", person, "' roles: 'relationship_manager' }");
  }
  Staff(firm);
  std::map<std::string, std::string> parent = {{"u0", ""}, {"u1", "u0"}, {"u2", "u1"}};
  std::map<std::string, std::string> unit_of;
  std::map<std::string, std::string> lead_of;
  struct Away {
    std::string who, deputy;
    absl::Time from, to;
  };
  std::vector<Away> absences;
  std::map<std::string, std::string> owner_of;
  for (int i = 0; i < 8; ++i) {
    const std::string client = absl::StrCat("c", i);
    owner_of[client] = people[static_cast<size_t>(i) % people.size()];
    AddClient(client, owner_of[client]);
  }
  const std::map<std::string, std::string> alerts = Alerts(8);
  const auto sees = [&](const std::string& person) {
    std::set<std::string> owners = {person};
    for (const Away& away : absences) {
      if (away.deputy == person && away.from <= now_ && now_ < away.to) owners.insert(away.who);
    }
    for (const std::string& member : people) {
      for (std::string unit = unit_of[member]; !unit.empty(); unit = parent[unit]) {
        if (lead_of[unit] == person) owners.insert(member);
      }
    }
    std::set<std::string> clients;
    for (const auto& [client, owner] : owner_of) {
      if (owners.count(owner) > 0) clients.insert(client);
    }
    return clients;
  };
  std::mt19937 random(20261130);
  const auto pick = [&random](const auto& from) {
    return from[std::uniform_int_distribution<size_t>(0, from.size() - 1)(random)];
  };
  for (int step = 0; step < 24; ++step) {
    now_ += absl::Seconds(7);
    const std::string person = pick(people);
    switch (random() % 5) {
      case 0: {
        const std::string unit = pick(units);
        Staff(absl::StrCat("people { person_id: '", person, "' unit_id: '", unit, "' }"));
        unit_of[person] = unit;
        break;
      }
      case 1: {
        const std::string unit = pick(units);
        Staff(absl::StrCat("units { unit_id: '", unit, "' lead_id: '", person, "' }"));
        lead_of[unit] = person;
        break;
      }
      case 2: {
        const std::string deputy = pick(people);
        if (deputy == person) break;
        const absl::Time from = absl::FromUnixSeconds(absl::ToUnixSeconds(now_) + 10);
        Staff(absl::StrCat("people { person_id: '", person, "' absences { absence_id: 'a", step,
                           "' deputy_id: '", deputy,
                           "' from_at { seconds: ", absl::ToUnixSeconds(from),
                           " } to_at { seconds: ", absl::ToUnixSeconds(from) + 20, " } } }"));
        absences.push_back({person, deputy, from, from + absl::Seconds(20)});
        break;
      }
      case 3: {
        // u2 goes under u0 or u1, and back.
        const std::string above = pick(std::vector<std::string>{"u0", "u1", ""});
        Staff(absl::StrCat("units { unit_id: 'u2' parent_unit_id: '", above, "' }"));
        parent["u2"] = above;
        break;
      }
      default: {
        const std::string client = absl::StrCat("c", random() % 8);
        Touchpoint handed = testing::MakeTouchpoint(Touchpoint::kOwnerAssigned, client,
                                                    absl::StrCat("h", step), absl::Now());
        handed.mutable_owner_assigned()->set_from_owner_id(owner_of[client]);
        handed.mutable_owner_assigned()->set_to_owner_id(person);
        handed.clear_owner_id();
        Settle(Append({handed}));
        owner_of[client] = person;
        while (!absl::StrContains(AsMaster("/v1/alerts/" + alerts.at(client)).body,
                                  absl::StrCat(R"("owner_id":")", person, "\""))) {
        }
      }
    }
    for (const std::string& reader : people) {
      EXPECT_EQ(SeenInLists(reader), sees(reader)) << reader << " after step " << step;
      const std::string client = absl::StrCat("c", random() % 8);
      EXPECT_EQ(SeenByItself(reader, client, alerts.at(client)), sees(reader).count(client) > 0)
          << reader << " " << client << " after step " << step;
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rapport
