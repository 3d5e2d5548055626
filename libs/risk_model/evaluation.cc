#include "libs/risk_model/evaluation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "libs/backtest/replay.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/retention/retention.h"
#include "libs/risk_model/order_examples.h"

namespace rapport::risk_model {
namespace {

using backtest::Forecast;
using backtest::History;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr double kBudgets[] = {0.02, 0.05, 0.1, 0.2};
constexpr int kFifths = 5;
constexpr int kTenths = 10;

// Standard error of an AUC. J. Hanley, B. McNeil, "The meaning and use of the area under a receiver
// operating characteristic (ROC) curve", Radiology 143, 1982.
double AucError(double auc, double happened, double not_happened) {
  if (happened == 0 || not_happened == 0) return 0;
  const double q1 = auc / (2 - auc);
  const double q2 = 2 * auc * auc / (1 + auc);
  return std::sqrt((auc * (1 - auc) + (happened - 1) * (q1 - auc * auc) +
                    (not_happened - 1) * (q2 - auc * auc)) /
                   (happened * not_happened));
}

std::vector<Budget> BudgetsOf(std::vector<Forecast> forecasts, double happened) {
  std::stable_sort(forecasts.begin(), forecasts.end(),
                   [](const Forecast& a, const Forecast& b) { return a.chance > b.chance; });
  std::vector<Budget> budgets;
  for (const double share : kBudgets) {
    const auto clients = static_cast<size_t>(
        std::max(1.0, std::round(share * static_cast<double>(forecasts.size()))));
    double right = 0;
    for (size_t i = 0; i < clients; ++i) right += forecasts[i].happened ? 1 : 0;
    budgets.push_back({.share = share,
                       .clients = static_cast<int64_t>(clients),
                       .precision = right / static_cast<double>(clients),
                       .recall = happened == 0 ? 0 : right / happened});
  }
  return budgets;
}

Evaluation Judged(std::string name, bool is_chance, std::vector<Forecast> forecasts) {
  Evaluation evaluation;
  evaluation.name = std::move(name);
  evaluation.is_chance = is_chance;
  double happened = 0;
  for (const Forecast& forecast : forecasts) happened += forecast.happened ? 1 : 0;
  evaluation.auc = backtest::Auc(forecasts);
  evaluation.auc_error =
      AucError(evaluation.auc, happened, static_cast<double>(forecasts.size()) - happened);
  if (is_chance) {
    evaluation.brier = backtest::Brier(forecasts);
    evaluation.tenths = backtest::Calibration(forecasts, kTenths);
  }
  evaluation.budgets = BudgetsOf(forecasts, happened);
  evaluation.forecasts = std::move(forecasts);
  return evaluation;
}

// In which fifth each of the values is, 0 the lowest; equal ones are in the same.
std::vector<int> FifthsOf(const std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> fifths;
  for (const double value : values) {
    const auto below = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    fifths.push_back(static_cast<int>(below * kFifths / std::ssize(sorted)));
  }
  return fifths;
}

std::vector<Evaluation> Rules(const std::vector<OrderFacts>& clients,
                              const std::vector<bool>& happened, const OrderRiskSettings& orders) {
  const auto by = [&](std::string name, bool is_chance,
                      const std::function<double(size_t)>& score) {
    std::vector<Forecast> forecasts;
    for (size_t i = 0; i < clients.size(); ++i) forecasts.push_back({score(i), happened[i]});
    return Judged(std::move(name), is_chance, std::move(forecasts));
  };
  std::vector<double> recency;
  std::vector<double> frequency;
  std::vector<double> value;
  for (const OrderFacts& client : clients) {
    recency.push_back(client.weeks - client.repeats.last);
    frequency.push_back(client.repeats.count);
    value.push_back(client.value);
  }
  const std::vector<int> r = FifthsOf(recency);
  const std::vector<int> f = FifthsOf(frequency);
  const std::vector<int> m = FifthsOf(value);
  return {by("P_silent alone", true,
             [&](size_t i) {
               return models::MbgSilent(orders.parameters, clients[i].repeats, clients[i].weeks,
                                        orders.horizon_weeks);
             }),
          by("recency", false, [&](size_t i) { return recency[i]; }),
          by("frequency", false, [&](size_t i) { return -frequency[i]; }),
          by("RFM", false, [&](size_t i) { return r[i] - f[i] - m[i]; })};
}

}  // namespace

absl::StatusOr<std::vector<Evaluation>> Evaluate(const History& history, absl::Time at,
                                                 const std::vector<RetentionSettings>& models,
                                                 const EvaluationSettings& settings) {
  const absl::Duration horizon = settings.horizon_weeks * 7 * kDay;
  const auto day = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
  };
  // A day that has begun counts as one.
  if (history.last() + kDay < at + horizon)
    return absl::FailedPreconditionError(
        absl::StrCat("what became of the clients of ", day(at), " is known ",
                     settings.horizon_weeks, " weeks later, and the history ends on ",
                     day(history.last()), "; choose a day up to ", day(history.last() - horizon)));
  const History past = history.CutAt(at);
  const OrderRiskSettings& orders = models.front().orders;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<OrderFacts> clients,
                           OrderFactsOf(past, at, orders.value_currency));
  if (clients.empty())
    return absl::FailedPreconditionError(absl::StrCat("nobody had ordered by ", day(at)));
  const std::set<std::string> ordered = WhoOrdered(history, at, at + horizon);
  std::vector<bool> happened;
  for (const OrderFacts& client : clients) happened.push_back(ordered.count(client.client_id) == 0);

  std::vector<Evaluation> evaluations;
  for (const RetentionSettings& model : models) {
    std::vector<Forecast> forecasts;
    for (size_t i = 0; i < clients.size(); ++i) {
      RAPPORT_ASSIGN_OR_RETURN(const backtest::Replay replay,
                               backtest::ReplayClient(past, clients[i].client_id, model, at));
      forecasts.push_back({ExplainRetention(replay.state, model, at).score / 1000.0, happened[i]});
    }
    evaluations.push_back(Judged(model.model_version, true, std::move(forecasts)));
  }
  for (Evaluation& rule : Rules(clients, happened, orders)) evaluations.push_back(std::move(rule));
  return evaluations;
}

