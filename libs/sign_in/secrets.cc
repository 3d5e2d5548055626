#include "libs/sign_in/secrets.h"

#include <array>

#include "absl/strings/escaping.h"
#include "libs/base/check.h"
#include "sodium.h"

namespace rapport {

void InitSodium() {
  static const int initialised = sodium_init();
  RAPPORT_CHECK(initialised >= 0, "libsodium finds no source of random numbers");
}

std::string RandomSecret() {
  InitSodium();
  std::array<char, 32> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size()));
}

bool SameSecret(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Forget(std::string* secret) {
  sodium_memzero(secret->data(), secret->size());
  secret->clear();
}

}  // namespace rapport
