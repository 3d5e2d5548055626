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

// The expected number of days within a horizon of a client that is alive at its beginning and whose
// chance to leave after each of them is beta-distributed with `leave` and `stay`.
//
// The power of 1-z and the terms of the hypergeometric series are, together, the chances that a
// client that never leaves comes k times: w_k = (1-z)^power * (power)_k / k! * z^k, a negative
// binomial distribution. The rest of the formula is how often it comes with those that it stays
// for: g_k = sum over j < k of (stay)_j / (leave+stay)_j. So E = sum over k of w_k * g_k, in which
// nothing is negative, so that nothing cancels, and a-1 divides nothing.
double ExpectedDaysAlive(double power, double leave, double stay, double z) {
  constexpr double kPrecision = 1e-15;
  constexpr double kLarge = 1e200;
  // In units of w_0, which itself may be too small for a double.
  double weight = 1;
  double weights = 1;
  double sum = 0;
  double still_there = 1;
  double days = 0;
  for (double k = 1;; ++k) {
    weight *= (power + k - 1) / k * z;
    days += still_there;
    still_there *= (stay + k - 1) / (leave + stay + k - 1);
    weights += weight;
    sum += weight * days;
    // Each further term is at most `ratio` times the one before it.
    const double ratio = (power + k) / k * z;
    if (ratio < 1 && weight * days * ratio <= kPrecision * sum * (1 - ratio)) break;
    if (weights > kLarge) {
      weight /= kLarge;
      weights /= kLarge;
      sum /= kLarge;
    }
  }
  return sum / weights;
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

double BgExpectedDays(const SilenceParameters& p, const Repeats& repeats, double time,
                      double horizon) {
  return BgAlive(p, repeats, time) * ExpectedDaysAlive(p.r + repeats.count, p.a,
                                                       p.b + repeats.count,
                                                       horizon / (p.alpha + time + horizon));
}

double MbgExpectedDays(const SilenceParameters& p, const Repeats& repeats, double time,
                       double horizon) {
  return MbgAlive(p, repeats, time) * ExpectedDaysAlive(p.r + repeats.count, p.a,
                                                        p.b + repeats.count + 1,
                                                        horizon / (p.alpha + time + horizon));
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
