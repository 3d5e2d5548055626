#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/base/event_id.h"
#include "libs/state_store/digest.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Env;
class RateLimiter;
class WriteBatch;
class WriteBufferManager;
}  // namespace rocksdb

namespace rapport {

// The column families of a partition's store; README.md has the grammar of their keys and values.
enum class Family : uint8_t {
  kMeta,
  kState,
  kIndex,
  kRows,
  kTallies,
  kSeen,
  kTimers,
  kOutbox,
  kDeadLetters,
};
inline constexpr size_t kFamilyCount = 9;
// "state", "index", ...
absl::string_view FamilyName(Family family);
// The families whose entries follow from the log alone, and which the digest covers.
inline constexpr std::array<Family, 6> kDigestFamilies = {Family::kState,  Family::kIndex,
                                                          Family::kRows,   Family::kTallies,
                                                          Family::kTimers, Family::kDeadLetters};

// What all stores of a process share, so that one number caps their memory: block cache and write
// buffers together. Thread-safe.
class StoreResources {
 public:
  struct Options {
    // Bytes for block cache and write buffers of all stores. Decoded states in the projectors'
    // caches come on top and have a budget of their own.
    size_t memory_bytes = size_t{256} << 20;
    // Bytes per second that flushes, compactions and bulk loads may write; 0 for no limit.
    int64_t write_bytes_per_second = 0;
    // Bytes of a family's changes in memory before they are written to a file: small ones are
    // faster to insert into, and quick to replay after a crash.
    size_t write_buffer_bytes = size_t{8} << 20;
    // Seen ids of a store that are kept in memory (16 bytes each) before they are sorted into a
    // file.
    size_t recent_seen_ids = size_t{1} << 18;
    // Keep files in memory (RocksDB's MemEnv), for tests.
    bool in_memory = false;
    // Keeps the files, in place of the machine or of MemEnv; outlives this.
    rocksdb::Env* env = nullptr;
  };
  explicit StoreResources(const Options& options);
  ~StoreResources();

  rocksdb::Env* env() const { return env_; }
  const std::shared_ptr<rocksdb::Cache>& cache() const { return cache_; }
  const std::shared_ptr<rocksdb::WriteBufferManager>& write_buffers() const {
    return write_buffers_;
  }
  const std::shared_ptr<rocksdb::RateLimiter>& rate_limiter() const { return rate_limiter_; }
  size_t write_buffer_bytes() const { return options_.write_buffer_bytes; }
  size_t recent_seen_ids() const { return options_.recent_seen_ids; }
  bool in_memory() const { return options_.in_memory; }

 private:
  const Options options_;
  std::unique_ptr<rocksdb::Env> owned_env_;
  rocksdb::Env* env_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers_;
  std::shared_ptr<rocksdb::RateLimiter> rate_limiter_;
};

// The changes of one commit: gathered, then written as a whole or not at all.
class Commit {
 public:
  virtual ~Commit() = default;
  virtual void Put(Family family, absl::string_view key, absl::string_view value) = 0;
  virtual void Delete(Family family, absl::string_view key) = 0;
  // Records ids as seen. They count as seen for StateStore::SeenBefore once written.
  virtual void AddSeen(absl::Span<const EventId> ids) = 0;
  // Bulk: writes what was gathered so far into files aside when it takes much memory; nothing of it
  // is there before Write. What comes afterwards must not touch the same keys again, ids apart.
  virtual absl::Status Settle() { return absl::OkStatus(); }
};

// The state of one partition of one generation of a projection, in a folder of its own (RocksDB).
// Reads are thread-safe; commits come from one thread.
class StateStore {
 public:
  // Opens or creates. FailedPrecondition: another process has it open. DataLoss: it is damaged and
  // has to be set aside and rebuilt from the log. Unavailable: disk full or an I/O error.
  static absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& folder,
                                                          StoreResources* resources);
  ~StateStore();

  // nullopt when there is no such entry.
  absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key) const;
  // The same into `value`, whose memory is reused; false when there is no such entry.
  absl::StatusOr<bool> Get(Family family, absl::string_view key, std::string* value) const;

  // Calls `visit` for each entry with begin <= key < end in key order (an empty `end` has no limit)
  // until it returns false.
  absl::Status Scan(
      Family family, absl::string_view begin, absl::string_view end,
      const std::function<bool(absl::string_view key, absl::string_view value)>& visit) const;
  // The same entries, the last one first.
  absl::Status ScanBack(
      Family family, absl::string_view begin, absl::string_view end,
      const std::function<bool(absl::string_view key, absl::string_view value)>& visit) const;

  // True when `id` has been committed as seen at any time. From the committing thread only.
  absl::StatusOr<bool> SeenBefore(const EventId& id) const;

  // A commit for the live path: small, through the write-ahead log and the memtable.
  std::unique_ptr<Commit> NewCommit();
  // A commit for bulk loading: sorted files, ingested together. Faster from some 100,000 changes
  // on.
  std::unique_ptr<Commit> NewBulkCommit();
  // Writes a commit of this store atomically; it survives the death of the process. A power cut may
  // take the newest commits away, never one without all that came after it. Unavailable: disk full
  // or an I/O error; nothing of it is there, and the store has to be opened again.
  absl::Status Write(std::unique_ptr<Commit> commit);

  // The digest over kDigestFamilies, by reading everything: about a million entries a second.
  absl::StatusOr<Digest> ComputeDigest() const;
  // A consistent copy (hard links where the file system has them) in a folder that must not exist.
  absl::Status Checkpoint(const std::string& folder);
  // Bytes of the files on disk.
  uint64_t DiskBytes() const;

 private:
  class BatchCommit;
  class BulkCommit;
  class SeenIds;
  class Logs;

  StateStore(std::string folder, StoreResources* resources);
  absl::Status WriteBatch(BatchCommit& commit);
  absl::Status WriteNumbered(BatchCommit& commit, bool sync);
  absl::Status WriteBulk(BulkCommit& commit);
  // What opening cannot see: that commits in the middle are gone, or files ahead of all of them.
  absl::Status CheckLogs();
  // Makes all commits so far survive a power cut.
  absl::Status SyncLogs();
  absl::Status LoadSeenIds();
  // Sorts what the commit has gathered into files, which it remembers.
  absl::Status WriteFiles(BulkCommit& commit);
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<size_t>(family)];
  }

  const std::string folder_;
  StoreResources* const resources_;
  std::unique_ptr<Logs> logs_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> handles_ = {};
  std::unique_ptr<SeenIds> seen_;
  int64_t next_file_ = 0;
};

// Moves the store in `folder` out of the way, as `<folder>.set-aside-<M>`, so that it can be looked
// at while a new one is folded. Returns its new name; a store in memory is gone.
absl::StatusOr<std::string> SetAsideStateStore(const std::string& folder,
                                               StoreResources* resources);

// Removes the store in `folder`, if there is one.
absl::Status DestroyStateStore(const std::string& folder, StoreResources* resources);

}  // namespace rapport
