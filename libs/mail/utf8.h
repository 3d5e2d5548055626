#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace rapport::mail_internal {

// Length of the well-formed UTF-8 character that `text` begins with; 0 when it begins with none.
size_t Utf8Length(absl::string_view text);

bool IsUtf8(absl::string_view text);

// The longest beginning of well-formed UTF-8 that is at most `most` bytes long and ends at a
// character.
absl::string_view Utf8Prefix(absl::string_view text, size_t most);

// `bytes` in UTF-8. A charset that is empty, unknown or does not hold is guessed: UTF-8 or else
// windows-1252. What is no character becomes U+FFFD.
std::string ToUtf8(absl::string_view bytes, absl::string_view charset);

// `text` for a field: what is not UTF-8 becomes U+FFFD, control characters and line breaks become
// blanks, blanks at both ends are taken away, and at most `most` bytes stay.
std::string OneLine(absl::string_view text, size_t most);

}  // namespace rapport::mail_internal
