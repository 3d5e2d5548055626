#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/event_log/event_log.h"
#include "rapport/state/v1/history.pb.h"

namespace rapport {

// All merges and how far they have come, read from the topic `history`. One thread.
class MergeLedger {
 public:
  static constexpr char kTopic[] = "history";

  // `log` outlives it.
  MergeLedger(EventLog* log, std::string topic) : log_(*log), topic_(std::move(topic)) {}

  // Reads what has been noted since. Unavailable: try again. DataLoss: a note does not parse.
  absl::Status Refresh();
  // What a note holds becomes true.
  void Take(const state::v1::HistoryNote& note);

  // By merge_id.
  const std::map<std::string, state::v1::ClientMerge>& merges() const { return merges_; }
  // Null when there is no such merge.
  const state::v1::ClientMerge* Find(const std::string& merge_id) const;
  // The merge by which the client goes on under another; null when it stands alone.
  const state::v1::ClientMerge* AbsorbedBy(const std::string& client) const;
  // The client under whom this one goes on in the end; itself when it stands alone.
  std::string RootOf(const std::string& client) const { return PathOf(client).back(); }
  // The client, the one who absorbed it, and so on up to the root.
  std::vector<std::string> PathOf(const std::string& client) const;
  // All who go on under the client, at once or through others.
  std::vector<std::string> AbsorbedUnder(const std::string& client) const;
  // Up to where a partition has been worked on; 0 when never.
  Offset PositionOf(Partition partition) const;

 private:
  EventLog& log_;
  const std::string topic_;
  Offset next_ = Offset(0);
  std::map<std::string, state::v1::ClientMerge> merges_;
  std::map<std::string, std::string> absorbed_;               // client to merge_id
  std::map<std::string, std::set<std::string>> absorbed_by_;  // survivor to clients
  std::map<Partition, Offset> positions_;
};

}  // namespace rapport
