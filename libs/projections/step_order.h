#pragma once

#include <cstdint>

#include "google/protobuf/timestamp.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// In which order the touchpoints of one client are to be taken, however they arrive: by
// occurred_at; at one moment, which sources with dates or whole seconds give to all steps of a
// matter, by rank; and then by event_id. The one comparison of all folds (stamp.h) and of whoever
// sorts touchpoints.

namespace rapport {

// Negative, zero or positive as `a` is before, at or after `b`.
inline int CompareTimes(const google::protobuf::Timestamp& a,
                        const google::protobuf::Timestamp& b) {
  if (a.seconds() != b.seconds()) return a.seconds() < b.seconds() ? -1 : 1;
  if (a.nanos() != b.nanos()) return a.nanos() < b.nanos() ? -1 : 1;
  return 0;
}

// Where in the life of its matter a touchpoint stands: what opens it has 0, steps have more, and
// the end has the most. Stages of a deal go forward: among its steps one that reaches a later
// stage, or leaves it, comes after one that does not. Kinds that are no step of anything have 0.
int32_t StepRank(const touchpoint::v1::Touchpoint& touchpoint);

// Whether `a` comes before `b`.
bool StepBefore(const touchpoint::v1::Touchpoint& a, const touchpoint::v1::Touchpoint& b);

}  // namespace rapport
