#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/telephony/call_record.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// The record of a line of Asterisk's queue_log, `epoch|callid|queue|agent|EVENT|p1|p2|...`, given
// without its line break. Lines have no id of their own, so that the follower names each by its
// place: `file_id` (whatever the file is called by now) and `offset`, which also orders the steps
// within a second.
//
// Events that are about an agent or the queue and not about a call give a record that tells why
// nothing follows; so do events that this does not know, since every version of Asterisk adds some.
// InvalidArgument: what is wrong with the line.
absl::StatusOr<source::v1::SourceRecord> ParseQueueLogLine(absl::string_view line,
                                                           absl::string_view file_id,
                                                           int64_t offset, const CallSource& source,
                                                           absl::Time received_at);

}  // namespace rapport
