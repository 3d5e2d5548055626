#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace rapport {

// Reads the lines of a file; one that is compressed by gzip is unpacked on the way. One thread at a
// time.
class LineReader {
 public:
  // NotFound or FailedPrecondition, with the path and the system's reason.
  static absl::StatusOr<std::unique_ptr<LineReader>> Open(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line, without its end; false at the end of the file. Of a line that is longer than
  // `max_bytes`, one byte more than that is kept. DataLoss when the compressed data is damaged or
  // cut off.
  absl::StatusOr<bool> Next(size_t max_bytes, std::string* line);

  // Bytes of the file (as it lies on disk) read so far, and in all.
  int64_t position() const { return gzoffset(file_); }
  int64_t size() const { return size_; }

 private:
  LineReader(std::string path, gzFile file, int64_t size);
  // Reads more into the empty buffer; false at the end.
  absl::StatusOr<bool> Fill();

  const std::string path_;
  const gzFile file_;
  const int64_t size_;
  std::string buffer_;
  size_t place_ = 0;   // in the buffer
  size_t filled_ = 0;  // of the buffer
};

}  // namespace rapport
