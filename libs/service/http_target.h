#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace rapport {

// "%41b" is "Ab"; nullopt when a % is not followed by two hex digits. `plus_is_space`: as in
// queries.
std::optional<std::string> PercentDecode(absl::string_view text, bool plus_is_space = false);

// All but letters, digits and "-._~:" as %XX, for a path's segment or a query's name or value.
std::string PercentEncode(absl::string_view text);

// What stands in the first line of a request: "/v1/clients/a%2Fb?owner=x".
struct RequestTarget {
  absl::string_view raw_path;   // into the target given
  absl::string_view raw_query;  // behind the "?"; into the target given
  std::string path;             // decoded
  std::vector<std::pair<std::string, std::string>> query;
};

// nullopt: no path, or wrong percent-encoding.
std::optional<RequestTarget> ParseTarget(absl::string_view target);

}  // namespace rapport
