#include <optional>
#include <set>
#include <string>
#include <utility>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projector/partition_fold.h"

// The part of PartitionFold that keeps what cannot be folded, and folds it when it is taken up.

namespace rapport {
namespace {

std::string DeadLetterKey(int64_t offset) {
  std::string key;
  AppendOrdered64(&key, offset);
  return key;
}

}  // namespace

absl::Status PartitionFold::LoadDeadLetters() {
  bool parsed = true;
  RAPPORT_RETURN_IF_ERROR(
      store_->Scan(Family::kDeadLetters, "", "", [&](absl::string_view, absl::string_view value) {
        state::v1::DeadLetter letter;
        if (!letter.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          return parsed = false;
        }
        if (letter.holds_back() || letter.waiting()) {
          held_back_[letter.client_id()].insert(letter.offset());
        }
        return true;
      }));
  if (!parsed) return absl::DataLossError("a stored dead letter does not parse");
  return absl::OkStatus();
}

void PartitionFold::Bury(const RecordView& record, absl::string_view client,
                         absl::string_view reason, bool holds_back, bool waiting) {
  state::v1::DeadLetter letter;
  letter.set_partition(options_.partition.value());
  letter.set_offset(record.offset.value());
  letter.set_client_id(std::string(client));
  letter.set_record_key(std::string(record.key));
  letter.set_record_value(std::string(record.value));
  ToProto(record.timestamp, letter.mutable_recorded_at());
  letter.set_reason(std::string(reason));
  letter.set_holds_back(holds_back);
  letter.set_waiting(waiting);
  if (holds_back || waiting) held_back_[letter.client_id()].insert(letter.offset());
  dirty_bytes_ += letter.ByteSizeLong() + sizeof letter;
  dead_letter_changes_[record.offset.value()] = std::move(letter);
  counts_.set_dead_letters(counts_.dead_letters() + 1);
}

absl::StatusOr<std::optional<state::v1::DeadLetter>> PartitionFold::FindDeadLetter(
    Offset offset) const {
  if (const auto it = dead_letter_changes_.find(offset.value()); it != dead_letter_changes_.end()) {
    return it->second;
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                           store_->Get(Family::kDeadLetters, DeadLetterKey(offset.value())));
  if (!bytes) return std::nullopt;
  state::v1::DeadLetter letter;
  if (!letter.ParseFromString(*bytes)) {
    return absl::DataLossError("a stored dead letter does not parse");
  }
  return letter;
}

absl::Status PartitionFold::TakeUp(Offset offset, bool skip) {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<state::v1::DeadLetter> letter,
                           FindDeadLetter(offset));
  // Retried or skipped already, or folded in its place by a rebuild with mended code.
  if (!letter) return absl::OkStatus();
  dead_letter_changes_[offset.value()] = std::nullopt;
  counts_.set_dead_letters(counts_.dead_letters() - 1);
  const auto held = held_back_.find(letter->client_id());
  std::set<int64_t> waiting;
  if (held != held_back_.end() && held->second.erase(offset.value()) > 0 && letter->holds_back()) {
    waiting = std::move(held->second);
    held_back_.erase(held);
  }
  if (!skip) {
    RAPPORT_RETURN_IF_ERROR(FoldRecord({.offset = offset,
                                        .timestamp = FromProto(letter->recorded_at()),
                                        .key = letter->record_key(),
                                        .value = letter->record_value()}));
  }
  for (const int64_t next : waiting) {
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<state::v1::DeadLetter> behind,
                             FindDeadLetter(Offset(next)));
    if (!behind) continue;
    dead_letter_changes_[next] = std::nullopt;
    counts_.set_dead_letters(counts_.dead_letters() - 1);
    RAPPORT_RETURN_IF_ERROR(FoldRecord({.offset = Offset(next),
                                        .timestamp = FromProto(behind->recorded_at()),
                                        .key = behind->record_key(),
                                        .value = behind->record_value()}));
  }
  return absl::OkStatus();
}

absl::Status PartitionFold::AddDeadLetters(class Commit& commit, Digest* digest) const {
  for (const auto& [offset, letter] : dead_letter_changes_) {
    const std::string key = DeadLetterKey(offset);
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                             store_->Get(Family::kDeadLetters, key));
    if (stored)
      *digest -= Digest::OfEntry(static_cast<uint8_t>(Family::kDeadLetters), key, *stored);
    if (letter) {
      const std::string value = letter->SerializeAsString();
      *digest += Digest::OfEntry(static_cast<uint8_t>(Family::kDeadLetters), key, value);
      commit.Put(Family::kDeadLetters, key, value);
    } else if (stored) {
      commit.Delete(Family::kDeadLetters, key);
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport
