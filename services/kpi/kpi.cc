#include "services/kpi/kpi.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/kpi/bonus_requests.h"
#include "libs/kpi/requests.h"
#include "libs/kpi/targets.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projector/fold_engine.h"
#include "libs/serving/openapi.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/query_values.h"
#include "libs/serving/timeline_client.h"
#include "services/kpi/client_parts.h"
#include "services/kpi/plan_routes.h"

namespace rapport {
namespace {

using query::v1::Touchpoints;

// Of so many clients at once are touchpoints fetched.
constexpr size_t kMostFetched = 32;
// The number behind those of a client's parts.
constexpr uint32_t kAllParts = std::numeric_limits<uint32_t>::max();

template <class... Lists>
std::vector<absl::string_view> Parameters(const Lists&... lists) {
  std::vector<absl::string_view> all;
  (all.insert(all.end(), std::begin(lists), std::end(lists)), ...);
  return all;
}

void SetWatermark(query::v1::Watermark watermark, google::protobuf::Message* message) {
  const google::protobuf::FieldDescriptor* const field =
      message->GetDescriptor()->FindFieldByName("watermark");
  auto* const own =
      static_cast<query::v1::Watermark*>(message->GetReflection()->MutableMessage(message, field));
  *own = std::move(watermark);
}

// The last record that is in an answer, of each partition.
std::vector<std::string> PositionsIn(const query::v1::Watermark& watermark) {
  std::vector<std::string> positions;
  for (const query::v1::PartitionWatermark& partition : watermark.partitions()) {
    if (partition.position() == 0) continue;
    positions.push_back(
        FormatPosition({Partition(partition.partition()), Offset(partition.position() - 1)}));
  }
  return positions;
}

class KpiService final : public Service {
 public:
  KpiService(FigureEnv figures, BonusSchemes schemes, std::unique_ptr<ProjectionHost> host,
             std::unique_ptr<TimelineClient> timeline)
      : figures_(std::move(figures)),
        schemes_(std::move(schemes)),
        host_(std::move(host)),
        timeline_(std::move(timeline)) {
    AddRoutes();
    AddPlanRoutes(host_.get(), figures_, &schemes_);
  }

  absl::Status Ready() const override { return host_->Ready(); }
  std::vector<std::string> Warnings() const override { return host_->Warnings(/*judges=*/false); }

 private:
  using Planner = absl::StatusOr<PlannedAnswer> (*)(const HttpRequest&, const Access*,
                                                    const FigureEnv&);
  // An answer before it is sent, and what it was made from.
  struct Told {
    ProjectionHost::Reading reading;
    PlannedAnswer planned;
    std::unique_ptr<google::protobuf::Message> answer;
  };

  void AddRoutes() {
    const auto at_once = [](const HttpRequest&) { return false; };
    const auto takes_long = [](const HttpRequest&) { return true; };
    host_->Answer("/v1/kpis", {}, [this](const HttpRequest& request) {
      return absl::StatusOr<HttpResponse>(KpiResponse(request, CatalogueOf(figures_)));
    });
    host_->Answer(
        "/v1/kpis/sums", Parameters(kSumParameters),
        [this](const HttpRequest& request) { return ShowSums(request); }, takes_long);
    host_->Answer(
        "/v1/kpis/values", Parameters(kValuesParameters),
        [this](const HttpRequest& request) { return ShowValues(request); }, at_once);
    host_->Answer(
        "/v1/kpis/waterfall", Parameters(kWaterfallParameters),
        [this](const HttpRequest& request) { return Show(request, PlanWaterfall); }, takes_long);
    host_->Answer(
        "/v1/kpis/{kpi}/breakdown", Parameters(kBreakdownParameters),
        [this](const HttpRequest& request) { return ShowBreakdown(request); }, takes_long);
    host_->Answer(
        "/v1/kpis/{kpi}/changes", Parameters(kChangesParameters),
        [this](const HttpRequest& request) { return ShowChanges(request); }, takes_long);
    host_->Get("/v1/kpis/{kpi}/touchpoints", Parameters(kTouchpointsParameters),
               [this](HttpRequest request, HttpReply reply) {
                 const auto shared = std::make_shared<HttpReply>(std::move(reply));
                 host_->chores().Add([this, shared, request = std::move(request)] {
                   ShowTouchpoints(request, shared);
                 });
               });
  }

