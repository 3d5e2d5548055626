#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/check.h"

namespace rapport::models {

// The first integer in (low, high] at which `f`, a function that never falls, is at least
// `threshold`, when f(low) < threshold; nullopt when f(high) is below it. A bracket that shrinks by
// false position (Illinois) and, each third time, by half: about 10 calls for a smooth function, at
// most 3 * log2(high - low) for any. The answer does not depend on the bracket.
template <class F>
std::optional<int64_t> FirstAtOrAbove(const F& f, int64_t low, int64_t high, double threshold) {
  RAPPORT_CHECK(low < high, "empty bracket (", low, ", ", high, "]");
  double above = f(high) - threshold;
  if (above < 0) return std::nullopt;
  double below = f(low) - threshold;
  int side = 0;
  for (int step = 1; high - low > 1; ++step) {
    int64_t middle = low + (high - low) / 2;
    if (step % 3 != 0 && below < 0 && above > below) {
      const double share = below / (below - above);
      middle = low + static_cast<int64_t>(share * static_cast<double>(high - low));
      if (middle <= low) middle = low + 1;
      if (middle >= high) middle = high - 1;
    }
    const double value = f(middle) - threshold;
    if (value >= 0) {
      high = middle;
      above = value;
      if (side == 1) below /= 2;
      side = 1;
    } else {
      low = middle;
      below = value;
      if (side == -1) above /= 2;
      side = -1;
    }
  }
  return high;
}

}  // namespace rapport::models
