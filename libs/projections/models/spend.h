#pragma once

#include <vector>

// What an order of a client is worth. Gamma-gamma: the values of a client's orders are
// gamma-distributed with shape p and a scale of its own, which is gamma-distributed over clients
// with q and v. What few orders tell is drawn to the mean of all clients, what many tell is
// believed. It holds where those who order often do not order more at a time or less.
//
// Source: P. Fader, B. Hardie, "The gamma-gamma model of monetary value", brucehardie.com note 025,
// 2013, after R. Colombo, W. Jiang, Journal of Interactive Marketing 13(3), 1999.
//
// Pure functions of doubles; v is in the currency of the values. All parameters are finite and
// positive.

namespace rapport::models {

struct SpendParameters {
  double p = 0;
  double q = 0;
  double v = 0;
};

// The orders that are known of a client, and the mean of their values (not used when orders is 0).
// In the published fits the first order is left out.
struct Spend {
  double orders = 0;
  double mean = 0;
};

// E[M|x,m], the expected mean value of the client's orders to come:
// (q-1)/(px+q-1) * pv/(q-1) + px/(px+q-1) * m. Needs px+q > 1; pv/(q-1) when x = 0.
double ExpectedValue(const SpendParameters& parameters, const Spend& spend);

// How likely the means of clients are; what depends on x alone is made once, for many clients.
//   ln L = lnG(px+q) - lnG(px) - lnG(q) + q ln(v) + (px-1) ln(m) + px ln(x) - (px+q) ln(v + xm)
class SpendLikelihood {
 public:
  SpendLikelihood(const SpendParameters& parameters, int most_orders);

  // 1 <= orders <= most_orders; mean > 0, log_mean = ln(mean).
  double Of(int orders, double mean, double log_mean) const;

 private:
  SpendParameters parameters_;
  std::vector<double> of_orders_;  // the first four terms and px ln(x), for x = 1, 2, ...
};

// Of one client with whole spend.orders >= 1 and spend.mean > 0.
double LogLikelihood(const SpendParameters& parameters, const Spend& spend);

}  // namespace rapport::models
