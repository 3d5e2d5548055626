#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace rapport::mail_internal {

// What the writer of a mail wrote: `text` (UTF-8) without quoted lines and the lines that introduce
// them, without what follows a copied header of an older mail, and without signature and footers of
// mail programs. What is forwarded stays. At most `most` bytes of UTF-8, cut at a character; lines
// end with LF, and there is never more than one empty line.
std::string MakeExcerpt(absl::string_view text, size_t most);

}  // namespace rapport::mail_internal
