#include "libs/import/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

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

absl::StatusOr<size_t> InputFile::ReadBytes(char* buffer, size_t size) {
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

absl::Status InputFile::ReadAsText(const std::string& encoding) {
  to_sniff_ = true;
  if (encoding.empty() || absl::EqualsIgnoreCase(encoding, "UTF-8")) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(decoder_, TextDecoder::Create(encoding));
  return absl::OkStatus();
}

absl::Status InputFile::Sniff() {
  to_sniff_ = false;
  ahead_.resize(kBufferBytes);
  const absl::StatusOr<size_t> count = ReadBytes(ahead_.data(), ahead_.size());
  ahead_.resize(count.value_or(0));
  RAPPORT_RETURN_IF_ERROR(count.status());
  const absl::string_view wide = WideEncodingOf(ahead_);
  if (!wide.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(decoder_, TextDecoder::Create(std::string(wide)));
  }
  if (decoder_ != nullptr) ahead_ = decoder_->Decode(ahead_);
  return absl::OkStatus();
}

absl::StatusOr<size_t> InputFile::Read(char* buffer, size_t size) {
  if (to_sniff_) RAPPORT_RETURN_IF_ERROR(Sniff());
  while (ahead_position_ == ahead_.size()) {
    if (decoder_ == nullptr) return ReadBytes(buffer, size);
    std::string bytes(kBufferBytes, '\0');
    RAPPORT_ASSIGN_OR_RETURN(const size_t count, ReadBytes(bytes.data(), bytes.size()));
    bytes.resize(count);
    ahead_ = count == 0 ? decoder_->Finish() : decoder_->Decode(bytes);
    ahead_position_ = 0;
    if (count == 0 && ahead_.empty()) return 0;
  }
  const size_t given = ahead_.copy(buffer, size, ahead_position_);
  ahead_position_ += given;
  return given;
}

}  // namespace rapport
