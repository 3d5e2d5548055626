#include "services/retention/retention.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/fold_engine.h"
#include "libs/serving/as_of.h"
#include "libs/serving/openapi.h"
#include "libs/serving/owned_list.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/query_values.h"
#include "libs/serving/timeline_client.h"
#include "services/retention/call_list_answer.h"
#include "services/retention/model_file.h"
#include "services/retention/retention_answer.h"
#include "services/retention/retention_history.h"

namespace rapport {
namespace {

constexpr int kMostPoints = 1000;

absl::Status NoSuchClient(const std::string& client_id) {
  return absl::NotFoundError(
      absl::StrCat("nothing that tells of risk is known of a client '", client_id, "'"));
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

class RetentionService final : public Service {
 public:
  RetentionService(RetentionSettings settings, std::unique_ptr<ProjectionHost> host,
                   std::unique_ptr<TimelineClient> timeline)
      : settings_(std::move(settings)), host_(std::move(host)), timeline_(std::move(timeline)) {
    host_->Answer("/v1/retention/at-risk",
                  {"owner", "team", "branch", "min_risk", "sort", "cursor", "limit"},
                  [this](const HttpRequest& request) { return ListAtRisk(request); });
    host_->Answer("/v1/owners/{id}/call-list", {"limit"},
                  [this](const HttpRequest& request) { return ListCalls(request); });
    host_->Get("/v1/retention/{client}", {"as_of"}, [this](HttpRequest request, HttpReply reply) {
      Show(std::move(request), std::move(reply));
    });
    host_->Get("/v1/retention/{client}/history", {"from", "to", "step"},
               [this](HttpRequest request, HttpReply reply) {
                 ShowHistory(std::move(request), std::move(reply));
               });
  }

  absl::Status Ready() const override { return host_->Ready(); }
  std::vector<std::string> Warnings() const override { return host_->Warnings(/*judges=*/true); }

 private:
  absl::StatusOr<HttpResponse> ListAtRisk(const HttpRequest& request) const {
    ProjectionView::Range range;
    const std::string sort = request.Query("sort").value_or("score");
    const bool by_loss = sort == "loss";
    if (!by_loss && sort != "score") {
      return absl::InvalidArgumentError(
          absl::StrCat("sort is '", sort, "'; there are: score, loss"));
    }
    const OwnedList list = {
        .all = by_loss ? kAtRiskByLossIndex : kAtRiskIndex,
        .by_owner = by_loss ? kAtRiskByOwnerAndLossIndex : kAtRiskByOwnerIndex,
        .owner_of = [](const ProjectionView::IndexEntry& entry) -> std::optional<std::string> {
          state::v1::AtRiskRow row;
          if (!row.ParseFromString(entry.value)) return std::nullopt;
          return row.owner_id();
        }};
    RAPPORT_ASSIGN_OR_RETURN(const OwnerFilter owners,
                             OwnerFilter::Of(request, host_->env().http->access()));
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> min_risk,
                             QueryNumber(request, "min_risk", 0, kMostPoints));
    if (min_risk && by_loss) {
      return absl::InvalidArgumentError("min_risk goes with sort=score alone");
    }
    if (min_risk) {
      // The highest score comes first: the key is what is missing to the most points.
      AppendBig32(&range.before, static_cast<uint32_t>(kMostPoints + 1 - *min_risk));
    }
    RAPPORT_ASSIGN_OR_RETURN(const PageRequest page, ReadPageRequest(request, ""));
    range.after = page.after;
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    RAPPORT_ASSIGN_OR_RETURN(std::vector<ProjectionView::IndexEntry> entries,
                             ListOwned(reading.view, list, owners, range, page.limit + 1));
    query::v1::AtRiskList answer;
    *answer.mutable_thresholds() = ThresholdsOf(settings_);
    const bool more = entries.size() > page.limit;
    if (more) entries.pop_back();
    for (const ProjectionView::IndexEntry& entry : entries) {
      state::v1::AtRiskRow row;
      if (!row.ParseFromString(entry.value)) {
        return absl::DataLossError(absl::StrCat("the entry of client ", entry.client_id,
                                                " in list ", list.all, " is damaged"));
      }
      state::v1::RetentionState state;
      RAPPORT_ASSIGN_OR_RETURN(const bool found, reading.view.Get(entry.client_id, &state));
      query::v1::AtRiskClient& client = *answer.add_clients();
      client = ToAtRisk(entry.client_id, row, found ? &state : nullptr, settings_, reading.clock);
      client.set_cursor(EncodeCursor(entry.place));
    }
    if (more) answer.set_next_cursor(EncodeCursor(entries.back().place));
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  absl::StatusOr<HttpResponse> ListCalls(const HttpRequest& request) const {
    const std::string& owner_id = request.PathValue("id");
    // Whom somebody may not see has an empty list, as if there were no such owner.
    const bool seen = CallerOf(request).Sees(owner_id);
    RAPPORT_ASSIGN_OR_RETURN(const PageRequest page, ReadPageRequest(request, ""));
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadAll());
    query::v1::CallList answer;
    if (seen) {
      RAPPORT_ASSIGN_OR_RETURN(
          answer, ReadCallList(reading.view, owner_id, settings_, reading.clock, page.limit));
    }
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  void Show(HttpRequest request, HttpReply reply) {
    const absl::StatusOr<std::optional<absl::Time>> as_of = QueryTime(request, "as_of");
    if (!as_of.ok()) return reply.Send(ErrorResponse(as_of.status(), "as_of"));
    const auto shared = std::make_shared<HttpReply>(std::move(reply));
    if (const absl::Status seen = CheckMaySee(request); !seen.ok()) {
      return shared->Send(ErrorResponse(seen));
    }
    if (*as_of) return ShowAsOf(std::move(request), **as_of, shared);
    absl::StatusOr<query::v1::Retention> answer = ReadNow(request.PathValue("client"));
    if (!answer.ok()) return shared->Send(ErrorResponse(answer.status()));
    std::vector<std::string> behind = TouchpointsBehind(*answer);
    if (behind.empty()) return shared->Send(MessageResponse(request, *answer));
    const TimelineClient::Query query = {.client_id = answer->client_id(),
                                         .event_ids = std::move(behind),
                                         .wait_for = PositionsIn(answer->watermark())};
    timeline_->Fetch(query, [shared, request = std::move(request), found = *std::move(answer)](
                                const absl::StatusOr<query::v1::Touchpoints>& touchpoints) {
      query::v1::Retention told = found;
      if (touchpoints.ok()) FillTouchpoints(touchpoints->touchpoints(), &told);
      told.set_touchpoints_missing(!touchpoints.ok());
      shared->Send(MessageResponse(request, told));
    });
  }

  // Whoever owns the client now decides, whatever the day that is asked for.
  absl::Status CheckMaySee(const HttpRequest& request) const {
    if (CallerOf(request).sees_all) return absl::OkStatus();
    const std::string& client_id = request.PathValue("client");
    RAPPORT_ASSIGN_OR_RETURN(const ProjectionHost::Reading reading, host_->ReadClient(client_id));
    state::v1::RetentionState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, reading.view.Get(client_id, &state));
    if (!found) return NoSuchClient(client_id);
    return CheckSeen(request, state.factors().owner().owner_id(), NoSuchClient(client_id));
  }

  absl::StatusOr<query::v1::Retention> ReadNow(const std::string& client_id) const {
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadClient(client_id));
    state::v1::RetentionState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, reading.view.Get(client_id, &state));
    if (!found) return NoSuchClient(client_id);
    query::v1::Retention answer = ToRetention(client_id, state, settings_, reading.clock);
    *answer.mutable_watermark() = std::move(reading.watermark);
    return answer;
  }

