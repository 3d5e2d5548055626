#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rapport {

// A 128-bit hash of a set of entries that can be kept as entries come and go: the sum modulo 2^128
// of the hash of each, so that order and batching don't matter. Two stores with equal digests hold
// the same entries (but for a chance of about 2^-128; it guards against bugs and rot, not against
// somebody who searches for collisions).
class Digest {
 public:
  Digest() = default;

  // The hash (XXH3, 128 bits) of one entry of a column family.
  static Digest OfEntry(uint8_t family, absl::string_view key, absl::string_view value);
  // 16 bytes, big-endian; the empty digest when `bytes` has another size.
  static Digest FromBytes(absl::string_view bytes);

  Digest& operator+=(Digest other);
  Digest& operator-=(Digest other);
  bool operator==(const Digest&) const = default;

  std::string ToBytes() const;
  std::string ToHex() const;

 private:
  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

}  // namespace rapport
