#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rapport/query/v1/kpi.pb.h"

namespace rapport {

// Plans of a CSV file, as an order for all of them.
struct TargetsFile {
  query::v1::TargetOrder order;
  // What cannot be read, each with its line; then nothing of the file may be ordered.
  std::vector<std::string> problems;
};

// Columns kpi, scope, id, period (or from and to), value, currency, in any order. Amounts are in
// the currency's own units ("100000.00"), shares in percent, times as "24h" or "90s". NotFound,
// InvalidArgument: the file or its columns are wrong.
absl::StatusOr<TargetsFile> ReadTargetsFile(const std::string& path);

}  // namespace rapport
