#pragma once

#include <string>

#include "absl/status/status.h"

namespace rapport {

// Says in the process log what is wrong with reading a source when it begins or becomes something
// else, and when it is over; nothing while it stays.
void LogChange(const std::string& source, const absl::Status& before, const absl::Status& now);

}  // namespace rapport
