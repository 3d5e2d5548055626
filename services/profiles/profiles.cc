#include "services/profiles/profiles.h"

#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/event_id.h"
#include "libs/base/mutex.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/projector/fold_engine.h"
#include "libs/serving/as_of.h"
#include "libs/serving/change_streams.h"
#include "libs/serving/openapi.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/projection_host.h"
#include "libs/serving/projection_list.h"
#include "libs/serving/query_values.h"
#include "services/profiles/agenda_answer.h"
#include "services/profiles/client_answer.h"
#include "services/profiles/client_list.h"
#include "services/profiles/client_search.h"
#include "services/profiles/client_write.h"
#include "services/profiles/commitment_answer.h"
#include "services/profiles/handover.h"
#include "services/profiles/timeline_answer.h"

namespace rapport {
namespace {

constexpr char kClientRoute[] = "/v1/clients/{id}";

absl::Status NoSuchClient(const std::string& client_id) {
  return absl::NotFoundError(absl::StrCat("there is no client '", client_id, "'"));
}

class Profiles final : public Service {
 public:
  explicit Profiles(std::unique_ptr<ProjectionHost> host) : host_(std::move(host)) {
    host_->Answer(
        "/v1/clients",
        {"owner", "team", "branch", "segment", "key_account", "q", "sort", "count", "cursor",
         "limit"},
        [this](const HttpRequest& request) { return List(request); }, ReadsManyClients);
    host_->Answer("/v1/search", {"q", "owner", "team", "branch", "limit"},
                  [this](const HttpRequest& request) { return Search(request); });
    host_->Answer(
        kClientRoute, {"as_of"}, [this](const HttpRequest& request) { return Show(request); },
        [](const HttpRequest& request) { return request.Query("as_of").has_value(); });
    host_->Answer(
        absl::StrCat(kClientRoute, "/timeline"),
        {kTimelineParameters.begin(), kTimelineParameters.end()},
        [this](const HttpRequest& request) { return ShowTimeline(request); }, FiltersTimeline);
    host_->Answer(
        absl::StrCat(kClientRoute, "/touchpoints"), {"id", "until"},
        [this](const HttpRequest& request) { return ShowTouchpoints(request); },
        [](const HttpRequest&) { return true; });
    host_->Answer("/v1/agenda", {"owner", "team", "branch", "kind", "until", "cursor", "limit"},
                  [this](const HttpRequest& request) { return ShowAgenda(request); });
    host_->Answer("/v1/commitments",
                  {"owner", "team", "branch", "promiser", "client", "state", "from", "to", "by",
                   "cursor", "limit"},
                  [this](const HttpRequest& request) { return ShowCommitments(request); });
    AddHandoverRoute(host_.get());
    AddClientWriteRoute(host_.get());
    // Beside others it is the gateway that tells of all partitions.
    const ServiceEnv& env = host_->env();
    if (!env.all_in_one) return;
    changes_ = std::make_unique<ChangeStreams>(
        env.log,
        ChangeStreams::Options{.topic = env.topics.touchpoints,
                               .group = absl::StrCat("rapport-changes-", env.instance),
                               .member = env.instance},
        [this](const auto& clients) { return OwnersOf(clients); });
    changes_->AddRoute(env.http);
  }

  absl::Status Ready() const override { return host_->Ready(); }
  std::vector<std::string> Warnings() const override { return host_->Warnings(/*judges=*/false); }

 private:
  // Once the positions are folded.
  absl::StatusOr<std::map<std::string, std::string>> OwnersOf(
      const std::map<std::string, RecordPosition>& clients) const {
    constexpr absl::Duration kLongestWait = absl::Seconds(5);
    struct Waiting {
      explicit Waiting(size_t clients) : left(clients) {}
      Mutex mutex;
      CondVar changed;
      size_t left ABSL_GUARDED_BY(mutex);
      absl::Status failed ABSL_GUARDED_BY(mutex);
    };
    // Who is told late finds it still there.
    const auto waiting = std::make_shared<Waiting>(clients.size());
    for (const auto& [client_id, position] : clients) {
      host_->projector().NotifyAt(position.partition, position.offset + 1,
                                  absl::Now() + kLongestWait, [waiting](const absl::Status& at) {
                                    MutexLock lock(&waiting->mutex);
                                    if (!at.ok()) waiting->failed = at;
                                    --waiting->left;
                                    waiting->changed.SignalAll();
                                  });
    }
    {
      MutexLock lock(&waiting->mutex);
      while (waiting->left > 0) waiting->changed.Wait(&waiting->mutex);
      RAPPORT_RETURN_IF_ERROR(waiting->failed);
    }
    std::map<std::string, std::string> owners;
    state::v1::ProfileState state;
    for (const auto& [client_id, position] : clients) {
      RAPPORT_ASSIGN_OR_RETURN(const ProjectionHost::Reading reading, host_->ReadClient(client_id));
      RAPPORT_ASSIGN_OR_RETURN(const bool found, reading.view.Get(client_id, &state));
      owners[client_id] = found ? OwnerOf(state) : "";
    }
    return owners;
  }

  absl::StatusOr<HttpResponse> List(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const query::v1::ClientList list, ListClients(*host_, request));
    return MessageResponse(request, list);
  }

  absl::StatusOr<HttpResponse> ShowAgenda(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const query::v1::Agenda agenda, AnswerAgenda(*host_, request));
    return MessageResponse(request, agenda);
  }

