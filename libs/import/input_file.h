#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/import/text_decoder.h"

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

  // Before the first Read, which then gives UTF-8 in place of text in `encoding`, as iconv names
  // it. When that is empty, it is UTF-8. Where the first bytes say UTF-16 or UTF-32, it is that in
  // any case. What cannot be text in the encoding becomes the byte FF, which UTF-8 does not have.
  // InvalidArgument: there is no such encoding.
  absl::Status ReadAsText(const std::string& encoding);

  // Up to `size` bytes into `buffer`; 0 at the end. DataLoss when the compressed data is damaged or
  // cut off.
  absl::StatusOr<size_t> Read(char* buffer, size_t size);

  // Bytes of the file (as it lies on disk) read so far, and in all.
  int64_t position() const { return position_; }
  int64_t size() const { return size_; }

 private:
  InputFile(std::string path, gzFile file, int64_t size)
      : path_(std::move(path)), file_(file), size_(size) {}
  // Read before any decoding.
  absl::StatusOr<size_t> ReadBytes(char* buffer, size_t size);
  // The first bytes may tell the encoding.
  absl::Status Sniff();

  const std::string path_;
  const gzFile file_;
  const int64_t size_;
  // Kept, since asking for it is a system call.
  int64_t position_ = 0;
  bool to_sniff_ = false;
  std::unique_ptr<TextDecoder> decoder_;  // null: bytes are given as they are
  std::string ahead_;                     // read, and to be given next
  size_t ahead_position_ = 0;
};

}  // namespace rapport
