#include "libs/backtest/judge.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/base/check.h"

namespace rapport::backtest {
namespace {

double Share(double part, double whole) { return whole == 0 ? 0 : part / whole; }

std::vector<Forecast> Sorted(absl::Span<const Forecast> forecasts) {
  std::vector<Forecast> sorted(forecasts.begin(), forecasts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Forecast& a, const Forecast& b) { return a.chance < b.chance; });
  return sorted;
}

}  // namespace

std::vector<Pause> PausesOf(const std::map<std::string, std::vector<OrderDay>>& orders,
                            int32_t end_day, int departure_days) {
  std::vector<Pause> pauses;
  for (const auto& [client, days] : orders) {
    int64_t value = 0;
    for (size_t i = 0; i < days.size(); ++i) {
      value += days[i].value;
      const bool ended = i + 1 < days.size();
      Pause pause;
      pause.client_id = client;
      pause.begin = days[i].day;
      pause.days = (ended ? days[i + 1].day : end_day) - pause.begin;
      pause.order_days = static_cast<int>(i) + 1;
      pause.value = value;
      pause.departure = pause.days > departure_days;
      if (ended || pause.departure) pauses.push_back(std::move(pause));
    }
  }
  return pauses;
}

double Verdict::Right() const {
  return Share(static_cast<double>(right), static_cast<double>(alerts));
}

double Verdict::RightError() const {
  return std::sqrt(Share(Right() * (1 - Right()), static_cast<double>(alerts)));
}

double Verdict::Found() const {
  return Share(static_cast<double>(right), static_cast<double>(departures));
}

Verdict Judge(absl::Span<const Pause> pauses, absl::Span<const std::optional<int>> alert_days) {
  RAPPORT_CHECK(pauses.size() == alert_days.size(), pauses.size(), " pauses and ",
                alert_days.size(), " answers");
  Verdict verdict;
  double alerts_value = 0;
  double departures_value = 0;
  std::vector<int> days;
  for (size_t i = 0; i < pauses.size(); ++i) {
    const auto value = static_cast<double>(pauses[i].value);
    ++verdict.pauses;
    if (pauses[i].departure) {
      ++verdict.departures;
      departures_value += value;
    }
    if (!alert_days[i] || *alert_days[i] >= pauses[i].days) continue;
    ++verdict.alerts;
    alerts_value += value;
    days.push_back(*alert_days[i]);
    if (!pauses[i].departure) continue;
    ++verdict.right;
    verdict.right_value += value;
  }
  verdict.found_value = Share(verdict.right_value, departures_value);
  verdict.right_value = Share(verdict.right_value, alerts_value);
  if (days.empty()) return verdict;
  const auto middle = days.begin() + static_cast<std::ptrdiff_t>(days.size() / 2);
  std::nth_element(days.begin(), middle, days.end());
  verdict.median_day = *middle;
  return verdict;
}

Verdict JudgeStopwatch(absl::Span<const Pause> pauses, int days) {
  return Judge(pauses, std::vector<std::optional<int>>(pauses.size(), days));
}

double Auc(absl::Span<const Forecast> forecasts) {
  const std::vector<Forecast> sorted = Sorted(forecasts);
  double pairs_won = 0;
  double below = 0;  // to whom it did not happen, with a lower chance
  double happened = 0;
  for (size_t i = 0; i < sorted.size();) {
    double yes = 0;
    double no = 0;
    for (const double chance = sorted[i].chance; i < sorted.size() && sorted[i].chance == chance;
         ++i) {
      ++(sorted[i].happened ? yes : no);
    }
    pairs_won += yes * (below + no / 2);
    below += no;
    happened += yes;
  }
  return happened == 0 || below == 0 ? 0.5 : pairs_won / (happened * below);
}

double Brier(absl::Span<const Forecast> forecasts) {
  double sum = 0;
  for (const Forecast& forecast : forecasts) {
    const double error = forecast.chance - (forecast.happened ? 1 : 0);
    sum += error * error;
  }
  return Share(sum, static_cast<double>(forecasts.size()));
}

double CalibrationRow::Errors() const {
  const double error = std::sqrt(Share(chance * (1 - chance), static_cast<double>(count)));
  return Share(happened - chance, error);
}

std::vector<CalibrationRow> Calibration(absl::Span<const Forecast> forecasts, int parts) {
  RAPPORT_CHECK(parts > 0, parts, " parts");
  const std::vector<Forecast> sorted = Sorted(forecasts);
  std::vector<CalibrationRow> rows(static_cast<size_t>(parts));
  for (size_t i = 0; i < sorted.size(); ++i) {
    CalibrationRow& row = rows[i * rows.size() / sorted.size()];
    ++row.count;
    row.chance += sorted[i].chance;
    row.happened += sorted[i].happened ? 1 : 0;
  }
  for (CalibrationRow& row : rows) {
    row.chance = Share(row.chance, static_cast<double>(row.count));
    row.happened = Share(row.happened, static_cast<double>(row.count));
  }
  return rows;
}

}  // namespace rapport::backtest
