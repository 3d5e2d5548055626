#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "libs/base/event_id.h"
#include "libs/projections/step_order.h"
#include "rapport/state/v1/common.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Last writer wins by (occurred_at, rank, event_id), never by arrival (step_order.h).

namespace rapport {

// InvalidArgument when event_id has not 16 bytes: then it cannot be told which of two touchpoints
// wins.
inline absl::Status CheckEventId(const touchpoint::v1::Touchpoint& touchpoint) {
  if (touchpoint.event_id().size() == EventId::kSize) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("event_id has ", touchpoint.event_id().size(), " bytes instead of 16"));
}

inline bool IsSet(const state::v1::Stamp& stamp) { return !stamp.event_id().empty(); }

// An unset stamp is earlier than any other.
inline bool Earlier(const state::v1::Stamp& a, const state::v1::Stamp& b) {
  if (!IsSet(a) || !IsSet(b)) return !IsSet(a) && IsSet(b);
  const int times = CompareTimes(a.occurred_at(), b.occurred_at());
  if (times != 0) return times < 0;
  return a.rank() != b.rank() ? a.rank() < b.rank() : a.event_id() < b.event_id();
}

// Whether `touchpoint` is later than what `stamp` names; true when it names nothing.
inline bool Later(const touchpoint::v1::Touchpoint& touchpoint, const state::v1::Stamp& stamp) {
  if (!IsSet(stamp)) return true;
  const int times = CompareTimes(touchpoint.occurred_at(), stamp.occurred_at());
  if (times != 0) return times > 0;
  const int32_t rank = StepRank(touchpoint);
  return rank != stamp.rank() ? rank > stamp.rank() : touchpoint.event_id() > stamp.event_id();
}

inline void SetStamp(const touchpoint::v1::Touchpoint& touchpoint, state::v1::Stamp* stamp) {
  *stamp->mutable_occurred_at() = touchpoint.occurred_at();
  stamp->set_event_id(touchpoint.event_id());
  stamp->set_rank(StepRank(touchpoint));
}

// Moves `stamp` to `touchpoint` if that is later; whether it did, and so whether the value that
// belongs to the stamp is to be taken.
inline bool TakeIfLater(const touchpoint::v1::Touchpoint& touchpoint, state::v1::Stamp* stamp) {
  if (!Later(touchpoint, *stamp)) return false;
  SetStamp(touchpoint, stamp);
  return true;
}

}  // namespace rapport
