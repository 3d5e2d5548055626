#pragma once

#include "absl/strings/string_view.h"

namespace rapport {

// The texts of a language ("en", "pl", "el", "sk", "ru") as a PO file; "" of others. Written by
// embed.cmake.
absl::string_view PhraseFile(absl::string_view language);

}  // namespace rapport
