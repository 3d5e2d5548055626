#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/partition_worker.h"
#include "rapport/rejected/v1/rejected.pb.h"

namespace rapport {

// Something that was offered and refused, and where it stands in the rejected log.
struct Rejection {
  RecordPosition position;
  rejected::v1::RejectedRecord record;
};

struct RejectionPage {
  std::vector<Rejection> rejections;
  // Where the next page begins; nullopt after the last.
  std::optional<RecordPosition> next;
};

// What was retried stands in the touchpoints log.
struct Retried {
  std::string event_id;  // 32 hexadecimal digits
  RecordPosition position;
};

// Reads the rejected log, and offers again what stands in it. Blocks; thread-safe.
class Rejections {
 public:
  // `partitions`: of the rejected log.
  Rejections(EventLog* log, LogTopics topics, int partitions)
      : log_(log), topics_(std::move(topics)), partitions_(partitions) {}

  // Partition by partition, the oldest first, from `from` on.
  absl::StatusOr<RejectionPage> List(RecordPosition from, size_t limit) const;
  // NotFound when there is none at this place.
  absl::StatusOr<Rejection> Find(RecordPosition position) const;
  // Offers it again as it was refused, or as `mended` says when that is not empty: a CloudEvent in
  // JSON. It counts once, however often that is done. InvalidArgument: it is refused again, and
  // why. FailedPrecondition: it is no CloudEvent, but a row of a file. Errors else as
  // EventLog::Append.
  absl::StatusOr<Retried> Retry(RecordPosition position, absl::string_view mended,
                                absl::Time now) const;

  int partitions() const { return partitions_; }

 private:
  EventLog* const log_;
  const LogTopics topics_;
  const int partitions_;
};

}  // namespace rapport
