#pragma once

#include <string>
#include <vector>

#include "rocksdb/db.h"
#include "rocksdb/options.h"

namespace rapport::embedded {

// Whether nothing follows the damage in the log files of the database in `folder`. A write begins
// only after the one before is on disk: so damage with good records behind it has hit something
// that was acknowledged, and damage with none behind is a write that a power failure cut. (Good
// records in the same 32 KiB of the file are not found: RocksDB skips the rest of a damaged piece.)
// Changes nothing on disk.
bool OnlyTailIsTorn(rocksdb::DBOptions options, const std::string& folder,
                    const std::vector<rocksdb::ColumnFamilyDescriptor>& families);

}  // namespace rapport::embedded
