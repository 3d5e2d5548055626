#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Sixteen bytes that name one touchpoint, or one effect, for ever. Ordered as bytes.
struct EventId {
  static constexpr size_t kSize = 16;
  std::array<uint8_t, kSize> bytes = {};

  // nullopt unless `raw` has exactly 16 bytes.
  static std::optional<EventId> FromBytes(absl::string_view raw) {
    if (raw.size() != kSize) return std::nullopt;
    EventId id;
    std::memcpy(id.bytes.data(), raw.data(), kSize);
    return id;
  }
  absl::string_view view() const {
    return absl::string_view(reinterpret_cast<const char*>(bytes.data()), kSize);
  }
  // 32 lower-case hexadecimal digits.
  std::string ToHex() const { return absl::BytesToHexString(view()); }

  auto operator<=>(const EventId&) const = default;
  template <class H>
  friend H AbslHashValue(H state, const EventId& id) {
    return H::combine_contiguous(std::move(state), id.bytes.data(), kSize);
  }
};

}  // namespace rapport
