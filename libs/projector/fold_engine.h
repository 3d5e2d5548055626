#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/projections/projection.h"
#include "libs/projector/partition_fold.h"
#include "libs/projector/stored_state.h"

namespace rapport {

// The part of a fold that knows the projection's types: a write-back cache of states as they are
// stored, of which the few in use are decoded. Bytes take a third of the memory of messages, so
// that several times as many clients stay in the cache, and no message is made or destroyed for a
// touchpoint; touchpoints of one client in a row decode its state once.
template <Projection P>
class FoldEngine final : public PartitionFold {
 public:
  FoldEngine(ProjectionIdentity identity, const FoldOptions& options,
             const typename P::Settings& settings, StateStore* store, CacheBudget* budget)
      : PartitionFold(std::move(identity), options, store, budget), settings_(settings) {}

 private:
  using State = typename P::State;
  using IndexEntries = std::vector<IndexWriter::Entry>;
  struct Served {
    std::string value;
    IndexEntries index;
  };
  struct Entry {
    std::string value;   // as EncodeStoredState makes it; empty: nothing folded yet
    Digest stored;       // hash of the row in the store; empty when there is none
    IndexEntries index;  // as stored, sorted
    // That of `value`; null when it is as stored.
    std::unique_ptr<IndexEntries> new_index;
    bool dirty = false;
    // Of a client that is being retold: what readers see, when the store does not have it yet.
    std::unique_ptr<Served> served;
    bool aside = false;  // the store has what was told under ToldStateKey
    bool used = true;    // since the last look of the eviction
  };
  using Cache = absl::node_hash_map<std::string, Entry>;
  using Node = typename Cache::value_type;
  // A decoded state; the message is reused from client to client.
  struct Slot {
    Node* node = nullptr;
    State state;
    int64_t timer = kNever;
    int64_t wake = kNever;
    bool changed = false;  // since it was decoded
    // Whether `summed` has what the sums hold of this state, and differences from it are to be
    // added, as known on `changed_on`.
    bool sums_behind = false;
    int32_t changed_on = 0;
    typename TalliedOf<P>::Type summed;
    bool there = false;  // else nothing was folded, or it was forgotten
  };

  bool Wants(const touchpoint::v1::Touchpoint& touchpoint) const override {
    return P::Wants(touchpoint);
  }

  absl::Status ApplyTouchpoint(const touchpoint::v1::Touchpoint& touchpoint,
                               absl::Status* refusal) override {
    RAPPORT_ASSIGN_OR_RETURN(Slot * slot, Find(touchpoint.client_id()));
    output_.Clear();
    output_.wake = FromMicros(slot->wake);
    BeforeChange(*slot);
    *refusal =
        P::Apply(context(touchpoint.client_id()), touchpoint, settings_, slot->state, output_);
    if (!refusal->ok()) return absl::OkStatus();
    SetWake(*slot, ToMicros(output_.wake));
    MarkChanged(*slot);
    TakeOutput(slot->node->first, output_);
    return absl::OkStatus();
  }

  absl::Status FireTimer(const std::string& client, int64_t due) override {
    RAPPORT_ASSIGN_OR_RETURN(Slot * slot, Find(client));
    if (slot->timer != due) {
      return absl::DataLossError(absl::StrCat("state of ", identity().name, ": a timer at ", due,
                                              " is not the one of its client's state"));
    }
    MarkChanged(*slot);
    if (slot->wake > due) {
      // It was moved to later meanwhile; only now does the timer follow.
      PutTimer(*slot, slot->wake);
      return absl::OkStatus();
    }
    if (IsBeingRetold(client)) {
      // What is not told to its end is not judged: again with the next ClockAdvanced.
      PutTimer(*slot, ToMicros(WakeAfter(context(client).now)));
      return absl::OkStatus();
    }
    MoveTimer(client, due, kNever);
    slot->timer = slot->wake = kNever;
    output_.Clear();
    BeforeChange(*slot);
    P::Wake(context(client), FromMicros(due), settings_, slot->state, output_);
    int64_t wake = ToMicros(output_.wake);
    // A wake that is not later than this one would never end.
    if (wake <= due) wake = ToMicros(WakeAfter(context(client).now));
    SetWake(*slot, wake, /*may_be_past=*/true);
    TakeOutput(slot->node->first, output_);
    return absl::OkStatus();
  }

  bool RewindsStates() const override { return RewindsClock<P>; }

