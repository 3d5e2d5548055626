#include "libs/serving/owner_filter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/serving/query_values.h"

namespace rapport {

OwnerFilter::OwnerFilter(std::vector<std::string> owners)
    : everybody_(false), owners_(std::move(owners)) {
  std::sort(owners_.begin(), owners_.end());
  owners_.erase(std::unique(owners_.begin(), owners_.end()), owners_.end());
}

absl::StatusOr<OwnerFilter> OwnerFilter::Of(const HttpRequest& request, const Access* access) {
  std::vector<std::string> owners = QueryAll(request, "owner");
  bool asked = !owners.empty();
  for (const char* const parameter : {"team", "branch"}) {
    for (const std::string& unit : QueryAll(request, parameter)) {
      asked = true;
      if (access == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat(parameter, " is '", unit, "', and no units are known here"));
      }
      const absl::StatusOr<std::vector<std::string>> people = access->OwnersIn(unit);
      if (!people.ok()) return Annotate(people.status(), parameter);
      owners.insert(owners.end(), people->begin(), people->end());
    }
  }
  const Caller& caller = CallerOf(request);
  if (caller.sees_all) return asked ? OwnerFilter(std::move(owners)) : OwnerFilter();
  if (!asked && caller.owners != nullptr) {
    owners.assign(caller.owners->begin(), caller.owners->end());
  }
  owners.erase(std::remove_if(owners.begin(), owners.end(),
                              [&caller](const std::string& owner) { return !caller.Sees(owner); }),
               owners.end());
  return OwnerFilter(std::move(owners));
}

bool OwnerFilter::Has(absl::string_view owner_id) const {
  return everybody_ || std::binary_search(owners_.begin(), owners_.end(), owner_id);
}

absl::Status CheckSeen(const HttpRequest& request, absl::string_view owner_id,
                       const absl::Status& absent) {
  return CallerOf(request).Sees(owner_id) ? absl::OkStatus() : absent;
}

}  // namespace rapport
