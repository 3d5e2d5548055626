#include "services/gateway/kpi_routes.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/kpi/requests.h"
#include "libs/kpi/targets.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/serving/page.h"
#include "services/gateway/kpi_answers.h"
#include "services/gateway/plan_routes.h"

namespace rapport {
namespace {

using google::protobuf::Message;
using query::v1::Watermark;
using Query = std::vector<std::pair<std::string, std::string>>;
using Planner = absl::StatusOr<PlannedAnswer> (*)(const HttpRequest&, const Access*,
                                                  const FigureEnv&);

constexpr char kWaitFor[] = "wait_for";

// The first that is no success; nullptr when all are.
const HttpAnswer* Refused(const Gathered& gathered) {
  const auto refused = std::find_if(gathered.answers.begin(), gathered.answers.end(),
                                    [](const HttpAnswer& answer) { return answer.status != 200; });
  return refused == gathered.answers.end() ? nullptr : &*refused;
}

HttpResponse AsItIs(const HttpAnswer& answer) {
  return {.status = answer.status,
          .content_type = std::string(answer.HeaderValue("content-type")),
          .body = answer.body};
}

// One question on its way: the clock, the sums, and for single clients their rows.
class KpiExchange : public std::enable_shared_from_this<KpiExchange> {
 public:
  KpiExchange(ExchangeEnv exchange, FigureEnv figures, Planner planner, HttpRequest request)
      : exchange_(std::move(exchange)),
        figures_(std::move(figures)),
        planner_(planner),
        request_(std::move(request)) {}

  void Begin(HttpReply reply) {
    Query query = ToParameters(SumQuestion());
    for (const auto& parameter : request_.query) {
      if (parameter.first == kWaitFor) query.push_back(parameter);
    }
    AskSums(std::move(query), std::move(reply),
            [self = shared_from_this()](const Gathered& gathered, HttpReply then) {
              self->OnClock(gathered, std::move(then));
            });
  }

 private:
  using Then = std::function<void(const Gathered& gathered, HttpReply reply)>;

  void AskSums(Query query, HttpReply reply, Then then) {
    HttpRequest request = request_;
    request.raw_path = "/v1/kpis/sums";
    // In the gateway's own name: whom the caller may see is held here.
    request.caller.reset();
    request.query = std::move(query);
    Exchange::Begin(exchange_,
                    {.projection = Kpi::kName,
                     .covers = PartitionsOfKpiAnswer<query::v1::KpiSums>,
                     .go_on = std::move(then)},
                    std::move(request), std::move(reply));
  }

  void OnClock(const Gathered& gathered, HttpReply reply) {
    absl::StatusOr<std::vector<query::v1::KpiSums>> sums =
        ReadKpiAnswers<query::v1::KpiSums>(gathered);
    if (!sums.ok()) return reply.Send(ErrorResponse(sums.status()));
    Watermark watermark;
    for (const query::v1::KpiSums& part : *sums) watermark.MergeFrom(part.watermark());
    figures_.clock = ClockOf(watermark);
    absl::StatusOr<PlannedAnswer> planned = planner_(request_, exchange_.access, figures_);
    if (!planned.ok()) return reply.Send(ErrorResponse(planned.status()));
    planned_ = *std::move(planned);
    AskSums(ToParameters(planned_.plan->question()), std::move(reply),
            [self = shared_from_this()](const Gathered& answers, HttpReply then) {
              self->OnSums(answers, std::move(then));
            });
  }

  // The answer from the sums of all.
  absl::StatusOr<std::unique_ptr<Message>> Tell(const Gathered& gathered) const {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<query::v1::KpiSums> sums,
                             ReadKpiAnswers<query::v1::KpiSums>(gathered));
    const SumQuestion& question = planned_.plan->question();
    SumTable table(question.slots());
    Watermark watermark;
    for (const query::v1::KpiSums& part : sums) {
      RAPPORT_ASSIGN_OR_RETURN(const SumTable read, ReadSumTable(part, question));
      table.Merge(read);
      watermark.MergeFrom(part.watermark());
    }
    std::sort(watermark.mutable_partitions()->begin(), watermark.mutable_partitions()->end(),
              [](const auto& a, const auto& b) { return a.partition() < b.partition(); });
    RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<Message> answer, planned_.tell(table));
    const google::protobuf::FieldDescriptor* const field =
        answer->GetDescriptor()->FindFieldByName("watermark");
    *static_cast<Watermark*>(answer->GetReflection()->MutableMessage(answer.get(), field)) =
        std::move(watermark);
    return answer;
  }

