#pragma once

#include "absl/status/statusor.h"
#include "libs/service/http.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/client.pb.h"

namespace rapport {

// GET /v1/clients: those of some owners, or all; in the order of their names in lower case, or with
// sort=last_contact those first with whom nothing has happened for the longest time. q= keeps those
// with all its words in their name or id, segment= those of a kind, key_account= those that are one
// or not. count=true tells how many these are.
//
// By name a page looks at 20,000 clients at most; where few pass, it may have fewer rows than
// `limit`, or none, and a next one. By last contact all rows of these owners are read.
absl::StatusOr<query::v1::ClientList> ListClients(const ProjectionHost& host,
                                                  const HttpRequest& request);

// Whether a page may have to pass over many clients: not for the server's threads.
bool ReadsManyClients(const HttpRequest& request);

}  // namespace rapport
