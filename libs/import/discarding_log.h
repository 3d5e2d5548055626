#pragma once

#include <memory>
#include <vector>

#include "libs/event_log/event_log.h"

namespace rapport {

// A log that keeps nothing: what an import writes to when it is only tried. Every topic is there,
// with one partition, and is empty. One thread at a time.
class DiscardingLog : public EventLog {
 public:
  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override;
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override { return 1; }
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override {
    return Watermarks();
  }

  absl::Status CreateTopic(absl::string_view topic, int partitions) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                          const SubscribeOptions& options,
                                                          PartitionListener* listener) override;
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override;
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override;
};

}  // namespace rapport
