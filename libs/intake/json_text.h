#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/intake/problem.h"

namespace rapport {

// Where a text that a JSON parser refused is not UTF-8, or is nested deeper than `max_depth`: the
// first such place. False when there is none. For messages alone: it looks at no more than it
// needs.
bool LocateInJson(absl::string_view json, size_t max_depth, Problem* problem);

// `text` in quotes, escaped; bytes that are not UTF-8 become U+FFFD.
std::string JsonString(absl::string_view text);

// The first bytes of a text in UTF-8, at most `max_bytes`, without cutting a character.
absl::string_view Utf8Prefix(absl::string_view text, size_t max_bytes);

}  // namespace rapport