  void OnSums(const Gathered& gathered, HttpReply reply) {
    absl::StatusOr<std::unique_ptr<Message>> answer = Tell(gathered);
    if (!answer.ok()) return reply.Send(ErrorResponse(answer.status()));
    answer_ = *std::move(answer);
    const bool has_plans = dynamic_cast<query::v1::KpiValues*>(answer_.get()) != nullptr ||
                           dynamic_cast<query::v1::KpiBreakdown*>(answer_.get()) != nullptr;
    if (!has_plans) return OnPlans(PlanBook(), std::move(reply));
    WithPlans(exchange_, std::move(reply),
              [self = shared_from_this()](const PlanBook& plans, HttpReply then) {
                self->OnPlans(plans, std::move(then));
              });
  }

  void OnPlans(const PlanBook& plans, HttpReply reply) {
    if (auto* const values = dynamic_cast<query::v1::KpiValues*>(answer_.get())) {
      AddPlans(plans, figures_.settings.time_zone, values);
    } else if (auto* const parts = dynamic_cast<query::v1::KpiBreakdown*>(answer_.get())) {
      AddPlans(plans, *planned_.plan, parts);
    }
    if (auto* const breakdown = dynamic_cast<query::v1::KpiBreakdown*>(answer_.get());
        breakdown != nullptr && breakdown->by() == "client") {
      return AskRows<query::v1::KpiBreakdown>(breakdown->series().currency_code(),
                                              std::move(reply));
    }
    if (const auto* const parts = dynamic_cast<query::v1::KpiTouchpoints*>(answer_.get());
        parts != nullptr) {
      return AskRows<query::v1::KpiTouchpoints>(parts->currency_code(), std::move(reply));
    }
    reply.Send(KpiResponse(request_, *answer_));
  }

  // Each process has the rows of its clients, in the currency of the whole.
  template <class M>
  void AskRows(const std::string& currency, HttpReply reply) {
    HttpRequest request = request_;
    std::erase_if(request.query, [](const auto& parameter) { return parameter.first == kWaitFor; });
    const bool converts = currency == figures_.rates.reporting_currency();
    if (!currency.empty() && !converts && !request.Query("currency")) {
      request.query.emplace_back("currency", currency);
    }
    Exchange::Begin(exchange_,
                    {.projection = Kpi::kName,
                     .covers = PartitionsOfKpiAnswer<M>,
                     .go_on = [self = shared_from_this()](
                                  const Gathered& gathered,
                                  HttpReply then) { then.Send(self->WithRows<M>(gathered)); }},
                    std::move(request), std::move(reply));
  }

  static auto* Rows(query::v1::KpiBreakdown* message) { return message->mutable_rows(); }
  static auto* Rows(query::v1::KpiTouchpoints* message) { return message->mutable_parts(); }
  static void AddCount(const query::v1::KpiBreakdown& part, query::v1::KpiBreakdown* all) {
    all->set_row_count(all->row_count() + part.row_count());
  }
  static void AddCount(const query::v1::KpiTouchpoints&, query::v1::KpiTouchpoints*) {}

  template <class M>
  HttpResponse WithRows(const Gathered& gathered) {
    auto& whole = static_cast<M&>(*answer_);
    if (const absl::Status missing = CheckNoneIsMissing(gathered); !missing.ok()) {
      return ErrorResponse(missing);
    }
    if (const HttpAnswer* const refused = Refused(gathered)) {
      // Nobody there has ever been that owner's: it has no rows.
      if (refused->status != 404) return AsItIs(*refused);
    }
    const absl::StatusOr<PageRequest> page = ReadPageRequest(request_, "");
    if (!page.ok()) return ErrorResponse(page.status());
    // By the bytes that the rows are ordered by.
    std::multimap<std::string, typename std::decay_t<decltype(*Rows(&whole))>::value_type> rows;
    std::string end;  // no process has told of what is behind it
    for (const HttpAnswer& answer : gathered.answers) {
      if (answer.status != 200) continue;
      absl::StatusOr<M> part = ParseKpiAnswer<M>(answer);
      if (!part.ok()) return ErrorResponse(part.status());
      AddCount(*part, &whole);
      if (!part->next_cursor().empty()) {
        const std::string place = DecodeCursor(part->next_cursor()).value_or("");
        if (end.empty() || place < end) end = place;
      }
      for (auto& row : *Rows(&*part)) {
        std::string place = DecodeCursor(row.cursor()).value_or("");
        rows.emplace(std::move(place), std::move(row));
      }
    }
    for (auto& [place, row] : rows) {
      if (!end.empty() && place > end) break;
      if (static_cast<size_t>(Rows(&whole)->size()) == page->limit) {
        whole.set_next_cursor(Rows(&whole)->rbegin()->cursor());
        return KpiResponse(request_, whole);
      }
      *Rows(&whole)->Add() = std::move(row);
    }
    if (!end.empty()) whole.set_next_cursor(EncodeCursor(end));
    return KpiResponse(request_, whole);
  }