std::string CalibrationSvg(const std::vector<Evaluation>& evaluations) {
  constexpr double kSize = 400;
  constexpr double kMargin = 50;
  constexpr const char* kColours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd"};
  const auto x = [&](double chance) { return kMargin + kSize * chance; };
  const auto y = [&](double share) { return kMargin + kSize * (1 - share); };
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
      "<line x1=\"%g\" y1=\"%g\" x2=\"%g\" y2=\"%g\" stroke=\"#999\"/>\n",
      kSize + 2 * kMargin, kSize + 2 * kMargin, x(0), y(0), x(1), y(1));
  for (int tick = 0; tick <= 10; tick += 2) {
    absl::StrAppendFormat(&svg,
                          "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">%d %%</text>\n"
                          "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%d %%</text>\n",
                          x(tick / 10.0), y(0) + 18, tick * 10, x(0) - 6, y(tick / 10.0) + 4,
                          tick * 10);
  }
  absl::StrAppendFormat(&svg,
                        "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">told</text>\n"
                        "<text x=\"%g\" y=\"%g\">came about</text>\n",
                        x(0.5), y(0) + 36, 6.0, kMargin - 16);
  size_t drawn = 0;
  for (const Evaluation& evaluation : evaluations) {
    if (!evaluation.is_chance) continue;
    const char* const colour = kColours[drawn % std::size(kColours)];
    for (const backtest::CalibrationRow& row : evaluation.tenths) {
      const double error =
          std::sqrt(row.happened * (1 - row.happened) / static_cast<double>(row.count));
      absl::StrAppendFormat(&svg,
                            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>"
                            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
                            x(row.chance), y(std::min(1.0, row.happened + error)), x(row.chance),
                            y(std::max(0.0, row.happened - error)), colour, x(row.chance),
                            y(row.happened), colour);
    }
    const std::string name =
        absl::StrReplaceAll(evaluation.name, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
    absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"%g\" fill=\"%s\">%s, Brier %.3f</text>\n",
                          kMargin + 12, kMargin + 16 + 16 * static_cast<double>(drawn), colour,
                          name, evaluation.brier);
    ++drawn;
  }
  return svg + "</svg>\n";
}

}  // namespace rapport::risk_model
