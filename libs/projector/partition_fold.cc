#include "libs/projector/partition_fold.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/projector/stored_state.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr char kMetaKey[] = "meta";
// Due timers that are taken out of the store at a time.
constexpr size_t kTimerChunk = 50'000;
// Rough bytes that a seen id and an effect take in memory until the commit.
constexpr size_t kSeenBytes = 40;
constexpr size_t kTallyBytes = 64;  // of an entry of the hash table
constexpr size_t kEffectBytes = 1024;
// The most that ingest can be told to let in (config.v1.Ingest.max_future_ms). Not that setting
// itself: a fold gives the same whatever it is.
constexpr absl::Duration kMaxFuture = absl::Hours(24);

// Later touchpoints of the client depend on these in their order.
bool HoldsBack(const Touchpoint& touchpoint) {
  return touchpoint.has_history_reopened() || touchpoint.has_history_closed();
}

std::string TimerStoreKey(int64_t due, absl::string_view client) {
  std::string key;
  AppendOrdered64(&key, due);
  key.append(client.data(), client.size());
  return key;
}

std::string OutboxKey(EffectPlace place) {
  std::string key;
  AppendOrdered64(&key, place.input_offset.value());
  AppendOrdered64(&key, place.ordinal);
  return key;
}

std::string OffsetKey(int64_t offset) {
  std::string key;
  AppendOrdered64(&key, offset);
  return key;
}

// Beyond 64 bits it wraps, and comes back when what was too much is taken back.
int64_t Sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

uint8_t Number(Family family) { return static_cast<uint8_t>(family); }

}  // namespace

int64_t PartitionFold::ToMicros(absl::Time time) {
  if (time == absl::InfiniteFuture()) return kNever;
  if (time == absl::InfinitePast()) return std::numeric_limits<int64_t>::min();
  return absl::ToUnixMicros(time);
}

absl::Time PartitionFold::FromMicros(int64_t micros) {
  if (micros == kNever) return absl::InfiniteFuture();
  if (micros == std::numeric_limits<int64_t>::min()) return absl::InfinitePast();
  return absl::FromUnixMicros(micros);
}

PartitionFold::PartitionFold(ProjectionIdentity identity, const FoldOptions& options,
                             StateStore* store, CacheBudget* budget)
    : identity_(std::move(identity)), options_(options), store_(store), budget_(budget) {
  budget_->Enter();
}

PartitionFold::~PartitionFold() { budget_->Leave(accounted_bytes_); }

absl::Status PartitionFold::Open() {
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                           store_->Get(Family::kMeta, kMetaKey));
  if (bytes) {
    state::v1::PartitionMeta meta;
    if (!meta.ParseFromString(*bytes)) {
      return absl::DataLossError("the position record of the state does not parse");
    }
    const ProjectionIdentity stored{meta.projection(), meta.version(), meta.settings_fingerprint()};
    if (stored != identity_) {
      return absl::FailedPreconditionError(
          absl::StrCat("the state was folded by ", stored.name, " version ", stored.version,
                       " with settings ", stored.settings_fingerprint, ", and this is ",
                       identity_.name, " version ", identity_.version, " with settings ",
                       identity_.settings_fingerprint, ": rebuild the projection"));
    }
    position_ = Offset(meta.position());
    next_ordinal_ = meta.effects_at_position();
    if (meta.has_clock()) clock_ = FromProto(meta.clock());
    digest_ = Digest::FromBytes(meta.digest());
    published_ = {Offset(meta.frontier().input_offset()), meta.frontier().ordinal()};
    alerts_position_ = Offset(meta.frontier().alerts_position());
    counts_ = meta.counts();
    last_record_ = meta.has_last_record() ? FromProto(meta.last_record())
                                          : RecordFingerprint{position_ - 1, ""};
    last_alert_ = meta.has_last_alert() ? FromProto(meta.last_alert())
                                        : RecordFingerprint{alerts_position_ - 1, ""};
  }
  committed_position_ = position_;
  stored_clients_ = counts_.clients();
  RAPPORT_RETURN_IF_ERROR(LoadOutbox());
  RAPPORT_RETURN_IF_ERROR(LoadRetold());
  return LoadDeadLetters();
}