  absl::Status RewindState(const std::string& client) override {
    if constexpr (RewindsClock<P>) {
      RAPPORT_ASSIGN_OR_RETURN(Slot * slot, Find(client));
      if (!slot->there) return absl::OkStatus();
      output_.Clear();
      output_.wake = FromMicros(slot->wake);
      BeforeChange(*slot);
      P::Rewind(context(client), settings_, slot->state, output_);
      MarkChanged(*slot);
      const int64_t wake = ToMicros(output_.wake);
      PutTimer(*slot, wake == kNever ? kNever : TimerFor(wake));
      TakeOutput(slot->node->first, output_);
    }
    return absl::OkStatus();
  }

  bool TellsAlertsOfStates() const override { return TellsAlerts<P>; }

  absl::Status TellState(const std::string& client, FoldOutput* output) override {
    if constexpr (TellsAlerts<P>) {
      RAPPORT_ASSIGN_OR_RETURN(const Slot* slot, Find(client));
      if (slot->there) P::Tell(context(client), settings_, slot->state, *output);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> TimerOf(const std::string& client) override {
    RAPPORT_ASSIGN_OR_RETURN(const Slot* slot, Find(client));
    return slot->timer;
  }

  absl::StatusOr<std::optional<std::string>> ReopenState(const std::string& client,
                                                         const Reopening& reopening) override {
    RAPPORT_ASSIGN_OR_RETURN(Slot * slot, Find(client));
    if (!reopening.within) KeepServed(*slot);
    std::optional<std::string> stood;
    if constexpr (CarriesOver<P>) {
      stood.emplace();
      if (slot->there) EncodeStoredState(slot->timer, slot->wake, slot->state, &*stood);
    }
    if (!reopening.forgets) return stood;
    MoveTimer(client, slot->timer, kNever);
    slot->timer = slot->wake = kNever;
    const bool was_there = slot->there;
    if constexpr (CarriesOver<P>) {
      const State before = slot->state;
      State kept = before;
      if (reopening.kept) RAPPORT_RETURN_IF_ERROR(DecodeKept(*reopening.kept, &kept));
      slot->state.Clear();
      output_.Clear();
      P::CarryOver(context(client), settings_, before, reopening.absorbed ? nullptr : &kept,
                   slot->state, output_);
      TakeOutput(slot->node->first, output_);
    } else {
      slot->state.Clear();
    }
    const bool there = slot->state.ByteSizeLong() > 0;
    if (was_there || there) MarkChanged(*slot);
    slot->there = there;
    return stood;
  }

  absl::Status CloseState(const touchpoint::v1::Touchpoint& touchpoint, bool absorbed,
                          const std::optional<std::string>& kept, absl::Status* refusal) override {
    RAPPORT_ASSIGN_OR_RETURN(Slot * slot, Find(touchpoint.client_id()));
    MarkDirty(*slot->node);
    RAPPORT_RETURN_IF_ERROR(ResumeSums(*slot));
    if (absorbed || !slot->there || (kept && GoesOnAs(*kept, *slot))) return absl::OkStatus();
    return P::Wants(touchpoint) ? ApplyTouchpoint(touchpoint, refusal) : absl::OkStatus();
  }

  void AddStates(class Commit& commit, Digest* digest) override {
    for (Slot& slot : slots_) Encode(slot);
    SortDirty();
    for (Node* node : dirty_) {
      Entry& entry = node->second;
      if (IsBeingRetold(node->first)) {
        AddServed(*node, commit, digest);
        commit.Put(Family::kMeta, ToldStateKey(node->first), entry.value);
        entry.aside = true;
        continue;
      }
      if (entry.served != nullptr) Resize(*node, [&] { entry.served.reset(); });
      if (std::exchange(entry.aside, false)) {
        commit.Delete(Family::kMeta, ToldStateKey(node->first));
      }
      AddState(*node, entry.value, commit, digest);
      if (entry.new_index != nullptr) {
        Resize(*node, [&] {
          AddIndex(entry.index, *entry.new_index, commit, digest);
          entry.index = *std::exchange(entry.new_index, nullptr);
        });
      }
    }
  }

  void AddState(Node& node, const std::string& value, class Commit& commit, Digest* digest) {
    Entry& entry = node.second;
    const bool there = !value.empty();
    const Digest hash =
        there ? Digest::OfEntry(static_cast<uint8_t>(Family::kState), node.first, value) : Digest();
    if (hash == entry.stored) return;
    CountClients((there ? 1 : 0) - (entry.stored == Digest() ? 0 : 1));
    *digest -= entry.stored;
    *digest += hash;
    entry.stored = hash;
    if (there) {
      commit.Put(Family::kState, node.first, value);
    } else {
      commit.Delete(Family::kState, node.first);
    }
  }

  // What readers see of a client whose history was reopened since the last commit.
  void AddServed(Node& node, class Commit& commit, Digest* digest) {
    Entry& entry = node.second;
    if (entry.served == nullptr) return;
    Resize(node, [&] {
      const std::unique_ptr<Served> served = std::move(entry.served);
      AddState(node, served->value, commit, digest);
      if (served->index == entry.index) return;
      AddIndex(entry.index, served->index, commit, digest);
      if (entry.new_index == nullptr) {
        entry.new_index = std::make_unique<IndexEntries>(std::move(entry.index));
      } else if (*entry.new_index == served->index) {
        entry.new_index.reset();
      }
      entry.index = std::move(served->index);
    });
  }

  // Remembers what readers go on to see of the client, when the store does not have it yet.
  void KeepServed(Slot& slot) {
    Encode(slot);
    Entry& entry = slot.node->second;
    if (!entry.dirty) return;
    Resize(*slot.node, [&] {
      entry.served = std::make_unique<Served>(
          Served{entry.value, entry.new_index == nullptr ? entry.index : *entry.new_index});
    });
  }

  // By key: far faster into the store's memtable than at random.
  void SortDirty() {
    struct Item {
      uint64_t first;  // bytes of the key
      uint64_t second;
      Node* node;
    };
    std::vector<Item> items;
    items.reserve(dirty_.size());
    for (Node* node : dirty_) {
      char bytes[2 * sizeof(uint64_t)] = {};
      std::copy_n(node->first.data(), std::min(node->first.size(), sizeof bytes), bytes);
      items.push_back({ReadBig64(bytes), ReadBig64(bytes + sizeof(uint64_t)), node});
    }
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
      if (a.first != b.first) return a.first < b.first;
      if (a.second != b.second) return a.second < b.second;
      return a.node->first < b.node->first;
    });
    for (size_t i = 0; i < items.size(); ++i) dirty_[i] = items[i].node;
  }

