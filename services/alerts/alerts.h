#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-alerts: what the alerts log holds, for people and programs: lists, a live stream, web
// hooks, and the way back, what people do about alerts. See README.md.
absl::StatusOr<std::unique_ptr<Service>> StartAlerts(const ServiceEnv& env);

}  // namespace rapport
