#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/kpi/figures.h"
#include "libs/kpi/targets.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// The routes of plans, forecast and cohorts: what a request asks, and the answer that follows from
// the firm's deals or plans. The same in rapport-kpi and in the gateway. Each fails as those of
// requests.h do.

namespace rapport {

// What the routes take besides wait_for=.
inline constexpr std::array<absl::string_view, 5> kForecastParameters = {"scope", "at", "since",
                                                                         "from", "to"};
inline constexpr std::array<absl::string_view, 3> kCohortsParameters = {"scope", "from", "to"};
inline constexpr std::array<absl::string_view, 3> kTargetsParameters = {"scope", "kpi", "period"};

// GET /v1/kpis/forecast: at= is a day (then its beginning) or a moment, the log's clock when it is
// missing; since= an earlier one; from= and to= months of the expected close.
absl::StatusOr<std::function<query::v1::KpiForecast(const query::v1::KpiDeals&)>> PlanForecast(
    const HttpRequest& request, const Access* access, const FigureEnv& env);

// GET /v1/kpis/cohorts: months of opening, the last twelve when they are missing.
absl::StatusOr<std::function<query::v1::KpiCohorts(const query::v1::KpiDeals&)>> PlanCohorts(
    const HttpRequest& request, const Access* access, const FigureEnv& env);

// GET /v1/targets: the plans whose figures the caller may see, of scope= and kpi=, and of days that
// period= has.
absl::StatusOr<query::v1::Targets> TargetsFor(const HttpRequest& request, const Access* access,
                                              const FigureEnv& env, const PlanBook& book);

// POST /v1/targets: what is to be written, and the answer without `position`. InvalidArgument names
// all that is wrong, each with its line or its place in the order; PermissionDenied for plans of
// people whom the caller does not lead.
struct PlannedTargets {
  std::vector<touchpoint::v1::Touchpoint> touchpoints;
  query::v1::TargetsChanged answer;
};
absl::StatusOr<PlannedTargets> PlanTargets(const HttpRequest& request, const Access* access,
                                           const FigureEnv& env, const PlanBook& book,
                                           absl::Time now);

}  // namespace rapport
