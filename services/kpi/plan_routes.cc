#include "services/kpi/plan_routes.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/kpi/bonus_requests.h"
#include "libs/kpi/deal_courses.h"
#include "libs/kpi/plan_requests.h"
#include "libs/kpi/requests.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "libs/touchpoint/record.h"

namespace rapport {
namespace {

constexpr int kAccepted = 202;

template <class Parameters>
std::vector<absl::string_view> ListOf(const Parameters& parameters) {
  return {parameters.begin(), parameters.end()};
}

// Answers from what one process has.
class PlanRoutes {
 public:
  PlanRoutes(ProjectionHost* host, FigureEnv figures, const BonusSchemes* schemes)
      : host_(host), figures_(std::move(figures)), schemes_(schemes) {}

  absl::StatusOr<HttpResponse> ShowTargets(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const PlanBook book, ReadPlans(reading.view, figures_.settings));
    RAPPORT_ASSIGN_OR_RETURN(query::v1::Targets targets,
                             TargetsFor(request, access(), EnvAt(reading.clock), book));
    *targets.mutable_watermark() = std::move(reading.watermark);
    return KpiResponse(request, targets);
  }

  absl::StatusOr<HttpResponse> SetTargets(const HttpRequest& request) const {
    RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"dry_run"}));
    RAPPORT_ASSIGN_OR_RETURN(const bool dry_run, QueryFlag(request, "dry_run"));
    RAPPORT_ASSIGN_OR_RETURN(const ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const PlanBook book, ReadPlans(reading.view, figures_.settings));
    RAPPORT_ASSIGN_OR_RETURN(
        PlannedTargets planned,
        PlanTargets(request, access(), EnvAt(reading.clock), book, absl::Now()));
    planned.answer.set_dry_run(dry_run);
    if (dry_run || planned.touchpoints.empty()) return MessageResponse(request, planned.answer);
    std::vector<Record> records;
    records.reserve(planned.touchpoints.size());
    for (const touchpoint::v1::Touchpoint& touchpoint : planned.touchpoints) {
      records.push_back(MakeRecord(touchpoint));
    }
    const ServiceEnv& env = host_->env();
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions,
                             env.log->Append(env.topics.touchpoints, records));
    planned.answer.set_position(FormatPosition(positions.back()));
    HttpResponse response = MessageResponse(request, planned.answer);
    response.status = kAccepted;
    return response;
  }

  // `plan`: PlanForecast or PlanCohorts.
  template <class Planner>
  absl::StatusOr<HttpResponse> ShowDeals(const HttpRequest& request, Planner plan) const {
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const auto tell, plan(request, access(), EnvAt(reading.clock)));
    query::v1::KpiDeals deals;
    RAPPORT_RETURN_IF_ERROR(ReadCourses(reading.view, figures_.settings, &deals));
    auto answer = tell(deals);
    *answer.mutable_watermark() = std::move(reading.watermark);
    return KpiResponse(request, answer);
  }

  absl::StatusOr<HttpResponse> ShowCourses(const HttpRequest& request) const {
    if (!CallerOf(request).sees_all) {
      return absl::PermissionDeniedError("all deals are told to those who see all clients");
    }
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    query::v1::KpiDeals deals;
    RAPPORT_RETURN_IF_ERROR(ReadCourses(reading.view, figures_.settings, &deals));
    *deals.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, deals);
  }

  absl::StatusOr<HttpResponse> ShowStatement(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const PlannedStatement planned,
                             PlanStatement(request, access(), EnvAt(reading.clock), *schemes_));
    RAPPORT_ASSIGN_OR_RETURN(const PlanBook book, ReadPlans(reading.view, figures_.settings));
    RAPPORT_ASSIGN_OR_RETURN(const SumTable table,
                             ViewSums(reading.view).Read(planned.reckoning.plan->question()));
    RAPPORT_ASSIGN_OR_RETURN(query::v1::BonusStatement statement,
                             planned.reckoning.Tell(planned.person, access(), table, book));
    *statement.mutable_watermark() = std::move(reading.watermark);
    return KpiResponse(request, statement);
  }

  absl::StatusOr<HttpResponse> ShowWhatIf(const HttpRequest& request) const {
    RAPPORT_RETURN_IF_ERROR(CheckQuery(request, ListOf(kWhatIfParameters)));
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const PlannedWhatIf planned,
                             PlanWhatIf(request, access(), EnvAt(reading.clock), *schemes_));
    RAPPORT_ASSIGN_OR_RETURN(const PlanBook book, ReadPlans(reading.view, figures_.settings));
    const ViewSums sums(reading.view);
    std::vector<SumTable> tables;
    for (const BonusReckoning& reckoning : planned.reckonings) {
      RAPPORT_ASSIGN_OR_RETURN(SumTable table, sums.Read(reckoning.plan->question()));
      tables.push_back(std::move(table));
    }
    RAPPORT_ASSIGN_OR_RETURN(query::v1::BonusWhatIf answer, planned.Tell(access(), tables, book));
    *answer.mutable_watermark() = std::move(reading.watermark);
    return KpiResponse(request, answer);
  }

  absl::StatusOr<HttpResponse> ShowSchemes(const HttpRequest& request) const {
    return KpiResponse(request, SchemesFor(*schemes_));
  }

 private:
  const Access* access() const { return host_->env().http->access(); }
  FigureEnv EnvAt(absl::Time clock) const {
    FigureEnv env = figures_;
    env.clock = clock;
    return env;
  }

  ProjectionHost* const host_;
  const FigureEnv figures_;
  const BonusSchemes* const schemes_;
};

}  // namespace

absl::StatusOr<PlanBook> ReadPlans(const ProjectionView& view, const KpiSettings& settings) {
  state::v1::KpiState state;
  RAPPORT_ASSIGN_OR_RETURN(const bool found, view.GetOfNoClient(&state));
  return found ? PlanBook(state, settings.time_zone) : PlanBook();
}

void AddPlanRoutes(ProjectionHost* host, const FigureEnv& figures, const BonusSchemes* schemes) {
  const auto routes = std::make_shared<const PlanRoutes>(host, figures, schemes);
  const auto takes_long = [](const HttpRequest&) { return true; };
  host->Answer("/v1/targets", ListOf(kTargetsParameters),
               [routes](const HttpRequest& request) { return routes->ShowTargets(request); });
  host->Answer(
      "/v1/kpis/forecast", ListOf(kForecastParameters),
      [routes](const HttpRequest& request) { return routes->ShowDeals(request, PlanForecast); },
      takes_long);
  host->Answer(
      "/v1/kpis/cohorts", ListOf(kCohortsParameters),
      [routes](const HttpRequest& request) { return routes->ShowDeals(request, PlanCohorts); },
      takes_long);
  host->Answer(
      "/v1/kpis/deals", {},
      [routes](const HttpRequest& request) { return routes->ShowCourses(request); }, takes_long);
  host->Answer("/v1/bonus/schemes", {},
               [routes](const HttpRequest& request) { return routes->ShowSchemes(request); });
  host->Answer(
      "/v1/bonus/statement", ListOf(kStatementParameters),
      [routes](const HttpRequest& request) { return routes->ShowStatement(request); }, takes_long);
  HttpServer& http = *host->env().http;
  http.Handle("POST", "/v1/targets",
              AnsweringFrom(&host->chores(), [routes](const HttpRequest& request) {
                return routes->SetTargets(request);
              }));
  http.Handle("POST", "/v1/bonus/what-if",
              AnsweringFrom(&host->chores(), [routes](const HttpRequest& request) {
                return routes->ShowWhatIf(request);
              }));
}

}  // namespace rapport
