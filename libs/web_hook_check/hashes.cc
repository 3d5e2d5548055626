#include "libs/web_hook_check/hashes.h"

#include "libs/base/check.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"

namespace rapport {
namespace {

std::string Mac(const EVP_MD* digest, absl::string_view key, absl::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  // An absent key may not be null.
  const char* const key_bytes = key.empty() ? "" : key.data();
  const unsigned char* done =
      ::HMAC(digest, key_bytes, static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  RAPPORT_CHECK(done != nullptr, "HMAC");
  return std::string(reinterpret_cast<const char*>(mac), size);
}

std::string Digest(const EVP_MD* kind, absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  RAPPORT_CHECK(::EVP_Digest(text.data(), text.size(), digest, &size, kind, nullptr) == 1,
                "digest");
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace

std::string HmacSha1(absl::string_view key, absl::string_view text) {
  return Mac(::EVP_sha1(), key, text);
}

std::string HmacSha256(absl::string_view key, absl::string_view text) {
  return Mac(::EVP_sha256(), key, text);
}

std::string Md5(absl::string_view text) { return Digest(::EVP_md5(), text); }

std::string Sha256(absl::string_view text) { return Digest(::EVP_sha256(), text); }

bool ConstantTimeEqual(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace rapport
