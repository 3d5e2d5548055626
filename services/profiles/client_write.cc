#include "services/profiles/client_write.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "libs/base/event_id.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/intake/cloud_events.h"
#include "libs/intake/problem.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/profile/profile.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/queued_answer.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"
#include "rapport/touchpoint/v1/sales.pb.h"

namespace rapport {
namespace {

using state::v1::ProfileState;
using touchpoint::v1::Touchpoint;

constexpr char kSource[] = "console";
constexpr int kAccepted = 202;
constexpr int kTooLarge = 413;
constexpr int kUnsupported = 415;
// Of one request by a person.
constexpr size_t kMostTouchpoints = 100;
constexpr int kMostNamed = 5;

// What a touchpoint names.
struct Named {
  absl::string_view path;  // of the field
  absl::string_view what;  // "promise"
  const std::string& id;
};

// The ids of those that are open, for whoever wrote another.
template <class Entries, class IdOf>
std::string OpenOnes(const Entries& entries, IdOf id_of) {
  std::vector<std::string> ids;
  for (const auto& entry : entries) {
    if (IsOpen(entry)) ids.push_back(absl::StrCat("'", id_of(entry), "'"));
  }
  if (ids.empty()) return "none is open";
  const bool cut = ids.size() > kMostNamed;
  if (cut) ids.resize(kMostNamed);
  return absl::StrCat("open: ", absl::StrJoin(ids, ", "), cut ? ", ..." : "");
}

class Checker {
 public:
  Checker(const std::string& client_id, const ProfileState& state)
      : client_id_(client_id), state_(state) {}

