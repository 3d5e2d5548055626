#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/event_log/event_log.h"
#include "libs/history/merge_ledger.h"
#include "rapport/state/v1/history.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// The merge that a ClientsMerged orders, under way.
state::v1::ClientMerge MergeOf(const touchpoint::v1::Touchpoint& order);

// Merges and splits that stand in the touchpoints log and that nobody has noted as worked on: the
// same for whoever asks. One thread.
class MergeOrders {
 public:
  // `log` outlives it.
  MergeOrders(EventLog* log, std::string topic) : log_(*log), topic_(std::move(topic)) {}

  // Reads to the end of the log, and forgets what `ledger`, just refreshed, has notes of.
  // Unavailable: try again.
  absl::Status Refresh(const MergeLedger& ledger);

  // By merge_id.
  const std::map<std::string, state::v1::ClientMerge>& merges() const { return merges_; }
  // Whether the merge is about to be taken back.
  bool IsSplitting(const std::string& merge_id) const { return splits_.count(merge_id) > 0; }

 private:
  absl::Status ReadOn(Partition partition, Offset end);
  void Take(Partition partition, const RecordView& record);

  EventLog& log_;
  const std::string topic_;
  std::map<Partition, Offset> next_;
  std::map<std::string, state::v1::ClientMerge> merges_;
  std::map<std::string, RecordPosition> splits_;
};

}  // namespace rapport
