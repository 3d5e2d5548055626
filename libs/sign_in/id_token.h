#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/sign_in/key_set.h"
#include "nlohmann/json.hpp"

namespace rapport {

inline constexpr char kAllowedAlgorithms[] = "RS256, PS256 and ES256";
// Signatures by a key pair alone: "none" proves nothing, and what HS* is made with, the provider's
// public key could be passed off as.
bool IsAllowedAlgorithm(absl::string_view algorithm);

// A JSON Web Token in compact form whose signature is not checked yet. Functions that take tokens
// refuse with PermissionDenied.
class SignedToken {
 public:
  static constexpr size_t kMostBytes = size_t{64} << 10;

  // Also refuses what is signed by no allowed algorithm.
  static absl::StatusOr<SignedToken> Parse(absl::string_view token);

  // The key that it says it is signed with: by its kid, or the only one that fits when it has none.
  // NotFound: the set has none like that.
  absl::StatusOr<SigningKey> FindKey(const std::vector<SigningKey>& keys) const;
  // What it says, if it is signed with this key.
  absl::StatusOr<std::string> Verify(const SigningKey& key) const;

 private:
  SignedToken() = default;
  std::string token_;
  std::string algorithm_;
  std::string kid_;  // "" when it has none
};

// What is told of a person, in an ID token or by userinfo.
struct PersonClaims {
  std::string subject;
  std::string e_mail;
  bool e_mail_verified = false;
  std::string name;
  std::optional<std::vector<std::string>> groups;  // nullopt: nothing is told of groups
};

// PermissionDenied: there is no subject, or a claim is not of its type.
absl::StatusOr<PersonClaims> ReadPerson(const nlohmann::json& claims,
                                        const std::string& groups_claim);

// What the claims of an ID token are held against.
struct IdTokenRules {
  std::string issuer;
  std::string client_id;
  // nullopt: any or none, as in the answer to a refresh.
  std::optional<std::string> nonce;
  // What came beside the token, whose hash it may have; "" when nothing did.
  std::string access_token;
  std::string groups_claim;
  absl::Time now;
  absl::Duration skew;
};

struct IdTokenClaims {
  PersonClaims person;
  absl::Time expires_at;
};

// Checks iss, aud, azp, exp, nbf, iat, nonce and at_hash (OpenID Connect Core 1.0, 3.1.3.7) of a
// token whose signature is right. PermissionDenied: one is wrong, and what it was.
absl::StatusOr<IdTokenClaims> CheckIdToken(absl::string_view payload, const IdTokenRules& rules);

}  // namespace rapport
