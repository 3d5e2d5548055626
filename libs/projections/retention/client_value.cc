#include "libs/projections/retention/client_value.h"

#include <algorithm>
#include <map>
#include <string>

#include "libs/projections/retention/back_office_factors.h"
#include "libs/projections/stamp.h"

namespace rapport {

std::optional<Money> YearlyValueOf(const state::v1::RiskFactors& factors) {
  constexpr int64_t kDaysPerYear = 365;
  const int64_t days =
      std::max<int64_t>(kDaysPerYear, factors.orders().last_day() - factors.orders().first_day());
  std::map<std::string, int64_t> contracts;
  for (const auto& contract : factors.contracts()) {
    if (!contract.has_yearly_minor_units() || contract.yearly_minor_units() <= 0) continue;
    const bool ended =
        contract.has_terminated() && !Earlier(contract.terminated(), contract.agreed());
    if (ended && !IsNotice(contract.reason())) continue;
    MoneySum sum(contracts[contract.currency_code()], 0);
    sum.Add(contract.yearly_minor_units());
    contracts[contract.currency_code()] = sum.Saturated();
  }
  Money most;
  const auto take = [&most](int64_t minor_units, const std::string& currency) {
    if (minor_units > most.minor_units) most = {minor_units, currency};
  };
  for (const auto& [currency, minor_units] : contracts) take(minor_units, currency);
  for (const auto& amount : factors.ordered().amounts()) {
    const MoneySum sum(amount.minor_units(), amount.overflows());
    take(static_cast<int64_t>(static_cast<__int128>(sum.Saturated()) * kDaysPerYear / days),
         amount.currency_code());
  }
  if (most.minor_units == 0) return std::nullopt;
  return most;
}

touchpoint::v1::Money ProtoOf(const Money& money) {
  touchpoint::v1::Money proto;
  proto.set_minor_units(money.minor_units);
  proto.set_currency_code(money.currency_code);
  return proto;
}

Money ExpectedLoss(const Money& yearly_value, int points) {
  constexpr int kMostPoints = 1000;
  return {
      static_cast<int64_t>(static_cast<__int128>(yearly_value.minor_units) * points / kMostPoints),
      yearly_value.currency_code};
}

}  // namespace rapport
