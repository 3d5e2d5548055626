#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rocksdb/env.h"
#include "rocksdb/status.h"
#include "rocksdb/wal_filter.h"

// What RocksDB does not look for when it replays write-ahead logs: it takes what it finds, whether
// or not something is missing between two of them, or in front of the first.

namespace rapport {

// Key of the number of a commit, in the family `meta` (RocksDB's default one). Every commit that
// goes through the write-ahead log writes its own there, one higher than the one before.
inline constexpr char kCommitNumberKey[] = "number";

// Watches a replay, and finds a commit that is not the next one to that before it.
class CommitSequence : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "CommitSequence"; }
  WalProcessingOption LogRecordFound(unsigned long long log_number, const std::string& file,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*,
                                     bool*) override;

  // What is missing, for people; empty when nothing is.
  const std::string& missing() const { return missing_; }

 private:
  // Of the last commit; nullopt before the first.
  std::optional<int64_t> last_;
  std::string missing_;
};

// A write-ahead log's file.
struct LogFile {
  int64_t number = 0;
  int64_t bytes = 0;
  bool operator==(const LogFile&) const = default;
};

// Those in a store's folder that hold anything, in their order.
std::vector<LogFile> FindLogFiles(rocksdb::Env* env, const std::string& folder);
// `file` must be there.
rocksdb::Status SyncLogFile(rocksdb::Env* env, const std::string& folder, const LogFile& file);

// (i64 number i64 bytes)*
std::string EncodeLogFiles(const std::vector<LogFile>& files);
std::vector<LogFile> DecodeLogFiles(absl::string_view bytes);

}  // namespace rapport
