#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/strong_type.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/listener.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"

namespace rapport::embedded {

// What a RocksDB error means to the caller. Corruption: DataLoss. Such that RocksDB refuses all
// writes for good (the disk failed): FailedPrecondition. Anything else, such as a full disk:
// Unavailable.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what);

// Drops RocksDB's chatter, whose errors reach us as statuses. Its own log file would abort the
// process on a full disk, since Debian builds it with assertions.
std::shared_ptr<rocksdb::Logger> NewSilentLogger();

// Keeps RocksDB from recovering in the background after a full disk: it waits for more room than we
// need, and refuses Resume meanwhile.
std::shared_ptr<rocksdb::EventListener> NewManualRecovery();

// Runs `write`; if it fails, does what may be done against it, and if that succeeds runs it again.
// After an error RocksDB refuses writes until Resume, which succeeds only when what is in memory
// could be written to files, and so leaves no torn record behind.
rocksdb::Status WriteOrResume(rocksdb::DB* db, const std::function<rocksdb::Status()>& write);

// The key of the block whose first record is at `base`: 8 bytes, big-endian.
std::string BlockKey(Offset base);
// False when `key` is none.
bool ParseBlockKey(const rocksdb::Slice& key, Offset* base);

inline absl::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}
inline rocksdb::Slice ToSlice(absl::string_view view) { return {view.data(), view.size()}; }

}  // namespace rapport::embedded
