#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// The door for touchpoints: adds POST /v1/touchpoints, and stands for election as the clock of the
// cluster. NotFound: a topic is missing. README.md tells what the route takes and answers.
absl::StatusOr<std::unique_ptr<Service>> StartIngest(const ServiceEnv& env);

}  // namespace rapport
