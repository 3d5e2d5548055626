#include "services/pipeline/pipeline.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projector/fold_engine.h"
#include "libs/serving/as_of.h"
#include "libs/serving/openapi.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/query_values.h"
#include "libs/serving/timeline_client.h"
#include "services/pipeline/board.h"
#include "services/pipeline/deal_list.h"

namespace rapport {
namespace {

constexpr int kMostSharedDeals = 100;

absl::Status NoSuchDeal(const std::string& deal_id) {
  return absl::NotFoundError(absl::StrCat("there is no deal '", deal_id, "'"));
}

class Pipeline final : public Service {
 public:
  Pipeline(std::unique_ptr<ProjectionHost> host, std::unique_ptr<TimelineClient> timeline)
      : host_(std::move(host)), timeline_(std::move(timeline)) {
    // All deals are read for the sums.
    host_->Answer(
        "/v1/pipeline/board", {"owner", "team", "branch", "limit"},
        [this](const HttpRequest& request) { return ShowBoard(request); },
        [](const HttpRequest&) { return true; });
    host_->Answer(
        "/v1/pipeline/deals", {kDealListParameters.begin(), kDealListParameters.end()},
        [this](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
          RAPPORT_ASSIGN_OR_RETURN(const query::v1::DealList list, ListDeals(*host_, request));
          return MessageResponse(request, list);
        },
        [](const HttpRequest&) { return true; });
    host_->Get("/v1/deals/{id}", {"as_of"}, [this](HttpRequest request, HttpReply reply) {
      Show(std::move(request), std::move(reply));
    });
  }

  absl::Status Ready() const override { return host_->Ready(); }
  std::vector<std::string> Warnings() const override { return host_->Warnings(/*judges=*/true); }

 private:
  struct Found {
    std::string client_id;
    std::string owner_id;  // of the deal
    state::v1::DealPipelineState state;
    query::v1::Watermark watermark;
    absl::Time now = absl::InfinitePast();
  };

  absl::StatusOr<HttpResponse> ShowBoard(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> limit,
                             QueryNumber(request, "limit", 0, kLargestPage));
    RAPPORT_ASSIGN_OR_RETURN(const OwnerFilter owners,
                             OwnerFilter::Of(request, host_->env().http->access()));
    std::vector<std::string> prefixes;
    for (const std::string& owner : owners.owners()) {
      AppendKeyString(&prefixes.emplace_back(), owner);
    }
    if (owners.everybody()) prefixes.emplace_back();
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const auto shared, SharedDeals(reading.view));
    BoardBuilder board(limit ? static_cast<size_t>(*limit) : kDefaultPage, reading.clock);
    bool readable = true;
    for (const std::string& prefix : prefixes) {
      RAPPORT_RETURN_IF_ERROR(reading.view.Scan(
          kBoardIndex, {.prefix = prefix}, [&](const ProjectionView::IndexEntry& entry) {
            state::v1::DealRow row;
            readable = row.ParseFromString(entry.value);
            if (readable && StandsWith(entry.client_id, row, shared))
              board.Add(entry.place, entry.client_id, row);
            return readable;
          }));
    }
    if (!readable) return absl::DataLossError("an entry of the board is damaged");
    query::v1::Board answer = std::move(board).Build();
    for (const auto& [deal_id, places] : shared) {
      if (answer.shared_deals_size() == kMostSharedDeals) break;
      // Others' clients are none of the reader's business.
      if (!std::all_of(places.begin(), places.end(), [&owners](const DealPlace& place) {
            return owners.Has(place.row.owner_id());
          })) {
        continue;
      }
      query::v1::SharedDeal& told = *answer.add_shared_deals();
      told.set_deal_id(deal_id);
      told.set_client_id(places.front().client_id);
      for (size_t i = 1; i < places.size(); ++i) told.add_other_client_ids(places[i].client_id);
    }
    // Whoever sees figures of all may see the names of some.
    const Caller& caller = CallerOf(request);
    const bool names = caller.May(Permission::kReadClients) &&
                       (!caller.sees_all || caller.MayForAll(Permission::kReadClients));
    if (!names) LeaveFigures(&answer);
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  // Nothing that names a client or a deal.
  static void LeaveFigures(query::v1::Board* board) {
    board->clear_shared_deals();
    for (query::v1::BoardColumn& column : *board->mutable_columns()) column.clear_deals();
  }

