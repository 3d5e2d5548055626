#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "libs/kpi/figures.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "rapport/config/v1/service.pb.h"

// The routes of figures: what a request asks of sums, and the answer that follows from them. The
// same in rapport-kpi, which has sums of its partitions, and in the gateway, which has those of
// all.

namespace rapport {

// The settings of the section `kpi`. InvalidArgument names the one that is wrong.
absl::StatusOr<KpiSettings> KpiSettingsOf(const config::v1::Kpis& section);
// The same with the rest that figures are reckoned with; the clock is left out.
absl::StatusOr<FigureEnv> FigureEnvOf(const config::v1::Kpis& section);

// What the routes take besides wait_for=.
inline constexpr std::array<absl::string_view, 10> kValuesParameters = {
    "kpi", "scope", "from", "to", "step", "segment", "by", "compare", "currency", "as_reported_on"};
inline constexpr std::array<absl::string_view, 10> kBreakdownParameters = {
    "scope",    "from",           "to",   "segment", "by",
    "currency", "as_reported_on", "sort", "cursor",  "limit"};
inline constexpr std::array<absl::string_view, 9> kTouchpointsParameters = {
    "scope", "from", "to", "segment", "by", "currency", "client", "cursor", "limit"};
inline constexpr std::array<absl::string_view, 6> kChangesParameters = {
    "scope", "from", "to", "segment", "currency", "since"};
inline constexpr std::array<absl::string_view, 5> kWaterfallParameters = {"scope", "from", "to",
                                                                          "step", "segment"};

// A request that was understood: the sums it needs, and what it answers with them. `tell` fails as
// FigurePlan does, NotFound when an owner of the scope is nobody, InvalidArgument when money of
// several currencies cannot be told as one.
struct PlannedAnswer {
  std::shared_ptr<const FigurePlan> plan;
  std::function<absl::StatusOr<std::unique_ptr<google::protobuf::Message>>(const SumTable&)> tell;
};

// Each fails so that the reader knows what would be right: InvalidArgument for what is no period,
// step, currency or part; NotFound for a KPI or scope that is not there or whose figures the caller
// may not see; PermissionDenied for the whole firm's. `access` may be null.

// GET /v1/kpis/values: KpiValues.
absl::StatusOr<PlannedAnswer> PlanValues(const HttpRequest& request, const Access* access,
                                         const FigureEnv& env);
// GET /v1/kpis/waterfall: KpiWaterfall.
absl::StatusOr<PlannedAnswer> PlanWaterfall(const HttpRequest& request, const Access* access,
                                            const FigureEnv& env);
// GET /v1/kpis/{kpi}/breakdown: KpiBreakdown. By client it has the series and no rows.
absl::StatusOr<PlannedAnswer> PlanBreakdown(const HttpRequest& request, const Access* access,
                                            const FigureEnv& env);
// GET /v1/kpis/{kpi}/touchpoints: KpiTouchpoints with the figure alone. It is told by numerator and
// denominator: of a KPI that is a median, those of the mean.
absl::StatusOr<PlannedAnswer> PlanTouchpoints(const HttpRequest& request, const Access* access,
                                              const FigureEnv& env);
// GET /v1/kpis/{kpi}/changes: an empty KpiChanges.
absl::StatusOr<PlannedAnswer> PlanChanges(const HttpRequest& request, const Access* access,
                                          const FigureEnv& env);

// GET /v1/kpis.
query::v1::KpiCatalogue CatalogueOf(const FigureEnv& env);

// Rows of a breakdown, in the order that sort= asks for (value: the largest first, name), and one
// page of them: sets cursors, next_cursor and row_count.
absl::Status SortAndCut(const HttpRequest& request, query::v1::KpiBreakdown* breakdown);

// A KPI of which parts are told: of a median, its mean.
KpiSpec PartsSpec(const KpiSpec& spec);

// The answer as JSON, protobuf, or CSV when the request accepts text/csv.
HttpResponse KpiResponse(const HttpRequest& request, const google::protobuf::Message& answer);

}  // namespace rapport
