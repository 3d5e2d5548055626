#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// An amount in minor units (cents, pence, yen) of an ISO 4217 currency. Integers throughout.
struct Money {
  int64_t minor_units = 0;
  std::string currency_code;

  bool operator==(const Money&) const = default;
};

// Digits after the decimal point of `currency_code` (ISO 4217 list one: EUR 2, JPY 0, KWD 3), or -1
// when the code is not on the list.
int CurrencyDigits(absl::string_view currency_code);

// "1234.5" in GBP is 123450. InvalidArgument, naming the text, when it is no decimal number, has
// more digits than the currency, is out of range, or the currency is unknown.
absl::StatusOr<Money> ParseMoney(absl::string_view decimal, absl::string_view currency_code);

// "1234.50 GBP".
std::string FormatMoney(int64_t minor_units, absl::string_view currency_code);

}  // namespace rapport
