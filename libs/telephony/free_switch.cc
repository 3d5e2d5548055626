#include "libs/telephony/free_switch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/telephony/json_value.h"
#include "libs/web_hook_check/authorization.h"
#include "libs/web_hook_check/form.h"

namespace rapport {
namespace {

using nlohmann::json;
using source::v1::SourceRecord;
using touchpoint::v1::CallOutcome;

constexpr size_t kMaxIdBytes = 100;

// What is percent-encoded (encode-values, the default of mod_json_cdr) is decoded; a lone percent
// sign stands for itself.
std::string Decoded(const std::string& text) {
  if (!absl::StrContains(text, '%')) return text;
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const absl::string_view digits = absl::string_view(text).substr(i + 1, 2);
    const bool escape = text[i] == '%' && digits.size() == 2 &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(digits[0])) &&
                        absl::ascii_isxdigit(static_cast<unsigned char>(digits[1]));
    if (!escape) {
      plain.push_back(text[i]);
      continue;
    }
    plain.append(absl::HexStringToBytes(digits));
    i += 2;
  }
  return ToUtf8(plain);
}

// The leg's channel variables and the profile of its caller.
struct Leg {
  const json& variables;
  const json& profile;

  std::string Text(absl::string_view name) const { return Decoded(JsonText(variables, name)); }
  // The first of both that is there.
  std::string Number(absl::string_view name) const {
    std::string number = Text(name);
    return number.empty() ? Decoded(JsonText(profile, name)) : number;
  }
  // Seconds since 1970; nullopt when it is 0 or not there.
  std::optional<absl::Time> Epoch(absl::string_view name) const {
    const std::optional<int64_t> seconds = JsonWhole(variables, name);
    if (!seconds.has_value() || *seconds <= 0 || *seconds > 100'000'000'000) return std::nullopt;
    return absl::FromUnixSeconds(*seconds);
  }
};

CallOutcome OutcomeOf(absl::string_view cause, bool answered) {
  if (answered) return touchpoint::v1::CALL_OUTCOME_ANSWERED;
  if (cause == "USER_BUSY") return touchpoint::v1::CALL_OUTCOME_BUSY;
  for (const absl::string_view name :
       {"NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL", "ALLOTTED_TIMEOUT", "NORMAL_CLEARING",
        "LOSE_RACE", "CALL_REJECTED", "SUBSCRIBER_ABSENT"}) {
    if (cause == name) return touchpoint::v1::CALL_OUTCOME_NO_ANSWER;
  }
  return touchpoint::v1::CALL_OUTCOME_FAILED;
}

absl::Status FillLeg(const Leg& leg, source::v1::CallLeg* fact) {
  const std::optional<absl::Time> began = leg.Epoch("start_epoch");
  const std::optional<absl::Time> ended = leg.Epoch("end_epoch");
  if (!began.has_value() || !ended.has_value() || *ended < *began) {
    return absl::InvalidArgumentError(
        "start_epoch and end_epoch: both are required, and must follow each other");
  }
  const std::optional<absl::Time> answered = leg.Epoch("answer_epoch");
  fact->set_from(leg.Number("caller_id_number"));
  fact->set_to(leg.Number("destination_number"));
  fact->set_caller_name(leg.Number("caller_id_name"));
  fact->set_context(leg.Number("context"));
  fact->set_channel(leg.Text("channel_name"));
  fact->set_to_channel(leg.Text("bridge_channel"));
  fact->set_application(leg.Text("last_app"));
  fact->set_application_data(leg.Text("last_arg"));
  ToProto(*began, fact->mutable_began_at());
  if (answered.has_value()) ToProto(*answered, fact->mutable_answered_at());
  ToProto(*ended, fact->mutable_ended_at());
  fact->set_outcome(OutcomeOf(leg.Text("hangup_cause"), answered.has_value()));
  fact->set_talk_seconds(ToSeconds(JsonWhole(leg.variables, "billsec").value_or(0)));
  fact->set_recording_reference(leg.Text("cc_record_filename"));
  return absl::OkStatus();
}

// What the queue tells on the caller's leg: when the call came in, was taken and ended.
std::vector<SourceRecord> QueueRecords(const Leg& leg, const SourceRecord& of_leg) {
  std::vector<SourceRecord> records;
  const std::optional<absl::Time> joined = leg.Epoch("cc_queue_joined_epoch");
  if (!joined.has_value()) return records;
  const auto add = [&](absl::Time at, source::v1::QueueEvent event, absl::string_view name) {
    SourceRecord record = of_leg;
    record.set_record_id(absl::StrCat(of_leg.record_id(), "/", name));
    ToProto(at, record.mutable_occurred_at());
    source::v1::QueueStep* const step = record.mutable_call_fact()->mutable_queue_step();
    ToProto(at, step->mutable_at());
    step->set_sequence(static_cast<int64_t>(records.size()));
    step->set_queue(leg.Text("cc_queue"));
    step->set_event(event);
    records.push_back(std::move(record));
    return records.back().mutable_call_fact()->mutable_queue_step();
  };
  add(*joined, source::v1::QUEUE_EVENT_ENTERED, "entered");
  const absl::Time ended =
      leg.Epoch("cc_queue_terminated_epoch")
          .value_or(leg.Epoch("cc_queue_canceled_epoch").value_or(*leg.Epoch("end_epoch")));
  const std::optional<absl::Time> taken = leg.Epoch("cc_queue_answered_epoch");
  if (!taken.has_value()) {
    add(ended, source::v1::QUEUE_EVENT_ABANDONED, "abandoned")
        ->set_wait_seconds(ToSeconds(absl::ToInt64Seconds(ended - *joined)));
    return records;
  }
  source::v1::QueueStep* step = add(*taken, source::v1::QUEUE_EVENT_CONNECTED, "connected");
  step->set_agent(leg.Text("cc_agent"));
  step->set_wait_seconds(ToSeconds(absl::ToInt64Seconds(*taken - *joined)));
  step = add(ended, source::v1::QUEUE_EVENT_COMPLETED, "completed");
  step->set_agent(leg.Text("cc_agent"));
  step->set_talk_seconds(ToSeconds(absl::ToInt64Seconds(ended - *taken)));
  return records;
}

absl::StatusOr<json> ReadBody(const WebHookRequest& request) {
  if (MediaType(request) != "application/x-www-form-urlencoded") {
    return ParseJsonObject(request.body);
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<FormField> fields, ParseForm(request.body));
  return ParseJsonObject(FormValue(fields, "cdr"));
}

}  // namespace

