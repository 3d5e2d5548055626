#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-gateway: one address for all routes of a deployment on Kafka. What concerns one client is
// answered by the process that owns its partition; lists are put together from all of them.
absl::StatusOr<std::unique_ptr<Service>> StartGateway(const ServiceEnv& env);

}  // namespace rapport
