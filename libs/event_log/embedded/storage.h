#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/strong_type.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"

namespace rapport::embedded {

// What a RocksDB error means to the caller. Corruption: DataLoss. Anything else, such as a full
// disk: Unavailable.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what);

// The key of the block whose first record is at `base`: 8 bytes, big-endian.
std::string BlockKey(Offset base);
// False when `key` is none.
bool ParseBlockKey(const rocksdb::Slice& key, Offset* base);

inline absl::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}
inline rocksdb::Slice ToSlice(absl::string_view view) { return {view.data(), view.size()}; }

}  // namespace rapport::embedded
