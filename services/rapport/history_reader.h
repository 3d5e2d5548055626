#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/backtest/history.h"
#include "libs/projections/retention/settings.h"
#include "services/rapport/command.h"

namespace rapport {

// All that the log of the data folder tells of clients, up to `end`; beside the Rapport that runs
// on it, if one does, which goes on. Errors as LogCopy::Take; FailedPrecondition: it tells nothing.
absl::StatusOr<backtest::History> ReadHistory(const CommonOptions& common,
                                              absl::Time end = absl::InfiniteFuture());

// "2026-03-31" as its first moment (UTC). InvalidArgument, naming `option` and the text.
absl::StatusOr<absl::Time> ParseDay(const std::string& text, const std::string& option);

// The model of `file`, or the one in force when there is none.
absl::StatusOr<RetentionSettings> ReadModel(const CommonOptions& common, const std::string& file);

}  // namespace rapport
