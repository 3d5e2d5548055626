#include <filesystem>

#include "libs/event_log/contract_test.h"
#include "libs/event_log/embedded/embedded_log.h"

namespace rapport {
namespace {

INSTANTIATE_TEST_SUITE_P(InMemory, EventLogContractTest,
                         testing::Values(ContractBackend{.name = "InMemory",
                                                         .open = NewInMemoryEventLog}),
                         ContractBackendName);

}  // namespace
}  // namespace rapport
