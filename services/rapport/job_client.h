#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "rapport/query/v1/projection.pb.h"
#include "services/rapport/api.h"

namespace rapport {

// Has a running Rapport rebuild, verify or roll back a projection (`action` as in the route), in
// all processes that fold it, and waits for the end, with a progress bar. Errors: of the order;
// Aborted when another job is under way; Unknown with the job's own error when it failed.
absl::StatusOr<query::v1::Job> RunJob(Api& api, const std::string& projection,
                                      const std::string& action, const query::v1::JobOrder& order);

}  // namespace rapport
