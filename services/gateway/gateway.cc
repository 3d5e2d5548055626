#include "services/gateway/gateway.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/console/console_files.h"
#include "libs/event_log/partitioner.h"
#include "libs/kpi/bonus_requests.h"
#include "libs/kpi/requests.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/service/config.h"
#include "libs/serving/change_streams.h"
#include "libs/serving/config_route.h"
#include "libs/serving/merge.h"
#include "libs/serving/openapi.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/projection_list.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/call_list.pb.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/commitment.pb.h"
#include "rapport/query/v1/handover.pb.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/projection.pb.h"
#include "rapport/query/v1/retention.pb.h"
#include "rapport/query/v1/search.pb.h"
#include "rapport/query/v1/watermark.pb.h"
#include "services/gateway/exchange.h"
#include "services/gateway/kpi_routes.h"
#include "services/gateway/owners.h"
#include "services/gateway/plan_routes.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;
using query::v1::Watermark;

// Of what anybody may send: a form of a few words.
constexpr size_t kMaxOpenBody = 4096;

std::unique_ptr<pb::Message> Parse(const pb::Message& prototype, const HttpAnswer& answer) {
  std::unique_ptr<pb::Message> message(prototype.New());
  if (!message->ParseFromString(answer.body)) return nullptr;
  return message;
}

Watermark* MutableWatermark(pb::Message* message) {
  const pb::FieldDescriptor* field = message->GetDescriptor()->FindFieldByName("watermark");
  return static_cast<Watermark*>(message->GetReflection()->MutableMessage(message, field));
}

absl::StatusOr<std::vector<Partition>> CoveredBy(const pb::Message& prototype,
                                                 const HttpAnswer& answer) {
  const std::unique_ptr<pb::Message> message = Parse(prototype, answer);
  if (message == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("an owner's answer is no ", prototype.GetTypeName()));
  }
  std::vector<Partition> covered;
  for (const auto& partition : MutableWatermark(message.get())->partitions()) {
    covered.emplace_back(partition.partition());
  }
  return covered;
}

size_t LimitOf(const HttpRequest& request) {
  size_t limit = kDefaultPage;
  // The owners have refused one that is wrong.
  return absl::SimpleAtoi(request.Query("limit").value_or(""), &limit) ? limit : kDefaultPage;
}

// One message from those of all owners, and what is missing in it.
HttpResponse Merge(const pb::Message& prototype, const HttpRequest& request,
                   const Gathered& gathered) {
  std::vector<std::unique_ptr<pb::Message>> parts;
  for (const HttpAnswer& answer : gathered.answers) {
    std::unique_ptr<pb::Message> part = Parse(prototype, answer);
    if (part == nullptr) {
      return ErrorResponse(
          absl::InternalError(absl::StrCat("an owner's answer is no ", prototype.GetTypeName())));
    }
    parts.push_back(std::move(part));
  }
  const std::unique_ptr<pb::Message> merged(prototype.New());
  const absl::Status status = MergeAnswers(parts, LimitOf(request), merged.get());
  if (!status.ok()) return ErrorResponse(status);
  if (!gathered.missing.empty()) MarkMissing(gathered.missing, merged.get());
  return MessageResponse(request, *merged);
}

// The first that has it.
HttpResponse FirstFound(const pb::Message& prototype, const HttpRequest& request,
                        const Gathered& gathered) {
  for (const HttpAnswer& answer : gathered.answers) {
    if (answer.status != 200) continue;
    const std::unique_ptr<pb::Message> found = Parse(prototype, answer);
    if (found != nullptr) return MessageResponse(request, *found);
  }
  if (!gathered.missing.empty()) {
    return ErrorResponse(absl::UnavailableError(
        absl::StrCat("not found in the partitions that can be reached; these cannot be: ",
                     NamesOf(gathered.missing))));
  }
  return {.status = 404,
          .content_type = std::string(gathered.answers.front().HeaderValue("content-type")),
          .body = gathered.answers.front().body};
}

// What each owner has begun, or has done, as one list.
HttpResponse AllJobs(const pb::Message& prototype, const HttpRequest& request,
                     const Gathered& gathered) {
  query::v1::JobList list;
  for (const HttpAnswer& answer : gathered.answers) {
    const std::unique_ptr<pb::Message> part = Parse(prototype, answer);
    if (part != nullptr) list.MergeFrom(static_cast<const query::v1::JobList&>(*part));
  }
  HttpResponse response = MessageResponse(request, list);
  response.status = gathered.answers.front().status;
  return response;
}