  void ShowHistory(HttpRequest request, HttpReply reply) {
    const absl::StatusOr<RetentionPeriod> period = ReadPeriod(request);
    if (!period.ok()) return reply.Send(ErrorResponse(period.status()));
    const TimelineClient::Query query = {.client_id = request.PathValue("client"),
                                         .until = period->to,
                                         .wait_for = QueryAll(request, "wait_for")};
    const auto shared = std::make_shared<HttpReply>(std::move(reply));
    timeline_->Fetch(query, [this, request = std::move(request), period = *period,
                             shared](absl::StatusOr<query::v1::Touchpoints> touchpoints) {
      host_->chores().Add([this, request, period, shared, fetched = std::move(touchpoints)] {
        const std::string& client_id = request.PathValue("client");
        if (absl::IsNotFound(fetched.status())) {
          return shared->Send(ErrorResponse(NoSuchClient(client_id)));
        }
        if (!fetched.ok()) return shared->Send(ErrorResponse(fetched.status()));
        query::v1::RetentionHistory answer = FoldRetentionHistory(
            client_id, {fetched->touchpoints().begin(), fetched->touchpoints().end()}, settings_,
            period);
        *answer.mutable_watermark() = fetched->watermark();
        shared->Send(MessageResponse(request, answer));
      });
    });
  }

