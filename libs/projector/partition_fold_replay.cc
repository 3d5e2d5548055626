#include <algorithm>
#include <limits>
#include <tuple>

#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/projector/partition_fold.h"

// The part of PartitionFold that folds a stretch client by client. A client's state depends on its
// own records and on the clock alone, and the whole stretch's ClockAdvanced are known beforehand;
// so nothing but the numbers of effects has to be brought back into the order of the log.

namespace rapport {

void PartitionFold::BeginReplay() {
  RAPPORT_CHECK(!uncommitted_ && !within_record(), "a replay begins in the middle of something");
  replay_ = std::make_unique<Replay>();
  replay_->commit = store_->NewBulkCommit();
  replay_->digest = digest_;
  replay_->start_clock = clock_;
}

absl::StatusOr<std::vector<std::string>> PartitionFold::DueClients(
    absl::Span<const Tick> ticks) const {
  std::vector<std::string> clients;
  if (ticks.empty() || nothing_stored()) return clients;
  std::string begin;
  std::string end;
  AppendOrdered64(&begin, ToMicros(replay_->start_clock));
  AppendOrdered64(&end, ticks.back().micros + 1);
  RAPPORT_RETURN_IF_ERROR(
      store_->Scan(Family::kTimers, begin, end, [&](absl::string_view key, absl::string_view) {
        clients.emplace_back(key.substr(sizeof(int64_t)));
        return true;
      }));
  return clients;
}

absl::Status PartitionFold::ReplayClient(const std::string& client,
                                         absl::Span<const RecordView> records,
                                         absl::Span<const Tick> ticks) {
  clock_ = replay_->start_clock;
  replay_->timer = kNever;
  replay_->first_row = new_rows_.size();
  if (!nothing_stored()) {
    RAPPORT_ASSIGN_OR_RETURN(replay_->timer, TimerOf(client));
  }
  const int64_t timer_before = replay_->timer;
  const Tick* next_tick = ticks.begin();
  for (const RecordView& record : records) {
    RAPPORT_RETURN_IF_ERROR(FireUntil(client, record.offset, ticks));
    while (next_tick != ticks.end() && next_tick->offset < record.offset) {
      clock_ = next_tick++->now;
    }
    position_ = record.offset;
    next_ordinal_ = 0;
    RAPPORT_RETURN_IF_ERROR(FoldRecord(record));
  }
  RAPPORT_RETURN_IF_ERROR(FireUntil(client, Offset(std::numeric_limits<int64_t>::max()), ticks));
  if (replay_->timer != timer_before) {
    if (timer_before != kNever) {
      ChangeTimer(timer_before, client, false, *replay_->commit, &replay_->digest);
    }
    if (replay_->timer != kNever) {
      ChangeTimer(replay_->timer, client, true, *replay_->commit, &replay_->digest);
    }
  }
  replay_->commit->AddSeen(std::vector<EventId>(new_seen_.begin(), new_seen_.end()));
  new_seen_.clear();
  return absl::OkStatus();
}

// Fires the client's timers as the ClockAdvanced before `end` pass them.
absl::Status PartitionFold::FireUntil(const std::string& client, Offset end,
                                      absl::Span<const Tick> ticks) {
  const Tick* tick = ticks.begin();
  while (replay_->timer != kNever) {
    tick = std::lower_bound(tick, ticks.end(), replay_->timer,
                            [](const Tick& a, int64_t due) { return a.micros < due; });
    if (tick == ticks.end() || tick->offset >= end) return absl::OkStatus();
    clock_ = tick->now;
    position_ = tick->offset;
    next_ordinal_ = 0;
    trigger_event_.reset();
    retelling_since_ = absl::InfinitePast();
    while (replay_->timer <= tick->micros) {
      trigger_due_ = replay_->timer;
      RAPPORT_RETURN_IF_ERROR(FireTimer(client, trigger_due_));
      counts_.set_timers(counts_.timers() + 1);
    }
  }
  return absl::OkStatus();
}

absl::Status PartitionFold::ReplayStep() {
  AddStates(*replay_->commit, &replay_->digest);
  StatesCommitted();
  AddRows(*replay_->commit, &replay_->digest);
  dirty_state_bytes_ = 0;
  DropCache();
  return replay_->commit->Settle();
}

absl::Status PartitionFold::EndReplay(absl::Span<const Tick> ticks, int64_t records,
                                      const RecordFingerprint& last) {
  NumberReplayedEffects();
  clock_ = ticks.empty() ? replay_->start_clock : ticks.back().now;
  position_ = last.offset + 1;
  last_record_ = last;
  next_ordinal_ = 0;
  counts_.set_records(counts_.records() + records);
  uncommitted_ = true;
  return Commit();
}

void PartitionFold::NumberReplayedEffects() {
  std::vector<Replay::Effect>& effects = replay_->effects;
  std::sort(effects.begin(), effects.end(), [](const Replay::Effect& a, const Replay::Effect& b) {
    return std::tie(a.entry.place.input_offset, a.due, a.entry.client_id, a.sequence) <
           std::tie(b.entry.place.input_offset, b.due, b.entry.client_id, b.sequence);
  });
  alert::v1::AlertEvent event;
  EffectPlace next;
  for (Replay::Effect& effect : effects) {
    EffectPlace& place = effect.entry.place;
    if (effect.of_timer) {
      next.ordinal = place.input_offset == next.input_offset ? next.ordinal + 1 : 0;
      next.input_offset = place.input_offset;
      place = next;
      if (place <= published_) continue;
      RAPPORT_CHECK(event.ParseFromString(effect.entry.event), "an effect of our own");
      event.mutable_cause()->set_ordinal(place.ordinal);
      event.SerializeToString(&effect.entry.event);
    }
    new_effects_.push_back(std::move(effect.entry));
  }
  effects.clear();
}

}  // namespace rapport
