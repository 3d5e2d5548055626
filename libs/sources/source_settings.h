#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/telephony/call_record.h"
#include "rapport/config/v1/source.pb.h"

namespace rapport {

// What a source is, such as "asterisk_cdr": the name of its section.
std::string KindOf(const config::v1::Source& source);
// Name of its telephone system.
const std::string& SystemOf(const config::v1::Source& source);
// What parsers of calls are told of it. InvalidArgument: its time zone does not exist.
absl::StatusOr<CallSource> CallSourceOf(const config::v1::Source& source);

// InvalidArgument: two sources have one name, or a setting cannot work; with source, setting, value
// and what to do. Files are not looked at.
absl::Status CheckSources(const config::v1::Sources& config);
// What may be meant otherwise, for people, such as two sources of one telephone exchange that do
// not say so.
std::vector<std::string> SourceWarnings(const config::v1::Sources& config);

}  // namespace rapport
