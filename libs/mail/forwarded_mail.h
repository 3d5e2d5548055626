#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "libs/mail/mail.h"

namespace rapport::mail_internal {

// The first mail that a text passes on: the copied header behind a line such as "----------
// Forwarded message ---------", or, without one, at the beginning of what is copied below the
// writer's words; in a dozen languages. nullopt: there is none, or it does not tell an address.
std::optional<ParsedMail::Forwarded> FindForwarded(absl::string_view text);

// Whether a line says that a forwarded mail follows.
bool IsForwardMark(absl::string_view line);
// Whether `line` is a field of a copied header that tells who wrote ("From:", "Von:", "*De :*").
bool IsCopiedFrom(absl::string_view line);
// Whether it is another field of a copied header ("Sent:", "Betreff:").
bool IsCopiedField(absl::string_view line);

}  // namespace rapport::mail_internal
