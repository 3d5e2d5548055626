#include "libs/import/temp_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

constexpr size_t kFlushBytes = 1 << 20;

absl::Status SystemError(absl::string_view doing) {
  return absl::UnavailableError(absl::StrCat(doing, " a temporary file: ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TempFile>> TempFile::Create(const std::string& folder) {
  std::string path = folder + "/import-XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError(absl::StrCat("in ", folder, ", making"));
  unlink(path.c_str());
  return std::unique_ptr<TempFile>(new TempFile(descriptor));
}

TempFile::~TempFile() { close(descriptor_); }

absl::Status TempFile::Appended() {
  if (pending_.size() < kFlushBytes) return absl::OkStatus();
  size_t done = 0;
  while (done < pending_.size()) {
    const ssize_t count = write(descriptor_, pending_.data() + done, pending_.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("writing");
    done += static_cast<size_t>(count);
  }
  written_ += static_cast<int64_t>(pending_.size());
  pending_.clear();
  return absl::OkStatus();
}

absl::Status TempFile::Read(int64_t offset, size_t size, std::string* bytes) const {
  bytes->resize(size);
  const auto on_disk =
      static_cast<size_t>(std::clamp<int64_t>(written_ - offset, 0, static_cast<int64_t>(size)));
  size_t done = 0;
  while (done < on_disk) {
    const ssize_t count = pread(descriptor_, bytes->data() + done, on_disk - done,
                                offset + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("reading");
    if (count == 0) return absl::UnavailableError("a temporary file is shorter than it was");
    done += static_cast<size_t>(count);
  }
  if (done < size) {
    const int64_t from = offset + static_cast<int64_t>(done) - written_;
    std::memcpy(bytes->data() + done, pending_.data() + from, size - done);
  }
  return absl::OkStatus();
}

}  // namespace rapport
