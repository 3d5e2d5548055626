#include "libs/identity/identifier.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libs/base/sha256.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr absl::string_view kProvisionalPrefix = "p-";
constexpr size_t kIdBytes = 16;

constexpr std::array<std::pair<IdentifierKind, absl::string_view>, 5> kKinds = {{
    {touchpoint::v1::IDENTIFIER_KIND_PHONE, "phone"},
    {touchpoint::v1::IDENTIFIER_KIND_E_MAIL, "e_mail"},
    {touchpoint::v1::IDENTIFIER_KIND_CRM_ID, "crm_id"},
    {touchpoint::v1::IDENTIFIER_KIND_ACCOUNT_NUMBER, "account"},
    {touchpoint::v1::IDENTIFIER_KIND_PORTAL_LOGIN, "login"},
}};

}  // namespace

absl::StatusOr<Identifier> Normalize(IdentifierKind kind, absl::string_view value,
                                     absl::string_view issuer, const NormalForms& forms) {
  Identifier identifier{.kind = kind};
  if (kind == touchpoint::v1::IDENTIFIER_KIND_PHONE) {
    RAPPORT_ASSIGN_OR_RETURN(identifier.value, NormalizePhone(value, forms.phone));
    return identifier;
  }
  if (kind == touchpoint::v1::IDENTIFIER_KIND_E_MAIL) {
    RAPPORT_ASSIGN_OR_RETURN(identifier.value, NormalizeEmail(value, forms.e_mail));
    return identifier;
  }
  if (IdentifierKindName(kind).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no kind of identifier ", static_cast<int>(kind)));
  }
  identifier.value = std::string(absl::StripAsciiWhitespace(value));
  identifier.issuer = std::string(absl::StripAsciiWhitespace(issuer));
  if (identifier.value.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the ", IdentifierKindName(kind), " is empty"));
  }
  return identifier;
}

absl::string_view IdentifierKindName(IdentifierKind kind) {
  const auto* const place = std::find_if(kKinds.begin(), kKinds.end(),
                                         [kind](const auto& entry) { return entry.first == kind; });
  return place == kKinds.end() ? "" : place->second;
}

IdentifierKind IdentifierKindOf(absl::string_view name) {
  const auto* const place = std::find_if(
      kKinds.begin(), kKinds.end(), [name](const auto& entry) { return entry.second == name; });
  return place == kKinds.end() ? touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED : place->first;
}

std::string KeyOf(const Identifier& identifier) {
  if (identifier.issuer.empty()) {
    return absl::StrCat(IdentifierKindName(identifier.kind), "::", identifier.value);
  }
  return absl::StrCat(IdentifierKindName(identifier.kind), ":",
                      absl::StrReplaceAll(identifier.issuer, {{"%", "%25"}, {":", "%3A"}}), ":",
                      identifier.value);
}

absl::StatusOr<Identifier> ParseKey(absl::string_view key) {
  const std::vector<absl::string_view> parts = absl::StrSplit(key, absl::MaxSplits(':', 2));
  const IdentifierKind kind = IdentifierKindOf(parts.front());
  if (parts.size() != 3 || kind == touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED) {
    return absl::InvalidArgumentError(absl::StrCat("'", key, "' is no key of an identifier"));
  }
  return Identifier{.kind = kind,
                    .value = std::string(parts[2]),
                    .issuer = absl::StrReplaceAll(parts[1], {{"%25", "%"}, {"%3A", ":"}})};
}

std::string Describe(const Identifier& identifier) {
  std::string text = absl::StrCat(IdentifierKindName(identifier.kind), " ", identifier.value);
  if (!identifier.issuer.empty()) absl::StrAppend(&text, " of ", identifier.issuer);
  return text;
}

std::string ProvisionalClientId(const Identifier& identifier) {
  const std::string key = KeyOf(identifier);
  const auto digest = Sha256(key);
  return absl::StrCat(kProvisionalPrefix,
                      absl::BytesToHexString(absl::string_view(
                          reinterpret_cast<const char*>(digest.data()), kIdBytes)));
}

bool IsProvisional(absl::string_view client_id) {
  if (client_id.size() != kProvisionalPrefix.size() + 2 * kIdBytes ||
      !absl::StartsWith(client_id, kProvisionalPrefix)) {
    return false;
  }
  client_id.remove_prefix(kProvisionalPrefix.size());
  return std::all_of(client_id.begin(), client_id.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
  });
}

}  // namespace rapport