  absl::StatusOr<Told> Tell(const HttpRequest& request, Planner planner) const {
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    FigureEnv env = figures_;
    env.clock = reading.clock;
    RAPPORT_ASSIGN_OR_RETURN(PlannedAnswer planned,
                             planner(request, host_->env().http->access(), env));
    RAPPORT_ASSIGN_OR_RETURN(const SumTable table,
                             ViewSums(reading.view).Read(planned.plan->question()));
    RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<google::protobuf::Message> answer,
                             planned.tell(table));
    SetWatermark(reading.watermark, answer.get());
    return Told{std::move(reading), std::move(planned), std::move(answer)};
  }

  absl::StatusOr<HttpResponse> Show(const HttpRequest& request, Planner planner) const {
    RAPPORT_ASSIGN_OR_RETURN(const Told told, Tell(request, planner));
    return KpiResponse(request, *told.answer);
  }

  // Where there are several processes, the gateway asks the one that has the plans' partition.
  absl::StatusOr<PlanBook> PlansIn(const ProjectionView& view) const {
    absl::StatusOr<PlanBook> plans = ReadPlans(view, figures_.settings);
    return absl::IsUnavailable(plans.status()) ? PlanBook() : plans;
  }

  absl::StatusOr<HttpResponse> ShowValues(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const Told told, Tell(request, PlanValues));
    RAPPORT_ASSIGN_OR_RETURN(const PlanBook plans, PlansIn(told.reading.view));
    AddPlans(plans, figures_.settings.time_zone,
             static_cast<query::v1::KpiValues*>(told.answer.get()));
    return KpiResponse(request, *told.answer);
  }

