#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace rapport {

// Objects of JSON from outside. InvalidArgument: `text` is none, is beyond CheckJsonLimits or is no
// UTF-8.
absl::StatusOr<nlohmann::json> ParseJsonObject(absl::string_view text);
// As above; also takes arrays.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text);

// The member of an object; null when there is none, or `object` is none.
const nlohmann::json& JsonMember(const nlohmann::json& object, absl::string_view name);
// A string, or a number or truth value as text; empty when it is something else or not there.
std::string JsonText(const nlohmann::json& object, absl::string_view name);
// A whole number, also when it stands in a string; nullopt when there is none.
std::optional<int64_t> JsonWhole(const nlohmann::json& object, absl::string_view name);
// An RFC 3339 time; nullopt when it is not there, empty or null. InvalidArgument: it is none.
absl::StatusOr<std::optional<absl::Time>> JsonTime(const nlohmann::json& object,
                                                   absl::string_view name);

}  // namespace rapport