  absl::Status Check(const Touchpoint& touchpoint) const {
    for (int i = 0; i < touchpoint.stakeholder_ids_size(); ++i) {
      RAPPORT_RETURN_IF_ERROR(
          CheckPerson(absl::StrCat("stakeholder_ids[", i, "]"), touchpoint.stakeholder_ids(i)));
    }
    // A default, since most kinds name nothing that has to be there.
    switch (touchpoint.payload_case()) {
      case Touchpoint::kCommitmentMade: {
        const auto& made = touchpoint.commitment_made();
        RAPPORT_RETURN_IF_ERROR(
            IsNew(state_.commitments(), CommitmentId,
                  {"commitment_made.commitment_id", "promise", made.commitment_id()}));
        RAPPORT_RETURN_IF_ERROR(CheckDeal("commitment_made.deal_id", made.deal_id()));
        if (!made.complaint_id().empty()) {
          RAPPORT_RETURN_IF_ERROR(
              IsOpenOne(state_.complaints(), ComplaintId,
                        {"commitment_made.complaint_id", "complaint", made.complaint_id()}));
        }
        return CheckMeeting("commitment_made.meeting_id", made.meeting_id());
      }
      case Touchpoint::kCommitmentKept:
        return Promise("commitment_kept.commitment_id",
                       touchpoint.commitment_kept().commitment_id());
      case Touchpoint::kCommitmentBroken:
        return Promise("commitment_broken.commitment_id",
                       touchpoint.commitment_broken().commitment_id());
      case Touchpoint::kCommitmentMoved:
        return Promise("commitment_moved.commitment_id",
                       touchpoint.commitment_moved().commitment_id());
      case Touchpoint::kComplaintOpened:
        return IsNew(state_.complaints(), ComplaintId,
                     {"complaint_opened.complaint_id", "complaint",
                      touchpoint.complaint_opened().complaint_id()});
      case Touchpoint::kComplaintSettled:
        return IsOpenOne(state_.complaints(), ComplaintId,
                         {"complaint_settled.complaint_id", "complaint",
                          touchpoint.complaint_settled().complaint_id()});
      case Touchpoint::kComplaintRejected:
        return IsOpenOne(state_.complaints(), ComplaintId,
                         {"complaint_rejected.complaint_id", "complaint",
                          touchpoint.complaint_rejected().complaint_id()});
      case Touchpoint::kMeetingPlanned:
        RAPPORT_RETURN_IF_ERROR(IsNew(
            state_.meetings(), MeetingId,
            {"meeting_planned.meeting_id", "meeting", touchpoint.meeting_planned().meeting_id()}));
        return CheckDeal("meeting_planned.deal_id", touchpoint.meeting_planned().deal_id());
      case Touchpoint::kMeetingMoved:
        return IsOpenOne(
            state_.meetings(), MeetingId,
            {"meeting_moved.meeting_id", "meeting", touchpoint.meeting_moved().meeting_id()});
      case Touchpoint::kMeetingCancelled:
        return IsOpenOne(state_.meetings(), MeetingId,
                         {"meeting_cancelled.meeting_id", "meeting",
                          touchpoint.meeting_cancelled().meeting_id()});
      case Touchpoint::kMeetingHeld:
        if (touchpoint.meeting_held().meeting_id().empty()) return absl::OkStatus();
        return IsOpenOne(
            state_.meetings(), MeetingId,
            {"meeting_held.meeting_id", "meeting", touchpoint.meeting_held().meeting_id()});
      case Touchpoint::kObjectionSettled:
        return IsOpenOne(state_.objections(), ObjectionId,
                         {"objection_settled.objection_id", "objection",
                          touchpoint.objection_settled().objection_id()});
      case Touchpoint::kObjectionRaised:
        return CheckDeal("objection_raised.deal_id", touchpoint.objection_raised().deal_id());
      case Touchpoint::kNeedIdentified:
        return CheckDeal("need_identified.deal_id", touchpoint.need_identified().deal_id());
      case Touchpoint::kCompetitorMentioned:
        return CheckDeal("competitor_mentioned.deal_id",
                         touchpoint.competitor_mentioned().deal_id());
      case Touchpoint::kNoteTaken:
        return CheckDeal("note_taken.deal_id", touchpoint.note_taken().deal_id());
      case Touchpoint::kDealOpened:
        return IsNew(state_.pipeline().deals(), DealId,
                     {"deal_opened.deal_id", "deal", touchpoint.deal_opened().deal_id()});
      case Touchpoint::kDealStageChanged:
        return CheckStage(touchpoint.deal_stage_changed());
      case Touchpoint::kDealAmountChanged:
        return CheckDeal("deal_amount_changed.deal_id", touchpoint.deal_amount_changed().deal_id());
      case Touchpoint::kDealNextStepSet:
        return CheckDeal("deal_next_step_set.deal_id", touchpoint.deal_next_step_set().deal_id());
      case Touchpoint::kDealWon:
        return IsOpenOne(state_.pipeline().deals(), DealId,
                         {"deal_won.deal_id", "deal", touchpoint.deal_won().deal_id()});
      case Touchpoint::kDealLost:
        return IsOpenOne(state_.pipeline().deals(), DealId,
                         {"deal_lost.deal_id", "deal", touchpoint.deal_lost().deal_id()});
      case Touchpoint::kDealRemoved:
        return CheckDeal("deal_removed.deal_id", touchpoint.deal_removed().deal_id());
      case Touchpoint::kStakeholderChanged:
        return CheckPerson("stakeholder_changed.stakeholder.stakeholder_id",
                           touchpoint.stakeholder_changed().stakeholder().stakeholder_id());
      case Touchpoint::kStakeholderLeft:
        return CheckPerson("stakeholder_left.stakeholder_id",
                           touchpoint.stakeholder_left().stakeholder_id());
      case Touchpoint::kIdentifierUnlinked:
        return CheckMark(touchpoint.identifier_unlinked());
      case Touchpoint::kContractRenewed:
        return CheckContract("contract_renewed.contract_id",
                             touchpoint.contract_renewed().contract_id());
      case Touchpoint::kContractTerminated:
        return CheckContract("contract_terminated.contract_id",
                             touchpoint.contract_terminated().contract_id());
      default:
        return absl::OkStatus();
    }
  }

 private:
  static constexpr auto CommitmentId = [](const auto& one) -> const std::string& {
    return one.commitment_id();
  };
  static constexpr auto ComplaintId = [](const auto& one) -> const std::string& {
    return one.complaint_id();
  };
  static constexpr auto MeetingId = [](const auto& one) -> const std::string& {
    return one.meeting_id();
  };
  static constexpr auto ObjectionId = [](const auto& one) -> const std::string& {
    return one.objection_id();
  };
  static constexpr auto DealId = [](const auto& one) -> const std::string& {
    return one.deal_id();
  };

