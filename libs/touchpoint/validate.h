#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// What a touchpoint must be before it may be written or folded. Every failure is InvalidArgument
// and begins with the path of the field:
//   order_placed.amount.currency_code: 'XX' is not an ISO 4217 code such as EUR, GBP or USD
// Rules for each kind of value (field_rules.h) hold for every field of every kind; what a kind
// needs beyond that stands in kind_rules.cc. That texts are UTF-8 is seen
// to by the parser when they are read.

namespace rapport {

// For writers: all rules.
absl::Status ValidateTouchpoint(const touchpoint::v1::Touchpoint& touchpoint);

// For folds, once for every record of the log: all rules but those on lengths of texts, counts of
// elements and the source's own names, which no fold depends on.
absl::Status CheckTouchpoint(const touchpoint::v1::Touchpoint& touchpoint);

// For what comes from outside, beyond ValidateTouchpoint: that it did not happen on the first day
// of 1970, which is what a clock or a date that was never set says. (Logs may hold such from
// before.)
absl::Status CheckClockWasSet(const touchpoint::v1::Touchpoint& touchpoint);

// Parses the value of a record into `touchpoint`, whose memory is used again (far faster than a new
// one), and checks it. DataLoss: the bytes are no touchpoint; InvalidArgument: as CheckTouchpoint.
absl::Status ParseTouchpoint(absl::string_view bytes, touchpoint::v1::Touchpoint* touchpoint);

}  // namespace rapport
