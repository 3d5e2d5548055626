#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace rapport {

// An object of JSON from outside, and its members. Nothing here throws. InvalidArgument: the text
// is no object, is beyond CheckJsonLimits, or is no UTF-8.
absl::StatusOr<nlohmann::json> ParseDocument(absl::string_view text);

// The text of a member; "" when it is not there, or null. InvalidArgument: it is something else.
absl::StatusOr<std::string> TextMember(const nlohmann::json& object, const std::string& name);
// The texts of a member that is a list of them or one text; none when it is not there, or null.
// InvalidArgument: it is something else.
absl::StatusOr<std::vector<std::string>> TextsMember(const nlohmann::json& object,
                                                     const std::string& name);

// A value from outside for a message: quoted, without control characters, cut off when it is long.
std::string Quoted(absl::string_view value);
std::string Quoted(const std::vector<std::string>& values);
// A time for a message, such as "2030-03-17T17:46:40Z".
std::string UtcText(absl::Time time);

}  // namespace rapport
