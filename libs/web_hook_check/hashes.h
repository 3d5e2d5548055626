#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport {

// Message authentication codes as raw bytes: 20 and 32 of them.
std::string HmacSha1(absl::string_view key, absl::string_view text);
std::string HmacSha256(absl::string_view key, absl::string_view text);

// Digests as raw bytes: 16 and 32 of them. MD5 is for protocols that ask for it, and protects
// nothing.
std::string Md5(absl::string_view text);
std::string Sha256(absl::string_view text);

// Whether two texts are the same, in a time that depends on their lengths alone.
bool ConstantTimeEqual(absl::string_view a, absl::string_view b);

}  // namespace rapport
