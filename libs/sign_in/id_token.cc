#include "libs/sign_in/id_token.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cjose/cjose.h"
#include "libs/base/sha256.h"
#include "libs/base/status.h"
#include "libs/sign_in/json_document.h"
#include "libs/sign_in/secrets.h"
#include "openssl/err.h"

namespace rapport {
namespace {

constexpr size_t kMostSubjectBytes = 255;
constexpr double kLatestSeconds = 253'402'300'799;  // 9999-12-31

struct ReleaseKey {
  void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
};
struct ReleaseToken {
  void operator()(cjose_jws_t* token) const { cjose_jws_release(token); }
};

template <class... Parts>
absl::Status Refused(const Parts&... parts) {
  return absl::PermissionDeniedError(absl::StrCat("the ID token: ", parts...));
}

bool IsBase64Url(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

// nullopt: it is not there.
absl::StatusOr<std::optional<absl::Time>> TimeClaim(const nlohmann::json& claims,
                                                    const char* name) {
  const auto claim = claims.find(name);
  if (claim == claims.end()) return std::nullopt;
  const double seconds = claim->is_number() ? claim->get<double>() : -1;
  if (!(seconds >= 0 && seconds <= kLatestSeconds)) return Refused(name, " is no time");
  return std::optional<absl::Time>(absl::FromUnixSeconds(static_cast<int64_t>(seconds)));
}

absl::Status CheckAudience(const nlohmann::json& claims, const IdTokenRules& rules) {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> audience, TextsMember(claims, "aud"));
  if (std::find(audience.begin(), audience.end(), rules.client_id) == audience.end()) {
    return Refused("aud is ", Quoted(audience), ", and this client ", Quoted(rules.client_id));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string party, TextMember(claims, "azp"));
  const bool needed = audience.size() > 1 || claims.contains("azp");
  if (needed && party != rules.client_id) {
    return Refused("azp is ", Quoted(party), " where aud is ", Quoted(audience),
                   ", and this client ", Quoted(rules.client_id));
  }
  return absl::OkStatus();
}

// Returns when the token expires.
absl::StatusOr<absl::Time> CheckTimes(const nlohmann::json& claims, const IdTokenRules& rules) {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> expires, TimeClaim(claims, "exp"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> begins, TimeClaim(claims, "nbf"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> issued, TimeClaim(claims, "iat"));
  if (!expires) return Refused("it has no exp");
  if (!issued) return Refused("it has no iat");
  const std::string now = absl::StrCat("it is ", UtcText(rules.now), ", and clocks may differ by ",
                                       absl::FormatDuration(rules.skew));
  if (rules.now >= *expires + rules.skew) {
    return Refused("it has expired: exp is ", UtcText(*expires), "; ", now);
  }
  if (begins && rules.now < *begins - rules.skew) {
    return Refused("it is not valid yet: nbf is ", UtcText(*begins), "; ", now);
  }
  if (rules.now < *issued - rules.skew) {
    return Refused("it is from the future: iat is ", UtcText(*issued), "; ", now);
  }
  return *expires;
}

// The hash of an access token as at_hash has it; all allowed algorithms go with SHA-256.
std::string AccessTokenHash(const std::string& access_token) {
  const std::array<uint8_t, 32> digest = Sha256(access_token);
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size() / 2));
}

absl::StatusOr<IdTokenClaims> Check(absl::string_view payload, const IdTokenRules& rules) {
  RAPPORT_ASSIGN_OR_RETURN(const nlohmann::json claims, ParseDocument(payload));
  RAPPORT_ASSIGN_OR_RETURN(const std::string issuer, TextMember(claims, "iss"));
  if (issuer != rules.issuer) {
    return Refused("iss is ", Quoted(issuer), ", and the configured issuer ", Quoted(rules.issuer));
  }
  RAPPORT_RETURN_IF_ERROR(CheckAudience(claims, rules));
  IdTokenClaims checked;
  RAPPORT_ASSIGN_OR_RETURN(checked.expires_at, CheckTimes(claims, rules));
  RAPPORT_ASSIGN_OR_RETURN(const std::string nonce, TextMember(claims, "nonce"));
  if (rules.nonce && (nonce.empty() || !SameSecret(nonce, *rules.nonce))) {
    return Refused(nonce.empty() ? "it has no nonce"
                                 : "nonce is not the one that this sign-in was begun with");
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string access_token_hash, TextMember(claims, "at_hash"));
  if (!access_token_hash.empty() && access_token_hash != AccessTokenHash(rules.access_token)) {
    return Refused("at_hash is not that of the access token which came with it");
  }
  RAPPORT_ASSIGN_OR_RETURN(checked.person, ReadPerson(claims, rules.groups_claim));
  return checked;
}

// Providers write true as a text, too.
bool IsTrue(const nlohmann::json& claims, const char* name) {
  const auto claim = claims.find(name);
  return claim != claims.end() && (*claim == true || *claim == "true");
}

absl::StatusOr<PersonClaims> ReadPersonClaims(const nlohmann::json& claims,
                                              const std::string& groups_claim) {
  PersonClaims person;
  RAPPORT_ASSIGN_OR_RETURN(person.subject, TextMember(claims, "sub"));
  if (person.subject.empty() || person.subject.size() > kMostSubjectBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "sub has ", person.subject.size(), " bytes; it must have 1 to ", kMostSubjectBytes));
  }
  RAPPORT_ASSIGN_OR_RETURN(person.e_mail, TextMember(claims, "email"));
  person.e_mail_verified = !person.e_mail.empty() && IsTrue(claims, "email_verified");
  RAPPORT_ASSIGN_OR_RETURN(person.name, TextMember(claims, "name"));
  if (claims.contains(groups_claim)) {
    RAPPORT_ASSIGN_OR_RETURN(person.groups, TextsMember(claims, groups_claim));
  }
  return person;
}

}  // namespace

