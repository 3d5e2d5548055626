#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/projections/projection.h"
#include "libs/projector/partition_fold.h"
#include "libs/projector/stored_state.h"

namespace rapport {

// The part of a fold that knows the projection's types: a write-back cache of decoded states.
template <Projection P>
class FoldEngine final : public PartitionFold {
 public:
  FoldEngine(ProjectionIdentity identity, const FoldOptions& options,
             const typename P::Settings& settings, StateStore* store, CacheBudget* budget)
      : PartitionFold(std::move(identity), options, store, budget), settings_(settings) {}

 private:
  using State = typename P::State;
  struct Entry {
    State state;
    int64_t timer = kNever;
    int64_t wake = kNever;
    Digest stored;  // hash of the row in the store; empty when there is none
    std::vector<IndexWriter::Entry> index;  // as stored, sorted
    bool dirty = false;
    bool used = true;  // since the last look of the eviction
  };
  using Cache = absl::node_hash_map<std::string, Entry>;
  using Node = typename Cache::value_type;

  bool Wants(const touchpoint::v1::Touchpoint& touchpoint) const override {
    return P::Wants(touchpoint);
  }

  absl::Status ApplyTouchpoint(const touchpoint::v1::Touchpoint& touchpoint,
                               absl::Status* refusal) override {
    RAPPORT_ASSIGN_OR_RETURN(Node * node, Find(touchpoint.client_id()));
    Entry& entry = node->second;
    output_.Clear();
    output_.wake = FromMicros(entry.wake);
    *refusal =
        P::Apply(context(touchpoint.client_id()), touchpoint, settings_, entry.state, output_);
    if (!refusal->ok()) return absl::OkStatus();
    SetWake(*node, ToMicros(output_.wake));
    MarkDirty(*node);
    if (++applied_ % kSampleEvery == 0) SampleSize(*node);
    TakeOutput(node->first, output_);
    return absl::OkStatus();
  }

  absl::Status FireTimer(const std::string& client, int64_t due) override {
    RAPPORT_ASSIGN_OR_RETURN(Node * node, Find(client));
    Entry& entry = node->second;
    if (entry.timer != due) {
      return absl::DataLossError(absl::StrCat("state of ", identity().name, ": a timer at ", due,
                                              " is not the one of its client's state"));
    }
    MarkDirty(*node);
    if (entry.wake > due) {
      // It was moved to later meanwhile; only now does the timer follow.
      MoveTimer(client, due, entry.wake);
      entry.timer = entry.wake;
      return absl::OkStatus();
    }
    MoveTimer(client, due, kNever);
    entry.timer = entry.wake = kNever;
    output_.Clear();
    P::Wake(context(client), FromMicros(due), settings_, entry.state, output_);
    int64_t wake = ToMicros(output_.wake);
    // A wake that is not later than this one would never end.
    if (wake <= due) wake = ToMicros(WakeAfter(context(client).now));
    SetWake(*node, wake, /*may_be_past=*/true);
    TakeOutput(node->first, output_);
    return absl::OkStatus();
  }

  void AddStates(class Commit& commit, Digest* digest) override {
    for (Node* node : dirty_) {
      Entry& entry = node->second;
      EncodeStoredState(entry.timer, entry.wake, entry.state, &buffer_);
      const Digest hash =
          Digest::OfEntry(static_cast<uint8_t>(Family::kState), node->first, buffer_);
      if (hash == entry.stored) continue;
      if (entry.stored == Digest()) CountNewClient();
      *digest -= entry.stored;
      *digest += hash;
      entry.stored = hash;
      commit.Put(Family::kState, node->first, buffer_);
      AddIndex(*node, commit, digest);
    }
  }

  void StatesCommitted() override {
    for (Node* node : dirty_) node->second.dirty = false;
    dirty_.clear();
  }

  size_t CacheBytes() const override { return cache_.size() * average_bytes_; }

  void Evict(size_t target) override {
    const size_t keep = target / average_bytes_;
    for (int round = 0; round < 2 && cache_.size() > keep; ++round) {
      for (auto it = cache_.begin(); it != cache_.end() && cache_.size() > keep;) {
        Entry& entry = it->second;
        if (!entry.dirty && !entry.used) {
          cache_.erase(it++);
        } else {
          entry.used = false;
          ++it;
        }
      }
    }
  }

  // The client's entry: from the cache, the store, or new.
  absl::StatusOr<Node*> Find(const std::string& client) {
    const auto [it, inserted] = cache_.try_emplace(client);
    Entry& entry = it->second;
    entry.used = true;
    if (!inserted) return &*it;
    if (nothing_stored()) return &*it;
    absl::StatusOr<bool> found = store()->Get(Family::kState, client, &buffer_);
    absl::Status status = found.status();
    if (status.ok() && !*found) return &*it;
    if (status.ok()) {
      status = DecodeStoredState(buffer_, &entry.timer, &entry.wake, &entry.state);
    }
    if (!status.ok()) {
      cache_.erase(it);
      return status;
    }
    entry.stored = Digest::OfEntry(static_cast<uint8_t>(Family::kState), client, buffer_);
    MakeIndex(*it);
    entry.index = index_.entries();
    return &*it;
  }

  void MarkDirty(Node& node) {
    if (node.second.dirty) return;
    node.second.dirty = true;
    dirty_.push_back(&node);
    AddDirtyState(average_bytes_);
  }

  // The timer moves only when the wake comes before it, so that a wake which moves later and later
  // costs no write.
  void SetWake(Node& node, int64_t wake, bool may_be_past = false) {
    Entry& entry = node.second;
    if (wake != kNever && !may_be_past) wake = TimerFor(wake);
    entry.wake = wake;
    if (wake >= entry.timer) return;
    MoveTimer(node.first, entry.timer, wake);
    entry.timer = wake;
  }

  void MakeIndex(const Node& node) {
    index_.Reset(node.first);
    P::Index(node.second.state, settings_, index_);
    std::sort(index_.entries().begin(), index_.entries().end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
  }

  void AddIndex(Node& node, class Commit& commit, Digest* digest) {
    MakeIndex(node);
    std::vector<IndexWriter::Entry>& before = node.second.index;
    if (index_.entries() == before) return;
    for (const IndexWriter::Entry& old : before) {
      *digest -= Digest::OfEntry(static_cast<uint8_t>(Family::kIndex), old.key, old.value);
      commit.Delete(Family::kIndex, old.key);
    }
    for (const IndexWriter::Entry& now : index_.entries()) {
      *digest += Digest::OfEntry(static_cast<uint8_t>(Family::kIndex), now.key, now.value);
      commit.Put(Family::kIndex, now.key, now.value);
    }
    before = index_.entries();
  }

  // Keeps the average size of an entry by looking at one now and then: exact sums would cost more
  // than the fold itself.
  void SampleSize(const Node& node) {
    const size_t bytes = sizeof(Node) + sizeof(void*) * 2 + node.first.capacity() +
                         node.second.state.SpaceUsedLong() - sizeof(State) +
                         node.second.index.size() * 96;
    // The allocator's overhead adds about a quarter.
    average_bytes_ = (average_bytes_ * 15 + bytes * 5 / 4) / 16;
  }

  static constexpr size_t kSampleEvery = 256;

  const typename P::Settings settings_;
  Cache cache_;
  std::vector<Node*> dirty_;
  FoldOutput output_;
  IndexWriter index_;
  std::string buffer_;
  size_t applied_ = 0;
  size_t average_bytes_ = sizeof(Node) + 256;
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
