#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "libs/service/service.h"

namespace rapport {

// rapport-kpi: plan and fact. Folds the projection `kpi`, and answers
//
//   GET /v1/kpis                     what there is, and how it is reckoned
//   GET /v1/kpis/values              ?kpi=&scope=&from=&to=&step=&compare=&as_reported_on=&by=...
//   GET /v1/kpis/waterfall           ?scope=&from=&to=&step=&segment=
//   GET /v1/kpis/{kpi}/breakdown     ?by=&sort=&cursor=&limit=...
//   GET /v1/kpis/{kpi}/touchpoints   ?client=&cursor=&limit=...
//   GET /v1/kpis/{kpi}/changes       ?since=...
//   GET /v1/kpis/sums                libs/kpi/sums.h; for the gateway
//
// each of the partitions that it folds.
absl::StatusOr<std::unique_ptr<Service>> StartKpi(const ServiceEnv& env);

}  // namespace rapport
