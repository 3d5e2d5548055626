#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/projector/clock_ticker.h"
#include "libs/service/service.h"

namespace rapport {

// A candidate for the log's clock with the limits of the configuration, which tells the metrics of
// `env` how the clock stands. `member` is this process's name among the candidates. Errors as
// ClockTicker::Start.
absl::StatusOr<std::unique_ptr<ClockTicker>> StartClock(const ServiceEnv& env,
                                                        const std::string& member);

// What an operator should know of it, for Service::Warnings.
std::vector<std::string> ClockWarnings(const ClockTicker& clock);

}  // namespace rapport
