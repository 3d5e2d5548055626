#include "libs/history/merge_orders.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/event_log/read_range.h"
#include "libs/projector/touchpoint_peek.h"

namespace rapport {
namespace {

using state::v1::ClientMerge;
using touchpoint::v1::Touchpoint;

}  // namespace

ClientMerge MergeOf(const Touchpoint& order) {
  const auto& merged = order.clients_merged();
  ClientMerge merge;
  merge.set_merge_id(merged.merge_id().empty() ? absl::BytesToHexString(order.event_id())
                                               : merged.merge_id());
  merge.set_absorbed_client_id(merged.absorbed_client_id());
  merge.set_survivor_client_id(merged.survivor_client_id());
  merge.set_reason(merged.reason());
  merge.set_state(state::v1::MERGE_STATE_UNDER_WAY);
  *merge.mutable_decided_at() = order.occurred_at();
  return merge;
}

absl::Status MergeOrders::Refresh(const MergeLedger& ledger) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log_.PartitionCount(topic_));
  for (int i = 0; i < partitions; ++i) {
    const Partition partition(i);
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_.GetWatermarks(topic_, partition));
    Offset& next = next_.try_emplace(partition, Offset(0)).first->second;
    next = std::max({next, ledger.PositionOf(partition), marks.begin});
    RAPPORT_RETURN_IF_ERROR(ReadOn(partition, marks.end));
  }
  std::erase_if(merges_, [&](const auto& merge) { return ledger.Find(merge.first) != nullptr; });
  std::erase_if(splits_, [&](const auto& split) {
    return split.second.offset < ledger.PositionOf(split.second.partition);
  });
  return absl::OkStatus();
}

absl::Status MergeOrders::ReadOn(Partition partition, Offset end) {
  Offset& next = next_.at(partition);
  RAPPORT_RETURN_IF_ERROR(
      ReadRange(log_, topic_, partition, next, end,
                [&](const HeaderDecoder&, absl::Span<const RecordView> records) {
                  for (const RecordView& record : records) Take(partition, record);
                  next = records.back().offset + 1;
                  return absl::OkStatus();
                }));
  next = std::max(next, end);
  return absl::OkStatus();
}

void MergeOrders::Take(Partition partition, const RecordView& record) {
  const int payload = PeekPayload(record.value);
  if (payload != Touchpoint::kClientsMerged && payload != Touchpoint::kClientsSplit) return;
  Touchpoint touchpoint;
  if (!touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size())) ||
      touchpoint.client_id() != record.key) {
    return;
  }
  if (touchpoint.has_clients_merged()) {
    ClientMerge merge = MergeOf(touchpoint);
    std::string merge_id = merge.merge_id();
    merges_.try_emplace(std::move(merge_id), std::move(merge));
  } else {
    splits_[touchpoint.clients_split().merge_id()] = {partition, record.offset};
  }
}

}  // namespace rapport
