#pragma once

#include "absl/status/status.h"
#include "libs/projector/partition_worker.h"

namespace rapport {

// Before a generation takes over: reads from the alerts log which alerts readers hold for open,
// and has the generation's fold put the difference into its outbox (PartitionFold::TellDifference).
// So readers and states agree from the first effect that the new generation publishes, whatever
// model, version or settings told them before; with the same ones there is no difference. The
// worker's effects are held, and FindPublished has been called.
absl::Status TellDifference(const ProjectionEnv& env, PartitionWorker& worker);

}  // namespace rapport
