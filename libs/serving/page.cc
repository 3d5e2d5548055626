#include "libs/serving/page.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {

std::string EncodeCursor(absl::string_view place) { return absl::WebSafeBase64Escape(place); }

absl::StatusOr<std::string> DecodeCursor(absl::string_view cursor) {
  std::string place;
  // Written back, it must be the same: absl's reader takes spaces and stray bits too.
  if (!absl::WebSafeBase64Unescape(cursor, &place) || EncodeCursor(place) != cursor) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cursor is '", cursor, "', which is none; take next_cursor of the page before"));
  }
  return place;
}

absl::StatusOr<PageRequest> ReadPageRequest(const HttpRequest& request, absl::string_view prefix) {
  PageRequest page;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> limit,
                           QueryNumber(request, "limit", 1, kLargestPage));
  if (limit) page.limit = static_cast<size_t>(*limit);
  const std::optional<std::string> cursor = request.Query("cursor");
  // Empty, as in a form or in a program's first turn: at the beginning.
  if (!cursor || cursor->empty()) return page;
  RAPPORT_ASSIGN_OR_RETURN(page.after, DecodeCursor(*cursor));
  if (page.after.empty() || !absl::StartsWith(page.after, prefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cursor is '", *cursor,
                     "', which is of another list; keep the other parameters from page to page"));
  }
  return page;
}

}  // namespace rapport
