#include "libs/telephony/twilio.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/telephony/json_value.h"
#include "libs/web_hook_check/form.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using source::v1::CallStatus;
using touchpoint::v1::CallOutcome;

constexpr char kForm[] = "application/x-www-form-urlencoded";
constexpr size_t kMaxIdBytes = 64;

// The digest of the body that the address was signed with; nullopt when there is none.
absl::StatusOr<std::optional<std::string>> SignedDigest(absl::string_view url) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<FormField> query, ParseForm(QueryOf(url)));
  const absl::string_view digest = FormValue(query, "bodySHA256");
  if (digest.empty()) return std::nullopt;
  return absl::AsciiStrToLower(digest);
}

// The address as Twilio may have signed it: with the port, or without it.
std::vector<std::string> SignedUrls(const std::string& url) {
  std::vector<std::string> urls = {url};
  const size_t host = url.find("://") + 3;
  const size_t end = std::min(url.find_first_of("/?", host), url.size());
  const absl::string_view authority = absl::string_view(url).substr(host, end - host);
  const size_t port = authority.find(
      ':', authority.rfind(']') == absl::string_view::npos ? 0 : authority.rfind(']'));
  if (port != absl::string_view::npos) {
    urls.push_back(absl::StrCat(url.substr(0, host + port), url.substr(end)));
  } else {
    urls.push_back(absl::StrCat(url.substr(0, end),
                                absl::StartsWith(url, "https:") ? ":443" : ":80", url.substr(end)));
  }
  return urls;
}

absl::StatusOr<std::string> SignedText(const WebHookRequest& request, const std::string& url) {
  std::string text = url;
  if (MediaType(request) != kForm) return text;
  RAPPORT_ASSIGN_OR_RETURN(std::vector<FormField> fields, ParseForm(request.body));
  std::sort(fields.begin(), fields.end(), [](const FormField& a, const FormField& b) {
    return std::tie(a.name, a.value) < std::tie(b.name, b.value);
  });
  for (const FormField& field : fields) absl::StrAppend(&text, field.name, field.value);
  return text;
}

