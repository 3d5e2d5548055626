#include "libs/projections/models/silence.h"

#include <algorithm>
#include <cmath>

namespace rapport::models {
namespace {

// (numerator/denominator)^power, by exp and log: faster than pow, and exact enough.
double RatioToPower(double numerator, double denominator, double power) {
  return std::exp(power * std::log(numerator / denominator));
}

double Alive(const SilenceParameters& p, const Repeats& repeats, double time, double leave_odds) {
  return 1 / (1 + leave_odds *
                      RatioToPower(p.alpha + time, p.alpha + repeats.last, p.r + repeats.count));
}

}  // namespace

double MbgAlive(const SilenceParameters& p, const Repeats& repeats, double time) {
  return Alive(p, repeats, time, p.a / (p.b + repeats.count));
}

double BgAlive(const SilenceParameters& p, const Repeats& repeats, double time) {
  if (repeats.count == 0) return 1;
  return Alive(p, repeats, time, p.a / (p.b + repeats.count - 1));
}

double ComesWithin(const SilenceParameters& p, const Repeats& repeats, double time, double horizon,
                   double alive) {
  return alive * (1 - RatioToPower(p.alpha + time, p.alpha + time + horizon, p.r + repeats.count));
}

double CadenceSurprise(const SilenceParameters& p, const Repeats& repeats, double time) {
  return RatioToPower(p.alpha + repeats.last, p.alpha + time, p.r + repeats.count);
}

double MbgSilent(const SilenceParameters& p, const Repeats& repeats, double time, double horizon) {
  return 1 - ComesWithin(p, repeats, time, horizon, MbgAlive(p, repeats, time));
}

MbgSilentLogOdds::MbgSilentLogOdds(const SilenceParameters& p, const Repeats& repeats,
                                   double horizon)
    : alpha_(p.alpha),
      last_(repeats.last),
      horizon_(horizon),
      power_(p.r + repeats.count),
      leave_odds_(p.a / (p.b + repeats.count)),
      log_last_(std::log(p.alpha + repeats.last)) {}

double MbgSilentLogOdds::At(double time) const {
  const double since = alpha_ + std::max(time, last_);
  const double log_since = std::log(since);
  const double u = std::exp(power_ * (log_since - log_last_));
  const double v = std::exp(power_ * (log_since - std::log(since + horizon_)));
  return std::log((leave_odds_ * u + v) / (1 - v));
}

double MbgSilentLogOdds::OddsAtLast() const {
  const double v = std::exp(power_ * (log_last_ - std::log(alpha_ + last_ + horizon_)));
  return (leave_odds_ + v) / (1 - v);
}

}  // namespace rapport::models
