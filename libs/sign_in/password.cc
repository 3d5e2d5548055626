#include "libs/sign_in/password.h"

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/sign_in/secrets.h"
#include "sodium.h"

namespace rapport {
namespace {

constexpr unsigned kPasses = 3;
constexpr size_t kMemoryBytes = size_t{64} << 20;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;

// Continuation bytes of UTF-8 are no characters of their own.
size_t CountCharacters(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// As the encoded hashes have it.
std::string Base64(const std::string& bytes) {
  const std::string text = absl::Base64Escape(bytes);
  return text.substr(0, text.find('='));
}

}  // namespace

absl::Status CheckNewPassword(absl::string_view password) {
  if (CountCharacters(password) < kLeastPasswordCharacters) {
    return absl::InvalidArgumentError(
        absl::StrCat("The password is too short: it must have at least ", kLeastPasswordCharacters,
                     " characters."));
  }
  if (password.size() > kMostPasswordBytes) {
    return absl::InvalidArgumentError(absl::StrCat("The password is too long: it may have at most ",
                                                   kMostPasswordBytes, " bytes."));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> HashPassword(absl::string_view password) {
  if (absl::Status status = CheckNewPassword(password); !status.ok()) return status;
  InitSodium();
  std::array<char, crypto_pwhash_STRBYTES> hash;
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), kPasses, kMemoryBytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError("there is no memory to hash a password");
  }
  return std::string(hash.data());
}

absl::StatusOr<PasswordCheck> CheckPassword(absl::string_view hash, absl::string_view password) {
  InitSodium();
  const std::string text(hash);
  // -1: it is no hash of Argon2id, or one that is too long.
  const int outdated = text.size() < crypto_pwhash_STRBYTES
                           ? crypto_pwhash_str_needs_rehash(text.c_str(), kPasses, kMemoryBytes)
                           : -1;
  if (outdated < 0) return absl::DataLossError("what is kept for a password is no hash of one");
  PasswordCheck check;
  // Nobody's password is that long: it is not worth the work.
  check.matches = password.size() <= kMostPasswordBytes &&
                  crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0;
  check.needs_rehash = check.matches && outdated != 0;
  return check;
}

const std::string& UnmatchedHash() {
  // That a password has a hash of zeros is as unlikely as that two have the same.
  static const std::string* const hash = new std::string(absl::StrCat(
      "$argon2id$v=19$m=", kMemoryBytes / 1024, ",t=", kPasses, ",p=1$",
      Base64(std::string(kSaltBytes, '\0')), "$", Base64(std::string(kHashBytes, '\0'))));
  return *hash;
}

}  // namespace rapport
