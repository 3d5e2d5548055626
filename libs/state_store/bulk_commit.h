#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/state_store/state_store.h"
#include "rocksdb/env.h"
#include "rocksdb/slice.h"

namespace rapport {

// Sorts, writes files of each family, and ingests them together.
class StateStore::BulkCommit : public Commit {
 public:
  explicit BulkCommit(StateStore* store) : store_(store) {}
  ~BulkCommit() override {
    for (const std::vector<std::string>& files : files_) {
      for (const std::string& file : files) {
        store_->resources_->env()->DeleteFile(file).PermitUncheckedError();
      }
    }
  }

  void Put(Family family, absl::string_view key, absl::string_view value) override {
    Add(family, key, value, /*deleted=*/false);
  }
  void Delete(Family family, absl::string_view key) override {
    Add(family, key, "", /*deleted=*/true);
  }
  void AddSeen(absl::Span<const EventId> ids) override {
    seen_.insert(seen_.end(), ids.begin(), ids.end());
  }
  absl::Status Settle() override {
    if (Bytes() < kSettleBytes) return absl::OkStatus();
    return store_->WriteFiles(*this);
  }

 private:
  friend class StateStore;

  // A key and its value, one behind the other in a block.
  struct Change {
    uint64_t prefix = 0;  // first bytes of the key: most comparisons end here
    const char* data = nullptr;
    uint32_t key_size = 0;
    uint32_t value_size : 31 = 0;
    uint32_t deleted : 1 = 0;

    rocksdb::Slice key() const { return {data, key_size}; }
    rocksdb::Slice value() const { return {data + key_size, value_size}; }
    bool operator<(const Change& other) const {
      return prefix != other.prefix ? prefix < other.prefix : key().compare(other.key()) < 0;
    }
  };

  void Add(Family family, absl::string_view key, absl::string_view value, bool deleted) {
    char* data = Allocate(key.size() + value.size());
    std::copy(key.begin(), key.end(), data);
    std::copy(value.begin(), value.end(), data + key.size());
    char prefix[sizeof(uint64_t)] = {};
    std::copy_n(key.begin(), std::min(key.size(), sizeof prefix), prefix);
    Change& change = changes_[static_cast<size_t>(family)].emplace_back();
    change.prefix = ReadBig64(prefix);
    change.data = data;
    change.key_size = static_cast<uint32_t>(key.size());
    change.value_size = static_cast<uint32_t>(value.size());
    change.deleted = deleted ? 1 : 0;
    ++change_count_;
  }

  char* Allocate(size_t size) {
    if (size > free_) {
      free_ = std::max(size, kBlockBytes);
      block_bytes_ += free_;
      next_ = blocks_.emplace_back(new char[free_]).get();
    }
    char* const data = next_;
    next_ += size;
    free_ -= size;
    return data;
  }

  size_t Bytes() const {
    return block_bytes_ + change_count_ * sizeof(Change) + seen_.size() * sizeof(EventId);
  }

  void Clear() {
    for (std::vector<Change>& changes : changes_) std::vector<Change>().swap(changes);
    std::vector<EventId>().swap(seen_);
    blocks_.clear();
    block_bytes_ = change_count_ = free_ = 0;
  }

  static constexpr size_t kBlockBytes = size_t{256} << 10;
  static constexpr size_t kSettleBytes = size_t{64} << 20;

  StateStore* const store_;
  std::array<std::vector<Change>, kFamilyCount> changes_;
  std::vector<EventId> seen_;
  // When it is written: i64 of the last commit that went through the write-ahead log before.
  std::string last_commit_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t free_ = 0;
  size_t block_bytes_ = 0;
  size_t change_count_ = 0;
  // Written and not ingested yet, by family.
  std::array<std::vector<std::string>, kFamilyCount> files_;
};

}  // namespace rapport
