#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/projector/partition_fold.h"
#include "libs/projector/record_buckets.h"

namespace rapport {

// Folds a stretch of a partition's log client by client rather than in the order of the log, with
// the same outcome: each state is made once, in the processor's cache, with all of its client's
// records and ClockAdvanced in a row, and written once. For rebuilds.
class ClientReplay {
 public:
  // The stretch begins at the fold's position; nothing may be uncommitted. What exceeds
  // `memory_bytes` of records waits in a file in `folder`.
  ClientReplay(PartitionFold* fold, const std::string& folder, size_t memory_bytes)
      : fold_(*fold), buckets_(folder, memory_bytes), end_(fold->position()) {}

  // Takes records that go on with the stretch; those before it are skipped. Returns how many of
  // them it took: it stops before a record that is to be folded in its turn, since it is about what
  // other records have left (an order about a dead letter, a correction of the clock).
  // FailedPrecondition: a gap in the offsets.
  absl::StatusOr<size_t> Add(absl::Span<const RecordView> records);

  // Folds what was added and commits it. `progress` is told how many records were folded since it
  // was called last; its error ends the replay. After an error the fold is to be thrown away.
  absl::Status Run(absl::FunctionRef<absl::Status(int64_t records)> progress);

  int64_t records() const { return records_; }

 private:
  absl::StatusOr<size_t> AddSome(absl::Span<const RecordView> records);
  absl::StatusOr<bool> AddUnclear(const RecordView& record);

  PartitionFold& fold_;
  RecordBuckets buckets_;
  std::vector<PartitionFold::Tick> ticks_;
  Offset end_;
  RecordFingerprint last_;
  int64_t records_ = 0;
  touchpoint::v1::Touchpoint touchpoint_;
};

}  // namespace rapport
