#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
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
// passed ValidateTouchpoint; ClockAdvanced and ClockCorrected are made by the functions below.
Record MakeRecord(const touchpoint::v1::Touchpoint& touchpoint);
// The same, into a record whose memory is used again.
void MakeRecord(const touchpoint::v1::Touchpoint& touchpoint, Record* record);

// ClockAdvanced: time has come to `now` in `partition`. Its event id is made of both.
Record MakeClockRecord(absl::Time now, Partition partition);

// ClockCorrected: the true time is `now` in `partition`, whatever the clock said before.
Record MakeClockCorrectionRecord(absl::Time now, absl::string_view reason, Partition partition);

// For whoever goes by the log's clock. InvalidArgument, naming both times, when a ClockAdvanced or
// ClockCorrected that any writer may have appended cannot be believed beside the time at which its
// record was written: a clock that is more than 5 minutes ahead of that, or a correction that is as
// much away from it. Ok for every other kind.
absl::Status CheckClock(const touchpoint::v1::Touchpoint& touchpoint, absl::Time recorded);

}  // namespace rapport
