#pragma once

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace rapport {

// SHA-256 of `text`. Many times as fast for short texts as OpenSSL's SHA256(), which looks the
// algorithm up anew each time. Thread-safe.
std::array<uint8_t, 32> Sha256(absl::string_view text);

}  // namespace rapport
