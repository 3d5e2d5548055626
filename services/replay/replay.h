#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-replay: what was refused at the door, and a second try for it. See README.md for the
// routes.
absl::StatusOr<std::unique_ptr<Service>> StartReplay(const ServiceEnv& env);

}  // namespace rapport
