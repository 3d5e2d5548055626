#pragma once

#include "libs/serving/projection_host.h"

namespace rapport {

// By which an operator looks after a projection:
//
//   GET  /v1/projections/<projection>                                       how it stands
//   GET  /v1/projections/<projection>/dead-letters                          ?client=&cursor=&limit=
//   GET  /v1/projections/<projection>/dead-letters/{position}
//   POST /v1/projections/<projection>/dead-letters/{position}/retry, .../skip
//   POST /v1/projections/<projection>/rebuild, /verify, /rollback           202, or 409 while busy
//   GET  /v1/projections/<projection>/jobs
//   POST /v1/projections/<projection>/jobs/pause, .../resume, .../cancel
void AddAdminRoutes(ProjectionHost& host);

// The last two lines of them alone, of jobs of these kinds, for a projection that has no host.
// `jobs` outlives the server.
void AddJobRoutes(HttpServer* http, absl::string_view projection,
                  const std::vector<query::v1::JobKind>& kinds, ProjectionJobs* jobs);

}  // namespace rapport
