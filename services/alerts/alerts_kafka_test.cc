#include <sys/stat.h>

#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "nlohmann/json.hpp"
#include "services/alerts/alerts.h"
#include "services/alerts/testing/alerts_host.h"
#include "tests/support/kafka_cluster.h"

namespace rapport {
namespace {

using nlohmann::json;
using testing::AlertsHost;
using testing::MakeRaised;
using testing::Receiver;
using ::testing::SizeIs;
using testing::StreamClient;
using testing::Until;

constexpr int kPartitions = 3;

std::unique_ptr<EventLog> Connect(const KafkaCluster& cluster) {
  KafkaLogOptions options;
  options.bootstrap_servers = cluster.bootstrap_servers();
  options.topic_prefix = "test.";
  options.session_timeout = absl::Seconds(6);
  auto log = NewKafkaEventLog(options);
  EXPECT_OK(log);
  return log.ok() ? *std::move(log) : nullptr;
}

// Two processes tell the same, one of them delivers, and the other takes over.
TEST(AlertsKafkaTest, SeveralProcessesShareTheWork) {
  ASSERT_OK_AND_ASSIGN(const auto cluster, KafkaCluster::Start(1));
  const auto log_one = Connect(*cluster);
  const auto log_two = Connect(*cluster);
  for (const char* topic : {"touchpoints", "alerts", "rejected"}) {
    ASSERT_OK(log_one->CreateTopic(topic, kPartitions));
  }
  int raised = 0;
  const auto raise = [&](int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i, ++raised) {
      alert::v1::AlertEvent event = MakeRaised(absl::StrCat("client", raised), raised);
      event.mutable_cause()->set_partition(raised % kPartitions);
      records.push_back(testing::AlertRecord(event, Partition(raised % kPartitions)));
    }
    ASSERT_OK(log_one->Append("alerts", records));
  };
  Receiver receiver;
  const testing::TempFolder folder;
  const std::string secret = folder / "secret";
  std::ofstream(secret) << "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
  ASSERT_EQ(::chmod(secret.c_str(), 0600), 0);
  const std::string config =
      absl::StrCat("alerts { web_hooks { name: 'crm' url: '", receiver.url(), "' secret_file: '",
                   secret, "' allow_private_address: true } }");
  auto one = std::make_unique<AlertsHost>(log_one.get(), config, "1");
  const auto hook = [](AlertsHost& host) {
    return json::parse(host.Get("/v1/web-hooks").body)["web_hooks"][0];
  };
  Until([&] { return hook(*one)["delivering"] == true; });
  AlertsHost two(log_two.get(), config, "2");
  // Before this there is nothing to begin at, and what comes earlier is not for the web hook.
  Until([&] {
    const auto marks = log_one->GetWatermarks("web-hooks", Partition(0));
    return marks.ok() && marks->end > Offset(0);
  });
  StreamClient stream_one(one->Url("/v1/alerts/stream"));
  StreamClient stream_two(two.Url("/v1/alerts/stream"));
  raise(20);
  EXPECT_THAT(stream_one.Wait(20), SizeIs(20));
  EXPECT_THAT(stream_two.Wait(20), SizeIs(20));
  EXPECT_THAT(receiver.Wait(20), SizeIs(20));
  Until([&] { return hook(*one)["cursor"] == "0-7.1-7.2-6"; });
  Until([&] {
    return json::parse(two.Get("/v1/web-hooks/crm/deliveries").body)["deliveries"].size() == 20;
  });
  EXPECT_EQ(hook(two)["delivering"], false);

  // A stream goes on at another process.
  const std::string id = stream_one.last_id();
  one.reset();
  raise(20);
  StreamClient resumed(two.Url("/v1/alerts/stream"), {{"Last-Event-ID", id}});
  EXPECT_THAT(resumed.Wait(20), SizeIs(20));
  // When the session of the first has run out.
  const auto got = receiver.Wait(40);
  std::set<std::string> ids;
  for (const Receiver::Got& each : got) ids.insert(each.id);
  EXPECT_THAT(ids, SizeIs(40));
  EXPECT_THAT(got, SizeIs(40)) << "none twice, since the first ended in peace";

  const HttpAnswer answer =
      two.Post("/v1/alerts/client1-alert/acknowledge", R"({"agent_id":"berta"})");
  EXPECT_EQ(answer.status, 202) << answer.body;
  Until([&] {
    return json::parse(two.Get("/v1/alerts/client1-alert").body)["alert"].contains("acknowledged");
  });
}

}  // namespace
}  // namespace rapport