// What each owner has handed over of its clients, as one answer.
HttpResponse SumOfHandovers(const pb::Message& prototype, const HttpRequest& request,
                            const Gathered& gathered) {
  constexpr int kMostExamples = 100;
  query::v1::Handover sum;
  for (const HttpAnswer& answer : gathered.answers) {
    const std::unique_ptr<pb::Message> part = Parse(prototype, answer);
    if (part == nullptr) continue;
    const int64_t before = sum.clients();
    sum.MergeFrom(static_cast<const query::v1::Handover&>(*part));
    sum.set_clients(before + static_cast<const query::v1::Handover&>(*part).clients());
  }
  while (sum.examples_size() > kMostExamples) sum.mutable_examples()->RemoveLast();
  HttpResponse response = MessageResponse(request, sum);
  response.status = gathered.answers.front().status;
  return response;
}

class Gateway : public Service {
 public:
  Gateway(const ServiceEnv& env, std::string token, const FigureEnv& figures, BonusSchemes schemes)
      : env_(env),
        exchange_{.owners = std::make_shared<Owners>(
                      env.log, env.topics.touchpoints,
                      std::vector<std::string>{Profile::kName, Retention::kName,
                                               DealPipeline::kName, Kpi::kName}),
                  .client = env.http_client,
                  .token = std::move(token),
                  .access = env.http->access(),
                  .ca_file = env.config->http().ca_file(),
                  .timeout = absl::Milliseconds(env.config->gateway().timeout_ms())} {
    AddReadRoutes();
    for (const char* projection :
         {Profile::kName, Retention::kName, DealPipeline::kName, Kpi::kName}) {
      AddOperatorRoutes(projection);
    }
    AddKpiRoutes(env_, exchange_, figures);
    AddPlanRoutes(env_, exchange_, figures, std::move(schemes));
    AddPassedOnRoutes();
    changes_ = std::make_unique<ChangeStreams>(
        env.log,
        ChangeStreams::Options{.topic = env.topics.touchpoints,
                               .group = absl::StrCat("rapport-changes-gateway-", env.instance),
                               .member = env.instance},
        [exchange = exchange_](const auto& clients) { return AskOwnersOf(exchange, clients); });
    changes_->AddRoute(env.http);
  }
  ~Gateway() override { exchange_.owners->Stop(); }

  absl::Status Ready() const override { return exchange_.owners->status(); }

 private:
  using Combine = HttpResponse (*)(const pb::Message&, const HttpRequest&, const Gathered&);

  // Asks the owner of the partition that `partition_of` finds in the request.
  template <class PartitionOf>
  void AddOwned(absl::string_view method, absl::string_view pattern, const char* projection,
                PartitionOf partition_of) {
    env_.http->Handle(
        method, pattern, [this, projection, partition_of](HttpRequest request, HttpReply reply) {
          const int partitions = exchange_.owners->Of(projection).partition_count;
          if (partitions == 0) return reply.Send(ErrorResponse(NotKnownYet()));
          const absl::StatusOr<Partition> partition = partition_of(request, partitions);
          if (!partition.ok()) return reply.Send(ErrorResponse(partition.status()));
          Exchange::Begin(exchange_, {.projection = projection, .partition = *partition},
                          std::move(request), std::move(reply));
        });
  }

  void AddOwnedByClient(absl::string_view pattern, const char* projection, const char* name) {
    AddOwned("GET", pattern, projection,
             [name](const HttpRequest& request, int partitions) -> absl::StatusOr<Partition> {
               return PartitionOf(request.PathValue(name), partitions);
             });
  }

  // Asks all owners.
  void AddShared(absl::string_view method, absl::string_view pattern, const char* projection,
                 const pb::Message& prototype, Combine combine) {
    const bool has_watermark =
        combine == Merge && prototype.GetDescriptor()->FindFieldByName("watermark") != nullptr;
    env_.http->Handle(method, pattern,
                      [this, projection, has_watermark, combine, &prototype](HttpRequest request,
                                                                             HttpReply reply) {
                        if (exchange_.owners->Of(projection).partition_count == 0) {
                          return reply.Send(ErrorResponse(NotKnownYet()));
                        }
                        Question question{.projection = projection};
                        if (has_watermark) {
                          question.covers = [&prototype](const HttpAnswer& answer) {
                            return CoveredBy(prototype, answer);
                          };
                        }
                        question.combine = [combine, &prototype](const HttpRequest& asked,
                                                                 const Gathered& gathered) {
                          return combine(prototype, asked, gathered);
                        };
                        Exchange::Begin(exchange_, std::move(question), std::move(request),
                                        std::move(reply));
                      });
  }

