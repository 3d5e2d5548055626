#include "services/rapport/projection_argument.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"

namespace rapport {

void AddProjectionArgument(CLI::App& command, std::string* projection,
                           const std::vector<std::string>& more) {
  std::vector<std::string> names = {Profile::kName, Retention::kName, DealPipeline::kName,
                                    Kpi::kName};
  names.insert(names.end(), more.begin(), more.end());
  const std::string last = names.back();
  const auto rest = absl::MakeConstSpan(names).first(names.size() - 1);
  command
      .add_option("PROJECTION", *projection, absl::StrCat(absl::StrJoin(rest, ", "), " or ", last))
      ->required()
      ->check(CLI::IsMember(names));
}

}  // namespace rapport
