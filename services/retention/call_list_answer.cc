#include "services/retention/call_list_answer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/projections/retention/call_list.h"
#include "libs/projections/retention/retention.h"
#include "libs/serving/page.h"

namespace rapport {
namespace {

constexpr size_t kLookAtOnce = 64;

struct Candidate {
  int64_t avertable = 0;
  std::string client_id;
  state::v1::RetentionState state;
};

// The client by whose call more can be averted comes first.
bool Before(const Candidate& a, const Candidate& b) {
  return a.avertable != b.avertable ? a.avertable > b.avertable : a.client_id < b.client_id;
}

// Sorts as Before does.
std::string PlaceOf(const Candidate& candidate) {
  std::string place;
  AppendOrdered64(&place, -candidate.avertable);
  return place + candidate.client_id;
}

}  // namespace

absl::StatusOr<query::v1::CallList> ReadCallList(const ProjectionView& view,
                                                 absl::string_view owner_id,
                                                 const RetentionSettings& settings, absl::Time now,
                                                 size_t limit) {
  query::v1::CallList list;
  if (now == absl::InfinitePast()) return list;
  ProjectionView::Range range;
  AppendKeyString(&range.prefix, owner_id);
  std::vector<Candidate> best;
  bool may_be_more = true;
  while (may_be_more) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<ProjectionView::IndexEntry> entries,
                             view.List(kByOwnerAndValueIndex, range, kLookAtOnce));
    may_be_more = entries.size() == kLookAtOnce;
    for (const ProjectionView::IndexEntry& entry : entries) {
      const bool full = best.size() == limit;
      if (full && ValueCeiling(entry.sort_key) <= best.back().avertable) {
        may_be_more = false;
        break;
      }
      Candidate candidate{.client_id = entry.client_id};
      RAPPORT_ASSIGN_OR_RETURN(const bool found, view.Get(entry.client_id, &candidate.state));
      if (!found || !IsToBeCalled(candidate.state, now)) continue;
      candidate.avertable = AvertableLoss(candidate.state, settings, now);
      // Without a value they stand by their names behind all others.
      const bool idle = candidate.avertable == 0 && ValueCeiling(entry.sort_key) > 0;
      if (idle || (full && !Before(candidate, best.back()))) continue;
      best.insert(std::upper_bound(best.begin(), best.end(), candidate, Before),
                  std::move(candidate));
      if (best.size() > limit) best.pop_back();
    }
    if (!entries.empty()) range.after = entries.back().place;
  }
  for (const Candidate& candidate : best) {
    query::v1::CallListRow& row = *list.add_rows();
    row = CallListRowOf(candidate.client_id, candidate.state, settings, now);
    row.set_cursor(EncodeCursor(PlaceOf(candidate)));
  }
  return list;
}

}  // namespace rapport
