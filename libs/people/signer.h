#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rapport {

// Signs what this deployment says to itself, by its key (HMAC-SHA-256). `purpose` keeps apart what
// is signed for one use from what is signed for another. Thread-safe.
class Signer {
 public:
  Signer(absl::string_view key, absl::string_view purpose);

  // Text that fits a header or a cookie: base64url of the message, ".", base64url of its signature.
  std::string Sign(absl::string_view message) const;
  // The message; nullopt when it was not signed by this key for this purpose. Its time does not
  // depend on how much of the signature is right.
  std::optional<std::string> Open(absl::string_view text) const;

 private:
  std::string Signature(absl::string_view message) const;

  const std::string key_;
};

// 32 bytes that nobody can guess.
std::string RandomBytes();

}  // namespace rapport