  void StatesCommitted() override {
    for (Node* node : dirty_) node->second.dirty = false;
    dirty_.clear();
  }

  size_t CacheBytes() const override { return cache_bytes_; }

  void Evict(size_t target) override {
    for (int round = 0; round < 2 && cache_bytes_ > target; ++round) {
      for (auto it = cache_.begin(); it != cache_.end() && cache_bytes_ > target;) {
        Entry& entry = it->second;
        if (!entry.dirty && !entry.used) {
          Slot& slot = SlotOf(&*it);
          if (slot.node == &*it) slot.node = nullptr;
          cache_bytes_ -= BytesOf(*it);
          cache_.erase(it++);
        } else {
          entry.used = false;
          ++it;
        }
      }
    }
  }

  // The client's state, decoded: from the cache, the store, or new.
  absl::StatusOr<Slot*> Find(const std::string& client) {
    const auto [it, inserted] = cache_.try_emplace(client);
    Node* node = &*it;
    node->second.used = true;
    Slot& slot = SlotOf(node);
    if (slot.node == node) return &slot;
    Encode(slot);
    slot.node = nullptr;
    slot.changed = slot.there = slot.sums_behind = false;
    const absl::Status status = inserted ? Load(*node, slot) : Decode(node->second, slot);
    if (!status.ok()) {
      if (inserted) cache_.erase(it);
      return status;
    }
    if (inserted) cache_bytes_ += BytesOf(*node);
    slot.node = node;
    slot.there = !node->second.value.empty();
    return &slot;
  }

  absl::Status Load(Node& node, Slot& slot) {
    Entry& entry = node.second;
    if (!nothing_stored()) {
      RAPPORT_ASSIGN_OR_RETURN(const bool found,
                               store()->Get(Family::kState, node.first, &buffer_));
      if (found) {
        // A copy, so that it takes no more memory than it has bytes.
        entry.value = std::string(buffer_);
        entry.stored =
            Digest::OfEntry(static_cast<uint8_t>(Family::kState), node.first, entry.value);
      }
    }
    RAPPORT_RETURN_IF_ERROR(Decode(entry, slot));
    if (!entry.value.empty()) {
      MakeIndex(node.first, slot.state);
      entry.index = index_.entries();
    }
    return WasRetold(node.first) ? LoadTold(node, slot) : absl::OkStatus();
  }

