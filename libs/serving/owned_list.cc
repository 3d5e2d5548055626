#include "libs/serving/owned_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

// With more owners, the whole list is read and those of others are passed over: a look for each
// would read more.
constexpr size_t kMostLooks = 100;
constexpr size_t kLargestStep = 10'000;

absl::Status Damaged(const OwnedList& list, const ProjectionView::IndexEntry& entry) {
  return absl::DataLossError(
      absl::StrCat("the entry of client ", entry.client_id, " in list ", list.all, " is damaged"));
}

// The same range in the list by owner, and how much longer its places are.
struct OwnersRange {
  ProjectionView::Range range;
  size_t longer;
};
OwnersRange RangeOf(const std::string& owner, const ProjectionView::Range& range) {
  std::string prefix;
  AppendKeyString(&prefix, owner);
  const auto behind = [&prefix](const std::string& key) {
    return key.empty() ? key : prefix + key;
  };
  return {.range = {.prefix = prefix + range.prefix,
                    .after = behind(range.after),
                    .before = behind(range.before)},
          .longer = prefix.size()};
}

// From the list by owner: the first of each, put together.
absl::StatusOr<std::vector<ProjectionView::IndexEntry>> MergeOwners(
    const ProjectionView& view, const OwnedList& list, const std::vector<std::string>& owners,
    const ProjectionView::Range& range, size_t limit) {
  std::vector<ProjectionView::IndexEntry> merged;
  for (const std::string& owner : owners) {
    const OwnersRange theirs = RangeOf(owner, range);
    RAPPORT_ASSIGN_OR_RETURN(std::vector<ProjectionView::IndexEntry> entries,
                             view.List(list.by_owner, theirs.range, limit));
    for (ProjectionView::IndexEntry& entry : entries) {
      entry.sort_key.erase(0, theirs.longer);
      entry.place.erase(0, theirs.longer);
      merged.push_back(std::move(entry));
    }
  }
  std::sort(merged.begin(), merged.end(),
            [](const ProjectionView::IndexEntry& a, const ProjectionView::IndexEntry& b) {
              return a.place < b.place;
            });
  if (merged.size() > limit) merged.resize(limit);
  return merged;
}

absl::StatusOr<std::vector<ProjectionView::IndexEntry>> PassOverOthers(const ProjectionView& view,
                                                                       const OwnedList& list,
                                                                       const OwnerFilter& filter,
                                                                       ProjectionView::Range range,
                                                                       size_t limit) {
  std::vector<ProjectionView::IndexEntry> passed;
  for (size_t step = limit;; step = std::min(step * 2, kLargestStep)) {
    RAPPORT_ASSIGN_OR_RETURN(std::vector<ProjectionView::IndexEntry> entries,
                             view.List(list.all, range, step));
    const bool last = entries.size() < step;
    if (!entries.empty()) range.after = entries.back().place;
    for (ProjectionView::IndexEntry& entry : entries) {
      const std::optional<std::string> owner = list.owner_of(entry);
      if (!owner) return Damaged(list, entry);
      if (!filter.Has(*owner)) continue;
      passed.push_back(std::move(entry));
      if (passed.size() == limit) return passed;
    }
    if (last) return passed;
  }
}

}  // namespace

absl::StatusOr<std::vector<ProjectionView::IndexEntry>> ListOwned(
    const ProjectionView& view, const OwnedList& list, const OwnerFilter& filter,
    const ProjectionView::Range& range, size_t limit) {
  if (filter.everybody()) return view.List(list.all, range, limit);
  if (filter.owners().empty()) return std::vector<ProjectionView::IndexEntry>();
  if (filter.owners().size() <= kMostLooks) {
    return MergeOwners(view, list, filter.owners(), range, limit);
  }
  return PassOverOthers(view, list, filter, range, limit);
}

absl::StatusOr<size_t> CountOwned(const ProjectionView& view, const OwnedList& list,
                                  const OwnerFilter& filter, const ProjectionView::Range& range,
                                  size_t most) {
  if (filter.everybody()) return view.Count(list.all, range, most);
  if (filter.owners().size() > kMostLooks) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<ProjectionView::IndexEntry> entries,
                             PassOverOthers(view, list, filter, range, most));
    return entries.size();
  }
  size_t count = 0;
  for (const std::string& owner : filter.owners()) {
    if (count == most) break;
    RAPPORT_ASSIGN_OR_RETURN(const size_t more,
                             view.Count(list.by_owner, RangeOf(owner, range).range, most - count));
    count += more;
  }
  return count;
}

}  // namespace rapport
