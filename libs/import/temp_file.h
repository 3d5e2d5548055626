#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Bytes set aside in a file that has no name, so that nothing stays behind; what is small stays in
// memory. Unavailable, with the system's reason, when it cannot be written or read. One thread at a
// time.
class TempFile {
 public:
  static absl::StatusOr<std::unique_ptr<TempFile>> Create(const std::string& folder);
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  // Where the next byte will stand.
  int64_t size() const { return written_ + static_cast<int64_t>(pending_.size()); }
  // Bytes to be appended are put behind those in it; then Appended() is called.
  std::string* tail() { return &pending_; }
  absl::Status Appended();
  // `size` bytes from `offset` on, all of which were appended.
  absl::Status Read(int64_t offset, size_t size, std::string* bytes) const;

 private:
  explicit TempFile(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
  int64_t written_ = 0;
  std::string pending_;
};

}  // namespace rapport
