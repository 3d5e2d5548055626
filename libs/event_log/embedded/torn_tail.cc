#include "libs/event_log/embedded/torn_tail.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/internal/endian.h"
#include "rocksdb/wal_filter.h"
#include "rocksdb/write_batch.h"

namespace rapport::embedded {
namespace {

// Sees the log's records as they are replayed, and whether their sequence numbers leave a gap.
class GapFinder : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "GapFinder"; }
  WalProcessingOption LogRecordFound(unsigned long long, const std::string&,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*,
                                     bool*) override {
    // A batch starts with its first sequence number and the number of its rows.
    const char* const data = batch.Data().data();
    const uint64_t first = absl::little_endian::Load64(data);
    if (next_.has_value() && first != *next_) found_ = true;
    next_ = first + absl::little_endian::Load32(data + 8);
    return WalProcessingOption::kContinueProcessing;
  }
  bool found() const { return found_; }

 private:
  std::optional<uint64_t> next_;
  bool found_ = false;
};

}  // namespace

bool OnlyTailIsTorn(rocksdb::DBOptions options, const std::string& folder,
                    const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  GapFinder gaps;
  options.wal_filter = &gaps;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::OpenForReadOnly(options, folder, families, &handles, &raw).ok()) return false;
  const std::unique_ptr<rocksdb::DB> db(raw);
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  return !gaps.found();
}

}  // namespace rapport::embedded
