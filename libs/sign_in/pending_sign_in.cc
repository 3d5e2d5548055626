#include "libs/sign_in/pending_sign_in.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/sign_in/json_document.h"
#include "libs/sign_in/secrets.h"
#include "sodium.h"

namespace rapport {
namespace {

// The first byte of what is sealed, and a part of what is authenticated.
constexpr char kVersion = 1;
constexpr char kContext[] = "PendSign";
static_assert(sizeof kContext - 1 == crypto_kdf_CONTEXTBYTES);
static_assert(PendingSignInSeal::kKeyBytes == crypto_kdf_KEYBYTES);
static_assert(PendingSignInSeal::kKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kMostSealedBytes = 2000;
// Machines that share a key may have clocks that differ.
constexpr absl::Duration kClockSkew = absl::Minutes(1);

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::string Encode(const PendingSignIn& pending) {
  std::string text;
  AppendOrdered64(&text, absl::ToUnixMillis(pending.begun_at));
  for (const std::string* const part : {&pending.state, &pending.nonce, &pending.code_verifier}) {
    AppendBig32(&text, static_cast<uint32_t>(part->size()));
    text.append(*part);
  }
  return text;
}

std::optional<PendingSignIn> Decode(absl::string_view text) {
  PendingSignIn pending;
  if (text.size() < 8) return std::nullopt;
  pending.begun_at = absl::FromUnixMillis(ReadOrdered64(text.data()));
  text.remove_prefix(8);
  for (std::string* const part : {&pending.state, &pending.nonce, &pending.code_verifier}) {
    if (text.size() < 4) return std::nullopt;
    const size_t size = ReadBig32(text.data());
    text.remove_prefix(4);
    if (text.size() < size) return std::nullopt;
    *part = std::string(text.substr(0, size));
    text.remove_prefix(size);
  }
  if (!text.empty()) return std::nullopt;
  return pending;
}

}  // namespace

PendingSignIn PendingSignIn::Begin(absl::Time now) {
  return {RandomSecret(), RandomSecret(), RandomSecret(),
          absl::FromUnixMillis(absl::ToUnixMillis(now))};
}

absl::StatusOr<PendingSignInSeal> PendingSignInSeal::Create(absl::string_view key) {
  if (key.size() != kKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the key that seals sign-ins has ", key.size(),
                                                   " bytes; it must have ", kKeyBytes));
  }
  InitSodium();
  PendingSignInSeal seal;
  RAPPORT_CHECK(crypto_kdf_derive_from_key(seal.key_.data(), seal.key_.size(), kVersion, kContext,
                                           Bytes(key)) == 0,
                "no key could be derived");
  return seal;
}

std::string PendingSignInSeal::Seal(const PendingSignIn& pending) const {
  const std::string text = Encode(pending);
  std::string sealed(1 + kNonceBytes + text.size() + kTagBytes, '\0');
  auto* const bytes = reinterpret_cast<uint8_t*>(sealed.data());
  sealed[0] = kVersion;
  randombytes_buf(bytes + 1, kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + 1 + kNonceBytes, nullptr, Bytes(text),
                                             text.size(), bytes, 1, nullptr, bytes + 1,
                                             key_.data());
  return absl::WebSafeBase64Escape(sealed);
}

absl::StatusOr<PendingSignIn> PendingSignInSeal::Open(absl::string_view sealed,
                                                      absl::Time now) const {
  const absl::Status unknown =
      absl::InvalidArgumentError("the sign-in that was begun is not one that was sealed here");
  std::string text;
  if (sealed.size() > kMostSealedBytes || !absl::WebSafeBase64Unescape(sealed, &text) ||
      text.size() < 1 + kNonceBytes + kTagBytes || text[0] != kVersion) {
    return unknown;
  }
  std::string plain(text.size() - 1 - kNonceBytes - kTagBytes, '\0');
  const uint8_t* const bytes = Bytes(text);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<uint8_t*>(plain.data()), nullptr, nullptr, bytes + 1 + kNonceBytes,
          plain.size() + kTagBytes, bytes, 1, bytes + 1, key_.data()) != 0) {
    return unknown;
  }
  std::optional<PendingSignIn> pending = Decode(plain);
  if (!pending) return unknown;
  if (now - pending->begun_at > kLifetime || pending->begun_at - now > kClockSkew) {
    return absl::DeadlineExceededError(
        absl::StrCat("the sign-in was begun at ", UtcText(pending->begun_at), ", and it may take ",
                     absl::FormatDuration(kLifetime), " at most"));
  }
  return *std::move(pending);
}

}  // namespace rapport
