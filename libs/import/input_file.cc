#include "libs/import/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

constexpr unsigned kBufferBytes = 1 << 18;

absl::Status SystemError(const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat(path, ": ", std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::FailedPreconditionError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError(path);
  struct stat info = {};
  if (fstat(descriptor, &info) != 0 || S_ISDIR(info.st_mode)) {
    if (S_ISDIR(info.st_mode)) errno = EISDIR;
    const absl::Status status = SystemError(path);
    close(descriptor);
    return status;
  }
  const gzFile file = gzdopen(descriptor, "rb");
  if (file == nullptr) {
    close(descriptor);
    return absl::FailedPreconditionError(absl::StrCat(path, ": no memory for reading it"));
  }
  gzbuffer(file, kBufferBytes);
  return std::unique_ptr<InputFile>(new InputFile(path, file, info.st_size));
}

InputFile::~InputFile() { gzclose(file_); }

absl::StatusOr<size_t> InputFile::Read(char* buffer, size_t size) {
  const int count = gzread(file_, buffer, static_cast<unsigned>(size));
  int error = Z_OK;
  const char* const message = gzerror(file_, &error);
  // A file that ends within the compressed data is reported only once all before has been read.
  if (count < 0 || (count == 0 && error == Z_BUF_ERROR)) {
    return absl::DataLossError(absl::StrCat(
        path_, ": damaged or cut off: ", error == Z_ERRNO ? std::strerror(errno) : message));
  }
  position_ = gzoffset(file_);
  return static_cast<size_t>(count);
}

}  // namespace rapport
