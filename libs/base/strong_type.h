#pragma once

#include <compare>
#include <cstdint>
#include <ostream>
#include <utility>

namespace rapport {

// An integer that does not mix with others: Partition(3) is no Offset(3).
template <class Tag, class T>
class StrongInt {
 public:
  using Value = T;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(T value) : value_(value) {}

  constexpr T value() const { return value_; }

  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr StrongInt& operator++() {
    ++value_;
    return *this;
  }
  constexpr StrongInt operator+(T delta) const { return StrongInt(value_ + delta); }
  constexpr StrongInt operator-(T delta) const { return StrongInt(value_ - delta); }
  constexpr T operator-(StrongInt other) const { return value_ - other.value_; }

  template <class H>
  friend H AbslHashValue(H state, const StrongInt& value) {
    return H::combine(std::move(state), value.value_);
  }
  friend std::ostream& operator<<(std::ostream& out, const StrongInt& value) {
    return out << value.value_;
  }

 private:
  T value_ = 0;
};

// A partition of a topic, from 0.
using Partition = StrongInt<struct PartitionTag, int32_t>;
// The place of a record in its partition, from 0; offsets rise but may have gaps.
using Offset = StrongInt<struct OffsetTag, int64_t>;

}  // namespace rapport
