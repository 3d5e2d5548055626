#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/partition_fold.h"
#include "libs/projector/stored_state.h"

// The part of PartitionFold that has a client's history told anew: between HistoryReopened and
// HistoryClosed its touchpoints come again, with the ids that they have always had. What is told
// stands aside meanwhile, in the family `meta`, and takes the place of what stood before at once:
// nobody reads a client that is half told, or none.

namespace rapport {
namespace {

using touchpoint::v1::HistoryReopened;
using touchpoint::v1::Touchpoint;

// First byte of a key in the family `meta` of a state that a client had when a retelling began.
constexpr char kKeptPrefix[] = "k";
// Ends the retelling_id of a split, behind that of the merge.
constexpr char kSplitSuffix[] = "/split";

std::string KeptKey(absl::string_view client, absl::string_view retelling_id) {
  std::string key = kKeptPrefix;
  AppendKeyString(&key, client);
  key.append(retelling_id.data(), retelling_id.size());
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

std::vector<std::string> PartitionFold::ClientsBeingRetold() const {
  std::vector<std::string> clients;
  for (const auto& [client, retold] : retold_) {
    if (!retold.retelling_id().empty()) clients.push_back(client);
  }
  std::sort(clients.begin(), clients.end());
  return clients;
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
  Reopening reopening;
  reopening.within = !retold.retelling_id().empty();
  retold.set_absorbed_into_client_id(reopened.absorbed_into_client_id());
  retold.set_retelling_id(reopened.retelling_id());
  *retold.mutable_retelling_since() = touchpoint.occurred_at();
  retold.set_passing(reopened.forgets() && !absorbed);
  if (reopened.forgets()) {
    retold.set_epoch(retold.epoch() + 1);
    retold.set_forgets(true);
  }
  retelling_since_ = FromProto(touchpoint.occurred_at());

  reopening.forgets = reopened.forgets();
  reopening.absorbed = absorbed;
  RAPPORT_ASSIGN_OR_RETURN(reopening.kept, FindKept(client, KeptBy(reopened.retelling_id())));
  RAPPORT_ASSIGN_OR_RETURN(std::optional<std::string> before, ReopenState(client, reopening));
  // One that is begun again goes on from where the state stood the first time.
  if (before && !reopening.kept) {
    dirty_bytes_ += before->size();
    meta_changes_[KeptKey(client, reopened.retelling_id())] = std::move(before);
  }
  if (!reopened.forgets() || !reopening.within) return absl::OkStatus();
  // What the other one has told.
  return TakeToldRows(client).status();
}

absl::Status PartitionFold::Close(const RecordView& record, const Touchpoint& touchpoint) {
  const std::string& client = touchpoint.client_id();
  const std::string& retelling_id = touchpoint.history_closed().retelling_id();
  const auto it = retold_.find(client);
  // The end of one that is over, or was never begun here.
  if (it == retold_.end() || it->second.retelling_id() != retelling_id) return absl::OkStatus();
  state::v1::RetoldClient& retold = it->second;
  const bool passing = retold.passing();
  const bool forgets = retold.forgets();
  const bool absorbed = !retold.absorbed_into_client_id().empty();
  retold.clear_retelling_id();
  retold.clear_retelling_since();
  retold.clear_passing();
  retold.clear_forgets();
  retelling_since_ = absl::InfinitePast();
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> kept,
                           FindKept(client, KeptBy(retelling_id)));
  if (forgets) RAPPORT_RETURN_IF_ERROR(ForgetRows(client));
  RAPPORT_ASSIGN_OR_RETURN(auto told, TakeToldRows(client));
  std::move(told.begin(), told.end(), std::back_inserter(new_rows_));
  absl::Status refusal;
  RAPPORT_RETURN_IF_ERROR(CloseState(touchpoint, absorbed, kept, &refusal));
  if (!refusal.ok()) {
    Bury(record, client, refusal.message(), /*holds_back=*/false, /*waiting=*/false);
  }
  if (passing && kept) meta_changes_[KeptKey(client, KeptBy(retelling_id))] = std::nullopt;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> PartitionFold::FindKept(
    absl::string_view client, absl::string_view retelling_id) const {
  const std::string key = KeptKey(client, retelling_id);
  if (const auto it = meta_changes_.find(key); it != meta_changes_.end()) return it->second;
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

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> PartitionFold::TakeToldRows(
    const std::string& client) {
  std::string prefix = kToldRowPrefix;
  AppendKeyString(&prefix, client);
  absl::flat_hash_set<std::string> stored;
  RAPPORT_RETURN_IF_ERROR(
      store_->Scan(Family::kMeta, prefix, AfterPrefix(prefix),
                   [&](absl::string_view key, absl::string_view row) {
                     dirty_bytes_ += 2 * key.size() + row.size() + 4 * sizeof(std::string);
                     meta_changes_.try_emplace(std::string(key), std::string(row));
                     stored.emplace(key);
                     return true;
                   }));
  std::vector<std::pair<std::string, std::string>> rows;
  auto it = meta_changes_.lower_bound(prefix);
  while (it != meta_changes_.end() && absl::StartsWith(it->first, prefix)) {
    if (it->second) {
      rows.emplace_back(it->first.substr(sizeof(kToldRowPrefix) - 1), *std::move(it->second));
    }
    if (stored.contains(it->first)) {
      (it++)->second = std::nullopt;
    } else {
      it = meta_changes_.erase(it);
    }
  }
  return rows;
}

void PartitionFold::AddRetold(class Commit& commit) const {
  for (const std::string& client : retold_changes_) {
    commit.Put(Family::kMeta, RetoldClientKey(client), retold_.at(client).SerializeAsString());
  }
  for (const auto& [key, value] : meta_changes_) {
    if (value) {
      commit.Put(Family::kMeta, key, *value);
    } else {
      commit.Delete(Family::kMeta, key);
    }
  }
}

}  // namespace rapport
