// People and access of a deployment on Kafka: two gateways with one session, services that believe
// the gateway alone, and what was granted or ended before a process was killed.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/http_client.h"
#include "libs/touchpoint/record.h"
#include "nlohmann/json.hpp"
#include "tests/support/kafka_cluster.h"
#include "tests/support/service_process.h"

namespace rapport::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using touchpoint::v1::Touchpoint;

constexpr absl::Duration kPatience = absl::Seconds(60);

class PeopleOnKafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, KafkaCluster::Start(1));
    std::FILE* const file = std::fopen(TokenFile().c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs("the token of the deployment, and its key", file);
    std::fclose(file);
  }
  std::string TokenFile() const { return data_.path() + "/token"; }

  std::unique_ptr<ServiceProcess> Start(const std::string& service, const std::string& instance) {
    auto started = ServiceProcess::Start(
        absl::StrCat(RAPPORT_SERVICES, "/", service, "/rapport-", service),
        {"--instance", instance, "--listen", "127.0.0.1:0", "--data",
         absl::StrCat(data_.path(), "/", service, instance), "--set",
         absl::StrCat("kafka.bootstrap_servers=", cluster_->bootstrap_servers()), "--set",
         "topics.partitions=2", "--set", "memory_mib=128", "--set",
         absl::StrCat("http.token_file=", TokenFile())});
    EXPECT_OK(started);
    return started.ok() ? *std::move(started) : nullptr;
  }

  HttpAnswer Ask(const ServiceProcess& process, const std::string& method, const std::string& path,
                 const std::vector<Header>& headers, const std::string& body = "") {
    HttpCall call{.method = method, .url = process.address() + path, .headers = headers};
    call.headers.push_back({"content-type", "application/json"});
    call.body = body;
    const absl::StatusOr<HttpAnswer> answer = client_.Fetch(call);
    return answer.ok() ? *answer : HttpAnswer{.status = 0};
  }
  // The answer, as soon as it has this status.
  HttpAnswer Await(const ServiceProcess& process, const std::string& path,
                   const std::vector<Header>& headers, int status) {
    const absl::Time deadline = absl::Now() + kPatience;
    HttpAnswer answer;
    do {
      answer = Ask(process, "GET", path, headers);
    } while (answer.status != status && absl::Now() < deadline);
    EXPECT_EQ(answer.status, status) << path << " " << answer.body;
    return answer;
  }

  const TempFolder data_;
  std::unique_ptr<KafkaCluster> cluster_;
  HttpClient client_;
  const std::vector<Header> master_ = {
      {"authorization", "Bearer the token of the deployment, and its key"}};
};

TEST_F(PeopleOnKafkaTest, OneSessionIsGoodAtTwoGatewaysAndSoIsItsEnd) {
  const auto profiles = Start("profiles", "1");
  const auto retention = Start("retention", "1");
  const auto pipeline = Start("pipeline", "1");
  auto first = Start("gateway", "1");
  const auto second = Start("gateway", "2");
  ASSERT_TRUE(profiles && retention && pipeline && first && second);
  KafkaLogOptions options;
  options.bootstrap_servers = cluster_->bootstrap_servers();
  ASSERT_OK_AND_ASSIGN(const auto log, NewKafkaEventLog(options));
  std::vector<Record> records;
  for (const auto& [client, owner] :
       std::map<std::string, std::string>{{"a", "anna"}, {"b", "ben"}, {"c", "carl"}}) {
    Touchpoint assigned =
        MakeTouchpoint(Touchpoint::kOwnerAssigned, client, client, absl::Now() - absl::Hours(1));
    assigned.clear_owner_id();
    assigned.mutable_owner_assigned()->set_to_owner_id(owner);
    records.push_back(MakeRecord(assigned));
  }
  ASSERT_OK(log->Append("touchpoints", records));

  Await(*first, "/readyz", {}, 200);
  Await(*second, "/readyz", {}, 200);
  EXPECT_EQ(Ask(*first, "POST", "/v1/staff", master_, R"({"units":[{"unit_id":"red"}],"people":[
      {"person_id":"anna","e_mail":"anna@firm.example","unit_id":"red","leads":true,
       "roles":["relationship_manager"]},{"person_id":"ben","unit_id":"red"}]})")
                .status,
            200);
  const HttpAnswer invited = Ask(*first, "POST", "/v1/staff/anna/invitation", master_);
  ASSERT_EQ(invited.status, 200) << invited.body;
  const std::string path = nlohmann::json::parse(invited.body)["path"];
  // The other gateway has heard of the link once it takes it.
  const std::string chosen = absl::StrCat(R"({"invitation":")", path.substr(path.find('=') + 1),
                                          R"(","password":"correct horse battery"})");
  HttpAnswer signed_in;
  do {
    signed_in = Ask(*second, "POST", "/v1/invitations", {}, chosen);
  } while (signed_in.status == 404);
  ASSERT_EQ(signed_in.status, 204) << signed_in.body;
  const std::string set(signed_in.HeaderValue("set-cookie"));
  const std::vector<Header> session = {{"cookie", set.substr(0, set.find(';'))}};

  // At once and at both, and each gives the same clients.
  for (const ServiceProcess* gateway : {first.get(), second.get()}) {
    std::string body;
    do {
      body = Await(*gateway, "/v1/clients", session, 200).body;
      EXPECT_THAT(body, Not(HasSubstr(R"("client_id":"c")")));
      // Each partition is folded in its own time.
    } while (!absl::StrContains(body, R"("client_id":"a")") ||
             !absl::StrContains(body, R"("client_id":"b")"));
    EXPECT_EQ(Ask(*gateway, "GET", "/v1/clients/a", session).status, 200);
    EXPECT_EQ(Ask(*gateway, "GET", "/v1/clients/c", session).status, 404);
    EXPECT_EQ(Ask(*gateway, "GET", "/v1/audit", session).status, 403);
    EXPECT_EQ(Ask(*gateway, "GET", "/v1/clients", {}).status, 401);
  }
  // A service believes a session too once it has heard of it, and nobody who only says that a
  // gateway sent them.
  Await(*profiles, "/v1/clients", session, 200);
  EXPECT_EQ(Ask(*profiles, "GET", "/v1/clients", {}).status, 401);
  EXPECT_EQ(Ask(*profiles, "GET", "/v1/clients", {{"x-rapport-caller", "CgA.CgA"}}).status, 401);

  // Both tell of it, whichever was asked.
  std::string audit;
  do {
    audit = Await(*second, "/v1/audit?client=a", master_, 200).body;
  } while (!absl::StrContains(audit, "read_client"));
  EXPECT_THAT(audit, HasSubstr(R"("actor":"anna")"));

  // What was said before a process was killed holds: nobody gets in by the other.
  EXPECT_EQ(Ask(*first, "DELETE", "/v1/staff/anna/sessions", master_).status, 204);
  first->Kill();
  Await(*second, "/v1/session", session, 401);
  EXPECT_EQ(Ask(*second, "GET", "/v1/clients/a", session).status, 401);
  first = Start("gateway", "1");
  ASSERT_NE(first, nullptr);
  Await(*first, "/readyz", {}, 200);
  EXPECT_EQ(Ask(*first, "GET", "/v1/clients/a", session).status, 401);
}

}  // namespace
}  // namespace rapport::testing
