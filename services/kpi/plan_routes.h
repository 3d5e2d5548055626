#pragma once

#include "absl/status/statusor.h"
#include "libs/bonus/scheme.h"
#include "libs/kpi/figures.h"
#include "libs/kpi/targets.h"
#include "libs/serving/projection_host.h"

// Plans, forecast, cohorts and pay, of the partitions that a process folds.

namespace rapport {

// The firm's plans. Unavailable: the partition that has them is not folded by this process.
absl::StatusOr<PlanBook> ReadPlans(const ProjectionView& view, const KpiSettings& settings);

// Adds
//
//   GET  /v1/targets            libs/kpi/plan_requests.h
//   POST /v1/targets            ?dry_run=
//   GET  /v1/kpis/forecast
//   GET  /v1/kpis/cohorts
//   GET  /v1/kpis/deals         for the gateway
//   GET  /v1/bonus/schemes
//   GET  /v1/bonus/statement    libs/kpi/bonus_requests.h
//   POST /v1/bonus/what-if
//
// `host` and `schemes` outlive the server.
void AddPlanRoutes(ProjectionHost* host, const FigureEnv& figures, const BonusSchemes* schemes);

}  // namespace rapport