  absl::StatusOr<HttpResponse> ShowSums(const HttpRequest& request) const {
    // For the gateway, which has seen to it that who asks there sees what is asked for.
    if (!CallerOf(request).sees_all) {
      return absl::PermissionDeniedError("sums are for those who see all clients");
    }
    RAPPORT_ASSIGN_OR_RETURN(const SumQuestion question, ReadSumQuestion(request));
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const SumTable table, ViewSums(reading.view).Read(question));
    query::v1::KpiSums sums = ToMessage(table);
    *sums.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, sums);
  }

  absl::StatusOr<HttpResponse> ShowBreakdown(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const Told told, Tell(request, PlanBreakdown));
    auto& breakdown = static_cast<query::v1::KpiBreakdown&>(*told.answer);
    if (breakdown.by() == "client") {
      const FigurePlan& plan = *told.planned.plan;
      RAPPORT_RETURN_IF_ERROR(AddClientRows(told.reading.view, plan, *plan.request().kpis.front(),
                                            CallerOf(request), &breakdown));
      RAPPORT_RETURN_IF_ERROR(SortAndCut(request, &breakdown));
    }
    RAPPORT_ASSIGN_OR_RETURN(const PlanBook plans, PlansIn(told.reading.view));
    AddPlans(plans, *told.planned.plan, &breakdown);
    return KpiResponse(request, breakdown);
  }

  absl::StatusOr<HttpResponse> ShowChanges(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const Told told, Tell(request, PlanChanges));
    int32_t since = 0;
    if (const std::string text = request.Query("since").value_or(""); !text.empty()) {
      RAPPORT_ASSIGN_OR_RETURN(const DayRange day, ParsePeriod("since", text));
      since = day.from;
    }
    const FigurePlan& plan = *told.planned.plan;
    RAPPORT_ASSIGN_OR_RETURN(
        query::v1::KpiChanges changes,
        ChangesOf(told.reading.view, plan, *plan.request().kpis.front(), since));
    *changes.mutable_watermark() = told.reading.watermark;
    return KpiResponse(request, changes);
  }

  // The touchpoints of some clients on their way.
  struct Explaining {
    HttpRequest request;
    std::shared_ptr<HttpReply> reply;
    std::shared_ptr<const FigurePlan> plan;
    query::v1::KpiTouchpoints answer;
    PageRequest page;
    bool more = false;  // clients behind these
    std::vector<std::string> clients;
    Mutex mutex;
    std::vector<absl::StatusOr<Touchpoints>> fetched ABSL_GUARDED_BY(mutex);
    size_t left ABSL_GUARDED_BY(mutex) = 0;
  };

  void ShowTouchpoints(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
    const absl::StatusOr<std::shared_ptr<Explaining>> begun = BeginExplaining(request);
    if (!begun.ok()) return reply->Send(ErrorResponse(begun.status()));
    const std::shared_ptr<Explaining>& explaining = *begun;
    explaining->reply = reply;
    if (explaining->clients.empty()) return Explain(*explaining);
    {
      MutexLock lock(&explaining->mutex);
      explaining->left = explaining->clients.size();
      explaining->fetched.resize(explaining->clients.size(), absl::UnknownError(""));
    }
    for (size_t i = 0; i < explaining->clients.size(); ++i) {
      const std::string& client = explaining->clients[i];
      const absl::StatusOr<ProjectionHost::Reading> reading = host_->ReadClient(client);
      TimelineClient::Query query{.client_id = client};
      if (reading.ok()) query.wait_for = PositionsIn(reading->watermark);
      timeline_->Fetch(query, [this, explaining, i](absl::StatusOr<Touchpoints> touchpoints) {
        {
          MutexLock lock(&explaining->mutex);
          explaining->fetched[i] = std::move(touchpoints);
          if (--explaining->left > 0) return;
        }
        host_->chores().Add([explaining] { Explain(*explaining); });
      });
    }
  }

  // The figure, and whose touchpoints are behind it.
  absl::StatusOr<std::shared_ptr<Explaining>> BeginExplaining(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(Told told, Tell(request, PlanTouchpoints));
    const auto explaining = std::make_shared<Explaining>();
    explaining->request = request;
    explaining->plan = told.planned.plan;
    explaining->answer = static_cast<query::v1::KpiTouchpoints&>(*told.answer);
    RAPPORT_ASSIGN_OR_RETURN(explaining->page, ReadPageRequest(request, ""));
    const std::string client = request.Query("client").value_or("");
    if (!client.empty()) return OfOneClient(client, told, explaining);
    absl::string_view place = explaining->page.after;
    std::string from;
    bool is_done = false;  // all of that client's parts have been told
    if (!place.empty()) {
      if (!ConsumeKeyString(&place, &from) || place.size() != sizeof(uint32_t)) {
        return absl::InvalidArgumentError("cursor is none of this list");
      }
      is_done = ReadBig32(place.data()) == kAllParts;
    }
    const Caller& caller = CallerOf(request);
    SumTable hidden(told.planned.plan->question().slots());
    // Whom the reader may not see stands on the first page, as one.
    const bool first_page = from.empty();
    const size_t most = std::min(explaining->page.limit, kMostFetched);
    RAPPORT_RETURN_IF_ERROR(
        VisitClientParts(told.reading.view, *told.planned.plan, from, [&](const ClientPart& part) {
          if (is_done && part.client_id == from) return true;
          if (!caller.Sees(part.owner_id)) {
            if (first_page) hidden.Merge(part.table);
            return true;
          }
          explaining->more = explaining->clients.size() == most;
          if (!explaining->more) explaining->clients.push_back(part.client_id);
          return !explaining->more || (first_page && !caller.sees_all);
        }));
    if (!hidden.rows().empty()) {
      RAPPORT_RETURN_IF_ERROR(AddHidden(hidden, told.reading.watermark, explaining.get()));
    }
    return explaining;
  }

  absl::StatusOr<std::shared_ptr<Explaining>> OfOneClient(
      const std::string& client, const Told& told,
      const std::shared_ptr<Explaining>& explaining) const {
    const absl::Status absent =
        absl::NotFoundError(absl::StrCat("nothing is known of a client '", client, "'"));
    const FigurePlan& plan = *explaining->plan;
    state::v1::KpiState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, told.reading.view.Get(client, &state));
    if (!found) return absent;
    const std::string owner =
        state.owners().empty() ? "" : state.owners(state.owners_size() - 1).owner_id();
    RAPPORT_RETURN_IF_ERROR(CheckSeen(explaining->request, owner, absent));
    RAPPORT_ASSIGN_OR_RETURN(
        *explaining->answer.mutable_figure(),
        plan.ToldFigure(SumsOf(state, plan.env().settings, plan.question()),
                        *plan.request().kpis.front(), explaining->answer.currency_code(),
                        plan.request().period, FigurePart()));
    explaining->answer.mutable_figure()->clear_reported();
    explaining->clients.push_back(client);
    return explaining;
  }

  static absl::Status AddHidden(const SumTable& hidden, const query::v1::Watermark& watermark,
                                Explaining* explaining) {
    const FigurePlan& plan = *explaining->plan;
    const KpiSpec& spec = *plan.request().kpis.front();
    RAPPORT_ASSIGN_OR_RETURN(const Figure figure,
                             plan.FigureOf(hidden, spec, explaining->answer.currency_code(),
                                           plan.request().period, FigurePart()));
    query::v1::KpiPart& part = *explaining->answer.add_parts();
    part.set_by_itself("hidden");
    part.set_numerator(figure.numerator.all);
    part.set_denominator(spec.denominator.empty() ? 0 : figure.denominator.all);
    // Of these partitions; those of another process are another part.
    const int32_t partition =
        watermark.partitions().empty() ? 0 : watermark.partitions(0).partition();
    part.set_cursor(EncodeCursor(PartPlace("", static_cast<uint32_t>(partition))));
    return absl::OkStatus();
  }

  static void Explain(Explaining& explaining) {
    MutexLock lock(&explaining.mutex);
    query::v1::KpiTouchpoints& answer = explaining.answer;
    const KpiSpec& spec = *explaining.plan->request().kpis.front();
    const size_t limit = explaining.page.limit;
    bool cut = false;
    for (size_t i = 0; i < explaining.clients.size() && !cut; ++i) {
      absl::StatusOr<Touchpoints>& fetched = explaining.fetched[i];
      if (!fetched.ok()) return explaining.reply->Send(ErrorResponse(fetched.status()));
      absl::StatusOr<std::vector<query::v1::KpiPart>> parts = ExplainClient(
          explaining.clients[i], {fetched->touchpoints().begin(), fetched->touchpoints().end()},
          *explaining.plan, spec, answer.currency_code());
      if (!parts.ok()) return explaining.reply->Send(ErrorResponse(parts.status()));
      for (query::v1::KpiPart& part : *parts) {
        const absl::StatusOr<std::string> place = DecodeCursor(part.cursor());
        if (place.ok() && *place <= explaining.page.after) continue;
        cut = static_cast<size_t>(answer.parts_size()) == limit;
        if (cut) break;
        *answer.add_parts() = std::move(part);
      }
    }
    if (cut) {
      answer.set_next_cursor(answer.parts(answer.parts_size() - 1).cursor());
    } else if (explaining.more) {
      // Behind all of the last client's.
      answer.set_next_cursor(
          EncodeCursor(PartPlace(explaining.clients.back(), std::numeric_limits<uint32_t>::max())));
    }
    explaining.reply->Send(KpiResponse(explaining.request, answer));
  }

  const FigureEnv figures_;
  const BonusSchemes schemes_;
  const std::unique_ptr<ProjectionHost> host_;
  // Gone before the host: what it has under way uses the host.
  const std::unique_ptr<TimelineClient> timeline_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartKpi(const ServiceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(FigureEnv figures, FigureEnvOf(env.config->kpi()));
  RAPPORT_ASSIGN_OR_RETURN(BonusSchemes schemes, BonusSchemesOf(env.config->kpi()));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<TimelineClient> timeline, TimelineClient::Create(env));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<ProjectionHost> host,
                           ProjectionHost::Start(env, env.config->kpi().service(),
                                                 std::make_unique<SpecOf<Kpi>>(figures.settings)));
  if (!env.all_in_one) ServeOpenApi(*env.http);
  return std::make_unique<KpiService>(std::move(figures), std::move(schemes), std::move(host),
                                      std::move(timeline));
}

}  // namespace rapport
