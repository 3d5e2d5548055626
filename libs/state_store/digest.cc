#include "libs/state_store/digest.h"

#include "absl/strings/escaping.h"
#include "libs/base/bytes.h"
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace rapport {

Digest Digest::OfEntry(uint8_t family, absl::string_view key, absl::string_view value) {
  // The key's hash seeds the value's: together as good as one hash of both, without a copy.
  const uint64_t seed = XXH3_64bits_withSeed(key.data(), key.size(), family);
  const XXH128_hash_t hash = XXH3_128bits_withSeed(value.data(), value.size(), seed);
  Digest digest;
  digest.high_ = hash.high64 ^ XXH3_64bits_withSeed(key.data(), key.size(), ~uint64_t{family});
  digest.low_ = hash.low64;
  return digest;
}

Digest Digest::FromBytes(absl::string_view bytes) {
  Digest digest;
  if (bytes.size() == 16) {
    digest.high_ = ReadBig64(bytes.data());
    digest.low_ = ReadBig64(bytes.data() + 8);
  }
  return digest;
}

Digest& Digest::operator+=(Digest other) {
  const uint64_t low = low_ + other.low_;
  high_ += other.high_ + (low < low_ ? 1 : 0);
  low_ = low;
  return *this;
}

Digest& Digest::operator-=(Digest other) {
  high_ -= other.high_ + (low_ < other.low_ ? 1 : 0);
  low_ -= other.low_;
  return *this;
}

std::string Digest::ToBytes() const {
  std::string bytes;
  AppendBig64(&bytes, high_);
  AppendBig64(&bytes, low_);
  return bytes;
}

std::string Digest::ToHex() const { return absl::BytesToHexString(ToBytes()); }

}  // namespace rapport
