#pragma once

#include <cstdint>
#include <limits>

#include "absl/status/statusor.h"
#include "boost/multiprecision/cpp_int.hpp"
#include "boost/rational.hpp"

namespace rapport {

// A whole number of any size.
using WholeNumber = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>,
                                                  boost::multiprecision::et_off>;
// A fraction of such: pay is reckoned without an error, and rounded once.
using Exact = boost::rational<WholeNumber>;

// Half away from zero.
inline WholeNumber Rounded(const Exact& value) {
  const WholeNumber half = value < 0 ? -value.denominator() : value.denominator();
  return (2 * value.numerator() + half) / (2 * value.denominator());
}

// Likewise. OutOfRange when 64 bits do not hold it.
inline absl::StatusOr<int64_t> RoundedToInteger(const Exact& value) {
  const WholeNumber rounded = Rounded(value);
  if (rounded > std::numeric_limits<int64_t>::max() ||
      rounded < std::numeric_limits<int64_t>::min()) {
    return absl::OutOfRangeError("an amount of money is beyond 64 bits");
  }
  return rounded.convert_to<int64_t>();
}

}  // namespace rapport
