#pragma once

#include "absl/strings/string_view.h"

namespace rapport {

// Whether a RocksDB file in its log format (a MANIFEST) ends in the middle of a record. RocksDB
// takes that for the write that a crash cut off, and opens what stands before it: an older version
// of the database, over which the newer write-ahead log is then replayed, without a word. The
// format: blocks of 32 KiB with records of crc (4 bytes), length (2, little-endian), type (1) and
// data; records of the types 5 to 8 have 4 more bytes of header; the last bytes of a block that no
// header fits in are zero (github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format).
bool EndsWithinRecord(absl::string_view file);

}  // namespace rapport
