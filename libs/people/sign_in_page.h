#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rapport {

// The page by which people sign in, choose a password by their link, or are told why they could
// not. `message` is plain text; empty: none. It needs no other file.
std::string SignInPage(bool by_provider, absl::string_view message);

// Its Content-Security-Policy: its own script and style alone.
const std::string& SignInPagePolicy();

}  // namespace rapport