  absl::Status NoSuch(const Named& named, absl::string_view hint = "") const {
    return absl::NotFoundError(absl::StrCat(named.path, ": client '", client_id_, "' has no ",
                                            named.what, " '", named.id, "'",
                                            hint.empty() ? "" : "; ", hint));
  }

  template <class Entries, class IdOf>
  static auto Find(const Entries& entries, IdOf id_of, const std::string& id) {
    return std::find_if(entries.begin(), entries.end(),
                        [&](const auto& entry) { return id_of(entry) == id; });
  }

  template <class Entries, class IdOf>
  absl::Status IsNew(const Entries& entries, IdOf id_of, const Named& named) const {
    if (Find(entries, id_of, named.id) == entries.end()) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat(named.path, ": there is a ", named.what, " '", named.id, "' already"));
  }

  template <class Entries, class IdOf>
  absl::Status IsOpenOne(const Entries& entries, IdOf id_of, const Named& named) const {
    const auto found = Find(entries, id_of, named.id);
    if (found == entries.end()) return NoSuch(named, OpenOnes(entries, id_of));
    if (IsOpen(*found)) return absl::OkStatus();
    return absl::AbortedError(
        absl::StrCat(named.path, ": ", named.what, " '", named.id, "' is over already"));
  }

  absl::Status Promise(absl::string_view path, const std::string& id) const {
    return IsOpenOne(state_.commitments(), CommitmentId, {path, "promise", id});
  }

  absl::Status CheckDeal(absl::string_view path, const std::string& id) const {
    if (id.empty()) return absl::OkStatus();
    const auto& deals = state_.pipeline().deals();
    if (Find(deals, DealId, id) != deals.end()) return absl::OkStatus();
    return NoSuch({path, "deal", id}, OpenOnes(deals, DealId));
  }

  absl::Status CheckMeeting(absl::string_view path, const std::string& id) const {
    if (id.empty() || Find(state_.meetings(), MeetingId, id) != state_.meetings().end()) {
      return absl::OkStatus();
    }
    return NoSuch({path, "meeting", id});
  }

  absl::Status CheckContract(absl::string_view path, const std::string& id) const {
    const auto is_it = [&](const auto& contract) { return contract.contract_id() == id; };
    if (std::any_of(state_.contracts().begin(), state_.contracts().end(), is_it)) {
      return absl::OkStatus();
    }
    return NoSuch({path, "contract", id});
  }

  absl::Status CheckPerson(absl::string_view path, const std::string& id) const {
    const auto is_it = [&](const auto& person) { return person.stakeholder_id() == id; };
    if (std::any_of(state_.stakeholders().begin(), state_.stakeholders().end(), is_it)) {
      return absl::OkStatus();
    }
    return NoSuch({path, "contact person", id});
  }

  // Only what was linked can be unlinked.
  absl::Status CheckMark(const touchpoint::v1::IdentifierUnlinked& mark) const {
    const auto is_it = [&](const auto& identifier) {
      return !identifier.unlinked() && identifier.kind() == mark.kind() &&
             identifier.value() == mark.value() && identifier.issuer() == mark.issuer();
    };
    if (std::any_of(state_.identifiers().begin(), state_.identifiers().end(), is_it)) {
      return absl::OkStatus();
    }
    for (const auto& person : state_.stakeholders()) {
      if (person.phone().text() != mark.value() && person.e_mail().text() != mark.value()) continue;
      return NoSuch({"identifier_unlinked.value", "linked mark", mark.value()},
                    absl::StrCat("it is of the contact person '", person.stakeholder_id(),
                                 "': change the person"));
    }
    return NoSuch({"identifier_unlinked.value", "linked mark", mark.value()},
                  "write kind, value and issuer as GET /v1/clients/{id} tells them");
  }

  absl::Status CheckStage(const touchpoint::v1::DealStageChanged& changed) const {
    RAPPORT_RETURN_IF_ERROR(CheckDeal("deal_stage_changed.deal_id", changed.deal_id()));
    if (changed.from_stage() == touchpoint::v1::DEAL_STAGE_UNSPECIFIED) return absl::OkStatus();
    const touchpoint::v1::DealStage stage =
        StageOf(*Find(state_.pipeline().deals(), DealId, changed.deal_id()));
    if (stage == changed.from_stage()) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat("deal_stage_changed.from_stage: the deal is in ",
                                           touchpoint::v1::DealStage_Name(stage),
                                           " by now; somebody has moved it"));
  }

