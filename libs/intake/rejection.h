#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// What becomes a RejectedRecord, whose fields these are.
struct Rejection {
  std::string source = {};
  std::string file = {};
  int64_t line = 0;
  absl::string_view content;  // cut to the 64 KiB that are kept
  std::string reason;
  absl::Time now;
};

// A record of the rejected log. Key: the file, or the source when there is none.
Record MakeRejection(const Rejection& rejection);

}  // namespace rapport
