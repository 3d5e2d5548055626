#include "libs/telephony/amazon_connect.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/telephony/json_value.h"
#include "libs/web_hook_check/authorization.h"

namespace rapport {
namespace {

using nlohmann::json;
using source::v1::CallSnapshot;
using touchpoint::v1::CallCompleted;

constexpr size_t kMaxIdBytes = 100;
constexpr size_t kMostRecords = 10'000;

int32_t SecondsOf(const json& object, absl::string_view name) {
  return ToSeconds(JsonWhole(object, name).value_or(0));
}

struct Moments {
  absl::Time updated;
  absl::Time initiated;
  std::optional<absl::Time> enqueued;
  std::optional<absl::Time> agent_connected;
  std::optional<absl::Time> disconnected;
};

absl::StatusOr<Moments> ReadMoments(const json& contact) {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> updated,
                           JsonTime(contact, "LastUpdateTimestamp"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> initiated,
                           JsonTime(contact, "InitiationTimestamp"));
  if (!updated.has_value() || !initiated.has_value()) {
    return absl::InvalidArgumentError(
        "LastUpdateTimestamp and InitiationTimestamp: both are required");
  }
  Moments moments{.updated = *updated, .initiated = *initiated};
  RAPPORT_ASSIGN_OR_RETURN(moments.enqueued,
                           JsonTime(JsonMember(contact, "Queue"), "EnqueueTimestamp"));
  RAPPORT_ASSIGN_OR_RETURN(moments.agent_connected,
                           JsonTime(JsonMember(contact, "Agent"), "ConnectedToAgentTimestamp"));
  RAPPORT_ASSIGN_OR_RETURN(moments.disconnected, JsonTime(contact, "DisconnectTimestamp"));
  return moments;
}

// `callback`: we called the client back, who did not wait on the line.
void FillCall(const json& contact, const Moments& moments, bool inbound, bool callback,
              CallCompleted* call) {
  const json& queue = JsonMember(contact, "Queue");
  const json& agent = JsonMember(contact, "Agent");
  call->set_queue(JsonText(queue, "Name"));
  call->set_talk_seconds(SecondsOf(agent, "AgentInteractionDuration"));
  call->set_hold_seconds(SecondsOf(agent, "CustomerHoldDuration"));
  call->set_recording_reference(JsonText(JsonMember(contact, "Recording"), "Location"));
  if (callback) {
    call->set_wait_seconds(0);
  } else if (moments.enqueued.has_value()) {
    call->set_wait_seconds(SecondsOf(queue, "Duration"));
  } else if (moments.agent_connected.has_value()) {
    call->set_wait_seconds(
        ToSeconds(absl::ToInt64Seconds(*moments.agent_connected - moments.initiated)));
  }
  if (moments.agent_connected.has_value()) {
    call->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
  } else if (!callback && moments.enqueued.has_value() &&
             JsonText(contact, "NextContactId").empty()) {
    call->set_outcome(touchpoint::v1::CALL_OUTCOME_ABANDONED);
  } else if (!callback && inbound) {
    // A flow answered and no agent was asked for; or the client wants to be called back, or was
    // passed on, which the next contact tells of.
    call->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
    call->set_effective(false);
  } else {
    call->set_outcome(touchpoint::v1::CALL_OUTCOME_NO_ANSWER);
  }
}

bool IsTransfer(absl::string_view method) {
  return method == "TRANSFER" || method == "QUEUE_TRANSFER";
}

absl::StatusOr<source::v1::SourceRecord> ReadContact(const json& contact, const CallSource& source,
                                                     absl::Time received_at) {
  const std::string id = JsonText(contact, "ContactId");
  const std::string initial = JsonText(contact, "InitialContactId");
  if (id.empty() || id.size() > kMaxIdBytes || initial.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("ContactId: it must be there, and have at most ", kMaxIdBytes, " bytes"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const Moments moments, ReadMoments(contact));
  const int64_t revision = absl::ToUnixMicros(moments.updated);
  const std::string record_id = absl::StrCat(id, ":", revision);
  const std::string channel = JsonText(contact, "Channel");
  if (channel != "VOICE") {
    return MakeSkippedRecord(
        source, record_id, received_at,
        absl::StrCat("a contact by ", channel.empty() ? "?" : channel, " is no call"));
  }
  source::v1::SourceRecord record = MakeSourceRecord(source, record_id, received_at);
  ToProto(moments.updated, record.mutable_occurred_at());
  source::v1::CallFact* const fact = record.mutable_call_fact();
  const std::string method = JsonText(contact, "InitiationMethod");
  fact->set_system(source.system);
  fact->set_call_id(IsTransfer(method) && !initial.empty() ? initial : id);
  if (fact->call_id() != id) fact->add_related_call_ids(id);

  const bool inbound = method == "INBOUND" || IsTransfer(method);
  CallSnapshot* const snapshot = fact->mutable_snapshot();
  snapshot->set_leg_id(id);
  snapshot->set_revision(revision);
  ToProto(moments.initiated, snapshot->mutable_began_at());
  if (moments.disconnected.has_value()) {
    ToProto(*moments.disconnected, snapshot->mutable_ended_at());
  }
  snapshot->set_direction(inbound ? touchpoint::v1::DIRECTION_INBOUND
                                  : touchpoint::v1::DIRECTION_OUTBOUND);
  snapshot->set_client_number(JsonText(JsonMember(contact, "CustomerEndpoint"), "Address"));
  snapshot->set_own_number(JsonText(JsonMember(contact, "SystemEndpoint"), "Address"));
  snapshot->set_agent(JsonText(JsonMember(contact, "Agent"), "Username"));
  const bool callback = method == "CALLBACK" || method == "QUEUE_CALLBACK";
  FillCall(contact, moments, inbound, callback, snapshot->mutable_call());
  return record;
}

// The contacts of a body, whatever form they are in.
absl::StatusOr<std::vector<json>> Contacts(const WebHookRequest& request) {
  std::vector<json> contacts;
  if (MediaType(request) == "application/x-ndjson") {
    for (const absl::string_view line : absl::StrSplit(request.body, '\n')) {
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      absl::StatusOr<json> contact = ParseJsonObject(line);
      if (!contact.ok()) {
        return Annotate(contact.status(), absl::StrCat("contact ", contacts.size() + 1));
      }
      contacts.push_back(*std::move(contact));
      if (contacts.size() > kMostRecords) break;
    }
  } else {
    RAPPORT_ASSIGN_OR_RETURN(json body, ParseJson(request.body));
    if (body.is_array()) {
      contacts.assign(std::make_move_iterator(body.begin()), std::make_move_iterator(body.end()));
    } else {
      contacts.push_back(std::move(body));
    }
  }
  if (contacts.size() > kMostRecords) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", kMostRecords, " contacts in one request"));
  }
  return contacts;
}

}  // namespace

absl::StatusOr<source::v1::SourceRecord> ParseAmazonConnectRecord(absl::string_view json_text,
                                                                  const CallSource& source,
                                                                  absl::Time received_at) {
  RAPPORT_ASSIGN_OR_RETURN(const json contact, ParseJsonObject(json_text));
  return ReadContact(contact, source, received_at);
}

absl::StatusOr<std::vector<source::v1::SourceRecord>> ParseAmazonConnectRequest(
    const WebHookRequest& request, absl::string_view token, const CallSource& source) {
  RAPPORT_RETURN_IF_ERROR(CheckBearer(request, token));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<json> contacts, Contacts(request));
  std::vector<source::v1::SourceRecord> records;
  for (const json& contact : contacts) {
    absl::StatusOr<source::v1::SourceRecord> record = ReadContact(contact, source, request.now);
    if (!record.ok()) {
      return Annotate(record.status(), absl::StrCat("contact ", records.size() + 1));
    }
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace rapport