absl::Status PartitionFold::LoadOutbox() {
  bool parsed = true;
  RAPPORT_RETURN_IF_ERROR(
      store_->Scan(Family::kOutbox, "", "", [&](absl::string_view key, absl::string_view value) {
        alert::v1::AlertEvent event;
        const bool ok =
            key.size() == 16 && event.ParseFromArray(value.data(), static_cast<int>(value.size()));
        const std::optional<EventId> id = EventId::FromBytes(event.effect_id());
        if (!ok || !id) return parsed = false;
        const EffectPlace place{Offset(ReadOrdered64(key.data())),
                                static_cast<int32_t>(ReadOrdered64(key.data() + 8))};
        outbox_.push_back(
            {place, event.client_id(), std::string(value), *id, FromProto(event.at())});
        return true;
      }));
  if (!parsed) return absl::DataLossError("an effect in the outbox does not parse");
  return absl::OkStatus();
}

absl::Status PartitionFold::Fold(absl::Span<const RecordView> records) {
  for (const RecordView& record : records) {
    if (record.offset < position_) continue;
    RAPPORT_RETURN_IF_ERROR(CheckGap(position_, record));
    if (record.offset > position_) next_ordinal_ = 0;
    position_ = record.offset;
    RAPPORT_RETURN_IF_ERROR(FoldRecord(record));
    counts_.set_records(counts_.records() + 1);
    ++position_;
    last_folded_ = &record;
    next_ordinal_ = 0;
    uncommitted_ = true;
  }
  TakeFingerprint();
  AccountCache();
  return absl::OkStatus();
}

void PartitionFold::TakeFingerprint() {
  if (last_folded_ != nullptr) last_record_ = FingerprintOf(*last_folded_);
  last_folded_ = nullptr;
}

void PartitionFold::PassOver(Offset next) {
  if (next <= position_) return;
  position_ = next;
  next_ordinal_ = 0;
  uncommitted_ = true;
}

absl::Status PartitionFold::CheckGap(Offset expected, const RecordView& record) const {
  if (record.offset - record.passed_over <= expected) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("partition ", options_.partition.value(), " goes on at offset ",
                   record.offset.value(), " where ", expected.value(),
                   " was expected: records are missing from the log. Restore them, or rebuild ",
                   identity_.name, " from what is left"));
}

absl::Status PartitionFold::CheckPlace(const RecordView& record,
                                       const Touchpoint& touchpoint) const {
  if (options_.partition_count > 0) {
    const Partition right = PartitionOfClient(touchpoint.client_id(), options_.partition_count);
    if (right != options_.partition) {
      return absl::InvalidArgumentError(absl::StrCat(
          "belongs in partition ", right.value(), ", and stands in ", options_.partition.value(),
          ": who wrote it does not choose partitions by the murmur2 of the client id, as Kafka's "
          "own clients do (librdkafka: partitioner=murmur2_random). Write it again from there; its "
          "event id counts once"));
    }
  }
  // A log has no clock but its own: a record cannot tell of what came long after it was written.
  const absl::Time occurred = FromProto(touchpoint.occurred_at());
  if (record.timestamp > absl::UnixEpoch() && occurred > record.timestamp + kMaxFuture) {
    return absl::InvalidArgumentError(absl::StrCat(
        "occurred_at is ", absl::FormatTime(absl::RFC3339_sec, occurred, absl::UTCTimeZone()),
        ", and the record was written at ",
        absl::FormatTime(absl::RFC3339_sec, record.timestamp, absl::UTCTimeZone()),
        ": nothing may have happened more than ", absl::FormatDuration(kMaxFuture),
        " later. Mend the clock of who wrote it, and write it again"));
  }
  return absl::OkStatus();
}