bool IsAllowedAlgorithm(absl::string_view algorithm) {
  return algorithm == "RS256" || algorithm == "PS256" || algorithm == "ES256";
}

absl::StatusOr<SignedToken> SignedToken::Parse(absl::string_view token) {
  if (token.size() > kMostBytes) {
    return Refused("it has ", token.size(), " bytes; at most ", kMostBytes, " are taken");
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  std::string header_text;
  if (parts.size() != 3 || !std::all_of(parts.begin(), parts.end(), IsBase64Url) ||
      !absl::WebSafeBase64Unescape(parts[0], &header_text)) {
    return Refused("it is not three parts of base64url with points between them");
  }
  const absl::StatusOr<nlohmann::json> header = ParseDocument(header_text);
  if (!header.ok()) return Refused("its header: ", header.status().message());
  const absl::StatusOr<std::string> algorithm = TextMember(*header, "alg");
  const absl::StatusOr<std::string> kid = TextMember(*header, "kid");
  if (!algorithm.ok()) return Refused("its header: ", algorithm.status().message());
  if (!kid.ok()) return Refused("its header: ", kid.status().message());
  if (!IsAllowedAlgorithm(*algorithm)) {
    return Refused("alg is ", Quoted(*algorithm), "; taken are ", kAllowedAlgorithms);
  }
  if (header->contains("crit")) {
    return Refused("its header asks by crit for what is not understood here");
  }
  SignedToken parsed;
  parsed.token_ = std::string(token);
  parsed.algorithm_ = *algorithm;
  parsed.kid_ = *kid;
  return parsed;
}

absl::StatusOr<SigningKey> SignedToken::FindKey(const std::vector<SigningKey>& keys) const {
  const auto kind = algorithm_ == "ES256" ? SigningKey::Kind::kP256 : SigningKey::Kind::kRsa;
  std::vector<const SigningKey*> fitting;
  for (const SigningKey& key : keys) {
    if (key.kind == kind && (key.algorithm.empty() || key.algorithm == algorithm_) &&
        (kid_.empty() || key.kid == kid_)) {
      fitting.push_back(&key);
    }
  }
  if (fitting.empty()) {
    return absl::NotFoundError(absl::StrCat("the ID token: it is signed by ", algorithm_,
                                            " with the key ", Quoted(kid_),
                                            ", which the provider's key set does not have"));
  }
  if (fitting.size() > 1) {
    return Refused("it does not tell with which of ", fitting.size(), " keys it is signed: kid is ",
                   Quoted(kid_));
  }
  return *fitting[0];
}

absl::StatusOr<std::string> SignedToken::Verify(const SigningKey& key) const {
  cjose_err error;
  const std::unique_ptr<cjose_jwk_t, ReleaseKey> jwk(
      cjose_jwk_import(key.jwk.data(), key.jwk.size(), &error));
  const std::unique_ptr<cjose_jws_t, ReleaseToken> token(
      cjose_jws_import(token_.data(), token_.size(), &error));
  // The algorithm as cjose reads it, too: two readers of JSON may differ in what they make of it.
  const char* const algorithm =
      token == nullptr
          ? nullptr
          : cjose_header_get(cjose_jws_get_protected(token.get()), CJOSE_HDR_ALG, &error);
  const bool right = jwk != nullptr && algorithm != nullptr && algorithm_ == algorithm &&
                     cjose_jws_verify(token.get(), jwk.get(), &error);
  // Of a wrong signature OpenSSL keeps errors for this thread, which libcurl's TLS would find.
  ERR_clear_error();
  if (!right)
    return Refused("the signature is wrong (", algorithm_, ", key ", Quoted(key.kid), ")");
  uint8_t* payload = nullptr;
  size_t size = 0;
  if (!cjose_jws_get_plaintext(token.get(), &payload, &size, &error)) {
    return Refused("it says nothing");
  }
  return std::string(reinterpret_cast<const char*>(payload), size);
}

absl::StatusOr<PersonClaims> ReadPerson(const nlohmann::json& claims,
                                        const std::string& groups_claim) {
  absl::StatusOr<PersonClaims> person = ReadPersonClaims(claims, groups_claim);
  if (person.ok()) return person;
  return absl::PermissionDeniedError(person.status().message());
}

absl::StatusOr<IdTokenClaims> CheckIdToken(absl::string_view payload, const IdTokenRules& rules) {
  absl::StatusOr<IdTokenClaims> claims = Check(payload, rules);
  if (claims.ok() || absl::StartsWith(claims.status().message(), "the ID token: ")) return claims;
  return Refused(claims.status().message());
}

}  // namespace rapport
