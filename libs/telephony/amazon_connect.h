#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/telephony/call_record.h"
#include "libs/web_hook_check/web_hook_request.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// The record of an Amazon Connect contact record (a JSON object). Its id is ContactId and
// LastUpdateTimestamp; fields that this does not know are passed over. A contact that a transfer
// began (InitiationMethod TRANSFER or QUEUE_TRANSFER) is a part of the call of InitialContactId; a
// call back is a call of its own. Contacts through another channel than VOICE give a record that
// tells why nothing follows. InvalidArgument: what is wrong with it.
absl::StatusOr<source::v1::SourceRecord> ParseAmazonConnectRecord(absl::string_view json,
                                                                  const CallSource& source,
                                                                  absl::Time received_at);

// The records of a request whose "Authorization: Bearer" has `token`: one contact record, an array
// of them, or one on each line (application/x-ndjson). All are taken or none. Unauthenticated,
// PermissionDenied as CheckBearer; InvalidArgument: which one is wrong, and what.
absl::StatusOr<std::vector<source::v1::SourceRecord>> ParseAmazonConnectRequest(
    const WebHookRequest& request, absl::string_view token, const CallSource& source);

}  // namespace rapport
