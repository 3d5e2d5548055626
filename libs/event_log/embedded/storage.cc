#include "libs/event_log/embedded/storage.h"

#include <cstdarg>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"

namespace rapport::embedded {
namespace {

class SilentLogger : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class ManualRecovery : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

}  // namespace

std::shared_ptr<rocksdb::EventListener> NewManualRecovery() {
  return std::make_shared<ManualRecovery>();
}

std::shared_ptr<rocksdb::Logger> NewSilentLogger() { return std::make_shared<SilentLogger>(); }

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.severity() >= rocksdb::Status::Severity::kFatalError) {
    return absl::FailedPreconditionError(
        absl::StrCat(message, "; restart the process when the disk is well"));
  }
  return absl::UnavailableError(message);
}

rocksdb::Status WriteOrResume(rocksdb::DB* db, const std::function<rocksdb::Status()>& write) {
  const rocksdb::Status status = write();
  return status.ok() || !db->Resume().ok() ? status : write();
}

std::string BlockKey(Offset base) {
  std::string key;
  AppendBig64(&key, static_cast<uint64_t>(base.value()));
  return key;
}

bool ParseBlockKey(const rocksdb::Slice& key, Offset* base) {
  if (key.size() != 8) return false;
  *base = Offset(static_cast<int64_t>(ReadBig64(key.data())));
  return true;
}

}  // namespace rapport::embedded
