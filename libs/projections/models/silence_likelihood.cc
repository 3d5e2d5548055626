#include "libs/projections/models/silence_likelihood.h"

#include <cmath>
#include <limits>

namespace rapport::models {

SilenceLikelihood::SilenceLikelihood(SilenceModel model, const SilenceParameters& p,
                                     int most_repeats) {
  const double log_a = std::log(p.a);
  // ln of the chance to come that often and to stay after each time that the model asks about.
  double base = p.r * std::log(p.alpha);
  for (int repeats = 0; repeats <= most_repeats; ++repeats) {
    const double x = repeats;
    if (repeats > 0) base += std::log(p.r + x - 1);
    OfRepeats& row = of_repeats_.emplace_back();
    row.power = p.r + x;
    if (model == SilenceModel::kMbgNbd) {
      base -= std::log1p(p.a / (p.b + x));
      row.leave_odds = log_a - std::log(p.b + x);
    } else if (repeats > 0) {
      base -= std::log1p(p.a / (p.b + x - 1));
      row.leave_odds = log_a - std::log(p.b + x - 1);
    } else {
      row.leave_odds = -std::numeric_limits<double>::infinity();
    }
    row.base = base;
  }
}

double SilenceLikelihood::Of(int repeats, double log_last, double log_time) const {
  const OfRepeats& row = of_repeats_[static_cast<size_t>(repeats)];
  // ln(e^A3 + e^A4) = A3 + ln(1 + e^d).
  const double d = row.leave_odds + row.power * (log_time - log_last);
  const double more = d > 0 ? d + std::log1p(std::exp(-d)) : std::log1p(std::exp(d));
  return row.base - row.power * log_time + more;
}

double LogLikelihood(SilenceModel model, const SilenceParameters& p, const Repeats& repeats,
                     double time) {
  const int count = static_cast<int>(repeats.count);
  return SilenceLikelihood(model, p, count)
      .Of(count, std::log(p.alpha + repeats.last), std::log(p.alpha + time));
}

}  // namespace rapport::models
