#include "libs/telephony/call_assembler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "libs/base/check.h"
#include "libs/telephony/call_parts.h"

namespace rapport {
namespace {

void SetComplete(AssembledCall* assembled) {
  assembled->complete = assembled->missing.empty();
  assembled->call.set_incomplete(!assembled->complete);
}

}  // namespace

AssembledCall AssembleCall(absl::Span<const source::v1::CallFact* const> facts,
                           const AssembleOptions& options) {
  RAPPORT_CHECK(!facts.empty(), "facts of a call");
  std::vector<LegView> legs;
  std::vector<const source::v1::QueueStep*> steps;
  std::vector<const source::v1::CallStatus*> statuses;
  std::vector<const source::v1::CallSnapshot*> snapshots;
  std::set<absl::string_view> ids, related;
  for (const source::v1::CallFact* const fact : facts) {
    related.insert(fact->related_call_ids().begin(), fact->related_call_ids().end());
    switch (fact->fact_case()) {
      case source::v1::CallFact::kLeg:
        legs.push_back(ViewOf(fact->leg()));
        ids.insert(fact->call_id());
        break;
      case source::v1::CallFact::kQueueStep:
        steps.push_back(&fact->queue_step());
        break;
      case source::v1::CallFact::kStatus:
        statuses.push_back(&fact->status());
        break;
      case source::v1::CallFact::kSnapshot:
        snapshots.push_back(&fact->snapshot());
        break;
      case source::v1::CallFact::FACT_NOT_SET:
        break;
    }
  }
  AssembledCall assembled;
  if (!snapshots.empty()) {
    assembled = telephony_internal::FromSnapshots(std::move(snapshots), options);
  } else if (!statuses.empty()) {
    assembled = telephony_internal::FromStatuses(std::move(statuses), options);
  } else if (!legs.empty() || !steps.empty()) {
    // The call's id is the one that its legs have (a queue's steps may not know it), and that no
    // other one is above.
    const auto above = std::find_if(ids.begin(), ids.end(),
                                    [&](absl::string_view id) { return !related.contains(id); });
    const absl::string_view call_id = above != ids.end() ? *above
                                      : !ids.empty()     ? *ids.begin()
                                                         : "";
    assembled = telephony_internal::FromLegs(call_id, legs, steps, options);
  } else {
    assembled.missing = "all but that there is a call";
  }
  SetComplete(&assembled);
  return assembled;
}

AssembledCall AssembleLegs(absl::string_view call_id, absl::Span<const LegView> legs,
                           const AssembleOptions& options) {
  RAPPORT_CHECK(!legs.empty(), "legs of a call");
  AssembledCall assembled = telephony_internal::FromLegs(call_id, legs, {}, options);
  SetComplete(&assembled);
  return assembled;
}

}  // namespace rapport