absl::Status PartitionFold::FoldRecord(const RecordView& record) {
  const absl::Status parsed = parser_.Parse(record.value);
  const Touchpoint& touchpoint = parser_.touchpoint();
  if (!parsed.ok()) {
    // InvalidArgument: it parsed, so that its kind is known.
    const bool holds_back = absl::IsInvalidArgument(parsed) && HoldsBack(touchpoint);
    Bury(record, record.key, parsed.message(), holds_back, /*waiting=*/false);
    return absl::OkStatus();
  }
  if (touchpoint.has_clock_advanced() || touchpoint.has_clock_corrected()) {
    // Any writer may have appended it.
    if (const absl::Status believed = CheckClock(touchpoint, record.timestamp); !believed.ok()) {
      Bury(record, record.key, believed.message(), /*holds_back=*/false, /*waiting=*/false);
      return absl::OkStatus();
    }
    if (touchpoint.has_clock_corrected()) return CorrectClock(touchpoint);
    return AdvanceClock(FromProto(touchpoint.clock_advanced().now()));
  }
  const auto take_up = [this](const auto& order, bool skip) {
    if (order.projection() != identity_.name || order.partition() != options_.partition.value()) {
      return absl::OkStatus();
    }
    return TakeUp(Offset(order.offset()), skip);
  };
  if (touchpoint.has_dead_letter_retried()) {
    return take_up(touchpoint.dead_letter_retried(), /*skip=*/false);
  }
  if (touchpoint.has_dead_letter_skipped()) {
    return take_up(touchpoint.dead_letter_skipped(), /*skip=*/true);
  }
  if (!HoldsBack(touchpoint) && !Wants(touchpoint)) return absl::OkStatus();
  if (const absl::Status place = CheckPlace(record, touchpoint); !place.ok()) {
    Bury(record, touchpoint.client_id(), place.message(), /*holds_back=*/false, /*waiting=*/false);
    return absl::OkStatus();
  }
  if (HoldsBack(touchpoint)) return FoldRetelling(record, touchpoint);
  return FoldClientTouchpoint(record, touchpoint);
}

bool PartitionFold::WaitsBehind(const RecordView& record, absl::string_view client) {
  if (held_back_.empty()) return false;
  const auto held = held_back_.find(client);
  if (held == held_back_.end()) return false;
  Bury(record, client, absl::StrCat("waits behind offset ", *held->second.begin()),
       /*holds_back=*/false, /*waiting=*/true);
  return true;
}

// A touchpoint counts once per client, and once more each time that the client has forgotten all:
// when clients are merged, the same touchpoint is folded again under the survivor.
EventId PartitionFold::SeenIdOf(const EventId& event_id, absl::string_view client, int64_t epoch) {
  // One text, not a hash of the client as the seed of another: XXH3 takes a seed and a short text
  // together by XOR, so that clients whose ids are alike share what they have seen.
  std::string text(event_id.view());
  AppendOrdered64(&text, epoch);
  text.append(client.data(), client.size());
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  EventId id;
  std::memcpy(id.bytes.data(), &hash, EventId::kSize);
  return id;
}

absl::StatusOr<bool> PartitionFold::MarkSeen(const EventId& id) {
  if (!new_seen_.insert(id).second) return false;
  RAPPORT_ASSIGN_OR_RETURN(const bool seen, store_->SeenBefore(id));
  if (seen) {
    new_seen_.erase(id);
    return false;
  }
  dirty_bytes_ += kSeenBytes;
  return true;
}

absl::Status PartitionFold::FoldClientTouchpoint(const RecordView& record,
                                                 const Touchpoint& touchpoint) {
  const std::string& client = touchpoint.client_id();
  if (WaitsBehind(record, client)) return absl::OkStatus();
  int64_t epoch = 0;
  retelling_since_ = absl::InfinitePast();
  if (const state::v1::RetoldClient* retold = FindRetold(client)) {
    if (!retold->absorbed_into_client_id().empty()) {
      counts_.set_of_absorbed(counts_.of_absorbed() + 1);
      return absl::OkStatus();
    }
    epoch = retold->epoch();
    if (!retold->retelling_id().empty()) retelling_since_ = FromProto(retold->retelling_since());
  }
  const EventId event_id = *EventId::FromBytes(touchpoint.event_id());
  const EventId seen_id = SeenIdOf(event_id, client, epoch);
  RAPPORT_ASSIGN_OR_RETURN(const bool is_new, MarkSeen(seen_id));
  if (!is_new) {
    counts_.set_duplicates(counts_.duplicates() + 1);
    return absl::OkStatus();
  }
  trigger_event_ = event_id;
  absl::Status refusal;
  RAPPORT_RETURN_IF_ERROR(ApplyTouchpoint(touchpoint, &refusal));
  if (!refusal.ok()) {
    new_seen_.erase(seen_id);
    Bury(record, client, refusal.message(), /*holds_back=*/false, /*waiting=*/false);
    return absl::OkStatus();
  }
  counts_.set_folded(counts_.folded() + 1);
  return absl::OkStatus();
}

