#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport {

// A text from outside as it may stand in one line of a terminal or a log: what could steer the
// terminal, forge a line or turn the order of what is read (control characters of ASCII and of C1,
// line and paragraph separators, marks of direction, bytes that are no UTF-8) is a "?".
std::string Printable(absl::string_view text);
// The same for several lines of our own: line feeds and tabs stay.
std::string PrintableLines(absl::string_view text);
// JSON with the same characters as escapes ("\u001b"), so that it means what it meant. Line feeds
// and tabs stay: they stand between its tokens.
std::string PrintableJson(absl::string_view json);

}  // namespace rapport
