#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/service/http.h"

// Pages of lists: cursor= and limit=.

namespace rapport {

inline constexpr size_t kDefaultPage = 50;
inline constexpr size_t kLargestPage = 500;

// The place of a row as text that fits a URL (base64url without padding). Cursors of one list, put
// back into bytes, are ordered as its rows are.
std::string EncodeCursor(absl::string_view place);
// InvalidArgument when it is none.
absl::StatusOr<std::string> DecodeCursor(absl::string_view cursor);

struct PageRequest {
  size_t limit = kDefaultPage;
  // Place after which the page begins; empty: at the beginning.
  std::string after;
};
// From cursor= and limit=. `prefix`: what the places of this list begin with; InvalidArgument when
// the cursor is of another list.
absl::StatusOr<PageRequest> ReadPageRequest(const HttpRequest& request, absl::string_view prefix);

}  // namespace rapport