  void AddReadRoutes() {
    AddShared("GET", "/v1/clients", Profile::kName, query::v1::ClientList::default_instance(),
              Merge);
    AddShared("GET", "/v1/search", Profile::kName, query::v1::SearchAnswer::default_instance(),
              Merge);
    AddOwnedByClient("/v1/clients/{id}", Profile::kName, "id");
    AddOwnedByClient("/v1/clients/{id}/timeline", Profile::kName, "id");
    AddOwnedByClient("/v1/clients/{id}/touchpoints", Profile::kName, "id");
    for (const char* rest : {"/touchpoints", "/touchpoints/{touchpoint_id}/withdraw"}) {
      AddOwned("POST", absl::StrCat("/v1/clients/{id}", rest), Profile::kName,
               [](const HttpRequest& request, int partitions) -> absl::StatusOr<Partition> {
                 return PartitionOf(request.PathValue("id"), partitions);
               });
    }
    AddShared("GET", "/v1/agenda", Profile::kName, query::v1::Agenda::default_instance(), Merge);
    AddShared("GET", "/v1/commitments", Profile::kName,
              query::v1::CommitmentList::default_instance(), Merge);
    AddShared("GET", "/v1/owners/{id}/call-list", Retention::kName,
              query::v1::CallList::default_instance(), Merge);
    AddShared("POST", "/v1/handovers", Profile::kName, query::v1::Handover::default_instance(),
              SumOfHandovers);
    AddShared("GET", "/v1/retention/at-risk", Retention::kName,
              query::v1::AtRiskList::default_instance(), Merge);
    AddOwnedByClient("/v1/retention/{client}", Retention::kName, "client");
    AddOwnedByClient("/v1/retention/{client}/history", Retention::kName, "client");
    AddShared("GET", "/v1/pipeline/board", DealPipeline::kName,
              query::v1::Board::default_instance(), Merge);
    AddShared("GET", "/v1/pipeline/deals", DealPipeline::kName,
              query::v1::DealList::default_instance(), Merge);
    AddShared("GET", "/v1/deals/{id}", DealPipeline::kName, query::v1::Deal::default_instance(),
              FirstFound);
    ServeOpenApi(*env_.http);
    AddConfigRoute(*env_.config, env_.http);
  }

  void AddOperatorRoutes(const char* projection) {
    const std::string root = absl::StrCat("/v1/projections/", projection);
    AddShared("GET", root, projection, query::v1::ProjectionStatus::default_instance(), Merge);
    AddShared("GET", root + "/dead-letters", projection,
              query::v1::DeadLetterList::default_instance(), Merge);
    for (const auto& [method, rest] : std::vector<std::pair<std::string, std::string>>{
             {"GET", ""}, {"POST", "/retry"}, {"POST", "/skip"}}) {
      AddOwned(method, absl::StrCat(root, "/dead-letters/{position}", rest), projection,
               PartitionOfPosition);
    }
    AddShared("GET", root + "/jobs", projection, query::v1::JobList::default_instance(), AllJobs);
    for (const char* order :
         {"/rebuild", "/verify", "/rollback", "/jobs/pause", "/jobs/resume", "/jobs/cancel"}) {
      AddShared("POST", absl::StrCat(root, order), projection,
                query::v1::JobList::default_instance(), AllJobs);
    }
  }

  static absl::StatusOr<Partition> PartitionOfPosition(const HttpRequest& request, int partitions) {
    RAPPORT_ASSIGN_OR_RETURN(
        const RecordPosition position,
        ParsePosition("the dead letter's place", request.PathValue("position"), partitions));
    return position.partition;
  }

  void PassOnRoute(absl::string_view method, absl::string_view pattern, const std::string& address,
                   bool stream = false) {
    env_.http->Handle(
        method, pattern, [this, address, stream](const HttpRequest& request, HttpReply reply) {
          (stream ? PassStreamOn : PassOn)(exchange_, address, request, std::move(reply));
        });
  }

