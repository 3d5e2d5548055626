#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/telephony/call_record.h"
#include "libs/web_hook_check/web_hook_request.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// The records of a leg that FreeSWITCH's mod_json_cdr posts, as JSON or in the form field "cdr",
// with its variables percent-encoded or not. The leg's id is its uuid; the call is its call_uuid,
// or else its originator (the leg that made it), or else itself. What mod_callcenter tells of the
// queue (cc_queue and others) comes as records of their own. `credentials` is "user:password" of
// HTTP basic authentication. Unauthenticated, PermissionDenied as CheckBasicAuth; InvalidArgument:
// what is wrong with it.
absl::StatusOr<std::vector<source::v1::SourceRecord>> ParseFreeSwitchRequest(
    const WebHookRequest& request, absl::string_view credentials, const CallSource& source);

}  // namespace rapport
