#include "services/gateway/plan_routes.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "libs/kpi/bonus_requests.h"
#include "libs/kpi/plan_requests.h"
#include "libs/kpi/requests.h"
#include "libs/kpi/sums.h"
#include "libs/projections/kpi/kpi.h"
#include "services/gateway/kpi_answers.h"

namespace rapport {
namespace {

using google::protobuf::Message;
using query::v1::Watermark;

constexpr char kWaitFor[] = "wait_for";

// A question in the gateway's own name: whom the caller may see is held here.
HttpRequest OwnRequest(const std::string& path,
                       std::vector<std::pair<std::string, std::string>> query) {
  HttpRequest request;
  request.method = "GET";
  request.raw_path = path;
  request.query = std::move(query);
  return request;
}

// The places that a request waits for.
std::vector<std::pair<std::string, std::string>> WaitsOf(const HttpRequest& request) {
  std::vector<std::pair<std::string, std::string>> waits;
  for (const auto& parameter : request.query) {
    if (parameter.first == kWaitFor) waits.push_back(parameter);
  }
  return waits;
}

// Forecast and cohorts: the deals of all, and the answer.
template <class Planner>
void TellDeals(const ExchangeEnv& exchange, const FigureEnv& figures, Planner plan,
               const HttpRequest& request, HttpReply reply) {
  Exchange::Begin(
      exchange,
      {.projection = Kpi::kName,
       .covers = PartitionsOfKpiAnswer<query::v1::KpiDeals>,
       .go_on =
           [exchange, figures, plan, request](const Gathered& gathered, HttpReply then) {
             const auto tell = [&]() -> absl::StatusOr<HttpResponse> {
               RAPPORT_ASSIGN_OR_RETURN(const std::vector<query::v1::KpiDeals> parts,
                                        ReadKpiAnswers<query::v1::KpiDeals>(gathered));
               query::v1::KpiDeals deals;
               for (const query::v1::KpiDeals& part : parts) {
                 deals.mutable_deals()->MergeFrom(part.deals());
                 MergeWatermark(part.watermark(), deals.mutable_watermark());
               }
               FigureEnv env = figures;
               env.clock = ClockOf(deals.watermark());
               RAPPORT_ASSIGN_OR_RETURN(const auto planned, plan(request, exchange.access, env));
               auto answer = planned(deals);
               *answer.mutable_watermark() = deals.watermark();
               return KpiResponse(request, answer);
             };
             const absl::StatusOr<HttpResponse> response = tell();
             then.Send(response.ok() ? *response : ErrorResponse(response.status()));
           }},
      OwnRequest("/v1/kpis/deals", WaitsOf(request)), std::move(reply));
}

// Pay: the clock, the sums of one reckoning after the other, the plans, and the answer.
class PayExchange : public std::enable_shared_from_this<PayExchange> {
 public:
  // What is to be asked once the clock is known, and the answer from it; watermark is left out.
  struct Planned {
    std::vector<SumQuestion> questions;
    std::function<absl::StatusOr<std::unique_ptr<Message>>(const std::vector<SumTable>&,
                                                           const PlanBook&)>
        tell;
  };
  using Planner = std::function<absl::StatusOr<Planned>(const HttpRequest&, const FigureEnv&)>;

  PayExchange(ExchangeEnv exchange, FigureEnv figures, Planner planner, HttpRequest request)
      : exchange_(std::move(exchange)),
        figures_(std::move(figures)),
        planner_(std::move(planner)),
        request_(std::move(request)) {}

  void Begin(HttpReply reply) {
    auto query = ToParameters(SumQuestion());
    for (auto& wait : WaitsOf(request_)) query.push_back(std::move(wait));
    AskSums(std::move(query), std::move(reply), &PayExchange::OnClock);
  }

 private:
  void AskSums(std::vector<std::pair<std::string, std::string>> query, HttpReply reply,
               absl::Status (PayExchange::*take)(const Gathered&)) {
    Exchange::Begin(
        exchange_,
        {.projection = Kpi::kName,
         .covers = PartitionsOfKpiAnswer<query::v1::KpiSums>,
         .go_on =
             [self = shared_from_this(), take](const Gathered& gathered, HttpReply then) {
               const absl::Status taken = ((*self).*take)(gathered);
               if (!taken.ok()) return then.Send(ErrorResponse(taken));
               self->GoOn(std::move(then));
             }},
        OwnRequest("/v1/kpis/sums", std::move(query)), std::move(reply));
  }

  absl::Status OnClock(const Gathered& gathered) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<query::v1::KpiSums> parts,
                             ReadKpiAnswers<query::v1::KpiSums>(gathered));
    for (const query::v1::KpiSums& part : parts) MergeWatermark(part.watermark(), &watermark_);
    figures_.clock = ClockOf(watermark_);
    RAPPORT_ASSIGN_OR_RETURN(planned_, planner_(request_, figures_));
    return absl::OkStatus();
  }

