#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-retention: who is about to leave, and why. Folds the projection `retention`, whose alerts
// go to the alerts log, and answers
//
//   GET /v1/retention/at-risk     ?owner=&min_risk=&sort=&cursor=&limit=
//                                 the highest score first, or (sort=loss) the highest expected loss
//   GET /v1/retention/{client}    ?as_of=
absl::StatusOr<std::unique_ptr<Service>> StartRetention(const ServiceEnv& env);

}  // namespace rapport