  // What was told so far, over what readers see; it is there until its end is committed.
  absl::Status LoadTold(Node& node, Slot& slot) {
    Entry& entry = node.second;
    RAPPORT_ASSIGN_OR_RETURN(entry.aside,
                             store()->Get(Family::kMeta, ToldStateKey(node.first), &buffer_));
    if (!entry.aside) return absl::OkStatus();
    entry.value = std::string(buffer_);
    RAPPORT_RETURN_IF_ERROR(Decode(entry, slot));
    MakeNewIndex(node, slot.state);
    return absl::OkStatus();
  }

  absl::Status Decode(const Entry& entry, Slot& slot) {
    if (!entry.value.empty()) {
      return DecodeStoredState(entry.value, &slot.timer, &slot.wake, &slot.state);
    }
    slot.state.Clear();
    slot.timer = slot.wake = kNever;
    return absl::OkStatus();
  }

  // To be called before the state changes. What it contributes is summed by difference; at the
  // latest when the day changes, on which the change is known.
  void BeforeChange(Slot& slot) {
    if constexpr (Tallies<P>) {
      if (IsBeingRetold(slot.node->first)) return;
      const int32_t today = P::TallyDay(context(slot.node->first).now, settings_);
      if (slot.sums_behind && slot.changed_on == today) return;
      if (!SettleSums(slot)) {
        slot.summed.Clear();
        if (slot.there) P::Tally(slot.state, settings_, slot.summed);
      }
      slot.sums_behind = true;
      slot.changed_on = today;
    }
  }

  // Adds to the sums what the state contributes more or less than they hold of it. Whether it did;
  // then `summed` has what they hold now.
  bool SettleSums(Slot& slot) {
    if constexpr (Tallies<P>) {
      if (!slot.sums_behind) return false;
      slot.sums_behind = false;
      tallied_.Clear();
      if (slot.there) P::Tally(slot.state, settings_, tallied_);
      P::PostDifference(slot.summed, tallied_, slot.changed_on, settings_,
                        [this](absl::string_view key, int64_t more) { AddToTally(key, more); });
      std::swap(slot.summed, tallied_);
      return true;
    }
    return false;
  }

  // Once a client's history has been told: the sums hold what readers have seen of it until now.
  absl::Status ResumeSums(Slot& slot) {
    if constexpr (Tallies<P>) {
      const std::string& client = slot.node->first;
      std::string before;
      if (slot.node->second.served != nullptr) {
        before = slot.node->second.served->value;
      } else {
        RAPPORT_ASSIGN_OR_RETURN(const bool found, store()->Get(Family::kState, client, &before));
        if (!found) before.clear();
      }
      State state;
      RAPPORT_RETURN_IF_ERROR(DecodeKept(before, &state));
      slot.summed.Clear();
      P::Tally(state, settings_, slot.summed);
      slot.sums_behind = true;
      slot.changed_on = P::TallyDay(context(client).now, settings_);
    }
    return absl::OkStatus();
  }

  // Brings what changed in the slot back into its entry.
  void Encode(Slot& slot) {
    if (slot.node == nullptr) return;
    SettleSums(slot);
    if (!slot.changed) return;
    slot.changed = false;
    Entry& entry = slot.node->second;
    const size_t before = BytesOf(*slot.node);
    buffer_.clear();
    if (slot.there) EncodeStoredState(slot.timer, slot.wake, slot.state, &buffer_);
    if (buffer_.size() > entry.value.capacity()) {
      entry.value = std::string(buffer_);
    } else {
      entry.value = buffer_;
    }
    MakeNewIndex(*slot.node, slot.state);
    cache_bytes_ += BytesOf(*slot.node) - before;
  }

  // The state of `kept`, whose life goes on, without its times.
  static absl::Status DecodeKept(const std::string& kept, State* state) {
    int64_t timer;
    int64_t wake;
    if (!kept.empty()) return DecodeStoredState(kept, &timer, &wake, state);
    state->Clear();
    return absl::OkStatus();
  }

  // Whether the client's state is that of `kept` again; then it wakes as it would have then, and
  // what was due meanwhile comes with the next ClockAdvanced.
  bool GoesOnAs(const std::string& kept, Slot& slot) {
    int64_t timer;
    int64_t wake;
    State state;
    if (kept.empty() || !DecodeStoredState(kept, &timer, &wake, &state).ok()) return false;
    EncodeStoredState(timer, wake, slot.state, &buffer_);
    if (buffer_ != kept) return false;
    MarkChanged(slot);
    if (wake != kNever) wake = TimerFor(wake);
    PutTimer(slot, timer > ToMicros(context(slot.node->first).now) ? std::min(timer, wake) : wake);
    slot.wake = wake;
    return true;
  }

