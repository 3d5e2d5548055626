#pragma once

#include "absl/strings/string_view.h"

namespace rapport::touchpoint_internal {

// Whether `code` is an ISO 4217 currency code; CurrencyDigits of libs/base by table, in about a
// nanosecond, since it is asked for every amount of every record.
bool IsCurrency(absl::string_view code);

}  // namespace rapport::touchpoint_internal
