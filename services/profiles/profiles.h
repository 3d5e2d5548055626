#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-profiles: who the clients are. Folds the projection `profile`, and answers
//
//   GET /v1/clients                    ?owner=&segment=&q=&cursor=&limit=   by name
//   GET /v1/search                     ?q=&owner=&limit=
//   GET /v1/clients/{id}               ?as_of=
//   GET /v1/clients/{id}/timeline      timeline_answer.h, the newest first
//   GET /v1/clients/{id}/touchpoints   ?id=&until=   for other services
absl::StatusOr<std::unique_ptr<Service>> StartProfiles(const ServiceEnv& env);

}  // namespace rapport
