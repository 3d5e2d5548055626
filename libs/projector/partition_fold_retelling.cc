#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/partition_fold.h"
#include "libs/projector/stored_state.h"

// The part of PartitionFold that has a client's history told anew: between HistoryReopened and
// HistoryClosed its touchpoints come again, with the ids that they have always had.

namespace rapport {
namespace {

using touchpoint::v1::HistoryReopened;
using touchpoint::v1::Touchpoint;

// First byte of a key in the family `meta` of a state that a client had when a retelling began.
constexpr char kKeptPrefix[] = "k";
// The same of a state whose contributions stand in the sums until the retelling ends.
constexpr char kSummedPrefix[] = "s";
// Ends the retelling_id of a split, behind that of the merge.
constexpr char kSplitSuffix[] = "/split";

std::string KeptKey(absl::string_view client, absl::string_view retelling_id) {
  std::string key = kKeptPrefix;
  AppendKeyString(&key, client);
  key.append(retelling_id.data(), retelling_id.size());
  return key;
}

std::string SummedKey(absl::string_view client) {
  std::string key = kSummedPrefix;
  AppendKeyString(&key, client);
  return key;
}

// The smallest key above all that begin with `prefix`, whose last byte is not the greatest.
std::string AfterPrefix(std::string prefix) {
  ++prefix.back();
  return prefix;
}

// The retelling at which that was kept from which the state goes on after this one.
absl::string_view KeptBy(absl::string_view retelling_id) {
  return absl::StripSuffix(retelling_id, kSplitSuffix);
}

}  // namespace

absl::Status PartitionFold::LoadRetold() {
  bool parsed = true;
  RAPPORT_RETURN_IF_ERROR(store_->Scan(
      Family::kMeta, kRetoldClientPrefix, AfterPrefix(kRetoldClientPrefix),
      [&](absl::string_view key, absl::string_view value) {
        std::string client;
        key.remove_prefix(1);
        return parsed =
                   ConsumeKeyString(&key, &client) &&
                   retold_[client].ParseFromArray(value.data(), static_cast<int>(value.size()));
      }));
  if (!parsed) return absl::DataLossError("what is stored of a retold client does not parse");
  return absl::OkStatus();
}

const state::v1::RetoldClient* PartitionFold::FindRetold(absl::string_view client) const {
  if (retold_.empty()) return nullptr;
  const auto it = retold_.find(client);
  return it == retold_.end() ? nullptr : &it->second;
}

bool PartitionFold::IsBeingRetold(absl::string_view client) const {
  const state::v1::RetoldClient* retold = FindRetold(client);
  return retold != nullptr && !retold->retelling_id().empty();
}

absl::Status PartitionFold::FoldRetelling(const RecordView& record, const Touchpoint& touchpoint) {
  const std::string& client = touchpoint.client_id();
  if (WaitsBehind(record, client)) return absl::OkStatus();
  // Not by epoch: one that comes again later must not forget what has come since.
  const EventId event_id = *EventId::FromBytes(touchpoint.event_id());
  RAPPORT_ASSIGN_OR_RETURN(const bool is_new, MarkSeen(SeenIdOf(event_id, client, 0)));
  if (!is_new) {
    counts_.set_duplicates(counts_.duplicates() + 1);
    return absl::OkStatus();
  }
  dirty_bytes_ += client.size() + sizeof(state::v1::RetoldClient);
  trigger_event_ = event_id;
  retold_changes_.insert(client);
  return touchpoint.has_history_reopened() ? Reopen(touchpoint) : Close(record, touchpoint);
}

absl::Status PartitionFold::Reopen(const Touchpoint& touchpoint) {
  const HistoryReopened& reopened = touchpoint.history_reopened();
  const std::string& client = touchpoint.client_id();
  state::v1::RetoldClient& retold = retold_[client];
  const bool absorbed = !reopened.absorbed_into_client_id().empty();
  retold.set_absorbed_into_client_id(reopened.absorbed_into_client_id());
  retold.set_retelling_id(reopened.retelling_id());
  *retold.mutable_retelling_since() = touchpoint.occurred_at();
  retold.set_passing(reopened.forgets() && !absorbed);
  if (reopened.forgets()) retold.set_epoch(retold.epoch() + 1);
  retelling_since_ = FromProto(touchpoint.occurred_at());

  if (SumsTallies()) RAPPORT_RETURN_IF_ERROR(HoldTallies(client));
  Reopening reopening;
  reopening.forgets = reopened.forgets();
  reopening.absorbed = absorbed;
  RAPPORT_ASSIGN_OR_RETURN(reopening.kept, FindKept(client, KeptBy(reopened.retelling_id())));
  RAPPORT_ASSIGN_OR_RETURN(std::optional<std::string> before, ReopenState(client, reopening));
  // One that is begun again goes on from where the state stood the first time.
  if (before && !reopening.kept) {
    dirty_bytes_ += before->size();
    kept_changes_[KeptKey(client, reopened.retelling_id())] = std::move(before);
  }
  return reopened.forgets() ? ForgetRows(client) : absl::OkStatus();
}

absl::Status PartitionFold::Close(const RecordView& record, const Touchpoint& touchpoint) {
  const std::string& client = touchpoint.client_id();
  const std::string& retelling_id = touchpoint.history_closed().retelling_id();
  const auto it = retold_.find(client);
  // The end of one that is over, or was never begun here.
  if (it == retold_.end() || it->second.retelling_id() != retelling_id) return absl::OkStatus();
  state::v1::RetoldClient& retold = it->second;
  const bool passing = retold.passing();
  const bool absorbed = !retold.absorbed_into_client_id().empty();
  retold.clear_retelling_id();
  retold.clear_retelling_since();
  retold.clear_passing();
  retelling_since_ = absl::InfinitePast();
  if (SumsTallies()) RAPPORT_RETURN_IF_ERROR(TakeUpTallies(client));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> kept,
                           FindKept(client, KeptBy(retelling_id)));
  if (!absorbed) {
    absl::Status refusal;
    RAPPORT_RETURN_IF_ERROR(CloseState(touchpoint, kept, &refusal));
    if (!refusal.ok()) {
      Bury(record, client, refusal.message(), /*holds_back=*/false, /*waiting=*/false);
    }
  }
  if (passing && kept) kept_changes_[KeptKey(client, KeptBy(retelling_id))] = std::nullopt;
  return absl::OkStatus();
}

