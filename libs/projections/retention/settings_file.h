#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/projections/retention/settings.h"

// The settings as a file: one "name: value" a line (settings_fields.h), "#" before what is for
// people. Durations are written as days "30d" or as hours "48h".

namespace rapport {

// All settings, each with its value: what a file begins with.
std::string SettingsText(const RetentionSettings& settings);

// `base` with what the text says otherwise. A text that changes anything has to give the result a
// model_version of its own, since every alert names it. InvalidArgument, naming `file`, the line,
// the value and what may stand there: a name that there is not or that comes twice, a value out of
// its range, thresholds that are not in order.
absl::StatusOr<RetentionSettings> ParseSettings(absl::string_view text, absl::string_view file,
                                                const RetentionSettings& base = {});

}  // namespace rapport
