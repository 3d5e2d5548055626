#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace rapport::mail_internal {

// JSON from outside: what is not there, or of another type, reads as empty.

// InvalidArgument: it is no JSON in UTF-8, or beyond CheckJsonLimits.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text);
// The element of an object; null when there is none.
const nlohmann::json& At(const nlohmann::json& object, const char* name);
std::string TextAt(const nlohmann::json& object, const char* name);
int64_t NumberAt(const nlohmann::json& object, const char* name);
std::string AsText(const nlohmann::json& value);

}  // namespace rapport::mail_internal
