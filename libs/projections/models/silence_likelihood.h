#pragma once

#include <vector>

#include "libs/projections/models/silence.h"

namespace rapport::models {

// How likely the histories of clients are by BG/NBD or MBG/NBD (sources: silence.h): ln L of a
// client that has come on x days after the first, the last of them t_x after it, looked at T after.
//   ln L = lnG(r+x) - lnG(r) + r ln(alpha) + D + ln(e^A3 + e^A4), A3 = -(r+x) ln(alpha+T)
//   BG:  D = lnG(a+b) + lnG(b+x) - lnG(b) - lnG(a+b+x),
//        A4 = ln(a) - ln(b+x-1) - (r+x) ln(alpha+t_x), if x > 0
//   MBG: D = lnG(a+b) + lnG(b+x+1) - lnG(b) - lnG(a+b+x+1),
//        A4 = ln(a) - ln(b+x) - (r+x) ln(alpha+t_x)
// What depends on x alone is made once, for many clients. The differences of lnG are sums over
// whole x, exact also where a is tiny and b is huge. All parameters are finite and positive.
class SilenceLikelihood {
 public:
  SilenceLikelihood(SilenceModel model, const SilenceParameters& parameters, int most_repeats);

  // 0 <= repeats <= most_repeats; log_last = ln(alpha + t_x), log_time = ln(alpha + T).
  double Of(int repeats, double log_last, double log_time) const;

 private:
  struct OfRepeats {
    double base = 0;        // without A3 and A4
    double power = 0;       // r + x
    double leave_odds = 0;  // A4 + (r+x) ln(alpha+t_x)
  };
  std::vector<OfRepeats> of_repeats_;
};

// Of one client; repeats.count is whole.
double LogLikelihood(SilenceModel model, const SilenceParameters& parameters,
                     const Repeats& repeats, double time);

}  // namespace rapport::models
