#pragma once

#include <string>

#include "rapport/config/v1/service.pb.h"

namespace rapport {

// Routes Log() to standard error as the configuration says: lines for people, or one JSON object a
// line with time, level, service, instance and message. Call before threads start.
void SetUpLogging(const config::v1::Logging& logging, const std::string& service,
                  const std::string& instance);

}  // namespace rapport