  absl::StatusOr<HttpResponse> ShowCommitments(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const query::v1::CommitmentList list,
                             AnswerCommitments(*host_, request));
    return MessageResponse(request, list);
  }

  absl::StatusOr<HttpResponse> Search(const HttpRequest& request) const {
    RAPPORT_ASSIGN_OR_RETURN(const query::v1::SearchAnswer answer, SearchClients(*host_, request));
    return MessageResponse(request, answer);
  }

  absl::StatusOr<HttpResponse> Show(const HttpRequest& request) const {
    const std::string& client_id = request.PathValue("id");
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> as_of, QueryTime(request, "as_of"));
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadClient(client_id));
    state::v1::ProfileState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, reading.view.Get(client_id, &state));
    // Whoever owns the client now decides, whatever the day that is asked for.
    if (found) {
      RAPPORT_RETURN_IF_ERROR(CheckSeen(request, OwnerOf(state), NoSuchClient(client_id)));
    }
    if (as_of) {
      RAPPORT_ASSIGN_OR_RETURN(std::vector<touchpoint::v1::Touchpoint> touchpoints,
                               TouchpointsOf(reading.view, client_id, as_of));
      if (touchpoints.empty()) {
        return absl::NotFoundError(
            absl::StrCat("nothing is known of a client '", client_id, "' by ",
                         absl::FormatTime(absl::RFC3339_full, *as_of, absl::UTCTimeZone())));
      }
      state = AsOfFold<Profile>(client_id, {}, std::move(touchpoints)).At(*as_of);
    } else if (!found) {
      return AbsorbedOrNone(request, std::move(reading), client_id);
    }
    query::v1::Client answer = ToClient(client_id, state, as_of.value_or(reading.clock));
    if (as_of) ToProto(*as_of, answer.mutable_as_of());
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  absl::StatusOr<HttpResponse> ShowTimeline(const HttpRequest& request) const {
    const std::string& client_id = request.PathValue("id");
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadClient(client_id));
    if (!CallerOf(request).sees_all) {
      RAPPORT_RETURN_IF_ERROR(CheckKnown(request, reading, client_id));
    }
    RAPPORT_ASSIGN_OR_RETURN(query::v1::Timeline answer,
                             ReadTimeline(reading.view, client_id, request));
    if (answer.touchpoints().empty()) {
      RAPPORT_RETURN_IF_ERROR(CheckKnown(request, reading, client_id));
    }
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  absl::StatusOr<HttpResponse> ShowTouchpoints(const HttpRequest& request) const {
    const std::string& client_id = request.PathValue("id");
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> until, QueryTime(request, "until"));
    std::set<std::string> event_ids;
    for (const std::string& hex : QueryAll(request, "id")) {
      const std::string id = absl::HexStringToBytes(hex);
      if (absl::BytesToHexString(id) != hex || id.size() != EventId::kSize) {
        return absl::InvalidArgumentError(
            absl::StrCat("id is '", hex, "'; write the 32 hexadecimal digits of a touchpoint_id"));
      }
      event_ids.insert(id);
    }
    RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host_->ReadClient(client_id));
    if (!CallerOf(request).sees_all) {
      RAPPORT_RETURN_IF_ERROR(CheckKnown(request, reading, client_id));
    }
    RAPPORT_ASSIGN_OR_RETURN(std::vector<touchpoint::v1::Touchpoint> touchpoints,
                             TouchpointsOf(reading.view, client_id, until, event_ids));
    if (touchpoints.empty()) RAPPORT_RETURN_IF_ERROR(CheckKnown(request, reading, client_id));
    query::v1::Touchpoints answer;
    answer.set_client_id(client_id);
    answer.mutable_touchpoints()->Assign(std::make_move_iterator(touchpoints.begin()),
                                         std::make_move_iterator(touchpoints.end()));
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  // A client who goes on under another has nothing but that one's name.
  static absl::StatusOr<HttpResponse> AbsorbedOrNone(const HttpRequest& request,
                                                     ProjectionHost::Reading reading,
                                                     const std::string& client_id) {
    RAPPORT_ASSIGN_OR_RETURN(std::string survivor, reading.view.AbsorbedInto(client_id));
    // Whose the other is now, its own partition knows.
    if (survivor.empty() || !CallerOf(request).sees_all) return NoSuchClient(client_id);
    query::v1::Client answer;
    answer.set_client_id(client_id);
    answer.set_survivor_client_id(std::move(survivor));
    *answer.mutable_watermark() = std::move(reading.watermark);
    return MessageResponse(request, answer);
  }

  static absl::Status CheckKnown(const HttpRequest& request, const ProjectionHost::Reading& reading,
                                 const std::string& client_id) {
    state::v1::ProfileState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, reading.view.Get(client_id, &state));
    if (!found) return NoSuchClient(client_id);
    return CheckSeen(request, OwnerOf(state), NoSuchClient(client_id));
  }

  const std::unique_ptr<ProjectionHost> host_;
  // Gone before the host, which it asks.
  std::unique_ptr<ChangeStreams> changes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> StartProfiles(const ServiceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(
      std::unique_ptr<ProjectionHost> host,
      ProjectionHost::Start(env, env.config->profiles(),
                            std::make_unique<SpecOf<Profile>>(ProfileSettings{})));
  // In one process with the others it is this service that tells of all.
  ServeOpenApi(*env.http);
  if (env.all_in_one) RAPPORT_RETURN_IF_ERROR(AddProjectionListRoute(env));
  return std::make_unique<Profiles>(std::move(host));
}

}  // namespace rapport
