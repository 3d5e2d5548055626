#pragma once

#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "libs/intake/attributes.h"
#include "libs/intake/cloud_events.h"
#include "libs/intake/problem.h"

namespace rapport {

// Makes the event of a touchpoint that was read from data: fills what only the attributes tell
// (null: there were none), holds both against each other, sets event_id and recorded_at, validates.
// True: id, kind and record of `event` are set.
// `only_source`: as in IntakeRequest.
bool CompleteEvent(const IntakeLimits& limits, absl::string_view only_source, absl::Time now,
                   const EventAttributes* attributes, const google::protobuf::FieldDescriptor* kind,
                   touchpoint::v1::Touchpoint* touchpoint, IntakeEvent* event, Problem* problem);

}  // namespace rapport
