#pragma once

#include <cstdint>
#include <string>

#include "absl/base/internal/endian.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Fixed-width big-endian integers: their bytes sort as their values do, which makes them parts of
// keys. Signed values flip the sign bit so that negative ones sort first.
inline void AppendBig64(std::string* out, uint64_t value) {
  char buffer[8];
  absl::big_endian::Store64(buffer, value);
  out->append(buffer, sizeof buffer);
}
inline void AppendBig32(std::string* out, uint32_t value) {
  char buffer[4];
  absl::big_endian::Store32(buffer, value);
  out->append(buffer, sizeof buffer);
}
inline uint64_t ReadBig64(const char* data) { return absl::big_endian::Load64(data); }
inline uint32_t ReadBig32(const char* data) { return absl::big_endian::Load32(data); }

inline void AppendOrdered64(std::string* out, int64_t value) {
  AppendBig64(out, static_cast<uint64_t>(value) ^ (uint64_t{1} << 63));
}
inline int64_t ReadOrdered64(const char* data) {
  return static_cast<int64_t>(ReadBig64(data) ^ (uint64_t{1} << 63));
}

inline void AppendOrdered32(std::string* out, int32_t value) {
  AppendBig32(out, static_cast<uint32_t>(value) ^ (uint32_t{1} << 31));
}
inline int32_t ReadOrdered32(const char* data) {
  return static_cast<int32_t>(ReadBig32(data) ^ (uint32_t{1} << 31));
}

// A string inside a composite key: 0x00 becomes 0x00 0xFF, and 0x00 0x01 ends it, so that keys sort
// by the string first and no string is another's prefix.
void AppendKeyString(std::string* out, absl::string_view value);
// Takes one such string off the front of `in`; false when `in` does not start with one.
bool ConsumeKeyString(absl::string_view* in, std::string* value);

}  // namespace rapport
