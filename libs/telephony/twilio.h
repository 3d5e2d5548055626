#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/call_record.h"
#include "libs/web_hook_check/web_hook_request.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// Whether Twilio signed the request (X-Twilio-Signature: HMAC-SHA1 over the address and the form's
// parameters, or over the address alone when its query has the body's digest, bodySHA256).
// Unauthenticated: it has no signature; PermissionDenied: the signature, or the digest, is wrong,
// or the form cannot be read. A request sent again passes: what it tells has the same id, and
// counts once.
absl::Status CheckTwilioSignature(const WebHookRequest& request, absl::string_view auth_token);

// The record of a voice status callback, after its signature was checked. Its id is CallSid and
// SequenceNumber (or the status, where Twilio numbers none). A call that another one made
// (ParentCallSid) is a leg of that one. InvalidArgument: what is wrong with it; the codes of
// CheckTwilioSignature otherwise.
absl::StatusOr<std::vector<source::v1::SourceRecord>> ParseTwilioCallback(
    const WebHookRequest& request, absl::string_view auth_token, const CallSource& source);

}  // namespace rapport
