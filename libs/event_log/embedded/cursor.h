#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/event_log/embedded/block.h"
#include "libs/event_log/embedded/topic.h"
#include "libs/event_log/event_log.h"
#include "rocksdb/db.h"
#include "rocksdb/iterator.h"

namespace rapport::embedded {

// A place in one partition, and the block it stands in. Never waits. One thread at a time.
class Cursor {
 public:
  Cursor(rocksdb::DB* db, const Topic* topic, const PartitionLog* partition, Offset from)
      : db_(db), topic_(topic), partition_(partition), position_(from) {}

  Offset position() const { return position_; }
  // There is something to read, if only an error.
  bool Ready() const {
    return partition_->end.load(std::memory_order_acquire) != position_.value();
  }
  // Records from position() on, of one block, at most `max_records`; empty at the end. The views
  // live until the next call. Errors as LogReader::Read.
  absl::StatusOr<absl::Span<const RecordView>> Next(size_t max_records);

 private:
  // Makes `parser_` stand at position_, which is before `end`.
  absl::Status FindBlock(Offset end);
  void Seek(Offset end);
  absl::Status Damaged(absl::string_view what) const;

  rocksdb::DB* const db_;
  const Topic* const topic_;
  const PartitionLog* const partition_;
  Offset position_;
  // Stands on the block that `parser_` goes through; null when there was nothing more to read, so
  // that a reader that waits holds no files.
  std::unique_ptr<rocksdb::Iterator> iterator_;
  BlockParser parser_;
  std::vector<RecordView> views_;
};

// The first offset before `end` whose timestamp is at or after `time`; `end` when there is none.
absl::StatusOr<Offset> FindTime(rocksdb::DB* db, const Topic& topic, const PartitionLog& partition,
                                absl::Time time);

}  // namespace rapport::embedded
