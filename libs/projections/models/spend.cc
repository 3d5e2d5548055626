#include "libs/projections/models/spend.h"

#include <cmath>

namespace rapport::models {
namespace {

// std::lgamma writes to a global.
double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

}  // namespace

double ExpectedValue(const SpendParameters& p, const Spend& spend) {
  const double shape = p.p * spend.orders;
  return (p.p * p.v + shape * spend.mean) / (shape + p.q - 1);
}

SpendLikelihood::SpendLikelihood(const SpendParameters& p, int most_orders) : parameters_(p) {
  const double base = p.q * std::log(p.v) - LogGamma(p.q);
  for (int orders = 1; orders <= most_orders; ++orders) {
    const double shape = p.p * orders;
    of_orders_.push_back(base + LogGamma(shape + p.q) - LogGamma(shape) + shape * std::log(orders));
  }
}

double SpendLikelihood::Of(int orders, double mean, double log_mean) const {
  const SpendParameters& p = parameters_;
  const double shape = p.p * orders;
  return of_orders_[static_cast<size_t>(orders) - 1] + (shape - 1) * log_mean -
         (shape + p.q) * std::log(p.v + orders * mean);
}

double LogLikelihood(const SpendParameters& p, const Spend& spend) {
  const int orders = static_cast<int>(spend.orders);
  return SpendLikelihood(p, orders).Of(orders, spend.mean, std::log(spend.mean));
}

}  // namespace rapport::models
