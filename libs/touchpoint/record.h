#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// How a touchpoint becomes a record of the log, so that any Kafka client in any language can read
// or write one.

namespace rapport {

// Key: the client id. Value: the serialised Touchpoint. Timestamp: recorded_at. Headers:
// CloudEvents 1.0 in Kafka binary mode (ce_specversion, ce_id, ce_type, ce_source, ce_time = RFC
// 3339 of occurred_at, ce_subject = client id, content-type). A kind that belongs to no client has
// an empty key and a set partition: the dead letter's own, and 0 for TargetSet. `touchpoint` has
// passed ValidateTouchpoint; ClockAdvanced is made by MakeClockRecord instead.
Record MakeRecord(const touchpoint::v1::Touchpoint& touchpoint);
// The same, into a record whose memory is used again.
void MakeRecord(const touchpoint::v1::Touchpoint& touchpoint, Record* record);

// ClockAdvanced: time has come to `now` in `partition`. Its event id is made of both.
Record MakeClockRecord(absl::Time now, Partition partition);

}  // namespace rapport
