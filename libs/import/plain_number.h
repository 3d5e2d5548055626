#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/import/decimal.h"

namespace rapport {

// A number as spreadsheets and banks write it, without its ornaments: "-1234.5" of "(1'234.5)" or
// of "-1 234.5 EUR" (see Decimal::Parse). What is left has a sign, digits and the decimal mark
// alone. InvalidArgument, naming the text: it is no number, or one of another currency.
absl::StatusOr<std::string> PlainNumber(absl::string_view text, Decimal::Marks marks);

// The text with each of the many blanks as a space, and typographic minus signs and apostrophes as
// those of ASCII.
std::string WithAsciiMarks(absl::string_view text);

}  // namespace rapport
