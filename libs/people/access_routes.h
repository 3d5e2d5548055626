#pragma once

#include <functional>

#include "absl/time/time.h"
#include "libs/people/access_log.h"
#include "libs/people/audit_log.h"
#include "libs/people/organisation_log.h"
#include "libs/people/people_access.h"
#include "libs/service/http_server.h"
#include "libs/serving/work_queue.h"

namespace rapport {

// GET, POST /v1/tokens, DELETE /v1/tokens/{id}; GET /v1/session; DELETE
// /v1/staff/{id}/sessions; GET /v1/audit?client=&person=&from=&to=&limit=. `queue` waits for the
// log. All outlive the server.
struct AccessRoutesEnv {
  const OrganisationLog* organisation = nullptr;
  AccessLog* access_log = nullptr;
  const AuditLog* audit = nullptr;
  PeopleAccess* access = nullptr;
  WorkQueue* queue = nullptr;
  std::function<absl::Time()> now;
};
void AddAccessRoutes(HttpServer* http, const AccessRoutesEnv& env);

}  // namespace rapport
