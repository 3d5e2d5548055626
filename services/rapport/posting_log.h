#pragma once

#include <string>
#include <vector>

#include "libs/event_log/event_log.h"
#include "services/rapport/api.h"

namespace rapport {

// The log of a running Rapport, as far as an import needs it: touchpoints go to its door, records
// of the clock are left to its own clock, and rejected rows to whoever imports. One thread at a
// time.
class PostingLog : public EventLog {
 public:
  PostingLog(Api* api, std::string touchpoints_topic)
      : api_(*api), touchpoints_topic_(std::move(touchpoints_topic)) {}

  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override;
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override { return 1; }

  absl::Status CreateTopic(absl::string_view topic, int partitions) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                          const SubscribeOptions& options,
                                                          PartitionListener* listener) override;
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override;
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override;
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override;

 private:
  absl::Status Post(absl::Span<const Record> records);

  Api& api_;
  const std::string touchpoints_topic_;
};

}  // namespace rapport