void PartitionFold::TakeOutput(absl::string_view client, FoldOutput& output) {
  int32_t sequence = 0;
  for (alert::v1::AlertEvent& event : output.effects) {
    AddEffect(client, {position_, next_ordinal_++}, sequence++, &event);
  }
  const bool aside = !output.rows.empty() && IsBeingRetold(client);
  for (FoldOutput::Row& row : output.rows) {
    std::string key = aside ? kToldRowPrefix : "";
    AppendKeyString(&key, client);
    key += row.sort_key;
    dirty_bytes_ += key.size() + row.value.size() + 2 * sizeof(std::string);
    if (aside) {
      meta_changes_[std::move(key)] = std::move(row.value);
    } else {
      new_rows_.emplace_back(std::move(key), std::move(row.value));
    }
  }
}

void PartitionFold::AddToTally(absl::string_view key, int64_t amount) {
  const auto [it, inserted] = tally_deltas_.try_emplace(key, amount);
  if (inserted) {
    dirty_bytes_ += key.size() + kTallyBytes;
  } else {
    it->second = Sum(it->second, amount);
  }
}

void PartitionFold::AddEffect(absl::string_view client, EffectPlace place, int32_t sequence,
                              alert::v1::AlertEvent* event) {
  counts_.set_effects(counts_.effects() + 1);
  // In a replay the number among the effects of a ClockAdvanced is not known yet.
  const bool unnumbered = replay_ != nullptr && !trigger_event_;
  if (unnumbered ? place.input_offset < published_.input_offset : place <= published_) return;
  std::string cause;
  alert::v1::Cause* stated = event->mutable_cause();
  stated->set_partition(options_.partition.value());
  stated->set_offset(place.input_offset.value());
  stated->set_ordinal(place.ordinal);
  stated->set_sequence(sequence);
  if (trigger_event_) {
    stated->set_event_id(std::string(trigger_event_->view()));
    cause = absl::StrCat("event ", trigger_event_->ToHex());
  } else {
    ToProto(FromMicros(trigger_due_), stated->mutable_timer_due_at());
    cause = absl::StrCat("timer ", trigger_due_);
  }
  const EventId id = MakeEventId(absl::StrCat("rapport/effect/", identity_.name),
                                 absl::StrCat(client, "\n", cause, "\n", sequence));
  event->set_effect_id(std::string(id.view()));
  event->set_projection(identity_.name);
  event->set_client_id(std::string(client));
  OutboxEntry entry = {place, std::string(client), event->SerializeAsString(), id,
                       FromProto(event->at())};
  if (replay_ != nullptr) {
    replay_->effects.push_back({std::move(entry), trigger_due_, sequence, unnumbered});
  } else {
    new_effects_.push_back(std::move(entry));
  }
  dirty_bytes_ += kEffectBytes;
}

void PartitionFold::MoveTimer(const std::string& client, int64_t from, int64_t to) {
  if (replay_ != nullptr) {
    replay_->timer = to;
    return;
  }
  const auto change = [&](int64_t due, bool set) {
    if (due == kNever) return;
    // A change that undoes an earlier one leaves nothing to write.
    const auto [it, inserted] = timer_changes_.try_emplace(TimerKey(due, client), set);
    if (!inserted && it->second != set) timer_changes_.erase(it);
  };
  change(from, false);
  change(to, true);
  if (advancing_ && to != kNever) {
    if (TimerKey key(to, client); key < due_end_) due_.insert(std::move(key));
  }
}

int64_t PartitionFold::TimerFor(int64_t wake) const {
  return wake > ToMicros(clock_) ? wake : ToMicros(WakeAfter(clock_));
}

