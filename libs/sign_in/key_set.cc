#include "libs/sign_in/key_set.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/sign_in/json_document.h"

namespace rapport {
namespace {

constexpr size_t kMostKeys = 100;
constexpr size_t kLeastModulusBytes = 2048 / 8;
constexpr size_t kMostModulusBytes = 8192 / 8;
// A longer one makes a check slow, and nobody uses it.
constexpr size_t kMostExponentBytes = 4;
constexpr size_t kP256Bytes = 32;

// The bytes of a number in base64url without zeros before it; 0 when it is none.
size_t NumberBytes(const std::string& text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes)) return 0;
  const size_t first = bytes.find_first_not_of('\0');
  return first == std::string::npos ? 0 : bytes.size() - first;
}

// nullopt: it is for something else than the signatures that are taken.
absl::StatusOr<std::optional<SigningKey>> ReadKey(const nlohmann::json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("a key is no object");
  RAPPORT_ASSIGN_OR_RETURN(const std::string type, TextMember(json, "kty"));
  RAPPORT_ASSIGN_OR_RETURN(const std::string use, TextMember(json, "use"));
  SigningKey key;
  RAPPORT_ASSIGN_OR_RETURN(key.kid, TextMember(json, "kid"));
  RAPPORT_ASSIGN_OR_RETURN(key.algorithm, TextMember(json, "alg"));
  if (!use.empty() && use != "sig") return std::nullopt;
  nlohmann::json jwk = {{"kty", type}};
  if (type == "RSA") {
    RAPPORT_ASSIGN_OR_RETURN(const std::string modulus, TextMember(json, "n"));
    RAPPORT_ASSIGN_OR_RETURN(const std::string exponent, TextMember(json, "e"));
    const size_t modulus_bytes = NumberBytes(modulus);
    const size_t exponent_bytes = NumberBytes(exponent);
    if (modulus_bytes < kLeastModulusBytes || modulus_bytes > kMostModulusBytes ||
        exponent_bytes == 0 || exponent_bytes > kMostExponentBytes) {
      return std::nullopt;
    }
    key.kind = SigningKey::Kind::kRsa;
    jwk["n"] = modulus;
    jwk["e"] = exponent;
  } else if (type == "EC") {
    RAPPORT_ASSIGN_OR_RETURN(const std::string curve, TextMember(json, "crv"));
    RAPPORT_ASSIGN_OR_RETURN(const std::string x, TextMember(json, "x"));
    RAPPORT_ASSIGN_OR_RETURN(const std::string y, TextMember(json, "y"));
    if (curve != "P-256" || NumberBytes(x) == 0 || NumberBytes(x) > kP256Bytes ||
        NumberBytes(y) == 0 || NumberBytes(y) > kP256Bytes) {
      return std::nullopt;
    }
    key.kind = SigningKey::Kind::kP256;
    jwk["crv"] = curve;
    jwk["x"] = x;
    jwk["y"] = y;
  } else {
    return std::nullopt;
  }
  key.jwk = jwk.dump();
  return std::optional<SigningKey>(std::move(key));
}

absl::StatusOr<std::vector<SigningKey>> Read(absl::string_view text) {
  RAPPORT_ASSIGN_OR_RETURN(const nlohmann::json document, ParseDocument(text));
  const auto list = document.find("keys");
  if (list == document.end() || !list->is_array()) {
    return absl::InvalidArgumentError("it has no list of keys");
  }
  if (list->size() > kMostKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", list->size(), " keys; at most ", kMostKeys, " are taken"));
  }
  std::vector<SigningKey> keys;
  for (const nlohmann::json& json : *list) {
    RAPPORT_ASSIGN_OR_RETURN(std::optional<SigningKey> key, ReadKey(json));
    if (key) keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<SigningKey>> ParseKeySet(absl::string_view text) {
  absl::StatusOr<std::vector<SigningKey>> keys = Read(text);
  if (keys.ok()) return keys;
  return absl::FailedPreconditionError(absl::StrCat("the key set: ", keys.status().message()));
}

}  // namespace rapport
