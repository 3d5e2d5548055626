#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// A public key that ID tokens can be signed with.
struct SigningKey {
  enum class Kind { kRsa, kP256 };
  Kind kind = Kind::kRsa;
  std::string kid;        // "" when the provider gives it none
  std::string algorithm;  // the only one that it is for, such as "RS256"; "" when any fits
  std::string jwk;        // its public members alone, in JSON
};

// The keys of a provider (a JWK set, RFC 7517) that can be used: RSA of 2048 to 8192 bits, and
// P-256, for signatures. FailedPrecondition: it is no key set, or has more than 100 keys.
absl::StatusOr<std::vector<SigningKey>> ParseKeySet(absl::string_view text);

}  // namespace rapport
