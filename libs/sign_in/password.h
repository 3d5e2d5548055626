#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Passwords as they are kept: Argon2id (RFC 9106) by libsodium with 64 MiB, 3 passes and 1 lane, of
// which OWASP asks for 19 MiB and 2 at least. One hash took 84 ms on a core of an AMD EPYC. All
// functions are thread-safe, and those that hash block for as long: see PasswordWork.

namespace rapport {

inline constexpr size_t kLeastPasswordCharacters = 12;
inline constexpr size_t kMostPasswordBytes = 256;

// Whether it may be somebody's new password: kLeastPasswordCharacters of UTF-8 at least, and
// kMostPasswordBytes at most. Any bytes are taken as they are, without Unicode normalisation: it
// would let a password be typed by another composition of its accents, but what a browser sends is
// composed already. InvalidArgument: a sentence for who chose it.
absl::Status CheckNewPassword(absl::string_view password);

// A text of some 100 bytes with its own salt and parameters, another one each time.
// InvalidArgument: as CheckNewPassword. ResourceExhausted: there is no memory for it.
absl::StatusOr<std::string> HashPassword(absl::string_view password);

struct PasswordCheck {
  bool matches = false;
  // The password matches, but the hash has other parameters than HashPassword gives it now.
  bool needs_rehash = false;
};
// DataLoss: the hash is none.
absl::StatusOr<PasswordCheck> CheckPassword(absl::string_view hash, absl::string_view password);

// A hash that no password matches, and whose check takes as long as that of one by HashPassword.
const std::string& UnmatchedHash();

}  // namespace rapport
