#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/service/access.h"
#include "libs/serving/projection_host.h"
#include "rapport/state/v1/profile.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What people write of one client. Machines may write ahead of order; a person who names a client,
// promise or deal that is not there has made a mistake, and is told before anything is written.

namespace rapport {

// Holds `touchpoints` against what is known of the client in `state`, in their order, so that one
// may name what an earlier one begins. NotFound: it names a promise, complaint, deal, contract,
// meeting, objection or person of the client that there is not. AlreadyExists: it begins one that
// is there. Aborted: it changes one that is over, or, of a deal that somebody moved
// meanwhile, names another stage than it is in. Each begins with the path of the field.
absl::Status CheckAgainstClient(const std::vector<touchpoint::v1::Touchpoint>& touchpoints,
                                const std::string& client_id, state::v1::ProfileState state);

// POST /v1/clients/{id}/touchpoints: CloudEvents as for POST /v1/touchpoints, all of this client;
// 202 when all are on disk, else none is written. agent_id and recorded_by are the caller's; a body
// that names another agent is taken from whoever leads them.
void AddClientWriteRoute(ProjectionHost* host);

}  // namespace rapport
