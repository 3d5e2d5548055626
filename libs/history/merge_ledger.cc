#include "libs/history/merge_ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/event_log/read_range.h"

namespace rapport {
namespace {

using state::v1::ClientMerge;

}  // namespace

absl::Status MergeLedger::Refresh() {
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log_.GetWatermarks(topic_, Partition(0)));
  next_ = std::max(next_, marks.begin);
  state::v1::HistoryNote note;
  RAPPORT_RETURN_IF_ERROR(ReadRange(
      log_, topic_, Partition(0), next_, marks.end,
      [&](const HeaderDecoder&, absl::Span<const RecordView> records) -> absl::Status {
        for (const RecordView& record : records) {
          if (!note.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()))) {
            return absl::DataLossError(absl::StrCat("the record at offset ", record.offset.value(),
                                                    " of topic ", topic_, " is no note"));
          }
          Take(note);
          next_ = record.offset + 1;
        }
        return absl::OkStatus();
      }));
  next_ = std::max(next_, marks.end);
  return absl::OkStatus();
}

void MergeLedger::Take(const state::v1::HistoryNote& note) {
  for (const state::v1::HistoryPosition& position : note.positions()) {
    Offset& known =
        positions_.try_emplace(Partition(position.partition()), Offset(0)).first->second;
    known = std::max(known, Offset(position.offset()));
  }
  for (const ClientMerge& merge : note.merges()) {
    merges_[merge.merge_id()] = merge;
    const auto absorbed = absorbed_.find(merge.absorbed_client_id());
    if (merge.state() == state::v1::MERGE_STATE_DONE) {
      absorbed_[merge.absorbed_client_id()] = merge.merge_id();
      absorbed_by_[merge.survivor_client_id()].insert(merge.absorbed_client_id());
    } else if (absorbed != absorbed_.end() && absorbed->second == merge.merge_id()) {
      absorbed_.erase(absorbed);
      absorbed_by_[merge.survivor_client_id()].erase(merge.absorbed_client_id());
    }
  }
}

const ClientMerge* MergeLedger::Find(const std::string& merge_id) const {
  const auto it = merges_.find(merge_id);
  return it == merges_.end() ? nullptr : &it->second;
}

const ClientMerge* MergeLedger::AbsorbedBy(const std::string& client) const {
  const auto it = absorbed_.find(client);
  return it == absorbed_.end() ? nullptr : Find(it->second);
}

std::vector<std::string> MergeLedger::PathOf(const std::string& client) const {
  std::vector<std::string> path = {client};
  while (const ClientMerge* merge = AbsorbedBy(path.back())) {
    path.push_back(merge->survivor_client_id());
  }
  return path;
}

std::vector<std::string> MergeLedger::AbsorbedUnder(const std::string& client) const {
  std::vector<std::string> under;
  const auto add = [&](const std::string& survivor) {
    const auto absorbed = absorbed_by_.find(survivor);
    if (absorbed == absorbed_by_.end()) return;
    under.insert(under.end(), absorbed->second.begin(), absorbed->second.end());
  };
  add(client);
  for (size_t i = 0; i < under.size(); ++i) add(std::string(under[i]));
  return under;
}

Offset MergeLedger::PositionOf(Partition partition) const {
  const auto it = positions_.find(partition);
  return it == positions_.end() ? Offset(0) : it->second;
}

}  // namespace rapport
