// All services as separate processes over real Kafka, two of each that may be several. Killed with
// SIGKILL in turn while touchpoints come in, and started again: the gateway answers completely
// again, nothing that was accepted is lost or counts twice, and every alert stands in the alerts
// log once, as an independent fold over the log has it.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "libs/event_log/partitioner.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/http_client.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/validate.h"
#include "nlohmann/json.hpp"
#include "rapport/touchpoint/v1/batch.pb.h"
#include "tests/support/fold_oracle.h"
#include "tests/support/kafka_cluster.h"
#include "tests/support/service_process.h"

namespace rapport::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;
using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
// Until the answers are complete again; it takes one or two seconds, and here a machine is busy.
constexpr absl::Duration kPatience = absl::Seconds(60);

// One process of a service, which is started again as it was.
struct Instance {
  std::string service;
  std::string number;
  std::unique_ptr<ServiceProcess> process;
  std::string name() const { return absl::StrCat("rapport-", service, "-", number); }
};

class ServicesOnKafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, KafkaCluster::Start(1));
    ASSERT_OK_AND_ASSIGN(log_,
                         NewKafkaEventLog({.bootstrap_servers = cluster_->bootstrap_servers()}));
  }

  // So many processes of each, in this order.
  void StartAll(const std::vector<std::pair<const char*, int>>& services) {
    for (const auto& [service, processes] : services) {
      for (int i = 1; i <= processes; ++i) StartInstance(service, std::to_string(i));
    }
    for (const Instance& instance : instances_) {
      ASSERT_NE(instance.process, nullptr) << instance.name();
    }
  }

  // Null when there is none.
  const Instance* Find(const std::string& service, const std::string& number) const {
    const auto found =
        std::find_if(instances_.begin(), instances_.end(), [&](const Instance& instance) {
          return instance.service == service && instance.number == number;
        });
    return found == instances_.end() ? nullptr : &*found;
  }
  std::string AddressOf(const std::string& service, const std::string& number = "1") const {
    return Find(service, number)->process->address();
  }

  std::vector<std::string> Arguments(const Instance& instance, const std::string& listen) const {
    std::vector<std::string> arguments = {
        "--instance", instance.number, "--listen",
        listen,       "--data",        absl::StrCat(data_.path(), "/", instance.name())};
    std::vector<std::string> settings = {
        absl::StrCat("kafka.bootstrap_servers=", cluster_->bootstrap_servers()),
        absl::StrCat("topics.partitions=", kPartitions), "clock.interval_ms=1000",
        "memory_mib=128"};
    if (instance.service == "gateway") {
      settings.push_back(absl::StrCat("gateway.ingest_url=", AddressOf("ingest")));
      settings.push_back(absl::StrCat("gateway.timeout_ms=", gateway_timeout_ms_));
      if (Find("alerts", "1") != nullptr) {
        settings.push_back(absl::StrCat("gateway.alerts_url=", AddressOf("alerts")));
      }
    }
    if (session_timeout_ms_ > 0) {
      settings.push_back(absl::StrCat("kafka.session_timeout_ms=", session_timeout_ms_));
    }
    for (const std::string& setting : settings) {
      arguments.push_back("--set");
      arguments.push_back(setting);
    }
    return arguments;
  }

  void StartInstance(const std::string& service, const std::string& number) {
    Instance& instance = instances_.emplace_back(Instance{service, number, nullptr});
    Launch(instance, "127.0.0.1:0");
  }
  void Launch(Instance& instance, const std::string& listen) {
    ASSERT_OK_AND_ASSIGN(instance.process,
                         ServiceProcess::Start(absl::StrCat(RAPPORT_SERVICES, "/", instance.service,
                                                            "/rapport-", instance.service),
                                               Arguments(instance, listen)));
  }
  void KillAndRestart(Instance& instance) {
    const std::string listen = instance.process->host_and_port();
    instance.process->Kill();
    Launch(instance, listen);
  }

  absl::StatusOr<HttpAnswer> Ask(const std::string& target) {
    HttpCall call;
    call.url = absl::StrCat(AddressOf("gateway"), target);
    call.timeout = kPatience;
    return client_.Fetch(call);
  }
  // The answer of the gateway, when it is 200 and nothing is missing in it.
  absl::StatusOr<Json> Complete(const std::string& target) {
    RAPPORT_ASSIGN_OR_RETURN(const HttpAnswer answer, Ask(target));
    if (answer.status != 200) {
      return absl::UnavailableError(absl::StrCat(target, ": ", answer.status, " ", answer.body));
    }
    Json json = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) return absl::UnknownError(absl::StrCat("no JSON: ", answer.body));
    if (json.contains("watermark") && json["watermark"].contains("missing_partitions") &&
        !json["watermark"]["missing_partitions"].empty()) {
      return absl::UnavailableError(absl::StrCat(target, ": incomplete"));
    }
    return json;
  }
  // Asks until the answer is complete.
  absl::StatusOr<Json> Await(const std::string& target) {
    const absl::Time deadline = absl::Now() + kPatience;
    for (;;) {
      absl::StatusOr<Json> json = Complete(target);
      if (json.ok() || absl::Now() > deadline) return json;
    }
  }

  // Has both processes of the projection fold their partitions anew.
  void ExpectJobEqual(const std::string& projection, const std::string& order) {
    const std::string root = absl::StrCat("/v1/projections/", projection);
    HttpCall call;
    call.method = "POST";
    call.url = absl::StrCat(AddressOf("gateway"), root, "/", order);
    ASSERT_OK_AND_ASSIGN(const HttpAnswer started, client_.Fetch(call));
    ASSERT_EQ(started.status, 202) << started.body;
    const absl::Time deadline = absl::Now() + kPatience;
    for (;;) {
      ASSERT_LT(absl::Now(), deadline) << order;
      ASSERT_OK_AND_ASSIGN(const Json json, Complete(root + "/jobs"));
      ASSERT_EQ(json["jobs"].size(), 2u) << json;
      bool done = true;
      for (const Json& job : json["jobs"]) {
        done &= job["status"] != "JOB_STATUS_RUNNING";
        if (job["status"] == "JOB_STATUS_RUNNING") continue;
        EXPECT_EQ(job["status"], "JOB_STATUS_DONE") << job;
        EXPECT_EQ(job["equal"], true) << job;
      }
      if (done) return;
    }
  }

  // Pages through all clients.
  std::set<std::string> AllClients() {
    std::set<std::string> clients;
    std::string cursor;
    do {
      const absl::StatusOr<Json> page = Await(absl::StrCat(
          "/v1/clients?limit=40", cursor.empty() ? "" : absl::StrCat("&cursor=", cursor)));
      EXPECT_OK(page);
      if (!page.ok()) break;
      for (const Json& client : (*page)["clients"]) {
        EXPECT_TRUE(clients.insert(client["client_id"]).second) << client << " twice";
      }
      cursor = (*page)["next_cursor"];
    } while (!cursor.empty());
    return clients;
  }

  const TempFolder data_;
  int gateway_timeout_ms_ = 5000;
  int session_timeout_ms_ = 0;  // 0: the default
  std::unique_ptr<KafkaCluster> cluster_;
  std::unique_ptr<EventLog> log_;
  HttpClient client_;
  std::vector<Instance> instances_;
};