  absl::Status OnSums(const Gathered& gathered) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<query::v1::KpiSums> parts,
                             ReadKpiAnswers<query::v1::KpiSums>(gathered));
    const SumQuestion& question = planned_.questions[tables_.size()];
    SumTable table(question.slots());
    for (const query::v1::KpiSums& part : parts) {
      RAPPORT_ASSIGN_OR_RETURN(const SumTable read, ReadSumTable(part, question));
      table.Merge(read);
    }
    tables_.push_back(std::move(table));
    return absl::OkStatus();
  }

  void GoOn(HttpReply reply) {
    if (tables_.size() < planned_.questions.size()) {
      return AskSums(ToParameters(planned_.questions[tables_.size()]), std::move(reply),
                     &PayExchange::OnSums);
    }
    WithPlans(exchange_, std::move(reply),
              [self = shared_from_this()](const PlanBook& book, HttpReply then) {
                const auto answer = self->planned_.tell(self->tables_, book);
                if (!answer.ok()) return then.Send(ErrorResponse(answer.status()));
                const google::protobuf::FieldDescriptor* const field =
                    (*answer)->GetDescriptor()->FindFieldByName("watermark");
                *static_cast<Watermark*>((*answer)->GetReflection()->MutableMessage(
                    answer->get(), field)) = self->watermark_;
                then.Send(KpiResponse(self->request_, **answer));
              });
  }

  const ExchangeEnv exchange_;
  FigureEnv figures_;
  const Planner planner_;
  const HttpRequest request_;
  Watermark watermark_;
  Planned planned_;
  std::vector<SumTable> tables_;
};

template <class M>
absl::StatusOr<std::unique_ptr<Message>> Boxed(absl::StatusOr<M> message) {
  RAPPORT_RETURN_IF_ERROR(message.status());
  return std::make_unique<M>(*std::move(message));
}

}  // namespace

void WithPlans(const ExchangeEnv& exchange, HttpReply reply,
               std::function<void(const PlanBook& book, HttpReply reply)> then) {
  Exchange::Begin(exchange,
                  {.projection = Kpi::kName,
                   .partition = Partition(0),
                   .go_on =
                       [then = std::move(then)](const Gathered& gathered, HttpReply answered) {
                         const auto targets = ReadKpiAnswers<query::v1::Targets>(gathered);
                         if (!targets.ok()) {
                           return answered.Send(ErrorResponse(targets.status()));
                         }
                         then(PlanBook(targets->front()), std::move(answered));
                       }},
                  OwnRequest("/v1/targets", {}), std::move(reply));
}

void AddPlanRoutes(const ServiceEnv& env, const ExchangeEnv& exchange, const FigureEnv& figures,
                   BonusSchemes bonus_schemes) {
  const auto schemes = std::make_shared<const BonusSchemes>(std::move(bonus_schemes));
  HttpServer& http = *env.http;
  // The firm's plans are in one partition.
  for (const char* const method : {"GET", "POST"}) {
    http.Handle(method, "/v1/targets", [exchange](HttpRequest request, HttpReply reply) {
      Exchange::Begin(exchange, {.projection = Kpi::kName, .partition = Partition(0)},
                      std::move(request), std::move(reply));
    });
  }
  http.Handle("GET", "/v1/kpis/forecast",
              [exchange, figures](const HttpRequest& request, HttpReply reply) {
                TellDeals(exchange, figures, PlanForecast, request, std::move(reply));
              });
  http.Handle("GET", "/v1/kpis/cohorts",
              [exchange, figures](const HttpRequest& request, HttpReply reply) {
                TellDeals(exchange, figures, PlanCohorts, request, std::move(reply));
              });
  http.Handle("GET", "/v1/bonus/schemes", Answering([schemes](const HttpRequest& request) {
                return absl::StatusOr<HttpResponse>(KpiResponse(request, SchemesFor(*schemes)));
              }));
  const auto pay = [&](const char* method, const char* pattern, PayExchange::Planner planner) {
    http.Handle(
        method, pattern,
        [exchange, figures, planner = std::move(planner)](HttpRequest request, HttpReply reply) {
          std::make_shared<PayExchange>(exchange, figures, planner, std::move(request))
              ->Begin(std::move(reply));
        });
  };
  pay("GET", "/v1/bonus/statement",
      [schemes, access = exchange.access](
          const HttpRequest& request, const FigureEnv& at) -> absl::StatusOr<PayExchange::Planned> {
        RAPPORT_ASSIGN_OR_RETURN(const PlannedStatement planned,
                                 PlanStatement(request, access, at, *schemes));
        return PayExchange::Planned{
            .questions = {planned.reckoning.plan->question()},
            .tell = [planned, access, schemes](const std::vector<SumTable>& tables,
                                               const PlanBook& book) {
              return Boxed(planned.reckoning.Tell(planned.person, access, tables.front(), book));
            }};
      });
  pay("POST", "/v1/bonus/what-if",
      [schemes, access = exchange.access](
          const HttpRequest& request, const FigureEnv& at) -> absl::StatusOr<PayExchange::Planned> {
        RAPPORT_ASSIGN_OR_RETURN(const PlannedWhatIf planned,
                                 PlanWhatIf(request, access, at, *schemes));
        PayExchange::Planned all;
        for (const BonusReckoning& reckoning : planned.reckonings) {
          all.questions.push_back(reckoning.plan->question());
        }
        all.tell = [planned, access, schemes](const std::vector<SumTable>& tables,
                                              const PlanBook& book) {
          return Boxed(planned.Tell(access, tables, book));
        };
        return all;
      });
}

}  // namespace rapport
