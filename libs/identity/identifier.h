#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/identity/e_mail.h"
#include "libs/identity/phone.h"
#include "rapport/touchpoint/v1/client.pb.h"

namespace rapport {

using touchpoint::v1::IdentifierKind;

// What a channel knows somebody by, in its normal form.
struct Identifier {
  IdentifierKind kind = touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED;
  // E.164 number, address in lower case, or id, number or login as the issuer writes it.
  std::string value;
  // The system within which the value is unique; always empty for phones and e-mail addresses.
  std::string issuer;
  bool operator==(const Identifier&) const = default;
};

// How identifiers are brought into their normal form.
struct NormalForms {
  PhoneRules phone;
  EMailRules e_mail;
};

// Errors as NormalizePhone and NormalizeEmail give them; other kinds lose the blanks around them,
// and InvalidArgument tells that nothing is left or that there is no such kind.
absl::StatusOr<Identifier> Normalize(IdentifierKind kind, absl::string_view value,
                                     absl::string_view issuer, const NormalForms& forms);

// "phone", "e_mail", "crm_id", "account", "login"; "" for others.
absl::string_view IdentifierKindName(IdentifierKind kind);
// The kind of that name; unspecified when there is none.
IdentifierKind IdentifierKindOf(absl::string_view name);

// The identifier as one text, the same in every language: kind ":" issuer ":" value, with the kind
// as IdentifierKindName has it, and "%" and ":" of the issuer written as "%25" and "%3A". Examples:
// "phone::+4930123456", "e_mail::anna@example.com", "crm_id:crm-berlin:4711".
std::string KeyOf(const Identifier& identifier);
// The identifier that has this key text. InvalidArgument when it is none.
absl::StatusOr<Identifier> ParseKey(absl::string_view key);
// "phone +4930123456", "crm_id 4711 of crm-berlin": for people.
std::string Describe(const Identifier& identifier);

// The client that stands for an identifier as long as nobody knows whose it is: "p-" and the first
// 16 bytes of SHA-256(KeyOf(identifier)) as 32 lower-case hexadecimal digits, so that all who meet
// the identifier make the same one. Example: "phone::+4930123456" gives
// p-be6242262b228e737cdbb9eb11e27d36 (more in identifier_test.cc).
std::string ProvisionalClientId(const Identifier& identifier);
// Whether the id has that form.
bool IsProvisional(absl::string_view client_id);

}  // namespace rapport