// Valid touchpoints of one round, with ids of their own.
std::vector<Touchpoint> HistoryOf(int round) {
  HistoryOptions options;
  options.seed = 1000 + static_cast<uint64_t>(round);
  options.client_count = 50;
  options.touchpoint_count = 400;
  options.length = absl::Hours(24 * 50);
  options.start = absl::Now() - options.length - absl::Hours(24);
  std::vector<Touchpoint> history;
  for (Touchpoint& touchpoint : RandomHistory(options)) {
    touchpoint.set_source_event_id(absl::StrCat(round, "-", touchpoint.source_event_id()));
    const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
    touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
    if (!touchpoint.has_clock_advanced() && !touchpoint.client_id().empty() &&
        ValidateTouchpoint(touchpoint).ok()) {
      history.push_back(std::move(touchpoint));
    }
  }
  return history;
}

// Offers touchpoints to one ingest after the other until each has been accepted.
class Source {
 public:
  Source(HttpClient* client, std::vector<std::string> addresses)
      : client_(client), addresses_(std::move(addresses)) {
    thread_ = std::thread([this] { Run(); });
  }
  // The touchpoints accepted, by client.
  std::map<std::string, std::set<std::string>> Stop() {
    stopping_ = true;
    thread_.join();
    return accepted_;
  }

