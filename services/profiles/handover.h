#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/service/access.h"
#include "libs/serving/projection_host.h"
#include "rapport/query/v1/handover.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Clients who go from one owner to another by one order: OwnerAssigned for each of them.

namespace rapport {

// What an order comes to in the partitions of this process.
struct HandoverPlan {
  query::v1::Handover answer;
  std::vector<touchpoint::v1::Touchpoint> touchpoints;
};
// Whoever gives it has to see the clients, and the one who gets them. InvalidArgument: the order.
// PermissionDenied: the new owner is none whom they see.
absl::StatusOr<HandoverPlan> PlanHandover(const ProjectionHost& host,
                                          const query::v1::HandoverOrder& order,
                                          const Caller& caller, absl::Time now);

// POST /v1/handovers (?dry_run=true): 202 when all touchpoints are on disk; 503 when the log is
// away, and then some of them may be: the same order_id carries out what is missing.
void AddHandoverRoute(ProjectionHost* host);

}  // namespace rapport
