#pragma once

#include <cstdint>
#include <limits>
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

// A sum of amounts in one currency, exact whatever they are and in whatever order they come: what
// goes beyond 64 bits is counted. Stored as two numbers; it stands for
// overflows * 2^64 + minor_units.
class MoneySum {
 public:
  MoneySum() = default;
  MoneySum(int64_t minor_units, int32_t overflows)
      : minor_units_(minor_units), overflows_(overflows) {}

  void Add(int64_t minor_units) {
    if (__builtin_add_overflow(minor_units_, minor_units, &minor_units_)) {
      overflows_ += minor_units < 0 ? -1 : 1;
    }
  }

  int64_t minor_units() const { return minor_units_; }
  int32_t overflows() const { return overflows_; }
  // Whether 64 bits cannot hold it.
  bool OutOfRange() const { return overflows_ != 0; }
  // For readers: the sum, or the nearest number that 64 bits hold, to be told as such.
  int64_t Saturated() const {
    if (overflows_ == 0) return minor_units_;
    return overflows_ > 0 ? std::numeric_limits<int64_t>::max()
                          : std::numeric_limits<int64_t>::min();
  }

 private:
  int64_t minor_units_ = 0;
  int32_t overflows_ = 0;
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
