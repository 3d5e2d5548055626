#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/base/mutex.h"
#include "libs/event_log/embedded/topic.h"
#include "libs/event_log/event_log.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"

namespace rapport::embedded {

// Group commit: of the threads that append at the same time, one writes for all, with one fsync,
// while the next group gathers behind it. Thread-safe.
class Appender {
 public:
  Appender(rocksdb::DB* db, std::string folder) : db_(db), folder_(std::move(folder)) {}

  // Appends `records`, of `bytes` in all, record i to partitions[i]. All of them are on disk, or
  // none is seen.
  absl::StatusOr<std::vector<RecordPosition>> Append(Topic* topic, absl::Span<const Record> records,
                                                     absl::Span<PartitionLog* const> partitions,
                                                     size_t bytes);

 private:
  // One waiting call of Append.
  struct Request {
    Topic* topic;
    absl::Span<const Record> records;
    absl::Span<PartitionLog* const> partitions;
    std::vector<RecordPosition> positions = {};
    size_t bytes = 0;
    absl::Status status = absl::OkStatus();
    bool done = false;
    CondVar wake = {};
  };
  // Where a partition will stand when the group is on disk.
  struct Advance {
    int64_t end;
    std::optional<int64_t> latest_ms;
  };

  // The requests at the head of the queue that go into one write.
  std::vector<Request*> Gather() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes a group and tells the readers. One thread at a time.
  absl::Status WriteGroup(const std::vector<Request*>& group);
  void Add(Request* request, rocksdb::WriteBatch* batch);
  void FinishBlock(PartitionLog* partition, rocksdb::WriteBatch* batch);
  absl::Status Commit(rocksdb::WriteBatch* batch);

  rocksdb::DB* const db_;
  const std::string folder_;

  Mutex mutex_;
  std::deque<Request*> queue_ ABSL_GUARDED_BY(mutex_);

  // The rest belongs to the thread that writes.
  std::map<PartitionLog*, Advance> advances_;
  bool failing_ = false;
};

}  // namespace rapport::embedded