 private:
  void Run() {
    for (int round = 0; !stopping_ || round < 3; ++round) {
      const std::vector<Touchpoint> history = HistoryOf(round);
      constexpr size_t kBatch = 20;
      for (size_t i = 0; i < history.size(); i += kBatch) {
        touchpoint::v1::TouchpointBatch batch;
        for (size_t j = i; j < std::min(i + kBatch, history.size()); ++j) {
          *batch.add_touchpoints() = history[j];
        }
        Offer(batch.SerializeAsString());
        for (const Touchpoint& touchpoint : batch.touchpoints()) {
          accepted_[touchpoint.client_id()].insert(touchpoint.event_id());
        }
      }
    }
  }
  void Offer(const std::string& body) {
    HttpCall call;
    call.method = "POST";
    call.headers = {{"content-type", "application/x-protobuf"}};
    call.body = body;
    for (int attempt = 0;; ++attempt) {
      call.url = absl::StrCat(addresses_[static_cast<size_t>(attempt) % addresses_.size()],
                              "/v1/touchpoints");
      const absl::StatusOr<HttpAnswer> answer = client_->Fetch(call);
      if (answer.ok() && answer->status == 202) return;
      if (answer.ok()) {
        ASSERT_EQ(answer->status, 503) << answer->body;
      }
      ASSERT_LT(attempt, 100'000) << "no ingest accepts";
    }
  }

  HttpClient* const client_;
  const std::vector<std::string> addresses_;
  std::atomic<bool> stopping_ = false;
  std::map<std::string, std::set<std::string>> accepted_;
  std::thread thread_;
};

// A process of the profiles is away, and its partitions are still its own: everything that is asked
// says what is missing, and no number passes for the whole.
TEST_F(ServicesOnKafkaTest, SayWhatIsMissingWhileAProcessIsAway) {
  gateway_timeout_ms_ = 1000;
  session_timeout_ms_ = 300'000;
  ASSERT_NO_FATAL_FAILURE(StartAll({{"ingest", 1}, {"profiles", 2}, {"gateway", 1}}));
  ASSERT_OK(Await("/v1/clients?limit=1"));
  Source source(&client_, {AddressOf("ingest")});
  const std::map<std::string, std::set<std::string>> accepted = source.Stop();
  std::string wait_for;
  for (int i = 0; i < kPartitions; ++i) {
    ASSERT_OK_AND_ASSIGN(const Watermarks marks, log_->GetWatermarks("touchpoints", Partition(i)));
    absl::StrAppend(&wait_for, "&wait_for=", i, ":", marks.end.value() - 1);
  }
  const std::string list = "/v1/clients?limit=500&count=true";
  ASSERT_OK_AND_ASSIGN(const Json whole, Await(list + wait_for));
  EXPECT_EQ(whole["clients"].size(), accepted.size());
  EXPECT_EQ(whole["count"], std::to_string(accepted.size()));
  EXPECT_EQ(whole["count_is_least"], false);
  ASSERT_OK_AND_ASSIGN(const Json agenda, Await("/v1/agenda"));
  ASSERT_FALSE(agenda["sections"].empty());

  auto away = std::find_if(instances_.begin(), instances_.end(), [](const Instance& instance) {
    return instance.service == "profiles" && instance.number == "2";
  });
  const std::string listen = away->process->host_and_port();
  away->process->Kill();
  ASSERT_OK_AND_ASSIGN(const HttpAnswer answer, Ask(list));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json part = Json::parse(answer.body);
  std::set<int> missing;
  for (const Json& partition : part["watermark"]["missing_partitions"]) {
    missing.insert(partition.get<int>());
  }
  EXPECT_FALSE(missing.empty());
  EXPECT_EQ(missing.size() + part["watermark"]["partitions"].size(), size_t{kPartitions});
  std::map<bool, std::vector<std::string>> by_presence;
  for (const auto& [client, ids] : accepted) {
    by_presence[missing.count(PartitionOf(client, kPartitions).value()) == 0].push_back(client);
  }
  ASSERT_EQ(by_presence.size(), 2u);
  EXPECT_EQ(part["clients"].size(), by_presence[true].size());
  for (const auto& [is_there, clients] : by_presence) {
    ASSERT_OK_AND_ASSIGN(const HttpAnswer one, Ask(absl::StrCat("/v1/clients/", clients.front())));
    EXPECT_EQ(one.status, is_there ? 200 : 503) << one.body;
  }
  EXPECT_EQ(part["count"], std::to_string(part["clients"].size()));
  EXPECT_EQ(part["count_is_least"], true) << "the others were not counted";
  for (const char* target : {"/v1/agenda", "/v1/search?q=c"}) {
    ASSERT_OK_AND_ASSIGN(const HttpAnswer other, Ask(target));
    ASSERT_EQ(other.status, 200) << target << other.body;
    const Json json = Json::parse(other.body);
    EXPECT_EQ(json["watermark"]["missing_partitions"], part["watermark"]["missing_partitions"])
        << target;
    if (json.contains("more")) {
      EXPECT_EQ(json["more"], true) << target;
    }
    if (!json.contains("sections")) continue;
    for (const Json& section : json["sections"]) EXPECT_EQ(section["more"], true) << section;
  }

  ASSERT_NO_FATAL_FAILURE(Launch(*away, listen));
  ASSERT_OK_AND_ASSIGN(const Json again, Await(list));
  EXPECT_EQ(again["clients"].size(), accepted.size());
  EXPECT_EQ(again["count_is_least"], false);
}

TEST_F(ServicesOnKafkaTest, AnswerCompletelyAgainAfterEachIsKilled) {
  ASSERT_NO_FATAL_FAILURE(StartAll({{"ingest", 2},
                                    {"profiles", 2},
                                    {"retention", 2},
                                    {"pipeline", 2},
                                    {"kpi", 2},
                                    {"alerts", 1},
                                    {"gateway", 1}}));
  const std::vector<std::string> reads = {"/v1/clients?limit=1", "/v1/retention/at-risk?limit=1",
                                          "/v1/pipeline/board?limit=1", "/v1/alerts?limit=1"};
  for (const std::string& target : reads) ASSERT_OK(Await(target));
  Source source(&client_, {AddressOf("ingest", "1"), AddressOf("ingest", "2")});
  absl::Duration longest;
  for (Instance& instance : instances_) {
    SCOPED_TRACE(absl::StrCat("killed: ", instance.name()));
    ASSERT_NO_FATAL_FAILURE(KillAndRestart(instance));
    const absl::Time killed = absl::Now();
    for (const std::string& target : reads) ASSERT_OK(Await(target));
    longest = std::max(longest, absl::Now() - killed);
  }
  const std::map<std::string, std::set<std::string>> accepted = source.Stop();
  // No clock from here on, so that the log has an end.
  for (Instance& instance : instances_) {
    if (instance.service == "ingest") {
      EXPECT_EQ(instance.process->Terminate(), 0);
    }
  }
  std::string wait_for;
  for (int i = 0; i < kPartitions; ++i) {
    ASSERT_OK_AND_ASSIGN(const Watermarks marks, log_->GetWatermarks("touchpoints", Partition(i)));
    absl::StrAppend(&wait_for, "&wait_for=", i, ":", marks.end.value() - 1);
  }
  for (const std::string& target : reads) {
    if (target.find("alerts") == std::string::npos) {
      ASSERT_OK(Await(target + wait_for));
    }
  }

  ExpectJobEqual("retention", "verify");
  ExpectJobEqual("profile", "rebuild");

  std::set<std::string> expected;
  size_t touchpoints = 0;
  for (const auto& [client, ids] : accepted) {
    expected.insert(client);
    touchpoints += ids.size();
    ASSERT_OK_AND_ASSIGN(const Json json, Await(absl::StrCat("/v1/clients/", client)));
    EXPECT_EQ(json["touchpoint_count"], std::to_string(ids.size())) << client;
  }
  EXPECT_EQ(AllClients(), expected);
  size_t alerts = 0;
  for (int i = 0; i < kPartitions; ++i) {
    SCOPED_TRACE(absl::StrCat("partition ", i));
    const FoldOracle<Retention> oracle(*log_, "touchpoints", Partition(i));
    EXPECT_THAT(oracle.CompareAlerts(*log_, "alerts"), IsEmpty());
    ASSERT_OK_AND_ASSIGN(const Watermarks marks, log_->GetWatermarks("alerts", Partition(i)));
    alerts += static_cast<size_t>(marks.end.value());
  }
  EXPECT_GT(alerts, 0u);
  std::printf(
      "%zu touchpoints of %zu clients, %zu alert steps; %zu kills, answers complete again "
      "within %.1f s of the restart at most\n",
      touchpoints, expected.size(), alerts, instances_.size(), absl::ToDoubleSeconds(longest));
}

}  // namespace
}  // namespace rapport::testing