  void MarkChanged(Slot& slot) {
    slot.changed = slot.there = true;
    MarkDirty(*slot.node);
  }

  void MarkDirty(Node& node) {
    Entry& entry = node.second;
    if (entry.dirty) return;
    entry.dirty = true;
    dirty_.push_back(&node);
    AddDirtyState(BytesOf(node));
  }

  // The timer moves only when the wake comes before it, so that a wake which moves later and later
  // costs no write.
  void SetWake(Slot& slot, int64_t wake, bool may_be_past = false) {
    if (wake != kNever && !may_be_past) wake = TimerFor(wake);
    slot.wake = wake;
    if (wake >= slot.timer) return;
    MoveTimer(slot.node->first, slot.timer, wake);
    slot.timer = wake;
  }

  // Sets both, wherever they stood.
  void PutTimer(Slot& slot, int64_t wake) {
    if (wake != slot.timer) MoveTimer(slot.node->first, slot.timer, wake);
    slot.timer = slot.wake = wake;
  }

  void MakeIndex(const std::string& client, const State& state) {
    index_.Reset(client);
    P::Index(state, settings_, index_);
    std::sort(index_.entries().begin(), index_.entries().end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
  }

  // `state` is that of the entry's value.
  void MakeNewIndex(Node& node, const State& state) {
    Entry& entry = node.second;
    if (entry.value.empty()) {
      index_.Reset(node.first);
    } else {
      MakeIndex(node.first, state);
    }
    if (index_.entries() == entry.index) {
      entry.new_index.reset();
    } else {
      entry.new_index = std::make_unique<IndexEntries>(index_.entries());
    }
  }

  static void AddIndex(const IndexEntries& before, const IndexEntries& after, class Commit& commit,
                       Digest* digest) {
    for (const IndexWriter::Entry& old : before) {
      *digest -= Digest::OfEntry(static_cast<uint8_t>(Family::kIndex), old.key, old.value);
      commit.Delete(Family::kIndex, old.key);
    }
    for (const IndexWriter::Entry& now : after) {
      *digest += Digest::OfEntry(static_cast<uint8_t>(Family::kIndex), now.key, now.value);
      commit.Put(Family::kIndex, now.key, now.value);
    }
  }

  // Changes what the entry holds.
  template <class Change>
  void Resize(Node& node, const Change& change) {
    cache_bytes_ -= BytesOf(node);
    change();
    cache_bytes_ += BytesOf(node);
  }

  Slot& SlotOf(const Node* node) {
    // The low bits of an address are those of its alignment.
    return slots_[(reinterpret_cast<uintptr_t>(node) >> 6) % kSlots];
  }

  // Of an entry, the hash table's share and the allocator's overhead included.
  static size_t BytesOf(const Node& node) {
    constexpr size_t kIndexEntryBytes = 160;
    const auto heap = [](const std::string& text) {
      return text.capacity() < sizeof(std::string) / 2 ? 0 : text.capacity() + 16;
    };
    const Entry& entry = node.second;
    size_t index_entries = entry.index.capacity();
    if (entry.new_index != nullptr) index_entries += entry.new_index->capacity();
    size_t served = 0;
    if (entry.served != nullptr) {
      served = sizeof(Served) + heap(entry.served->value);
      index_entries += entry.served->index.capacity();
    }
    return sizeof(Node) + 32 + heap(node.first) + heap(entry.value) + served +
           index_entries * kIndexEntryBytes;
  }

  static constexpr size_t kSlots = 16;

  const typename P::Settings settings_;
  Cache cache_;
  size_t cache_bytes_ = 0;
  std::vector<Node*> dirty_;
  std::array<Slot, kSlots> slots_;
  FoldOutput output_;
  typename TalliedOf<P>::Type tallied_;
  IndexWriter index_;
  std::string buffer_;
};

// The spec of projection P with `settings`.
template <Projection P>
class SpecOf final : public ProjectionSpec {
 public:
  explicit SpecOf(typename P::Settings settings)
      : settings_(std::move(settings)),
        identity_{std::string(P::kName), P::kVersion, P::Fingerprint(settings_)} {}

  const ProjectionIdentity& identity() const override { return identity_; }
  std::unique_ptr<PartitionFold> NewFold(const FoldOptions& options, StateStore* store,
                                         CacheBudget* budget) const override {
    return std::make_unique<FoldEngine<P>>(identity_, options, settings_, store, budget);
  }
  const typename P::Settings& settings() const { return settings_; }

 private:
  const typename P::Settings settings_;
  const ProjectionIdentity identity_;
};

}  // namespace rapport
