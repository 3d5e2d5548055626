// What a deployment on Kafka tells its operator, and does without services that need not run: no
// clock, two processes of one name, two deployments on the same brokers, topics with settings that
// lose records, merges where no source is read.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/http_client.h"
#include "libs/touchpoint/record.h"
#include "tests/support/fold_oracle.h"
#include "tests/support/kafka_cluster.h"
#include "tests/support/service_process.h"

namespace rapport::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using touchpoint::v1::Touchpoint;

constexpr absl::Duration kPatience = absl::Seconds(60);

class DeploymentOnKafkaTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(cluster_, KafkaCluster::Start(1)); }

  KafkaLogOptions Options(const std::string& prefix) const {
    KafkaLogOptions options;
    options.bootstrap_servers = cluster_->bootstrap_servers();
    options.topic_prefix = prefix;
    return options;
  }
  static std::string BinaryOf(const std::string& service) {
    return absl::StrCat(RAPPORT_SERVICES, "/", service, "/rapport-", service);
  }
  // `data`: a folder of its own for each process.
  std::vector<std::string> Arguments(const std::string& prefix, const std::string& data) const {
    return {"--instance", "1",
            "--listen",   "127.0.0.1:0",
            "--data",     absl::StrCat(data_.path(), "/", data),
            "--set",      absl::StrCat("kafka.bootstrap_servers=", cluster_->bootstrap_servers()),
            "--set",      absl::StrCat("topics.prefix=", prefix),
            "--set",      "topics.partitions=2",
            "--set",      "clock.interval_ms=1000",
            "--set",      "kafka.session_timeout_ms=6000",
            "--set",      "memory_mib=128"};
  }
  std::unique_ptr<ServiceProcess> Start(const std::string& service, const std::string& prefix,
                                        const std::string& data) {
    auto started = ServiceProcess::Start(BinaryOf(service), Arguments(prefix, data));
    EXPECT_OK(started);
    return started.ok() ? *std::move(started) : nullptr;
  }
  // What /readyz answers, status first, as soon as it is as `wanted`.
  std::string AwaitReadyz(const ServiceProcess& process,
                          const ::testing::Matcher<const std::string&>& wanted) {
    HttpCall call;
    call.url = absl::StrCat(process.address(), "/readyz");
    std::string text;
    const absl::Time deadline = absl::Now() + kPatience;
    do {
      const absl::StatusOr<HttpAnswer> answer = client_.Fetch(call);
      text = answer.ok() ? absl::StrCat(answer->status, " ", answer->body)
                         : std::string(answer.status().message());
    } while (!wanted.Matches(text) && absl::Now() < deadline);
    EXPECT_THAT(text, wanted);
    return text;
  }

  const TempFolder data_;
  std::unique_ptr<KafkaCluster> cluster_;
  HttpClient client_;
};

TEST_F(DeploymentOnKafkaTest, TheOperatorsServiceTicksAndMergesWhereNobodyElseDoes) {
  const auto retention = Start("retention", "firm.", "retention");
  ASSERT_NE(retention, nullptr);
  AwaitReadyz(*retention, AllOf(HasSubstr("200 "), HasSubstr("no clock yet: nothing is judged")));
  const auto replay = Start("replay", "firm.", "replay");
  ASSERT_NE(replay, nullptr);
  AwaitReadyz(*retention, AllOf(HasSubstr("200 "), Not(HasSubstr("no clock yet"))));

  ASSERT_OK_AND_ASSIGN(const auto log, NewKafkaEventLog(Options("firm.")));
  std::vector<Record> records;
  for (const char* client : {"survivor", "absorbed"}) {
    records.push_back(MakeRecord(
        MakeTouchpoint(Touchpoint::kCallCompleted, client, client, absl::Now() - absl::Hours(1))));
  }
  Touchpoint merge = MakeTouchpoint(Touchpoint::kClientsMerged, "absorbed", "merge", absl::Now());
  merge.mutable_clients_merged()->set_survivor_client_id("survivor");
  merge.mutable_clients_merged()->set_absorbed_client_id("absorbed");
  merge.mutable_clients_merged()->set_merge_id("merge-1");
  records.push_back(MakeRecord(merge));
  ASSERT_OK(log->Append("touchpoints", records));
  // What was the one's stands in the log as the other's.
  const std::string call_id =
      MakeTouchpoint(Touchpoint::kCallCompleted, "absorbed", "absorbed", absl::Now()).event_id();
  bool merged = false;
  const absl::Time deadline = absl::Now() + kPatience;
  while (!merged && absl::Now() < deadline) {
    for (int i = 0; i < 2; ++i) {
      ForEachRecord(*log, "touchpoints", Partition(i), [&](const RecordView& record) {
        Touchpoint touchpoint;
        ASSERT_TRUE(
            touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())));
        merged |= touchpoint.client_id() == "survivor" && touchpoint.event_id() == call_id;
      });
    }
  }
  EXPECT_TRUE(merged) << replay->Output();
}

TEST_F(DeploymentOnKafkaTest, TwoDeploymentsShareBrokersAndTwoProcessesOfOneNameDoNot) {
  const auto ours = Start("profiles", "firm.", "firm");
  const auto others = Start("profiles", "other.", "other");
  ASSERT_NE(ours, nullptr);
  ASSERT_NE(others, nullptr);
  const auto ready = HasSubstr("200 {\"ready\":true");
  AwaitReadyz(*ours, ready);
  AwaitReadyz(*others, ready);
  const auto twin = Start("profiles", "firm.", "twin");
  ASSERT_NE(twin, nullptr);
  AwaitReadyz(*twin, ready);
  AwaitReadyz(*ours, AllOf(HasSubstr("503 "), HasSubstr("same member name"),
                           HasSubstr("an --instance of its own")));
  AwaitReadyz(*others, ready);
  // When the other has gone, so has the trouble.
  EXPECT_EQ(twin->Terminate(), 0);
  AwaitReadyz(*ours, ready);
  EXPECT_EQ(ours->Terminate(), 0);
}

TEST_F(DeploymentOnKafkaTest, TopicsThatLoseRecordsAreToldAtTheStart) {
  KafkaLogOptions forgetful = Options("firm.");
  forgetful.topic_settings = {{"retention.ms", "604800000"}};
  ASSERT_OK_AND_ASSIGN(const auto log, NewKafkaEventLog(forgetful));
  ASSERT_OK(log->CreateTopic("touchpoints", 2));
  const auto profiles = Start("profiles", "firm.", "profiles");
  ASSERT_NE(profiles, nullptr);
  AwaitReadyz(*profiles, AllOf(HasSubstr("200 "), HasSubstr("topic firm.touchpoints deletes its "
                                                            "records after 168h")));
  EXPECT_THAT(profiles->Output(), HasSubstr("--add-config retention.ms=-1"));

  KafkaLogOptions careless = Options("other.");
  careless.topic_settings = {{"cleanup.policy", "compact"}};
  ASSERT_OK_AND_ASSIGN(const auto compacted, NewKafkaEventLog(careless));
  ASSERT_OK(compacted->CreateTopic("touchpoints", 2));
  EXPECT_THAT(ServiceProcess::Start(BinaryOf("profiles"), Arguments("other.", "other")),
              StatusIs(absl::StatusCode::kUnknown,
                       AllOf(HasSubstr("topic other.touchpoints is compacted"),
                             HasSubstr("cleanup.policy=delete,retention.ms=-1"))));
}

}  // namespace
}  // namespace rapport::testing
