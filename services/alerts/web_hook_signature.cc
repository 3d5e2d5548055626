#include "services/alerts/web_hook_signature.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"

namespace rapport {
namespace {

constexpr size_t kLeastKeyBytes = 24;
constexpr size_t kMostKeyBytes = 64;
constexpr size_t kMostSecrets = 2;

std::string Mac(const std::string& key, const std::string& text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const unsigned char* done =
      ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  RAPPORT_CHECK(done != nullptr, "HMAC-SHA256");
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(mac), size));
}

}  // namespace

absl::StatusOr<WebHookSigner> WebHookSigner::Parse(absl::string_view lines) {
  WebHookSigner signer;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const size_t number = signer.keys_.size() + 1;
    std::string key;
    if (!absl::ConsumePrefix(&line, "whsec_") || !absl::Base64Unescape(line, &key)) {
      return absl::InvalidArgumentError(
          absl::StrCat("secret ", number, " is not \"whsec_\" and base64"));
    }
    if (key.size() < kLeastKeyBytes || key.size() > kMostKeyBytes) {
      return absl::InvalidArgumentError(absl::StrCat("secret ", number, " has ", key.size(),
                                                     " bytes; it must have ", kLeastKeyBytes,
                                                     " to ", kMostKeyBytes));
    }
    signer.keys_.push_back(std::move(key));
  }
  if (signer.keys_.empty() || signer.keys_.size() > kMostSecrets) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there are ", signer.keys_.size(), " secrets; give one, or two with the newer first"));
  }
  return signer;
}

std::vector<Header> WebHookSigner::Sign(absl::string_view id, absl::Time now,
                                        absl::string_view body) const {
  const std::string timestamp = absl::StrCat(absl::ToUnixSeconds(now));
  const std::string signed_text = absl::StrCat(id, ".", timestamp, ".", body);
  std::string signatures;
  for (const std::string& key : keys_) {
    absl::StrAppend(&signatures, signatures.empty() ? "" : " ", "v1,", Mac(key, signed_text));
  }
  return {{"webhook-id", std::string(id)},
          {"webhook-timestamp", timestamp},
          {"webhook-signature", signatures}};
}

}  // namespace rapport