// While a history is told anew the sums stay as they were before it: what it was then is kept,
// since commits may come between. One that is begun again goes on from the first time.
absl::Status PartitionFold::HoldTallies(const std::string& client) {
  const std::string key = SummedKey(client);
  if (const auto it = kept_changes_.find(key); it != kept_changes_.end() && it->second) {
    return absl::OkStatus();
  } else if (it == kept_changes_.end()) {
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> held,
                             store_->Get(Family::kMeta, key));
    if (held) return absl::OkStatus();
  }
  RAPPORT_ASSIGN_OR_RETURN(std::string before, SettleTallies(client));
  dirty_bytes_ += before.size();
  kept_changes_[key] = std::move(before);
  return absl::OkStatus();
}

absl::Status PartitionFold::TakeUpTallies(const std::string& client) {
  const std::string key = SummedKey(client);
  std::optional<std::string> before;
  if (const auto it = kept_changes_.find(key); it != kept_changes_.end()) {
    before = it->second;
  } else {
    RAPPORT_ASSIGN_OR_RETURN(before, store_->Get(Family::kMeta, key));
  }
  if (!before) return absl::OkStatus();
  kept_changes_[key] = std::nullopt;
  return ResumeTallies(client, *before);
}

absl::StatusOr<std::optional<std::string>> PartitionFold::FindKept(
    absl::string_view client, absl::string_view retelling_id) const {
  const std::string key = KeptKey(client, retelling_id);
  if (const auto it = kept_changes_.find(key); it != kept_changes_.end()) return it->second;
  return store_->Get(Family::kMeta, key);
}

absl::Status PartitionFold::ForgetRows(const std::string& client) {
  std::string prefix;
  AppendKeyString(&prefix, client);
  const auto first =
      new_rows_.begin() + static_cast<std::ptrdiff_t>(replay_ == nullptr ? 0 : replay_->first_row);
  new_rows_.erase(
      std::remove_if(first, new_rows_.end(),
                     [&](const auto& row) { return absl::StartsWith(row.first, prefix); }),
      new_rows_.end());
  return store_->Scan(Family::kRows, prefix, AfterPrefix(prefix),
                      [&](absl::string_view key, absl::string_view value) {
                        dirty_bytes_ += key.size() + sizeof(Digest) + sizeof(std::string);
                        forgotten_rows_.try_emplace(
                            std::string(key),
                            Digest::OfEntry(static_cast<uint8_t>(Family::kRows), key, value));
                        return true;
                      });
}

void PartitionFold::AddRetold(class Commit& commit) const {
  for (const std::string& client : retold_changes_) {
    commit.Put(Family::kMeta, RetoldClientKey(client), retold_.at(client).SerializeAsString());
  }
  for (const auto& [key, kept] : kept_changes_) {
    if (kept) {
      commit.Put(Family::kMeta, key, *kept);
    } else {
      commit.Delete(Family::kMeta, key);
    }
  }
}

}  // namespace rapport
