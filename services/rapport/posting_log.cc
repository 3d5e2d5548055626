#include "services/rapport/posting_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "rapport/touchpoint/v1/batch.pb.h"
#include "services/rapport/ingest_client.h"

namespace rapport {
namespace {

constexpr size_t kBatchRecords = 1000;

absl::Status OnlyAppends() {
  return absl::UnimplementedError("over HTTP, touchpoints can be written and not read");
}

}  // namespace

absl::StatusOr<std::vector<RecordPosition>> PostingLog::Append(absl::string_view topic,
                                                               absl::Span<const Record> records) {
  if (topic == touchpoints_topic_) {
    for (size_t begin = 0; begin < records.size(); begin += kBatchRecords) {
      RAPPORT_RETURN_IF_ERROR(Post(records.subspan(begin, kBatchRecords)));
    }
  }
  return std::vector<RecordPosition>(records.size(), RecordPosition{Partition(0), Offset(0)});
}

absl::Status PostingLog::Post(absl::Span<const Record> records) {
  touchpoint::v1::TouchpointBatch batch;
  for (const Record& record : records) {
    if (record.key.empty()) continue;  // a clock
    if (!batch.add_touchpoints()->ParseFromString(record.value)) {
      return absl::InternalError("a touchpoint of the import does not parse");
    }
  }
  if (batch.touchpoints().empty()) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(const BatchResult result,
                           PostBatch(api_, "application/x-protobuf", batch.SerializeAsString()));
  if (result.refused.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the server refused ", result.refused.size(), " of ", batch.touchpoints_size(),
                   " touchpoints; the first: ", result.refused.front().reason));
}

absl::Status PostingLog::CreateTopic(absl::string_view, int) { return OnlyAppends(); }

absl::StatusOr<std::unique_ptr<LogReader>> PostingLog::OpenReader(absl::string_view, Partition,
                                                                  Offset) {
  return OnlyAppends();
}

absl::StatusOr<std::unique_ptr<Subscription>> PostingLog::Subscribe(absl::string_view,
                                                                    const SubscribeOptions&,
                                                                    PartitionListener*) {
  return OnlyAppends();
}

absl::StatusOr<std::vector<GroupMember>> PostingLog::GroupMembers(absl::string_view,
                                                                  absl::string_view) {
  return OnlyAppends();
}

absl::StatusOr<Watermarks> PostingLog::GetWatermarks(absl::string_view, Partition) {
  return OnlyAppends();
}

absl::StatusOr<Offset> PostingLog::OffsetForTime(absl::string_view, Partition, absl::Time) {
  return OnlyAppends();
}

}  // namespace rapport