absl::Status PartitionFold::TakeDueTimers(int64_t from, int64_t until) {
  due_end_ = TimerKey(until + 1, "");
  RAPPORT_RETURN_IF_ERROR(
      store_->Scan(Family::kTimers, OffsetKey(from), OffsetKey(until + 1),
                   [&](absl::string_view key, absl::string_view) {
                     if (due_.size() == kTimerChunk) {
                       due_end_ = TimerKey(ReadOrdered64(key.data()), std::string(key.substr(8)));
                       return false;
                     }
                     TimerKey timer(ReadOrdered64(key.data()), std::string(key.substr(8)));
                     if (!timer_changes_.contains(timer)) due_.insert(std::move(timer));
                     return true;
                   }));
  for (const auto& [timer, set] : timer_changes_) {
    if (timer >= due_end_) break;
    if (set) due_.insert(timer);
  }
  return absl::OkStatus();
}

absl::Status PartitionFold::AdvanceClock(absl::Time now) {
  if (now <= clock_) return absl::OkStatus();
  clock_before_ = clock_;
  clock_ = now;
  advancing_ = true;
  const int64_t until = ToMicros(now);
  trigger_event_.reset();
  retelling_since_ = absl::InfinitePast();
  for (;;) {
    // Every timer before the clock has fired: the scan need not cross what was removed there.
    RAPPORT_RETURN_IF_ERROR(TakeDueTimers(ToMicros(clock_before_), until));
    if (due_.empty()) break;
    while (!due_.empty()) {
      const auto [due, client] = *due_.begin();
      due_.erase(due_.begin());
      trigger_due_ = due;
      RAPPORT_RETURN_IF_ERROR(FireTimer(client, due));
      counts_.set_timers(counts_.timers() + 1);
    }
    AccountCache();
    uncommitted_ = true;
    // In the middle of a record: the position stays before it, and its timers that have fired are
    // gone, so that after a crash the rest fires.
    if (dirty_bytes_ + dirty_state_bytes_ >= options_.commit_bytes) {
      RAPPORT_RETURN_IF_ERROR(Commit());
    }
  }
  advancing_ = false;
  return absl::OkStatus();
}

// Not twice, since the clock may have gone on meanwhile.
absl::Status PartitionFold::CorrectClock(const Touchpoint& touchpoint) {
  const EventId event_id = *EventId::FromBytes(touchpoint.event_id());
  const EventId seen_id = SeenIdOf(event_id, "", 0);
  RAPPORT_ASSIGN_OR_RETURN(const bool stored, store_->SeenBefore(seen_id));
  if (stored || new_seen_.contains(seen_id)) {
    counts_.set_duplicates(counts_.duplicates() + 1);
    return absl::OkStatus();
  }
  const absl::Time now = FromProto(touchpoint.clock_corrected().now());
  if (now > clock_) {
    RAPPORT_RETURN_IF_ERROR(AdvanceClock(now));
  } else {
    trigger_event_ = event_id;
    retelling_since_ = absl::InfinitePast();
    clock_before_ = clock_;
    clock_ = now;
    advancing_ = true;
    if (RewindsStates()) RAPPORT_RETURN_IF_ERROR(RewindStates());
    advancing_ = false;
  }
  return MarkSeen(seen_id).status();
}

// In the order of the clients. A commit in the middle of it leaves the position before the record,
// and a state that was rewound is rewound again without a change.
absl::Status PartitionFold::RewindStates() {
  due_end_ = TimerKey(std::numeric_limits<int64_t>::min(), "");
  // So that all clients stand in the store.
  uncommitted_ = true;
  RAPPORT_RETURN_IF_ERROR(Commit());
  std::string next;
  for (bool more = true; more;) {
    std::vector<std::string> clients;
    RAPPORT_RETURN_IF_ERROR(
        store_->Scan(Family::kState, next, "", [&](absl::string_view client, absl::string_view) {
          clients.emplace_back(client);
          return clients.size() < kTimerChunk;
        }));
    more = clients.size() == kTimerChunk;
    if (more) next = absl::StrCat(clients.back(), absl::string_view("\0", 1));
    for (const std::string& client : clients) RAPPORT_RETURN_IF_ERROR(RewindState(client));
    AccountCache();
    uncommitted_ = true;
    if (more) RAPPORT_RETURN_IF_ERROR(Commit());
  }
  for (const std::string& client : ClientsBeingRetold()) {
    RAPPORT_RETURN_IF_ERROR(RewindState(client));
  }
  return absl::OkStatus();
}

