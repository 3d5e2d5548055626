#include "libs/import/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

constexpr size_t kFlushBytes = 1 << 20;

absl::Status SystemError(absl::string_view doing) {
  return absl::UnavailableError(absl::StrCat(doing, " a temporary file: ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TouchpointSpool>> TouchpointSpool::Create(
    const std::string& folder) {
  std::string path = folder + "/import-XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError(absl::StrCat("in ", folder, ", making"));
  unlink(path.c_str());
  return std::unique_ptr<TouchpointSpool>(new TouchpointSpool(descriptor));
}

TouchpointSpool::~TouchpointSpool() { close(descriptor_); }

absl::Status TouchpointSpool::Add(const touchpoint::v1::Touchpoint& touchpoint) {
  const auto before = pending_.size();
  touchpoint.AppendToString(&pending_);
  entries_.push_back({absl::ToUnixNanos(FromProto(touchpoint.occurred_at())),
                      written_ + static_cast<int64_t>(before),
                      static_cast<int32_t>(pending_.size() - before)});
  return pending_.size() >= kFlushBytes ? Flush() : absl::OkStatus();
}

absl::Status TouchpointSpool::Flush() {
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

absl::Status TouchpointSpool::Sort() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.nanos < b.nanos; });
  return Flush();
}

absl::Status TouchpointSpool::Read(size_t i, touchpoint::v1::Touchpoint* touchpoint) {
  const Entry& entry = entries_[i];
  scratch_.resize(static_cast<size_t>(entry.size));
  const ssize_t count = pread(descriptor_, scratch_.data(), scratch_.size(), entry.offset);
  if (count != entry.size) return SystemError("reading");
  return ParseTouchpoint(scratch_, touchpoint);
}

}  // namespace rapport
