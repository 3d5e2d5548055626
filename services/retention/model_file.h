#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/projections/retention/settings.h"

// The model and alert rules that are in force are those of a file in the data folder, or the ones
// that are built in where there is none. All processes that fold the projection must have the same.

namespace rapport {

std::string ModelFileIn(const std::string& data_folder);

// `base` with what the file says otherwise. NotFound: there is no such file; otherwise as
// ParseSettings.
absl::StatusOr<RetentionSettings> ReadModelFile(const std::string& path,
                                                const RetentionSettings& base = {});

absl::StatusOr<RetentionSettings> ModelInForce(const std::string& data_folder);

// Puts `text`, which has been parsed, in force from the next start on: all of it or nothing.
absl::Status PutModelInForce(const std::string& text, const std::string& data_folder);

}  // namespace rapport