void PartitionFold::AccountCache() {
  const size_t bytes = CacheBytes() + dirty_bytes_;
  budget_->Update(accounted_bytes_, bytes);
  accounted_bytes_ = bytes;
}

void PartitionFold::DropCache() {
  Evict(0);
  AccountCache();
}

bool PartitionFold::CommitDue(absl::Time now, bool catching_up) const {
  if (!uncommitted_) return false;
  if (budget_->Exceeded() && accounted_bytes_ > budget_->Share()) return true;
  if (options_.bulk) return false;
  if (dirty_bytes_ + dirty_state_bytes_ >= options_.commit_bytes) return true;
  if (changes_since_ == absl::InfiniteFuture()) changes_since_ = now;
  if (now - changes_since_ >= options_.commit_interval) return true;
  if (new_effects_.empty()) return false;
  if (effects_since_ == absl::InfiniteFuture()) effects_since_ = now;
  return now - effects_since_ >=
         (catching_up ? options_.effect_delay_catching_up : options_.effect_delay);
}

absl::Status PartitionFold::Commit() {
  TakeFingerprint();
  std::unique_ptr<class Commit> commit;
  Digest digest = digest_;
  if (replay_ != nullptr) {
    commit = std::move(replay_->commit);
    digest = replay_->digest;
    replay_.reset();
  } else {
    commit = options_.bulk ? store_->NewBulkCommit() : store_->NewCommit();
  }
  AddStates(*commit, &digest);
  AddTimersRowsAndEffects(*commit, &digest);
  RAPPORT_RETURN_IF_ERROR(AddTallies(*commit, &digest));
  RAPPORT_RETURN_IF_ERROR(AddDeadLetters(*commit, &digest));
  AddRetold(*commit);
  commit->AddSeen(std::vector<EventId>(new_seen_.begin(), new_seen_.end()));
  commit->Put(Family::kMeta, kMetaKey, EncodeMeta(digest));
  RAPPORT_RETURN_IF_ERROR(store_->Write(std::move(commit)));

  digest_ = digest;
  committed_position_ = position_;
  stored_clients_ = counts_.clients();
  StatesCommitted();
  new_seen_.clear();
  retold_changes_.clear();
  meta_changes_.clear();
  tally_deltas_.clear();
  timer_changes_.clear();
  dead_letter_changes_.clear();
  published_since_commit_.clear();
  outbox_.insert(outbox_.end(), std::make_move_iterator(new_effects_.begin()),
                 std::make_move_iterator(new_effects_.end()));
  new_effects_.clear();
  uncommitted_ = false;
  dirty_bytes_ = dirty_state_bytes_ = 0;
  changes_since_ = effects_since_ = absl::InfiniteFuture();
  AccountCache();
  if (budget_->Exceeded() && accounted_bytes_ > budget_->Share()) {
    // Half, so that it is long until the next time.
    Evict(budget_->Share() / 2);
    AccountCache();
  }
  return absl::OkStatus();
}

void PartitionFold::ChangeTimer(int64_t due, absl::string_view client, bool set,
                                class Commit& commit, Digest* digest) const {
  const std::string key = TimerStoreKey(due, client);
  const Digest hash = Digest::OfEntry(Number(Family::kTimers), key, "");
  if (set) {
    commit.Put(Family::kTimers, key, "");
    *digest += hash;
  } else {
    commit.Delete(Family::kTimers, key);
    *digest -= hash;
  }
}