  absl::StatusOr<RetentionPeriod> ReadPeriod(const HttpRequest& request) const {
    RAPPORT_RETURN_IF_ERROR(CheckMaySee(request));
    const std::string step = request.Query("step").value_or("day");
    if (step != "day") {
      return absl::InvalidArgumentError(absl::StrCat("step is '", step, "'; there is: day"));
    }
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> from, QueryTime(request, "from"));
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> to, QueryTime(request, "to"));
    RAPPORT_ASSIGN_OR_RETURN(const ProjectionHost::Reading reading,
                             host_->ReadClient(request.PathValue("client")));
    return RetentionPeriodOf(from, to, reading.clock);
  }

  // The fold may take a while, so it is done neither on the server's thread nor on the client's.
  void ShowAsOf(HttpRequest request, absl::Time as_of, const std::shared_ptr<HttpReply>& reply) {
    const TimelineClient::Query query = {.client_id = request.PathValue("client"),
                                         .until = as_of,
                                         .wait_for = QueryAll(request, "wait_for")};
    timeline_->Fetch(query, [this, request = std::move(request), as_of,
                             reply](absl::StatusOr<query::v1::Touchpoints> touchpoints) {
      host_->chores().Add([this, request, as_of, reply, fetched = std::move(touchpoints)] {
        const absl::StatusOr<query::v1::Retention> answer =
            FoldAsOf(request.PathValue("client"), fetched, as_of);
        reply->Send(answer.ok() ? MessageResponse(request, *answer)
                                : ErrorResponse(answer.status()));
      });
    });
  }

  absl::StatusOr<query::v1::Retention> FoldAsOf(
      const std::string& client_id, const absl::StatusOr<query::v1::Touchpoints>& fetched,
      absl::Time as_of) const {
    if (absl::IsNotFound(fetched.status())) return NoSuchClient(client_id);
    RAPPORT_RETURN_IF_ERROR(fetched.status());
    if (fetched->touchpoints().empty()) {
      return absl::NotFoundError(
          absl::StrCat("nothing is known of a client '", client_id, "' by ",
                       absl::FormatTime(absl::RFC3339_full, as_of, absl::UTCTimeZone())));
    }
    const state::v1::RetentionState state =
        AsOfFold<Retention>(client_id, settings_,
                            {fetched->touchpoints().begin(), fetched->touchpoints().end()})
            .At(as_of);
    query::v1::Retention answer = ToRetention(client_id, state, settings_, as_of);
    FillTouchpoints(fetched->touchpoints(), &answer);
    answer.set_historical(true);
    *answer.mutable_watermark() = fetched->watermark();
    return answer;
  }

  const RetentionSettings settings_;
  const std::unique_ptr<ProjectionHost> host_;
  // Gone before the host: what it has under way uses the host.
  const std::unique_ptr<TimelineClient> timeline_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartRetention(const ServiceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(RetentionSettings settings, ModelInForce(env.config->data_folder()));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<TimelineClient> timeline, TimelineClient::Create(env));
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<ProjectionHost> host,
                           ProjectionHost::Start(env, env.config->retention(),
                                                 std::make_unique<SpecOf<Retention>>(settings)));
  if (!env.all_in_one) ServeOpenApi(*env.http);
  return std::make_unique<RetentionService>(std::move(settings), std::move(host),
                                            std::move(timeline));
}

}  // namespace rapport
