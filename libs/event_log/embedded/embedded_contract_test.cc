#include "libs/event_log/contract_test.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/embedded/temp_folder.h"

namespace rapport {
namespace {

// The log of a folder that goes with it.
class LogOnDisk : public EventLog {
 public:
  LogOnDisk() : log_(OpenEmbeddedLog({.folder = folder_.path()}).value()) {}

  absl::Status CreateTopic(absl::string_view topic, int partitions) override {
    return log_->CreateTopic(topic, partitions);
  }
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override {
    return log_->PartitionCount(topic);
  }
  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override {
    return log_->Append(topic, records);
  }
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override {
    return log_->OpenReader(topic, partition, from);
  }
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(absl::string_view topic,
                                                          const SubscribeOptions& options,
                                                          PartitionListener* listener) override {
    return log_->Subscribe(topic, options, listener);
  }
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override {
    return log_->GroupMembers(topic, group);
  }
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override {
    return log_->GetWatermarks(topic, partition);
  }
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override {
    return log_->OffsetForTime(topic, partition, time);
  }

 private:
  const TempFolder folder_;
  const std::unique_ptr<EventLog> log_;
};

INSTANTIATE_TEST_SUITE_P(
    Embedded, EventLogContractTest,
    testing::Values(ContractBackend{.name = "InMemory", .open = NewInMemoryEventLog},
                    ContractBackend{.name = "OnDisk",
                                    .open = [] { return std::make_unique<LogOnDisk>(); }}),
    ContractBackendName);

}  // namespace
}  // namespace rapport