absl::StatusOr<std::vector<FormField>> Parameters(const WebHookRequest& request) {
  const std::string type = MediaType(request);
  if (type == kForm) return ParseForm(request.body);
  if (type != "application/json") {
    return absl::InvalidArgumentError(
        absl::StrCat("content-type: '", ToUtf8(type), "' is neither a form nor JSON"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const nlohmann::json body, ParseJsonObject(request.body));
  std::vector<FormField> fields;
  for (const auto& item : body.items()) {
    fields.push_back({item.key(), JsonText(body, item.key())});
  }
  return fields;
}

struct Phase {
  source::v1::CallPhase phase;
  CallOutcome outcome;
};

absl::StatusOr<Phase> PhaseOf(absl::string_view status, bool inbound) {
  using namespace source::v1;      // NOLINT(google-build-using-namespace): the table is all enums
  using namespace touchpoint::v1;  // NOLINT(google-build-using-namespace)
  if (status == "queued" || status == "initiated") {
    return Phase{CALL_PHASE_STARTED, CALL_OUTCOME_UNSPECIFIED};
  }
  if (status == "ringing") return Phase{CALL_PHASE_RINGING, CALL_OUTCOME_UNSPECIFIED};
  if (status == "in-progress" || status == "answered") {
    return Phase{CALL_PHASE_ANSWERED, CALL_OUTCOME_UNSPECIFIED};
  }
  if (status == "completed") return Phase{CALL_PHASE_ENDED, CALL_OUTCOME_ANSWERED};
  if (status == "busy") return Phase{CALL_PHASE_ENDED, CALL_OUTCOME_BUSY};
  if (status == "no-answer") return Phase{CALL_PHASE_ENDED, CALL_OUTCOME_NO_ANSWER};
  if (status == "failed") return Phase{CALL_PHASE_ENDED, CALL_OUTCOME_FAILED};
  // Who called hung up.
  if (status == "canceled") {
    return Phase{CALL_PHASE_ENDED, inbound ? CALL_OUTCOME_ABANDONED : CALL_OUTCOME_NO_ANSWER};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("CallStatus: '", ToUtf8(status), "' is no status of a call"));
}

absl::StatusOr<absl::Time> ParseTimestamp(absl::string_view text, absl::Time otherwise) {
  if (text.empty()) return otherwise;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S %z", text, &time, &error) ||
      time < absl::UnixEpoch() || time > absl::FromUnixSeconds(100'000'000'000)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Timestamp: '", ToUtf8(text), "' is no time such as Tue, 31 Aug 2010 20:36:28 +0000"));
  }
  return time;
}

absl::StatusOr<int64_t> WholeNumber(absl::string_view name, absl::string_view text,
                                    int64_t otherwise) {
  int64_t value;
  if (text.empty()) return otherwise;
  if (!absl::SimpleAtoi(text, &value) || value < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", ToUtf8(text), "' is no whole number"));
  }
  return value;
}

}  // namespace

absl::Status CheckTwilioSignature(const WebHookRequest& request, absl::string_view auth_token) {
  RAPPORT_CHECK(!auth_token.empty(), "auth token");
  const std::optional<absl::string_view> signature = FindHeader(request, "x-twilio-signature");
  if (!signature.has_value()) {
    return absl::UnauthenticatedError("the request must carry X-Twilio-Signature");
  }
  bool signed_so = false;
  for (const std::string& url : SignedUrls(request.url)) {
    const absl::StatusOr<std::string> text = SignedText(request, url);
    if (!text.ok()) return Unproven(text.status());
    signed_so |= ConstantTimeEqual(*signature, absl::Base64Escape(HmacSha1(auth_token, *text)));
  }
  if (!signed_so) {
    return absl::PermissionDeniedError(
        "X-Twilio-Signature is wrong: check the auth token, and that public_url is the address "
        "that Twilio calls");
  }
  if (MediaType(request) == kForm) return absl::OkStatus();
  const absl::StatusOr<std::optional<std::string>> signed_digest = SignedDigest(request.url);
  if (!signed_digest.ok()) return Unproven(signed_digest.status());
  const std::optional<std::string>& digest = *signed_digest;
  if (!digest.has_value()) {
    return absl::PermissionDeniedError("the body is not signed: the address has no bodySHA256");
  }
  if (!ConstantTimeEqual(*digest, absl::BytesToHexString(Sha256(request.body)))) {
    return absl::PermissionDeniedError("the body is not the one that bodySHA256 was made of");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<source::v1::SourceRecord>> ParseTwilioCallback(
    const WebHookRequest& request, absl::string_view auth_token, const CallSource& source) {
  RAPPORT_RETURN_IF_ERROR(CheckTwilioSignature(request, auth_token));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<FormField> fields, Parameters(request));
  const absl::string_view call_sid = FormValue(fields, "CallSid");
  const absl::string_view parent = FormValue(fields, "ParentCallSid");
  if (call_sid.empty() || call_sid.size() > kMaxIdBytes || parent.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("CallSid: it must be there, and have at most ", kMaxIdBytes, " bytes"));
  }
  const absl::string_view direction = FormValue(fields, "Direction");
  const bool inbound = direction == "inbound";
  const absl::string_view status = FormValue(fields, "CallStatus");
  RAPPORT_ASSIGN_OR_RETURN(const Phase phase, PhaseOf(status, inbound));
  RAPPORT_ASSIGN_OR_RETURN(const int64_t sequence,
                           WholeNumber("SequenceNumber", FormValue(fields, "SequenceNumber"), -1));
  RAPPORT_ASSIGN_OR_RETURN(const int64_t duration,
                           WholeNumber("CallDuration", FormValue(fields, "CallDuration"), 0));
  RAPPORT_ASSIGN_OR_RETURN(const absl::Time at,
                           ParseTimestamp(FormValue(fields, "Timestamp"), request.now));

  const std::string record_id =
      ToUtf8(absl::StrCat(call_sid, ":", sequence < 0 ? status : absl::StrCat(sequence)));
  std::vector<source::v1::SourceRecord> records = {
      MakeSourceRecord(source, record_id, request.now)};
  ToProto(at, records[0].mutable_occurred_at());
  source::v1::CallFact* const fact = records[0].mutable_call_fact();
  fact->set_system(source.system);
  fact->set_call_id(ToUtf8(parent.empty() ? call_sid : parent));
  CallStatus* const call = fact->mutable_status();
  if (!parent.empty()) {
    fact->add_related_call_ids(ToUtf8(call_sid));
    call->set_leg_id(ToUtf8(call_sid));
  }
  call->set_sequence(sequence);
  ToProto(at, call->mutable_at());
  call->set_phase(phase.phase);
  call->set_outcome(phase.outcome);
  call->set_direction(inbound ? touchpoint::v1::DIRECTION_INBOUND
                              : touchpoint::v1::DIRECTION_OUTBOUND);
  call->set_from(ToUtf8(FormValue(fields, "From")));
  call->set_to(ToUtf8(FormValue(fields, "To")));
  call->set_duration_seconds(ToSeconds(duration));
  call->set_recording_reference(ToUtf8(FormValue(fields, "RecordingUrl")));
  const absl::string_view answered_by = FormValue(fields, "AnsweredBy");
  call->set_answered_by_machine(absl::StartsWith(answered_by, "machine") || answered_by == "fax");
  return records;
}

}  // namespace rapport
