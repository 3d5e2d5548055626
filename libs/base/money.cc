#include "libs/base/money.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

// ISO 4217 list one (2023), without funds, metals and test codes. Sorted.
constexpr std::array<absl::string_view, 136> kTwoDigits = {
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
    "BGN", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF",
    "CNY", "COP", "CRC", "CUC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB",
    "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HRK",
    "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT",
    "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU",
    "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB",
    "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG",
    "SEK", "SGD", "SHP", "SLE", "SLL", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES",
    "WST", "XCD", "YER", "ZAR", "ZMW", "ZWL"};
constexpr std::array<absl::string_view, 17> kNoDigits = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                         "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                                         "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<absl::string_view, 7> kThreeDigits = {"BHD", "IQD", "JOD", "KWD",
                                                           "LYD", "OMR", "TND"};

template <size_t N>
bool Contains(const std::array<absl::string_view, N>& codes, absl::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

int CurrencyDigits(absl::string_view currency_code) {
  if (currency_code.size() != 3) return -1;
  if (Contains(kTwoDigits, currency_code)) return 2;
  if (Contains(kNoDigits, currency_code)) return 0;
  if (Contains(kThreeDigits, currency_code)) return 3;
  return -1;
}

absl::StatusOr<Money> ParseMoney(absl::string_view decimal, absl::string_view currency_code) {
  const int digits = CurrencyDigits(currency_code);
  if (digits < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "currency '", currency_code, "' is not an ISO 4217 code such as EUR, GBP or USD"));
  }
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("amount '", decimal, "' ", why));
  };
  absl::string_view rest = decimal;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative || (!rest.empty() && rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty()) return bad("is not a decimal number");

  int64_t value = 0;
  int after_point = -1;
  bool any_digit = false;
  for (const char c : rest) {
    if (c == '.') {
      if (after_point >= 0) return bad("has two decimal points");
      after_point = 0;
      continue;
    }
    if (!absl::ascii_isdigit(c)) return bad("is not a decimal number (use 1234.50)");
    any_digit = true;
    if (after_point >= digits) {
      if (c != '0') {
        return bad(absl::StrCat("has more than the ", digits, " decimals of ", currency_code));
      }
      continue;
    }
    if (after_point >= 0) ++after_point;
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, c - '0', &value)) {
      return bad("is too large");
    }
  }
  if (!any_digit) return bad("is not a decimal number");
  for (int i = std::max(after_point, 0); i < digits; ++i) {
    if (__builtin_mul_overflow(value, 10, &value)) return bad("is too large");
  }
  return Money{negative ? -value : value, std::string(currency_code)};
}

std::string FormatMoney(int64_t minor_units, absl::string_view currency_code) {
  const int digits = std::max(CurrencyDigits(currency_code), 0);
  // Unsigned, so that the smallest int64 has an absolute value.
  const uint64_t magnitude =
      minor_units < 0 ? 0 - static_cast<uint64_t>(minor_units) : static_cast<uint64_t>(minor_units);
  std::string text = absl::StrCat(magnitude);
  if (digits > 0) {
    const size_t width = static_cast<size_t>(digits) + 1;
    if (text.size() < width) text.insert(0, width - text.size(), '0');
    text.insert(text.size() - static_cast<size_t>(digits), ".");
  }
  return absl::StrCat(minor_units < 0 ? "-" : "", text, " ", currency_code);
}

}  // namespace rapport