  void Show(HttpRequest request, HttpReply reply) {
    const absl::StatusOr<std::optional<absl::Time>> as_of = QueryTime(request, "as_of");
    if (!as_of.ok()) return reply.Send(ErrorResponse(as_of.status(), "as_of"));
    const std::string& deal_id = request.PathValue("id");
    absl::StatusOr<Found> found = Find(deal_id);
    if (found.ok()) {
      // The seller's deal, and the client's owner's.
      const Caller& caller = CallerOf(request);
      if (!caller.Sees(found->owner_id) && !caller.Sees(found->state.client_owner().owner_id())) {
        found = NoSuchDeal(deal_id);
      }
    }
    if (!found.ok()) return reply.Send(ErrorResponse(found.status()));
    if (!*as_of) return reply.Send(Tell(request, *found, std::nullopt));
    const auto shared = std::make_shared<HttpReply>(std::move(reply));
    const TimelineClient::Query query = {
        .client_id = found->client_id, .until = **as_of, .wait_for = QueryAll(request, "wait_for")};
    timeline_->Fetch(
        query, [this, shared, client_id = found->client_id, request = std::move(request),
                at = **as_of](absl::StatusOr<query::v1::Touchpoints> touchpoints) {
          host_->chores().Add([shared, client_id, request, at, fetched = std::move(touchpoints)] {
            if (!fetched.ok()) return shared->Send(ErrorResponse(fetched.status()));
            Found then{.client_id = client_id, .watermark = fetched->watermark(), .now = at};
            then.state =
                AsOfFold<DealPipeline>(
                    client_id, {}, {fetched->touchpoints().begin(), fetched->touchpoints().end()})
                    .At(at);
            shared->Send(Tell(request, then, at));
          });
        });
  }

  // The deals of the client whose deal it is.
  absl::StatusOr<Found> Find(const std::string& deal_id) const {
    RAPPORT_ASSIGN_OR_RETURN(const ProjectionHost::Reading all, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<DealPlace> places, FindDeal(all.view, deal_id));
    if (places.empty()) return NoSuchDeal(deal_id);
    Found found{.client_id = places.front().client_id, .owner_id = places.front().row.owner_id()};
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadClient(found.client_id));
    RAPPORT_RETURN_IF_ERROR(reading.view.Get(found.client_id, &found.state).status());
    found.now = reading.clock;
    found.watermark = std::move(reading.watermark);
    return found;
  }

  static HttpResponse Tell(const HttpRequest& request, const Found& found,
                           std::optional<absl::Time> as_of) {
    const std::string& deal_id = request.PathValue("id");
    const auto& deals = found.state.deals();
    const auto deal = std::find_if(deals.begin(), deals.end(), [&](const state::v1::Deal& one) {
      return one.deal_id() == deal_id;
    });
    if (deal == deals.end()) return ErrorResponse(NoSuchDeal(deal_id));
    query::v1::Deal answer = ToDeal(found.client_id, *deal,
                                    RowOf(found.state, *deal, DealPipelineSettings{}), found.now);
    if (as_of) ToProto(*as_of, answer.mutable_as_of());
    *answer.mutable_watermark() = found.watermark;
    return MessageResponse(request, answer);
  }

  const std::unique_ptr<ProjectionHost> host_;
  // Gone before the host: what it has under way uses the host.
  const std::unique_ptr<TimelineClient> timeline_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartPipeline(const ServiceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<TimelineClient> timeline, TimelineClient::Create(env));
  RAPPORT_ASSIGN_OR_RETURN(
      std::unique_ptr<ProjectionHost> host,
      ProjectionHost::Start(env, env.config->pipeline(),
                            std::make_unique<SpecOf<DealPipeline>>(DealPipelineSettings{})));
  if (!env.all_in_one) ServeOpenApi(*env.http);
  return std::make_unique<Pipeline>(std::move(host), std::move(timeline));
}

}  // namespace rapport
