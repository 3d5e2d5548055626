#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// Reads a file from its beginning; one that is compressed by gzip is unpacked on the way. One
// thread at a time.
class InputFile {
 public:
  // NotFound or FailedPrecondition, with the path and the system's reason.
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Up to `size` bytes into `buffer`; 0 at the end. DataLoss when the compressed data is damaged or
  // cut off.
  absl::StatusOr<size_t> Read(char* buffer, size_t size);

  // Bytes of the file (as it lies on disk) read so far, and in all.
  int64_t position() const { return position_; }
  int64_t size() const { return size_; }

 private:
  InputFile(std::string path, gzFile file, int64_t size)
      : path_(std::move(path)), file_(file), size_(size) {}

  const std::string path_;
  const gzFile file_;
  const int64_t size_;
  // Kept, since asking for it is a system call.
  int64_t position_ = 0;
};

}  // namespace rapport
