#pragma once

#include "libs/people/organisation_log.h"
#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"

namespace rapport {

// GET /v1/staff?unit=&q=&at=&cursor=&limit=, GET /v1/staff/{id}?at=, GET /v1/units?at=, and POST
// /v1/staff and /v1/units (?dry_run=true), which take query.v1.StaffOrder: 400 with all that is
// wrong with it, 409 when somebody else was quicker. GET /v1/projections/organisation and POST
// .../verify tell how the table stands. `queue` waits for the log. All outlive the
// server.
void AddStaffRoutes(HttpServer* http, OrganisationLog* organisation, WorkQueue* queue);

}  // namespace rapport
