#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/strong_type.h"
#include "libs/event_log/event_log.h"
#include "rapport/state/v1/store.pb.h"

// Whether a log is the one that a state was folded from. A log that was restored from an older
// copy, or whose topic was made anew, gives other records the offsets that the state has behind it.

namespace rapport {

// The last record that was read of a partition.
struct RecordFingerprint {
  Offset offset = Offset(-1);  // -1: none
  // XXH3-128 of its key, time and value; empty in a state of a version that did not keep it.
  std::string hash;
  bool operator==(const RecordFingerprint&) const = default;
};

// With its time: sources that send again what a restored log has lost may give the same record the
// same offset, but never at the same time.
RecordFingerprint FingerprintOf(const RecordView& record);
// Without it, of a record that was just written: a log need not keep all digits of the time.
RecordFingerprint FingerprintOf(Offset offset, absl::string_view key, absl::string_view value);
void ToProto(const RecordFingerprint& fingerprint, state::v1::RecordFingerprint* proto);
RecordFingerprint FromProto(const state::v1::RecordFingerprint& proto);

// Ok: the record stands where it stood, or so long ago that the log has let go of it. DataLoss: the
// log holds another one there, or ends before it; what rests on it has to be set aside. Anything
// else: it cannot be told now. `patience`: how long a log that ends before it may take to show that
// it does not, as a Kafka partition with a new leader may.
absl::Status CheckSameLog(EventLog& log, absl::string_view topic, Partition partition,
                          const RecordFingerprint& last, absl::Duration patience);

// An error of the log, for those to whom DataLoss means that their state is damaged: damage in a
// log is no reason to throw a state away.
absl::Status OfLog(const absl::Status& status);

}  // namespace rapport
