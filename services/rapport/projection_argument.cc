#include "services/rapport/projection_argument.h"

#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"

namespace rapport {

void AddProjectionArgument(CLI::App& command, std::string* projection) {
  command.add_option("PROJECTION", *projection, "profile, retention or deal_pipeline")
      ->required()
      ->check(CLI::IsMember({Profile::kName, Retention::kName, DealPipeline::kName}));
}

}  // namespace rapport
