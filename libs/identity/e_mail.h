#pragma once

#include <string>

#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

struct EMailRules {
  // Domains whose addresses reach the same mailbox whatever follows a "+"; lower case.
  absl::btree_set<std::string> plus_tag_domains;
  // Domains whose addresses reach the same mailbox with and without dots; lower case.
  absl::btree_set<std::string> dotless_domains;
};

// The address in the form in which addresses are compared, "anna@example.com", of what a header or
// a person wrote: one mailbox of RFC 5322 with or without a display name, with comments, a quoted
// local part, folded lines, an obsolete route, "mailto:".
//
// All of it is in lower case, the local part too: RFC 5321 lets a host tell "Anna" from "anna", but
// none that serves people does, and people write both. Letters beyond ASCII are lowered in Latin,
// Greek and Cyrillic; international domains stay as they are written, in letters or as "xn--".
// A quoted local part loses quotes that it does not need. InvalidArgument: no address, or several.
absl::StatusOr<std::string> NormalizeEmail(absl::string_view text, const EMailRules& rules);

// What stands behind the last "@" of a normal form; a view into it.
absl::string_view DomainOf(absl::string_view e_mail);

// Lower case, without a dot at the end.
std::string NormalizeDomain(absl::string_view domain);

}  // namespace rapport
