#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport::mail_internal {

// The text of an HTML page as a person would see it, line by line; lines inside <blockquote> begin
// with "> ". `html` is in UTF-8 and may be any bytes in truth: whatever is no HTML stays text. At
// most `most` bytes and a little.
std::string HtmlToText(absl::string_view html, size_t most);

}  // namespace rapport::mail_internal
