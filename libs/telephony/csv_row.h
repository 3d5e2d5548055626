#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Splits a row that stands on one line, as Asterisk writes it: fields separated by commas, quoted
// ones with inner quotes doubled. The fields are views of `row`, and where quotes were doubled, of
// `unquoted`; both vectors are used again. InvalidArgument: a quote where none may be or that is
// not closed, or more than 64 fields.
absl::Status SplitCsvRow(absl::string_view row, std::vector<absl::string_view>* fields,
                         std::vector<std::string>* unquoted);

}  // namespace rapport
