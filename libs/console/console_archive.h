#pragma once

#include "absl/strings/string_view.h"

namespace rapport {

// The archive that was built into this binary; empty in a build with RAPPORT_CONSOLE=OFF.
absl::string_view BuiltInConsole();

}  // namespace rapport
