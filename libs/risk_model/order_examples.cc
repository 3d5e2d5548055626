#include "libs/risk_model/order_examples.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/factors.h"
#include "libs/projections/rhythm.h"

namespace rapport::risk_model {
namespace {

using touchpoint::v1::Touchpoint;

constexpr double kDaysPerWeek = 7;

double Ratio(double value, double average, double most) {
  return std::clamp(std::log((1 + value) / (1 + average)), -most, most);
}

OrderFacts FactsOf(const std::string& client, const state::v1::RiskFactors& factors, absl::Time at,
                   const std::string& currency) {
  const state::v1::Rhythm& rhythm = factors.orders();
  OrderFacts facts;
  facts.client_id = client;
  facts.repeats.count = RepeatDays(rhythm);
  facts.repeats.last = (rhythm.last_day() - rhythm.first_day()) / kDaysPerWeek;
  facts.weeks = std::max(facts.repeats.last,
                         (DayOf(absl::ToUnixSeconds(at)) - rhythm.first_day()) / kDaysPerWeek);
  for (const auto& amount : factors.ordered().amounts()) {
    if (amount.currency_code() != currency) continue;
    const MoneySum sum(amount.minor_units(), amount.overflows());
    facts.has_value = true;
    facts.value = std::max(0.0, static_cast<double>(sum.Saturated()) /
                                    std::pow(10, std::max(0, CurrencyDigits(currency))));
  }
  facts.has_lines = factors.ordered().lines() > 0;
  facts.lines = static_cast<double>(factors.ordered().lines()) / (facts.repeats.count + 1);
  return facts;
}

}  // namespace

absl::StatusOr<std::vector<OrderFacts>> OrderFactsOf(const backtest::History& past, absl::Time at,
                                                     const std::string& currency) {
  std::vector<OrderFacts> all;
  for (const std::string& client : past.Clients()) {
    state::v1::RiskFactors factors;
    RAPPORT_RETURN_IF_ERROR(past.Visit(client, [&](const Touchpoint& touchpoint) {
      if (touchpoint.has_order_placed()) FoldRiskFactors(touchpoint, &factors);
    }));
    if (factors.has_orders()) all.push_back(FactsOf(client, factors, at, currency));
  }
  return all;
}

absl::StatusOr<std::string> UsualCurrency(const backtest::History& history) {
  std::map<std::string, int64_t> orders;
  for (const std::string& client : history.Clients())
    RAPPORT_RETURN_IF_ERROR(history.Visit(client, [&](const Touchpoint& touchpoint) {
      const std::string& currency = touchpoint.order_placed().amount().currency_code();
      if (!currency.empty()) ++orders[currency];
    }));
  const auto most =
      std::max_element(orders.begin(), orders.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == orders.end() ? "" : most->first;
}

std::set<std::string> WhoOrdered(const backtest::History& history, absl::Time from, absl::Time to) {
  const int32_t first = DayOf(absl::ToUnixSeconds(from));
  const int32_t last = DayOf(absl::ToUnixSeconds(to));
  std::set<std::string> clients;
  for (const auto& [client, days] : history.OrderDays())
    if (std::any_of(days.begin(), days.end(),
                    [&](const auto& order) { return order.day > first && order.day <= last; }))
      clients.insert(client);
  return clients;
}

OrderTerms TermsOf(const OrderFacts& facts, const OrderRiskSettings& settings) {
  OrderTerms terms;
  terms.silence =
      models::MbgSilentLogOdds(settings.parameters, facts.repeats, settings.horizon_weeks)
          .At(facts.weeks) -
      settings.average_silence;
  if (facts.has_value)
    terms.value = Ratio(facts.value, settings.average_value, settings.most_ratio);
  if (facts.has_lines)
    terms.lines = Ratio(facts.lines, settings.average_lines, settings.most_ratio);
  return terms;
}

}  // namespace rapport::risk_model
