#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/source/v1/source_record.pb.h"

// What the parsers of this folder have in common.

namespace rapport {

// Who tells.
struct CallSource {
  std::string source;  // SourceRecord.source
  std::string system;  // CallFact.system: what calls are told apart within
  // Of times that do not tell theirs.
  absl::TimeZone time_zone = absl::UTCTimeZone();
};

// The key of a call's records in the sources log, so that they stand in one partition.
std::string CallKey(absl::string_view system, absl::string_view call_id);

// A record without content. An id that is too long for SourceRecord becomes a hash of itself.
source::v1::SourceRecord MakeSourceRecord(const CallSource& source, absl::string_view record_id,
                                          absl::Time received_at);
// A record of something that tells nothing about a call.
source::v1::SourceRecord MakeSkippedRecord(const CallSource& source, absl::string_view record_id,
                                           absl::Time received_at, absl::string_view reason);

// Whether all of it is UTF-8.
bool IsUtf8(absl::string_view text);
// `text` as UTF-8: bytes that are none become U+FFFD, so that a mangled name of a caller costs the
// name and not the call.
std::string ToUtf8(absl::string_view text);

// 16 hexadecimal digits made of the parts.
std::string HashId(absl::string_view text);

// A number of seconds; negative ones are 0, larger ones the largest there is.
int32_t ToSeconds(int64_t seconds);

}  // namespace rapport
