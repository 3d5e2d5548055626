#include "libs/risk_model/order_fit.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/risk_model/logistic.h"
#include "libs/risk_model/order_examples.h"
#include "xxhash.h"

namespace rapport::risk_model {
namespace {

using backtest::History;

constexpr absl::Duration kDay = absl::Hours(24);

std::string DayText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

struct Looked {
  std::vector<OrderFacts> facts;
  std::vector<bool> silent;  // nothing within the horizon
};

absl::StatusOr<Looked> LookAt(const History& history, absl::Time at, absl::Duration horizon,
                              const std::string& currency) {
  Looked looked;
  RAPPORT_ASSIGN_OR_RETURN(looked.facts, OrderFactsOf(history.CutAt(at), at, currency));
  const std::set<std::string> ordered = WhoOrdered(history, at, at + horizon);
  for (const OrderFacts& facts : looked.facts)
    looked.silent.push_back(ordered.count(facts.client_id) == 0);
  return looked;
}

double MedianOf(std::vector<double> values, double otherwise) {
  if (values.empty()) return otherwise;
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

// The parameters of the silence, from all that is known before the horizon that calibrates.
void FitParameters(const std::vector<OrderFacts>& all, OrderFit* fit) {
  std::vector<ClientHistory> clients;
  for (const OrderFacts& facts : all) clients.push_back({facts.repeats, facts.weeks});
  const absl::StatusOr<SilenceFit> silence =
      FitSilence(models::SilenceModel::kMbgNbd, clients, {.threads = 2});
  if (!silence.ok()) {
    fit->silence_explanation = std::string(silence.status().message());
    return;
  }
  fit->silence = *silence;
  fit->silence_explanation = silence->explanation;
  fit->silence_fitted = !silence->degenerate;
  if (fit->silence_fitted) fit->orders.parameters = silence->parameters;
}

// What the average client is like, against whom the others are held.
void TakeAverages(const std::vector<OrderFacts>& all, OrderRiskSettings* orders) {
  std::vector<double> values;
  std::vector<double> lines;
  std::vector<double> silences;
  for (const OrderFacts& facts : all) {
    if (facts.has_value) values.push_back(facts.value);
    if (facts.has_lines) lines.push_back(facts.lines);
  }
  orders->average_value = std::round(MedianOf(std::move(values), orders->average_value));
  orders->average_lines = std::round(MedianOf(std::move(lines), orders->average_lines));
  orders->average_silence = 0;
  for (const OrderFacts& facts : all) silences.push_back(TermsOf(facts, *orders).silence);
  orders->average_silence =
      std::accumulate(silences.begin(), silences.end(), 0.0) / static_cast<double>(silences.size());
}

double LogOddsOf(const OrderTerms& terms, const OrderRiskSettings& orders) {
  return orders.average + orders.silence * terms.silence + orders.value * terms.value +
         orders.lines * terms.lines;
}

}  // namespace

absl::StatusOr<OrderFit> FitOrders(const History& history, const OrderRiskSettings& prior,
                                   const OrderFitSettings& settings) {
  OrderFit fit;
  fit.orders = prior;
  fit.orders.horizon_weeks = settings.horizon_weeks;
  const absl::Duration horizon = settings.horizon_weeks * 7 * kDay;
  fit.calibrated_at = history.last() - horizon;
  const absl::Time last_look = fit.calibrated_at - horizon;
  const absl::Time first_look = history.first() + settings.least_days * kDay;
  if (history.touchpoints() == 0 || last_look < first_look)
    return absl::FailedPreconditionError(absl::StrCat(
        "the history goes from ", DayText(history.first()), " to ", DayText(history.last()),
        "; to fit weights and to calibrate them later it takes ", settings.least_days,
        " days and twice ", settings.horizon_weeks, " weeks"));
  RAPPORT_ASSIGN_OR_RETURN(const std::string currency, UsualCurrency(history));
  if (!currency.empty()) fit.orders.value_currency = currency;
  const std::string& counted = fit.orders.value_currency;
  RAPPORT_ASSIGN_OR_RETURN(const Looked latest, LookAt(history, last_look, horizon, counted));
  if (latest.facts.empty())
    return absl::FailedPreconditionError(
        absl::StrCat("nobody had ordered by ", DayText(last_look), "; there is nothing to fit"));
  FitParameters(latest.facts, &fit);
  TakeAverages(latest.facts, &fit.orders);

  Examples examples(3);
  for (absl::Time at = last_look; at >= first_look; at -= settings.step_days * kDay) {
    RAPPORT_ASSIGN_OR_RETURN(const Looked looked, LookAt(history, at, horizon, counted));
    for (size_t i = 0; i < looked.facts.size(); ++i) {
      const OrderTerms terms = TermsOf(looked.facts[i], fit.orders);
      const std::string& client = looked.facts[i].client_id;
      examples.Add({terms.silence, terms.value, terms.lines}, looked.silent[i],
                   XXH3_64bits(client.data(), client.size()));
      fit.happened += looked.silent[i] ? 1 : 0;
    }
    fit.fitted_at.push_back(at);
  }
  fit.examples = static_cast<int64_t>(examples.size());
  if (fit.examples < settings.least_examples)
    return absl::FailedPreconditionError(
        absl::StrCat("clients were seen ", fit.examples, " times before ", DayText(last_look),
                     "; it takes ", settings.least_examples, " to fit weights"));
  RAPPORT_ASSIGN_OR_RETURN(const LogisticModel model, FitLogistic(examples));
  fit.weights = model.weights;
  fit.errors = model.errors;
  fit.log_likelihood = model.log_likelihood;
  if (model.weights[1] <= 0)
    return absl::FailedPreconditionError(
        absl::StrCat("in this history whoever had been silent for longer came the sooner (weight ",
                     model.weights[1], " +- ", model.errors[1],
                     "); a score cannot be made of that: keep the present model"));
  fit.orders.average = model.weights[0];
  fit.orders.silence = model.weights[1];
  fit.orders.value = std::min(0.0, model.weights[2]);
  fit.orders.lines = std::min(0.0, model.weights[3]);

  RAPPORT_ASSIGN_OR_RETURN(const Looked later,
                           LookAt(history, fit.calibrated_at, horizon, counted));
  std::vector<ScoredOutcome> outcomes;
  for (size_t i = 0; i < later.facts.size(); ++i)
    outcomes.push_back(
        {LogOddsOf(TermsOf(later.facts[i], fit.orders), fit.orders), later.silent[i]});
  fit.calibrated_on = static_cast<int64_t>(outcomes.size());
  RAPPORT_ASSIGN_OR_RETURN(fit.scale, FitPlatt(outcomes));
  fit.orders.average = fit.scale.intercept + fit.scale.slope * fit.orders.average;
  fit.orders.silence *= fit.scale.slope;
  fit.orders.value *= fit.scale.slope;
  fit.orders.lines *= fit.scale.slope;
  return fit;
}

}  // namespace rapport::risk_model
