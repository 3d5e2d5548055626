#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "libs/service/http_client.h"
#include "tests/support/kafka_cluster.h"
#include "tests/support/service_process.h"

// A service as a process of its own, against real Kafka.

namespace rapport {
namespace {

using ::testing::HasSubstr;

// What it wrote arrives a little later than its end.
void AwaitOutput(const ServiceProcess& process, const std::string& text) {
  while (process.Output().find(text) == std::string::npos) std::this_thread::yield();
}

class ServiceOnKafka : public ::testing::Test {
 protected:
  ServiceOnKafka() {
    std::string pattern = ::testing::TempDir() + "service_kafka_testXXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ServiceOnKafka() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
};

TEST_F(ServiceOnKafka, MakesTopicsServesAndEnds) {
  ASSERT_OK_AND_ASSIGN(const auto cluster, KafkaCluster::Start(1));
  const std::string token = Write("token", "secret\n");
  const std::string config =
      Write("rapport.textproto",
            absl::StrCat("data_folder: \"", folder_, "/data\"\n", "kafka { bootstrap_servers: \"",
                         cluster->bootstrap_servers(), "\" settings { name: \"sasl.password\" ",
                         "value_file: \"", token, "\" } }\n",
                         "topics { prefix: \"acme.\" partitions: 3 }\nhttp { token_file: \"", token,
                         "\" }\nlogging { format: \"json\" }\n"));
  ASSERT_OK_AND_ASSIGN(
      const auto process,
      ServiceProcess::Start(RAPPORT_TEST_SERVICE,
                            {"alone", "--config", config, "--listen", "127.0.0.1:0", "--instance",
                             "a", "--set", "topics.partitions=5"}));
  ASSERT_OK_AND_ASSIGN(const auto log,
                       NewKafkaEventLog({.bootstrap_servers = cluster->bootstrap_servers(),
                                         .topic_prefix = "acme."}));
  for (const char* const topic : {"touchpoints", "alerts", "rejected"}) {
    ASSERT_OK_AND_ASSIGN(const int partitions, log->PartitionCount(topic));
    EXPECT_EQ(partitions, 5) << topic;
  }
  HttpClient client;
  ASSERT_OK_AND_ASSIGN(const HttpAnswer refused,
                       client.Fetch({.url = process->address() + "/folder"}));
  EXPECT_EQ(refused.status, 401);
  ASSERT_OK_AND_ASSIGN(const HttpAnswer folder,
                       client.Fetch({.url = process->address() + "/folder",
                                     .headers = {{"Authorization", "Bearer secret"}}}));
  EXPECT_EQ(folder.body, folder_ + "/data/ingest-a");
  ASSERT_OK_AND_ASSIGN(const HttpAnswer ready,
                       client.Fetch({.url = process->address() + "/readyz"}));
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(process->Terminate(), 0);
  AwaitOutput(*process,
              "\"level\":\"info\",\"service\":\"ingest\",\"instance\":\"a\",\"message\":"
              "\"ended\"}\n");
}

TEST_F(ServiceOnKafka, EndsWithThreeWhenItsServiceCannotStart) {
  ASSERT_OK_AND_ASSIGN(const auto cluster, KafkaCluster::Start(1));
  const auto process = ServiceProcess::Start(
      RAPPORT_TEST_SERVICE,
      {"alone", "--listen", "127.0.0.1:0", "--instance", "broken", "--set",
       absl::StrCat("kafka.bootstrap_servers=", cluster->bootstrap_servers())});
  EXPECT_THAT(process, StatusIs(absl::StatusCode::kUnknown,
                                HasSubstr("starting ingest: this one never starts")));
}

}  // namespace
}  // namespace rapport
