#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport::mail_internal {

// A date as a field of a mail has it.
struct MailDate {
  absl::Time time;
  // Whether the zone could be read; when not, `time` takes it for UTC, and may be off by hours.
  bool zone_known = true;
};

// Reads what people's programs really write: RFC 5322 and RFC 850, asctime, ISO 8601, comments,
// months of other languages, two digits of a year, "06:50 PM", zones such as "EST", "0530" and
// "+05:30". nullopt: it names no day or no time of day, so that all that follows would be guessed.
std::optional<MailDate> ReadMailDate(absl::string_view value);

}  // namespace rapport::mail_internal
