#pragma once

#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"

namespace rapport {

// Reads a time such as "2026-01-02T09:00:00.25+01:00": RFC 3339 with at most nine digits of a
// second, within the years 1 to 9999, without leap seconds. False when `text` is none.
bool ParseRfc3339(absl::string_view text, google::protobuf::Timestamp* timestamp);

}  // namespace rapport
