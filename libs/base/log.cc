#include "libs/base/log.h"

#include <cstdio>
#include <utility>

namespace rapport {
namespace {

void LogToStderr(LogLevel level, absl::string_view message) {
  const char letter = level == LogLevel::kInfo ? 'I' : level == LogLevel::kWarning ? 'W' : 'E';
  std::fprintf(stderr, "%c %.*s\n", letter, static_cast<int>(message.size()), message.data());
}

std::function<void(LogLevel, absl::string_view)>& Sink() {
  static auto* sink = new std::function<void(LogLevel, absl::string_view)>(LogToStderr);
  return *sink;
}

}  // namespace

void Log(LogLevel level, absl::string_view message) { Sink()(level, message); }

void SetLogSink(std::function<void(LogLevel, absl::string_view)> sink) {
  Sink() = sink ? std::move(sink) : LogToStderr;
}

}  // namespace rapport
