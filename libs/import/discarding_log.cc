#include "libs/import/discarding_log.h"

namespace rapport {
namespace {

absl::Status KeepsNothing() {
  return absl::UnimplementedError("a log that keeps nothing can only be written to");
}

}  // namespace

absl::StatusOr<std::vector<RecordPosition>> DiscardingLog::Append(
    absl::string_view, absl::Span<const Record> records) {
  return std::vector<RecordPosition>(records.size(), RecordPosition{Partition(0), Offset(0)});
}

absl::Status DiscardingLog::CreateTopic(absl::string_view, int) { return KeepsNothing(); }

absl::StatusOr<std::unique_ptr<LogReader>> DiscardingLog::OpenReader(absl::string_view, Partition,
                                                                     Offset) {
  return KeepsNothing();
}

absl::StatusOr<std::unique_ptr<Subscription>> DiscardingLog::Subscribe(absl::string_view,
                                                                       const SubscribeOptions&,
                                                                       PartitionListener*) {
  return KeepsNothing();
}

absl::StatusOr<std::vector<GroupMember>> DiscardingLog::GroupMembers(absl::string_view,
                                                                     absl::string_view) {
  return KeepsNothing();
}

absl::StatusOr<Offset> DiscardingLog::OffsetForTime(absl::string_view, Partition, absl::Time) {
  return KeepsNothing();
}

}  // namespace rapport
