#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/event_log/event_log.h"

namespace rapport {

// A log whose subscribers' and readers' records of one topic are shown to `observer` before they
// get them. Thread-safe as the log is; the observer is called on the readers' threads.
class ObservedLog final : public EventLog {
 public:
  using Observer = std::function<void(Partition, absl::Span<const RecordView>)>;
  // `log` outlives it.
  ObservedLog(EventLog* log, std::string topic, Observer observer)
      : log_(*log), topic_(std::move(topic)), observer_(std::move(observer)) {}

  absl::Status CreateTopic(absl::string_view topic, int partitions) override {
    return log_.CreateTopic(topic, partitions);
  }
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override {
    return log_.PartitionCount(topic);
  }
  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override {
    return log_.Append(topic, records);
  }
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override;
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                          const SubscribeOptions& options,
                                                          PartitionListener* listener) override;
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override {
    return log_.GroupMembers(topic, group);
  }
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override {
    return log_.GetWatermarks(topic, partition);
  }
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override {
    return log_.OffsetForTime(topic, partition, time);
  }

 private:
  EventLog& log_;
  const std::string topic_;
  const Observer observer_;
};

}  // namespace rapport
