#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Whether JSON from outside may be made a tree: it is nested at most 32 levels deep and has at most
// 200,000 values, which bounds the memory of the tree by that of the text. InvalidArgument: it is
// not. It reads brackets and commas outside strings alone; whether it is JSON, the parser tells.
absl::Status CheckJsonLimits(absl::string_view text);

}  // namespace rapport
