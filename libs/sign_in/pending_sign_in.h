#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport {

// A sign-in that has begun: what must be known of it when the browser comes back from the provider.
// All but begun_at are secrets of this one sign-in.
struct PendingSignIn {
  std::string state;
  std::string nonce;
  std::string code_verifier;
  absl::Time begun_at;

  // Random values of 256 bits each.
  static PendingSignIn Begin(absl::Time now);
  bool operator==(const PendingSignIn&) const = default;
};

// Seals pending sign-ins into texts that a cookie can hold, which only the same key opens
// (XChaCha20-Poly1305). Thread-safe.
class PendingSignInSeal {
 public:
  static constexpr size_t kKeyBytes = 32;
  // How long a sealed sign-in can be opened.
  static constexpr absl::Duration kLifetime = absl::Minutes(10);

  // The key may serve other purposes, too: a key of its own is derived from it. InvalidArgument:
  // it has not kKeyBytes.
  static absl::StatusOr<PendingSignInSeal> Create(absl::string_view key);

  // A text of letters, digits, "-" and "_" of some 250 bytes; another one each time.
  std::string Seal(const PendingSignIn& pending) const;
  // InvalidArgument: it was not sealed with this key, or was changed. DeadlineExceeded: it was
  // begun longer than kLifetime ago (or in what is the future by more than a minute).
  absl::StatusOr<PendingSignIn> Open(absl::string_view sealed, absl::Time now) const;

 private:
  PendingSignInSeal() = default;
  std::array<uint8_t, kKeyBytes> key_;
};

}  // namespace rapport
