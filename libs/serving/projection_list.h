#pragma once

#include "libs/service/service.h"

namespace rapport {

// Adds GET /v1/projections: how all projections stand, as this process's own routes
// /v1/projections/{projection} tell it, which it asks at once. One that cannot be asked is told as
// such, and holds up the others for as long as gateway.timeout_ms. FailedPrecondition: the file
// with the API token cannot be read. What `env` points to outlives the server.
absl::Status AddProjectionListRoute(const ServiceEnv& env);

}  // namespace rapport
