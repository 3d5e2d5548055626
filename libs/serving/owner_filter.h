#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/service/access.h"
#include "libs/service/http.h"

// Whose clients a list is of: those that the request asks for (owner=, team=, branch=), and of
// these the ones whom the caller sees. Lists are read so from the beginning; nothing is taken out
// of a page afterwards.

namespace rapport {

class OwnerFilter {
 public:
  // Everybody's.
  OwnerFilter() = default;
  // Those of these owners alone.
  explicit OwnerFilter(std::vector<std::string> owners);

  // From owner=, team= and branch=, each of which may be repeated: whoever one of them names, and
  // for a team or a branch whoever belongs to it or below it now. InvalidArgument: no such unit, or
  // none are known here. `access` may be null.
  static absl::StatusOr<OwnerFilter> Of(const HttpRequest& request, const Access* access);

  bool everybody() const { return everybody_; }
  // In order, each once; none when it is everybody.
  const std::vector<std::string>& owners() const { return owners_; }
  bool Has(absl::string_view owner_id) const;

 private:
  bool everybody_ = true;
  std::vector<std::string> owners_;
};

// The query parameters that OwnerFilter::Of reads.
inline constexpr absl::string_view kOwnerParameters[] = {"owner", "team", "branch"};

// NotFound with `absent`'s message when the caller does not see clients of this owner: as if there
// were none, so that ids can't be probed.
absl::Status CheckSeen(const HttpRequest& request, absl::string_view owner_id,
                       const absl::Status& absent);

}  // namespace rapport
