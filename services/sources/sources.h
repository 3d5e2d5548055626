#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-sources: reads call centers and mailboxes, takes their web hooks, puts calls together,
// finds the clients, and keeps the ledger:
//
//   POST /v1/sources/{name}   a web hook; whoever calls proves to be the source
//   GET  /v1/sources          what came in by each source, and what became of it
//   GET  /v1/identities       whose an identifier is; /v1/identities/reviews: what a person decides
//   POST /v1/projections/identity/verify, GET /v1/projections/identity/jobs
//   POST /v1/clients/{id}/merge, /v1/merges/{id}/split; GET /v1/merges
//
// InvalidArgument, FailedPrecondition: what is wrong with the configuration, or a secret.
absl::StatusOr<std::unique_ptr<Service>> StartSources(const ServiceEnv& env);

}  // namespace rapport
