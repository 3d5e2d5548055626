#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/projector/projection_view.h"
#include "libs/serving/owner_filter.h"

// Lists of which somebody gets a part: it is read so from the beginning, and nothing is taken out
// of a page afterwards.

namespace rapport {

// A list that stands twice in the store: under its sort key, and under owner and sort key.
struct OwnedList {
  absl::string_view all;
  absl::string_view by_owner;  // sort keys begin with AppendKeyString(owner)
  // The owner of an entry of `all`; nullopt when its value is damaged.
  std::function<std::optional<std::string>(const ProjectionView::IndexEntry&)> owner_of;
};
// The first `limit` entries of a list whose owner passes. Prefix, places and the range are those of
// `all`, whatever the owners are, so that cursors mean the same with every filter. DataLoss: a
// value is damaged.
absl::StatusOr<std::vector<ProjectionView::IndexEntry>> ListOwned(
    const ProjectionView& view, const OwnedList& list, const OwnerFilter& filter,
    const ProjectionView::Range& range, size_t limit);
// How many of them there are; stops at `most`.
absl::StatusOr<size_t> CountOwned(const ProjectionView& view, const OwnedList& list,
                                  const OwnerFilter& filter, const ProjectionView::Range& range,
                                  size_t most);

}  // namespace rapport
