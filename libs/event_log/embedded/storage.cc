#include "libs/event_log/embedded/storage.h"

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"

namespace rapport::embedded {

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
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