// Each key once: a bulk commit may write a put and a removal into different files.
void PartitionFold::AddRows(class Commit& commit, Digest* digest) {
  for (const auto& [key, value] : new_rows_) {
    const Digest hash = Digest::OfEntry(Number(Family::kRows), key, value);
    *digest += hash;
    if (!forgotten_rows_.empty()) {
      if (const auto stored = forgotten_rows_.find(key); stored != forgotten_rows_.end()) {
        *digest -= stored->second;
        const bool unchanged = stored->second == hash;
        forgotten_rows_.erase(stored);
        if (unchanged) continue;
      }
    }
    commit.Put(Family::kRows, key, value);
  }
  for (const auto& [key, hash] : forgotten_rows_) {
    *digest -= hash;
    commit.Delete(Family::kRows, key);
  }
  new_rows_.clear();
  forgotten_rows_.clear();
}

void PartitionFold::AddTimersRowsAndEffects(class Commit& commit, Digest* digest) {
  for (const auto& [timer, set] : timer_changes_) {
    ChangeTimer(timer.first, timer.second, set, commit, digest);
  }
  AddRows(commit, digest);
  for (const EffectPlace& place : published_since_commit_) {
    commit.Delete(Family::kOutbox, OutboxKey(place));
  }
  for (const OutboxEntry& effect : new_effects_) {
    commit.Put(Family::kOutbox, OutboxKey(effect.place), effect.event);
  }
}

// A sum of nothing is not stored: that it was once something is no part of what holds.
absl::Status PartitionFold::AddTallies(class Commit& commit, Digest* digest) const {
  std::vector<absl::string_view> names;
  names.reserve(tally_deltas_.size());
  for (const auto& [name, delta] : tally_deltas_) {
    if (delta != 0) names.push_back(name);
  }
  // By key: far faster into the store's memtable than at random.
  std::sort(names.begin(), names.end());
  for (const absl::string_view name : names) {
    const int64_t delta = tally_deltas_.find(name)->second;
    RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                             store_->Get(Family::kTallies, name));
    int64_t sum = delta;
    if (stored) {
      if (stored->size() != 8) return absl::DataLossError("a stored tally is not 8 bytes");
      *digest -= Digest::OfEntry(Number(Family::kTallies), name, *stored);
      sum = Sum(sum, ReadOrdered64(stored->data()));
    }
    if (sum == 0) {
      commit.Delete(Family::kTallies, name);
      continue;
    }
    const std::string value = OffsetKey(sum);
    *digest += Digest::OfEntry(Number(Family::kTallies), name, value);
    commit.Put(Family::kTallies, name, value);
  }
  return absl::OkStatus();
}

std::string PartitionFold::EncodeMeta(Digest digest) const {
  state::v1::PartitionMeta meta;
  meta.set_projection(identity_.name);
  meta.set_version(identity_.version);
  meta.set_settings_fingerprint(identity_.settings_fingerprint);
  meta.set_partition(options_.partition.value());
  meta.set_position(position_.value());
  meta.set_effects_at_position(next_ordinal_);
  const absl::Time clock = advancing_ ? clock_before_ : clock_;
  if (clock != absl::InfinitePast()) ToProto(clock, meta.mutable_clock());
  meta.set_digest(digest.ToBytes());
  meta.mutable_frontier()->set_input_offset(published_.input_offset.value());
  meta.mutable_frontier()->set_ordinal(published_.ordinal);
  meta.mutable_frontier()->set_alerts_position(alerts_position_.value());
  ToProto(last_record_, meta.mutable_last_record());
  ToProto(last_alert_, meta.mutable_last_alert());
  *meta.mutable_counts() = counts_;
  return meta.SerializeAsString();
}

void PartitionFold::MarkPublished(EffectPlace place, const RecordFingerprint& last_alert) {
  published_ = std::max(published_, place);
  if (last_alert.offset >= alerts_position_) {
    alerts_position_ = last_alert.offset + 1;
    last_alert_ = last_alert;
  }
  const auto first_left = std::find_if(outbox_.begin(), outbox_.end(),
                                       [&](const OutboxEntry& e) { return e.place > published_; });
  for (auto it = outbox_.begin(); it != first_left; ++it)
    published_since_commit_.push_back(it->place);
  if (first_left != outbox_.begin()) uncommitted_ = true;
  outbox_.erase(outbox_.begin(), first_left);
  // Those not committed yet would only be committed to be dropped.
  std::erase_if(new_effects_, [&](const OutboxEntry& e) { return e.place <= published_; });
}

}  // namespace rapport
