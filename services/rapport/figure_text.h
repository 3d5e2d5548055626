#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/query/v1/kpi.pb.h"
#include "services/rapport/api.h"
#include "services/rapport/output.h"

// How figures are written on the command line.

namespace rapport {

// "87.5 %", "1,234.50 EUR", "2h", "12", "-" when there is none.
std::string KpiValueText(const std::optional<double>& value, query::v1::KpiUnit unit,
                         absl::string_view currency_code);
// An answer of the API as it is, for programs.
absl::StatusOr<Json> CallForJson(Api& api, const std::string& method, const std::string& path,
                                 const std::string& content_type = "", std::string body = "");

}  // namespace rapport