absl::StatusOr<std::vector<SourceRecord>> ParseFreeSwitchRequest(const WebHookRequest& request,
                                                                 absl::string_view credentials,
                                                                 const CallSource& source) {
  RAPPORT_RETURN_IF_ERROR(CheckBasicAuth(request, credentials));
  RAPPORT_ASSIGN_OR_RETURN(const json body, ReadBody(request));
  const json& flow = JsonMember(body, "callflow");
  const Leg leg{JsonMember(body, "variables"),
                JsonMember(flow.is_array() && !flow.empty() ? flow[0] : flow, "caller_profile")};
  const std::string uuid = leg.Number("uuid");
  if (uuid.empty() || uuid.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("variables.uuid: it must be there, and have at most ", kMaxIdBytes, " bytes"));
  }
  std::string call_id = leg.Text("call_uuid");
  if (call_id.empty()) call_id = leg.Text("originator");
  if (call_id.empty() || call_id.size() > kMaxIdBytes) call_id = uuid;

  SourceRecord record = MakeSourceRecord(source, uuid, request.now);
  source::v1::CallFact* const fact = record.mutable_call_fact();
  fact->set_system(source.system);
  fact->set_call_id(call_id);
  if (call_id != uuid) fact->add_related_call_ids(uuid);
  RAPPORT_RETURN_IF_ERROR(FillLeg(leg, fact->mutable_leg()));
  fact->mutable_leg()->set_leg_id(uuid);
  *record.mutable_occurred_at() = fact->leg().ended_at();

  std::vector<SourceRecord> records = QueueRecords(leg, record);
  records.insert(records.begin(), std::move(record));
  return records;
}

}  // namespace rapport
