#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// What was offered and refused.
struct RejectedOffer {
  std::string source = {};
  absl::string_view content;  // cut to the 64 KiB that are kept
  std::string reason;
  absl::Time now;
  // As in RejectedRecord; empty and 0 when it came by another way than a file.
  std::string file = {};
  int64_t line = 0;
};

// A record of the rejected log: a RejectedRecord. Key: the source. What is long in it is cut, so
// that the log takes every refusal.
Record MakeRejectedRecord(const RejectedOffer& offer);

}  // namespace rapport