  const std::string& client_id_;
  const ProfileState& state_;
};

absl::StatusOr<std::vector<Touchpoint>> ReadTouchpoints(HttpRequest request,
                                                        const IntakeLimits& limits,
                                                        absl::Time now) {
  IntakeRequest intake;
  const std::string content_type(request.HeaderValue("content-type"));
  const std::string content_encoding(request.HeaderValue("content-encoding"));
  intake.content_type = content_type;
  intake.content_encoding = content_encoding;
  intake.headers = &request.headers;
  intake.body = std::move(request.body);
  IntakeBatch batch;
  RAPPORT_RETURN_IF_ERROR(CloudEventDecoder(limits).Decode(&intake, now, &batch));
  std::vector<Touchpoint> touchpoints;
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const IntakeEvent& event = batch.events[i];
    if (!event.status.ok()) {
      return batch.batch ? Annotate(event.status, absl::StrCat("[", i, "]")) : event.status;
    }
    if (!touchpoints.emplace_back().ParseFromString(event.record.value)) {
      return absl::InternalError("a touchpoint that was just made cannot be read");
    }
  }
  return touchpoints;
}

// Kinds that have orders of their own, with rights of their own.
absl::Status CheckKind(const Touchpoint& touchpoint) {
  switch (touchpoint.payload_case()) {
    case Touchpoint::kOwnerAssigned:
      return absl::InvalidArgumentError("owner_assigned: hand clients over by POST /v1/handovers");
    case Touchpoint::kTouchpointCorrected:
      return absl::InvalidArgumentError(
          "touchpoint_corrected: take a touchpoint back by POST "
          "/v1/clients/{id}/touchpoints/{touchpoint_id}/withdraw");
    case Touchpoint::kClientsDistinguished:
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kHistoryClosed:
    case Touchpoint::kDeadLetterRetried:
    case Touchpoint::kDeadLetterSkipped:
    case Touchpoint::kTargetSet:
    case Touchpoint::kAlertAcknowledged:
    case Touchpoint::kAlertSnoozed:
    case Touchpoint::kAlertResolved:
    case Touchpoint::kAlertDismissed: {
      const absl::string_view kind = KindFieldName(touchpoint.payload_case());
      return absl::InvalidArgumentError(
          absl::StrCat(kind, ": is not written here, but by the route of its own"));
    }
    default:
      return absl::OkStatus();
  }
}

// Who did it and who wrote it.
absl::Status Sign(const HttpRequest& request, const Access* access, Touchpoint* touchpoint) {
  const Caller& caller = CallerOf(request);
  touchpoint->set_recorded_by(caller.is_staff ? caller.id : "");
  if (touchpoint->agent_id().empty()) {
    if (caller.is_staff) touchpoint->set_agent_id(caller.id);
    return absl::OkStatus();
  }
  if (caller.is_staff && touchpoint->agent_id() == caller.id) return absl::OkStatus();
  if (!caller.Sees(touchpoint->agent_id())) {
    return absl::PermissionDeniedError(absl::StrCat("agent_id: ", caller.Name(),
                                                    " cannot write for '", touchpoint->agent_id(),
                                                    "', whose clients they do not see"));
  }
  if (access == nullptr) return absl::OkStatus();
  return Annotate(access->CheckWorksHere(touchpoint->agent_id()), "agent_id");
}

struct KnownClient {
  ProfileState state;
  ProjectionView view;
};

absl::StatusOr<KnownClient> ReadKnown(const ProjectionHost& host, const HttpRequest& request,
                                      const std::string& client_id) {
  const absl::Status none =
      absl::NotFoundError(absl::StrCat("there is no client '", client_id, "'"));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadClient(client_id));
  KnownClient known{.state = {}, .view = std::move(reading.view)};
  RAPPORT_ASSIGN_OR_RETURN(const bool found, known.view.Get(client_id, &known.state));
  if (!found) {
    RAPPORT_ASSIGN_OR_RETURN(const std::string survivor, known.view.AbsorbedInto(client_id));
    if (survivor.empty() || !CallerOf(request).sees_all) return none;
    return absl::AbortedError(
        absl::StrCat("client '", client_id, "' goes on under '", survivor, "'; write it there"));
  }
  RAPPORT_RETURN_IF_ERROR(CheckSeen(request, OwnerOf(known.state), none));
  return known;
}

