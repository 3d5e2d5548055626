#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/event_id.h"
#include "rapport/state/v1/common.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Last writer wins by (occurred_at, event_id), never by arrival.

namespace rapport {

// InvalidArgument when event_id has not 16 bytes: then it cannot be told which of two touchpoints
// wins.
inline absl::Status CheckEventId(const touchpoint::v1::Touchpoint& touchpoint) {
  if (touchpoint.event_id().size() == EventId::kSize) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("event_id has ", touchpoint.event_id().size(), " bytes instead of 16"));
}

// Negative, zero or positive as `a` is before, at or after `b`.
inline int CompareTimes(const google::protobuf::Timestamp& a,
                        const google::protobuf::Timestamp& b) {
  if (a.seconds() != b.seconds()) return a.seconds() < b.seconds() ? -1 : 1;
  if (a.nanos() != b.nanos()) return a.nanos() < b.nanos() ? -1 : 1;
  return 0;
}

inline bool IsSet(const state::v1::Stamp& stamp) { return !stamp.event_id().empty(); }

// An unset stamp is earlier than any other.
inline bool Earlier(const state::v1::Stamp& a, const state::v1::Stamp& b) {
  if (!IsSet(a) || !IsSet(b)) return !IsSet(a) && IsSet(b);
  const int times = CompareTimes(a.occurred_at(), b.occurred_at());
  return times != 0 ? times < 0 : a.event_id() < b.event_id();
}

// Whether `touchpoint` is later than what `stamp` names; true when it names nothing.
inline bool Later(const touchpoint::v1::Touchpoint& touchpoint, const state::v1::Stamp& stamp) {
  if (!IsSet(stamp)) return true;
  const int times = CompareTimes(touchpoint.occurred_at(), stamp.occurred_at());
  return times != 0 ? times > 0 : touchpoint.event_id() > stamp.event_id();
}

inline void SetStamp(const touchpoint::v1::Touchpoint& touchpoint, state::v1::Stamp* stamp) {
  *stamp->mutable_occurred_at() = touchpoint.occurred_at();
  stamp->set_event_id(touchpoint.event_id());
}

// Moves `stamp` to `touchpoint` if that is later; whether it did, and so whether the value that
// belongs to the stamp is to be taken.
inline bool TakeIfLater(const touchpoint::v1::Touchpoint& touchpoint, state::v1::Stamp* stamp) {
  if (!Later(touchpoint, *stamp)) return false;
  SetStamp(touchpoint, stamp);
  return true;
}

}  // namespace rapport
