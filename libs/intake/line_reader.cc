#include "libs/intake/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;

absl::Status SystemError(const std::string& path, int error) {
  const std::string message = absl::StrCat(path, ": ", std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::FailedPreconditionError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError(path, errno);
  struct stat info = {};
  if (fstat(descriptor, &info) != 0 || S_ISDIR(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
    close(descriptor);
    return SystemError(path, error);
  }
  const gzFile file = gzdopen(descriptor, "rb");
  if (file == nullptr) {
    close(descriptor);
    return absl::FailedPreconditionError(absl::StrCat(path, ": no memory for reading it"));
  }
  return std::unique_ptr<LineReader>(new LineReader(path, file, info.st_size));
}

LineReader::LineReader(std::string path, gzFile file, int64_t size)
    : path_(std::move(path)), file_(file), size_(size), buffer_(kBufferBytes, '\0') {
  gzbuffer(file_, kBufferBytes);
}

LineReader::~LineReader() { gzclose(file_); }

absl::StatusOr<bool> LineReader::Fill() {
  const int count = gzread(file_, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int error = Z_OK;
  const char* const message = gzerror(file_, &error);
  // A file that ends within the compressed data is reported only once all before has been read.
  if (count < 0 || (count == 0 && error == Z_BUF_ERROR)) {
    return absl::DataLossError(absl::StrCat(
        path_, ": damaged or cut off: ", error == Z_ERRNO ? std::strerror(errno) : message));
  }
  place_ = 0;
  filled_ = static_cast<size_t>(count);
  return count > 0;
}

absl::StatusOr<bool> LineReader::Next(size_t max_bytes, std::string* line) {
  line->clear();
  for (bool any = false;; any = true) {
    if (place_ == filled_) {
      RAPPORT_ASSIGN_OR_RETURN(const bool more, Fill());
      if (!more) return any;
    }
    const char* const begin = buffer_.data() + place_;
    const auto* const end = static_cast<const char*>(std::memchr(begin, '\n', filled_ - place_));
    const size_t size = end != nullptr ? static_cast<size_t>(end - begin) : filled_ - place_;
    line->append(begin, std::min(size, max_bytes + 1 - line->size()));
    place_ += size;
    if (end == nullptr) continue;
    ++place_;
    if (!line->empty() && line->back() == '\r') line->pop_back();
    return true;
  }
}

}  // namespace rapport
