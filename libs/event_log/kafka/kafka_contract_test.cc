#include "libs/event_log/contract_test.h"
#include "libs/event_log/kafka/kafka_log.h"
#include "tests/support/kafka_cluster.h"

namespace rapport {
namespace {

// One broker for all tests of this binary.
class Broker : public testing::Environment {
 public:
  void SetUp() override {
    auto started = KafkaCluster::Start(1);
    ASSERT_OK(started);
    cluster = *std::move(started);
  }
  void TearDown() override { cluster.reset(); }

  inline static std::unique_ptr<KafkaCluster> cluster;
};

const testing::Environment* const broker = testing::AddGlobalTestEnvironment(new Broker);

std::unique_ptr<EventLog> Connect() {
  KafkaLogOptions options;
  options.bootstrap_servers = Broker::cluster->bootstrap_servers();
  options.topic_prefix = "test.";
  options.session_timeout = absl::Seconds(6);
  auto log = NewKafkaEventLog(options);
  EXPECT_OK(log);
  return log.ok() ? *std::move(log) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Kafka, EventLogContractTest,
                         testing::Values(ContractBackend{.name = "Kafka", .open = Connect}),
                         ContractBackendName);

}  // namespace
}  // namespace rapport
