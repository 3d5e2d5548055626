#include "libs/kpi/rates.h"

#include <limits>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/kpi/periods.h"

namespace rapport {
namespace {

using Wide = __int128;

constexpr int kMostRateDigits = 15;

struct Decimal {
  int64_t mantissa = 0;
  int digits = 0;
};

// A number above 0 such as "1.1732"; nullopt for all else.
std::optional<Decimal> ParseDecimal(absl::string_view text) {
  Decimal decimal;
  bool behind_point = false;
  int count = 0;
  for (const char c : text) {
    if (c == '.' && !behind_point) {
      behind_point = true;
      continue;
    }
    if (c < '0' || c > '9' || ++count > kMostRateDigits) return std::nullopt;
    decimal.mantissa = decimal.mantissa * 10 + (c - '0');
    if (behind_point) ++decimal.digits;
  }
  if (decimal.mantissa == 0) return std::nullopt;
  return decimal;
}

Wide PowerOfTen(int digits) {
  Wide power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  return power;
}

}  // namespace

absl::StatusOr<KpiRates> KpiRates::Of(const config::v1::Kpis& section) {
  KpiRates rates;
  rates.reporting_ = section.reporting_currency();
  if (!rates.reporting_.empty() && CurrencyDigits(rates.reporting_) < 0) {
    return absl::InvalidArgumentError(absl::StrCat("kpi.reporting_currency is '", rates.reporting_,
                                                   "', which is no ISO 4217 currency"));
  }
  for (const config::v1::CurrencyRate& given : section.rates()) {
    const std::string which =
        absl::StrCat("kpi.rates of ", given.currency_code(), " from ", given.from());
    if (CurrencyDigits(given.currency_code()) < 0) {
      return absl::InvalidArgumentError(absl::StrCat(which, ": no ISO 4217 currency"));
    }
    const absl::StatusOr<DayRange> from = ParsePeriod("from", given.from());
    if (!from.ok() || from->days() != 1) {
      return absl::InvalidArgumentError(absl::StrCat(which, ": write a day, such as 2026-01-01"));
    }
    const std::optional<Decimal> rate = ParseDecimal(given.rate());
    if (!rate) {
      return absl::InvalidArgumentError(
          absl::StrCat(which, ": the rate is '", given.rate(),
                       "'; write a decimal number above 0 with at most 15 digits, such as 1.1732"));
    }
    rates.rates_[given.currency_code()][from->from] = {
        .text = given.rate(), .mantissa = rate->mantissa, .digits = rate->digits};
  }
  return rates;
}

absl::StatusOr<int64_t> KpiRates::Convert(int64_t minor_units, absl::string_view currency,
                                          int32_t day) const {
  if (reporting_.empty() || currency == reporting_ || minor_units == 0) return minor_units;
  const auto missing = [&](absl::string_view first) {
    return absl::FailedPreconditionError(absl::StrCat(
        "there is no rate of ", currency, " to ", reporting_, " for ", FormatDay(day), first,
        "; add one to kpi.rates of the configuration, or ask for one currency (currency=", currency,
        ")"));
  };
  const auto of_currency = rates_.find(std::string(currency));
  if (of_currency == rates_.end()) return missing("");
  auto rate = of_currency->second.upper_bound(day);
  if (rate == of_currency->second.begin()) {
    return missing(absl::StrCat(" (the first holds from ", FormatDay(rate->first), ")"));
  }
  --rate;
  // Minor units of one currency may be hundredths, and of the other thousandths or whole ones.
  const int shift = CurrencyDigits(reporting_) - CurrencyDigits(currency);
  Wide product = Wide{minor_units} * rate->second.mantissa;
  Wide divisor = PowerOfTen(rate->second.digits);
  (shift >= 0 ? product : divisor) *= PowerOfTen(shift >= 0 ? shift : -shift);
  const Wide half = divisor / 2;
  const Wide converted = (product >= 0 ? product + half : product - half) / divisor;
  if (converted > std::numeric_limits<int64_t>::max() ||
      converted < std::numeric_limits<int64_t>::min()) {
    return absl::OutOfRangeError(
        absl::StrCat(FormatMoney(minor_units, currency), " in ", reporting_, " is beyond 64 bits"));
  }
  return static_cast<int64_t>(converted);
}

std::vector<int32_t> KpiRates::Changes() const {
  std::set<int32_t> days;
  for (const auto& [currency, rates] : rates_) {
    for (const auto& [day, rate] : rates) days.insert(day);
  }
  return {days.begin(), days.end()};
}

std::vector<query::v1::KpiRate> KpiRates::ToMessages() const {
  std::vector<query::v1::KpiRate> told;
  for (const auto& [currency, rates] : rates_) {
    for (const auto& [day, rate] : rates) {
      query::v1::KpiRate& one = told.emplace_back();
      one.set_currency_code(currency);
      one.set_from(FormatDay(day));
      one.set_rate(rate.text);
    }
  }
  return told;
}

}  // namespace rapport