  const ExchangeEnv exchange_;
  FigureEnv figures_;
  const Planner planner_;
  const HttpRequest request_;
  PlannedAnswer planned_;
  std::unique_ptr<Message> answer_;
};

// What became known later, of all processes.
void SendChanges(const HttpRequest& request, const Gathered& gathered, HttpReply reply) {
  if (const absl::Status missing = CheckNoneIsMissing(gathered); !missing.ok()) {
    return reply.Send(ErrorResponse(missing));
  }
  std::map<std::tuple<std::string, std::string, std::string, std::string>, query::v1::KpiChange>
      changes;
  query::v1::KpiChanges all;
  bool found = false;
  for (const HttpAnswer& answer : gathered.answers) {
    if (answer.status != 200) continue;
    const auto part = ParseKpiAnswer<query::v1::KpiChanges>(answer);
    if (!part.ok()) return reply.Send(ErrorResponse(part.status()));
    found = true;
    all.mutable_watermark()->MergeFrom(part->watermark());
    for (const query::v1::KpiChange& change : part->changes()) {
      query::v1::KpiChange& sum =
          changes[{change.day(), change.known_on(), change.owner_id(), change.currency_code()}];
      const int64_t numerator = sum.numerator() + change.numerator();
      const int64_t denominator = sum.denominator() + change.denominator();
      sum = change;
      sum.set_numerator(numerator);
      sum.set_denominator(denominator);
    }
  }
  // An owner whom no process knows.
  if (!found) return reply.Send(AsItIs(*Refused(gathered)));
  for (auto& [key, change] : changes) *all.add_changes() = std::move(change);
  reply.Send(KpiResponse(request, all));
}

}  // namespace

void AddKpiRoutes(const ServiceEnv& env, const ExchangeEnv& exchange, const FigureEnv& figures) {
  const auto reckon = [&](absl::string_view pattern, Planner planner) {
    env.http->Handle("GET", pattern,
                     [exchange, figures, planner](HttpRequest request, HttpReply reply) {
                       std::make_shared<KpiExchange>(exchange, figures, planner, std::move(request))
                           ->Begin(std::move(reply));
                     });
  };
  env.http->Handle(
      "GET", "/v1/kpis", Answering([figures](const HttpRequest& request) {
        return absl::StatusOr<HttpResponse>(KpiResponse(request, CatalogueOf(figures)));
      }));
  reckon("/v1/kpis/values", PlanValues);
  reckon("/v1/kpis/waterfall", PlanWaterfall);
  reckon("/v1/kpis/{kpi}/breakdown", PlanBreakdown);
  env.http->Handle("GET", "/v1/kpis/{kpi}/touchpoints",
                   [exchange, figures](HttpRequest request, HttpReply reply) {
                     const std::string client = request.Query("client").value_or("");
                     const int partitions = exchange.owners->Of(Kpi::kName).partition_count;
                     if (client.empty() || partitions == 0) {
                       return std::make_shared<KpiExchange>(exchange, figures, PlanTouchpoints,
                                                            std::move(request))
                           ->Begin(std::move(reply));
                     }
                     // All of one client's are in one partition.
                     Exchange::Begin(
                         exchange,
                         {.projection = Kpi::kName, .partition = PartitionOf(client, partitions)},
                         std::move(request), std::move(reply));
                   });
  env.http->Handle(
      "GET", "/v1/kpis/{kpi}/changes", [exchange](HttpRequest request, HttpReply reply) {
        const auto asked = std::make_shared<const HttpRequest>(request);
        Exchange::Begin(
            exchange,
            {.projection = Kpi::kName,
             .covers = PartitionsOfKpiAnswer<query::v1::KpiChanges>,
             .go_on = [asked](const Gathered& gathered,
                              HttpReply then) { SendChanges(*asked, gathered, std::move(then)); }},
            std::move(request), std::move(reply));
      });
}

}  // namespace rapport
