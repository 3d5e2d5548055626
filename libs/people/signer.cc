#include "libs/people/signer.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/web_hook_check/hashes.h"
#include "openssl/rand.h"

namespace rapport {

Signer::Signer(absl::string_view key, absl::string_view purpose)
    : key_(HmacSha256(key, absl::StrCat("rapport/", purpose))) {}

std::string Signer::Signature(absl::string_view message) const { return HmacSha256(key_, message); }

std::string Signer::Sign(absl::string_view message) const {
  return absl::StrCat(absl::WebSafeBase64Escape(message), ".",
                      absl::WebSafeBase64Escape(Signature(message)));
}

std::optional<std::string> Signer::Open(absl::string_view text) const {
  const size_t point = text.find('.');
  if (point == absl::string_view::npos) return std::nullopt;
  std::string message;
  std::string signature;
  if (!absl::WebSafeBase64Unescape(text.substr(0, point), &message) ||
      !absl::WebSafeBase64Unescape(text.substr(point + 1), &signature) ||
      !ConstantTimeEqual(signature, Signature(message))) {
    return std::nullopt;
  }
  return message;
}

std::string RandomBytes() {
  std::string bytes(32, '\0');
  RAPPORT_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                           static_cast<int>(bytes.size())) == 1,
                "OpenSSL has no random numbers");
  return bytes;
}

}  // namespace rapport
