#include "libs/state_store/write_ahead_log.h"

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/bytes.h"
#include "rocksdb/slice.h"
#include "rocksdb/write_batch.h"

namespace rapport {
namespace {

constexpr uint32_t kMetaFamilyId = 0;
constexpr char kSuffix[] = ".log";

// Reads a batch up to the number of its commit.
class NumberFinder : public rocksdb::WriteBatch::Handler {
 public:
  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (family == kMetaFamilyId && key == kCommitNumberKey && value.size() == sizeof(int64_t)) {
      number = ReadOrdered64(value.data());
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t, const rocksdb::Slice&) override {
    return rocksdb::Status::OK();
  }
  bool Continue() override { return !number.has_value(); }

  std::optional<int64_t> number;
};

}  // namespace

rocksdb::WalFilter::WalProcessingOption CommitSequence::LogRecordFound(
    unsigned long long, const std::string& file, const rocksdb::WriteBatch& batch,
    rocksdb::WriteBatch*, bool*) {
  NumberFinder finder;
  // Ended early, which is told as an error.
  batch.Iterate(&finder).PermitUncheckedError();
  if (last_ && finder.number && *finder.number != *last_ + 1 && missing_.empty()) {
    missing_ = absl::StrCat(file, " goes on with commit ", *finder.number, " where ", *last_ + 1,
                            " was expected");
  }
  // One without is RocksDB's own: it begins each log that it opens with an empty batch.
  if (finder.number) last_ = finder.number;
  return WalProcessingOption::kContinueProcessing;
}

std::vector<LogFile> FindLogFiles(rocksdb::Env* env, const std::string& folder) {
  std::vector<std::string> children;
  env->GetChildren(folder, &children).PermitUncheckedError();
  std::vector<LogFile> files;
  for (const std::string& name : children) {
    absl::string_view stem = name;
    LogFile file;
    if (!absl::ConsumeSuffix(&stem, kSuffix) || !absl::SimpleAtoi(stem, &file.number)) continue;
    uint64_t bytes = 0;
    env->GetFileSize(absl::StrCat(folder, "/", name), &bytes).PermitUncheckedError();
    if (bytes == 0) continue;
    file.bytes = static_cast<int64_t>(bytes);
    files.push_back(file);
  }
  std::sort(files.begin(), files.end(),
            [](const LogFile& a, const LogFile& b) { return a.number < b.number; });
  return files;
}

rocksdb::Status SyncLogFile(rocksdb::Env* env, const std::string& folder, const LogFile& file) {
  const std::string path =
      absl::StrCat(folder, "/", absl::Dec(file.number, absl::kZeroPad6), kSuffix);
  std::unique_ptr<rocksdb::WritableFile> opened;
  rocksdb::Status status = env->ReopenWritableFile(path, &opened, rocksdb::EnvOptions());
  if (status.ok()) status = opened->Sync();
  if (status.ok()) status = opened->Close();
  return status;
}

std::string EncodeLogFiles(const std::vector<LogFile>& files) {
  std::string bytes;
  for (const LogFile& file : files) {
    AppendOrdered64(&bytes, file.number);
    AppendOrdered64(&bytes, file.bytes);
  }
  return bytes;
}

std::vector<LogFile> DecodeLogFiles(absl::string_view bytes) {
  std::vector<LogFile> files;
  constexpr size_t kEntry = 2 * sizeof(int64_t);
  for (; bytes.size() >= kEntry; bytes.remove_prefix(kEntry)) {
    files.push_back({ReadOrdered64(bytes.data()), ReadOrdered64(bytes.data() + sizeof(int64_t))});
  }
  return files;
}

}  // namespace rapport
