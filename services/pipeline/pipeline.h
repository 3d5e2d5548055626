#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-pipeline: where every deal stands. Folds the projection `deal_pipeline`, and answers
//
//   GET /v1/pipeline/board    ?owner=&limit=   owner may be repeated; limit: deals per column
//   GET /v1/pipeline/deals    deal_list.h
//   GET /v1/deals/{id}        ?as_of=
absl::StatusOr<std::unique_ptr<Service>> StartPipeline(const ServiceEnv& env);

}  // namespace rapport
