#pragma once

#include <functional>

#include "absl/strings/string_view.h"

namespace rapport {

enum class LogLevel { kInfo, kWarning, kError };

// Hands one line (no line break, no personal data) to the process's sink: by default standard
// error as "I|W|E message". Thread-safe.
void Log(LogLevel level, absl::string_view message);

// Replaces the sink; a service routes lines into its structured log this way. Call before threads
// start. An empty function restores the default.
void SetLogSink(std::function<void(LogLevel, absl::string_view)> sink);

}  // namespace rapport
