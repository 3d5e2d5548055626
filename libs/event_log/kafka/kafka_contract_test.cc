#include "libs/event_log/contract_test.h"
#include "libs/event_log/kafka/test_broker.h"

namespace rapport {
namespace {

const testing::Environment* const brokers = testing::AddGlobalTestEnvironment(new TestBrokers(1));

std::unique_ptr<EventLog> Open() {
  return Connect(TestOptions(TestBrokers::cluster().bootstrap_servers()));
}

INSTANTIATE_TEST_SUITE_P(Kafka, EventLogContractTest,
                         testing::Values(ContractBackend{.name = "Kafka", .open = Open}),
                         ContractBackendName);

}  // namespace
}  // namespace rapport