absl::StatusOr<std::vector<RecordPosition>> Append(const ProjectionHost& host,
                                                   const std::vector<Touchpoint>& touchpoints) {
  std::vector<Record> records;
  records.reserve(touchpoints.size());
  for (const Touchpoint& touchpoint : touchpoints) records.push_back(MakeRecord(touchpoint));
  return host.env().log->Append(host.env().topics.touchpoints, records);
}

HttpResponse AnswerWritten(const std::vector<Touchpoint>& touchpoints,
                           const std::vector<RecordPosition>& positions) {
  std::vector<std::string> results;
  for (size_t i = 0; i < touchpoints.size(); ++i) {
    results.push_back(absl::StrCat("{\"id\":\"", absl::BytesToHexString(touchpoints[i].event_id()),
                                   "\",\"position\":\"", FormatPosition(positions[i]), "\"}"));
  }
  HttpResponse response;
  response.status = kAccepted;
  response.body = touchpoints.size() == 1 ? results.front()
                                          : absl::StrCat("{\"accepted\":", results.size(),
                                                         ",\"rejected\":0,\"results\":[",
                                                         absl::StrJoin(results, ","), "]}");
  return response;
}

absl::StatusOr<bool> IsKnown(const ProjectionView& view, const Touchpoint& touchpoint) {
  const std::string key = TimelineSortKey(touchpoint);
  bool known = false;
  RAPPORT_RETURN_IF_ERROR(view.Rows(touchpoint.client_id(), key, "",
                                    [&](absl::string_view sort_key, absl::string_view) {
                                      known = sort_key == key;
                                      return false;
                                    }));
  return known;
}

absl::StatusOr<HttpResponse> Write(const ProjectionHost& host, const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& client_id = request.PathValue("id");
  const config::v1::Ingest& config = host.env().config->ingest();
  IntakeLimits limits;
  limits.max_body_bytes = static_cast<size_t>(config.max_body_bytes());
  limits.max_batch_events = kMostTouchpoints;
  limits.max_json_depth = static_cast<size_t>(config.max_json_depth());
  limits.max_future = absl::Milliseconds(config.max_future_ms());
  absl::StatusOr<std::vector<Touchpoint>> touchpoints =
      ReadTouchpoints(request, limits, absl::Now());
  if (absl::IsOutOfRange(touchpoints.status())) {
    return ErrorResponse(kTooLarge, touchpoints.status());
  }
  if (absl::IsUnimplemented(touchpoints.status())) {
    return ErrorResponse(kUnsupported, touchpoints.status());
  }
  RAPPORT_RETURN_IF_ERROR(touchpoints.status());
  RAPPORT_ASSIGN_OR_RETURN(const KnownClient known, ReadKnown(host, request, client_id));
  for (Touchpoint& touchpoint : *touchpoints) {
    if (touchpoint.client_id() != client_id) {
      return absl::InvalidArgumentError(absl::StrCat("subject: is '", touchpoint.client_id(),
                                                     "', and not the client '", client_id,
                                                     "' of the address"));
    }
    RAPPORT_RETURN_IF_ERROR(CheckKind(touchpoint));
    RAPPORT_RETURN_IF_ERROR(Sign(request, host.env().http->access(), &touchpoint));
  }
  // One that is sent again counts once, and is not held against what it has done itself.
  std::vector<Touchpoint> fresh;
  for (const Touchpoint& touchpoint : *touchpoints) {
    RAPPORT_ASSIGN_OR_RETURN(const bool is_known, IsKnown(known.view, touchpoint));
    if (!is_known) fresh.push_back(touchpoint);
  }
  RAPPORT_RETURN_IF_ERROR(CheckAgainstClient(fresh, client_id, known.state));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions, Append(host, *touchpoints));
  return AnswerWritten(*touchpoints, positions);
}

