#pragma once

#include <cstdint>
#include <limits>

#include "absl/status/statusor.h"
#include "boost/multiprecision/cpp_int.hpp"

namespace rapport {

// A fraction of whole numbers of any size: pay is reckoned without an error, and rounded once.
using Exact = boost::multiprecision::cpp_rational;

// Half away from zero. OutOfRange when 64 bits do not hold it.
inline absl::StatusOr<int64_t> RoundedToInteger(const Exact& value) {
  using Integer = boost::multiprecision::cpp_int;
  const Integer numerator = boost::multiprecision::numerator(value);
  const Integer denominator = boost::multiprecision::denominator(value);
  const Integer half = numerator < 0 ? Integer(-denominator) : denominator;
  const Integer rounded = (2 * numerator + half) / (2 * denominator);
  if (rounded > std::numeric_limits<int64_t>::max() ||
      rounded < std::numeric_limits<int64_t>::min()) {
    return absl::OutOfRangeError("an amount of money is beyond 64 bits");
  }
  return rounded.convert_to<int64_t>();
}

}  // namespace rapport
