#pragma once

#include "absl/status/statusor.h"
#include "libs/service/http.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/client.pb.h"

namespace rapport {

// GET /v1/clients: the clients of one owner, or all, in the order of their names in lower case; q=
// keeps those whose names begin with it, segment= those of a kind. A page with segment= may have to
// pass over many clients: not for the server's threads.
absl::StatusOr<query::v1::ClientList> ListClients(const ProjectionHost& host,
                                                  const HttpRequest& request);

}  // namespace rapport
