#pragma once

#include <string>

#include "absl/status/status.h"

namespace rapport {

// Compares the descriptor set in the file `current_path` with the released one in `baseline_path`,
// and with `renew` writes the current one (without comments) over the baseline, at once or not at
// all. FailedPrecondition when released records would get another meaning, the message naming each
// place; the baseline then stays as it was. NotFound when a file is missing; to renew, no baseline
// is needed.
absl::Status CompareWithBaseline(const std::string& current_path, const std::string& baseline_path,
                                 bool renew);

}  // namespace rapport