  // For anybody: nobody is vouched for.
  void PassOnOpenRoute(absl::string_view method, absl::string_view pattern,
                       const std::string& address) {
    env_.http->Handle(method, pattern,
                      [this, address](HttpRequest request, HttpReply reply) {
                        request.caller = std::make_shared<const Caller>();
                        PassOn(exchange_, address, request, std::move(reply));
                      },
                      {.open = true, .max_body_bytes = kMaxOpenBody});
  }

  void AddPassedOnRoutes() {
    PassOnRoute("POST", "/v1/touchpoints", env_.config->gateway().ingest_url());
    PassOnRoute("GET", "/v1/clock", env_.config->gateway().ingest_url());
    PassOnRoute("POST", "/v1/clock", env_.config->gateway().ingest_url());
    const std::string& replay = env_.config->gateway().replay_url();
    PassOnRoute("GET", "/v1/rejected", replay);
    PassOnRoute("GET", "/v1/rejected/{position}", replay);
    PassOnRoute("POST", "/v1/rejected/{position}/retry", replay);
    const std::string& sources = env_.config->gateway().sources_url();
    PassOnRoute("GET", "/v1/sources", sources);
    PassOnRoute("GET", "/v1/sources/{name}/records", sources);
    PassOnRoute("GET", "/v1/identities", sources);
    PassOnRoute("GET", "/v1/identities/reviews", sources);
    PassOnRoute("POST", "/v1/identities/reviews/{id}/reject", sources);
    // Each process of sources has all of them: one is asked.
    const std::string identity = "/v1/projections/identity";
    PassOnRoute("GET", identity + "/jobs", sources);
    for (const char* order : {"/verify", "/jobs/pause", "/jobs/resume", "/jobs/cancel"}) {
      PassOnRoute("POST", identity + order, sources);
    }
    PassOnRoute("POST", "/v1/clients/{id}/merge", sources);
    PassOnRoute("POST", "/v1/merges/{id}/split", sources);
    PassOnRoute("GET", "/v1/merges", sources);
    PassOnRoute("GET", "/v1/merges/{id}", sources);
    const std::string& alerts = env_.config->gateway().alerts_url();
    PassOnRoute("GET", "/v1/alerts", alerts);
    PassOnRoute("GET", "/v1/alerts/{id...}", alerts);
    PassOnRoute("GET", "/v1/alerts/stream", alerts, /*stream=*/true);
    for (const char* action : {"acknowledge", "snooze", "dismiss", "resolve"}) {
      PassOnRoute("POST", absl::StrCat("/v1/alerts/{id...}/", action), alerts);
    }
    PassOnRoute("GET", "/v1/web-hooks", alerts);
    PassOnRoute("GET", "/v1/web-hooks/{name}/deliveries", alerts);
    PassOnRoute("POST", "/v1/web-hooks/{name}/deliveries/{id}/resend", alerts);
    PassOnRoute("POST", "/v1/web-hooks/{name}/enable", alerts);
    PassOnRoute("GET", "/v1/mail", alerts);
    PassOnRoute("POST", "/v1/mail/test", alerts);
    for (const char* const method : {"GET", "POST"}) {
      PassOnRoute(method, "/v1/mail/digests/{person}", alerts);
      PassOnRoute(method, "/v1/mail/preferences/{person}", alerts);
      PassOnOpenRoute(method, "/v1/mail/unsubscribe/{ticket}", alerts);
    }
  }

  absl::Status NotKnownYet() const {
    const absl::Status status = exchange_.owners->status();
    return absl::UnavailableError(absl::StrCat("the owners of the partitions are not known yet: ",
                                               status.ok() ? "asking" : status.message()));
  }

  const ServiceEnv env_;
  const ExchangeEnv exchange_;
  std::unique_ptr<ChangeStreams> changes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartGateway(const ServiceEnv& env) {
  std::string token;
  if (!env.config->http().token_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(token, ReadSecretFile(env.config->http().token_file()));
  }
  RAPPORT_RETURN_IF_ERROR(AddProjectionListRoute(env));
  RAPPORT_RETURN_IF_ERROR(ServeConsole(env.config->http().console_folder(), env.http));
  RAPPORT_ASSIGN_OR_RETURN(const FigureEnv figures, FigureEnvOf(env.config->kpi()));
  RAPPORT_ASSIGN_OR_RETURN(BonusSchemes schemes, BonusSchemesOf(env.config->kpi()));
  return std::make_unique<Gateway>(env, std::move(token), figures, std::move(schemes));
}

}  // namespace rapport