absl::StatusOr<Touchpoint> FindTouchpoint(const KnownClient& known, const std::string& client_id,
                                          const std::string& hex) {
  const std::string event_id = absl::HexStringToBytes(hex);
  if (absl::BytesToHexString(event_id) != hex || event_id.size() != EventId::kSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "touchpoint_id is '", hex, "'; write the 32 hexadecimal digits of a touchpoint_id"));
  }
  std::optional<Touchpoint> found;
  RAPPORT_RETURN_IF_ERROR(known.view.RowsBack(
      client_id, "", "", [&](absl::string_view sort_key, absl::string_view value) {
        if (!absl::EndsWith(sort_key, event_id)) return true;
        found.emplace();
        if (!found->ParseFromArray(value.data(), static_cast<int>(value.size()))) found.reset();
        return false;
      }));
  if (!found) {
    return absl::NotFoundError(
        absl::StrCat("client '", client_id, "' has no touchpoint '", hex, "'"));
  }
  return *std::move(found);
}

// Only what people wrote here is theirs to take back: what a source told stands until the source
// corrects it.
absl::StatusOr<HttpResponse> Withdraw(const ProjectionHost& host, const HttpRequest& request) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& client_id = request.PathValue("id");
  const std::string& hex = request.PathValue("touchpoint_id");
  RAPPORT_ASSIGN_OR_RETURN(const KnownClient known, ReadKnown(host, request, client_id));
  RAPPORT_ASSIGN_OR_RETURN(const Touchpoint found, FindTouchpoint(known, client_id, hex));
  const Caller& caller = CallerOf(request);
  if (found.source() != kSource) {
    return absl::AbortedError(absl::StrCat("touchpoint '", hex, "' came from '", found.source(),
                                           "', which alone can take it back"));
  }
  const bool own = !caller.is_staff || found.recorded_by() == caller.id;
  if (!own && !caller.May(Permission::kHandOver)) {
    return absl::PermissionDeniedError(
        absl::StrCat("touchpoint '", hex, "' was written by '", found.recorded_by(),
                     "'; they can take it back, or whoever leads them"));
  }
  const absl::Time now = absl::Now();
  Touchpoint order;
  order.set_client_id(client_id);
  ToProto(now, order.mutable_occurred_at());
  ToProto(now, order.mutable_recorded_at());
  order.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  order.set_source(kSource);
  order.set_source_event_id(absl::StrCat("withdraw/", hex));
  order.set_event_id(std::string(MakeEventId(kSource, order.source_event_id()).view()));
  RAPPORT_RETURN_IF_ERROR(Sign(request, host.env().http->access(), &order));
  auto& corrected = *order.mutable_touchpoint_corrected();
  corrected.set_correction(found.SerializeAsString());
  corrected.set_revision(absl::ToUnixMicros(now));
  corrected.set_withdrawn(true);
  RAPPORT_RETURN_IF_ERROR(ValidateTouchpoint(order));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<RecordPosition> positions, Append(host, {order}));
  return AnswerWritten({order}, positions);
}

}  // namespace

absl::Status CheckAgainstClient(const std::vector<Touchpoint>& touchpoints,
                                const std::string& client_id, ProfileState state) {
  FoldOutput output;
  for (size_t i = 0; i < touchpoints.size(); ++i) {
    const absl::Status status = Checker(client_id, state).Check(touchpoints[i]);
    if (!status.ok()) {
      return touchpoints.size() == 1 ? status : Annotate(status, absl::StrCat("[", i, "]"));
    }
    output.Clear();
    RAPPORT_RETURN_IF_ERROR(
        Profile::Apply({.client_id = client_id}, touchpoints[i], {}, state, output));
  }
  return absl::OkStatus();
}

void AddClientWriteRoute(ProjectionHost* host) {
  // Names the field that is wrong, so that a form can show it there.
  const auto answering = [host](auto answer) {
    return AnsweringFrom(
        &host->chores(),
        [host, answer](const HttpRequest& request) -> absl::StatusOr<HttpResponse> {
          absl::StatusOr<HttpResponse> response = answer(*host, request);
          if (response.ok()) return response;
          const absl::string_view path = PathOf(response.status());
          if (absl::StrContains(path, ' ')) return response;
          return ErrorResponse(response.status(), path);
        });
  };
  HttpServer::RouteOptions route;
  route.max_body_bytes = static_cast<size_t>(host->env().config->ingest().max_body_bytes());
  host->env().http->Handle("POST", "/v1/clients/{id}/touchpoints", answering(Write), route);
  host->env().http->Handle("POST", "/v1/clients/{id}/touchpoints/{touchpoint_id}/withdraw",
                           answering(Withdraw));
}

}  // namespace rapport
