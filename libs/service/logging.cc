#include "libs/service/logging.h"

#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/log.h"
#include "libs/base/printable.h"
#include "nlohmann/json.hpp"
#include "spdlog/logger.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace rapport {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string JsonLine(LogLevel level, absl::string_view message, const std::string& service,
                     const std::string& instance) {
  const nlohmann::ordered_json line = {
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone())},
      {"level", NameOf(level)},
      {"service", service},
      {"instance", instance},
      {"message", std::string(message)}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void SetUpLogging(const config::v1::Logging& logging, const std::string& service,
                  const std::string& instance) {
  auto logger =
      std::make_shared<spdlog::logger>(service, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(logging.level() == "error"     ? spdlog::level::err
                    : logging.level() == "warning" ? spdlog::level::warn
                                                   : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  const bool json = logging.format() == "json";
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %L %n %v", spdlog::pattern_time_type::utc));
  SetLogSink([logger, json, service, instance](LogLevel level, absl::string_view message) {
    if (!logger->should_log(ToSpdlog(level))) return;
    if (json) {
      logger->log(ToSpdlog(level), PrintableJson(JsonLine(level, message, service, instance)));
    } else {
      // A message may tell what somebody sent.
      logger->log(ToSpdlog(level), Printable(message));
    }
  });
}

}  // namespace rapport
