#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport::mail_internal {

// What people really send, put into the form that the standards ask for, before it is read.

// Bytes that are no ASCII become =XX inside encoded words (RFC 2047) of the encoding Q: they are of
// the charset that the word tells, whatever the rest of the field is.
std::string MendEncodedWords(absl::string_view value);

// Addresses that are separated by semicolons, as some mail programs write them, by commas. A list
// with a group in it, where a semicolon means something, stays as it is.
std::string MendAddresses(absl::string_view value);

// Encoded words of one charset that stand side by side become one, since mail programs cut letters
// of several bytes between them.
std::string JoinEncodedWords(absl::string_view value);

}  // namespace rapport::mail_internal
