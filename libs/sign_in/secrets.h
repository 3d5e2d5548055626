#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport {

// What secrets need of libsodium. Thread-safe.

// Makes libsodium ready, once; before any other call to it.
void InitSodium();

// 256 random bits in base64url, without padding.
std::string RandomSecret();

// Whether two texts are the same, in a time that depends on their lengths alone.
bool SameSecret(absl::string_view a, absl::string_view b);

// Overwrites and empties a text, so that it does not stay in memory.
void Forget(std::string* secret);

}  // namespace rapport
