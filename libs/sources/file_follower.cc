#include "libs/sources/file_follower.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "xxhash.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

// A file that was written within this time may be written again without its times telling.
constexpr absl::Duration kSettled = absl::Seconds(2);
// Of a file that was looked at within this time its end is known.
constexpr absl::Duration kWatched = absl::Seconds(10);

absl::Status ReadFailed(const std::string& name) {
  return absl::UnavailableError(absl::StrCat("reading ", name, ": ", std::strerror(errno)));
}

// Up to `size` bytes from `offset`; fewer at the end of the file.
absl::StatusOr<std::string> ReadAt(int descriptor, int64_t offset, size_t size,
                                   const std::string& name) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t count =
        ::pread(descriptor, bytes.data() + done, size - done, offset + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ReadFailed(name);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

int64_t SizeOf(int descriptor) {
  struct stat info = {};
  return ::fstat(descriptor, &info) == 0 ? info.st_size : 0;
}

// The id of a file by its first line; "" while it has no whole one.
absl::StatusOr<std::string> IdOf(int descriptor, const std::string& name) {
  constexpr size_t kMost = 4096;
  RAPPORT_ASSIGN_OR_RETURN(const std::string head, ReadAt(descriptor, 0, kMost, name));
  const size_t end = head.find('\n');
  if (end == std::string::npos && head.size() < kMost) return "";
  return absl::StrFormat("%016x", XXH3_64bits(head.data(), std::min(end, head.size())));
}

}  // namespace

FileFollower::File::~File() {
  if (descriptor >= 0) ::close(descriptor);
}

FileFollower::FileFollower(Options options)
    : options_(std::move(options)), cursor_(options_.cursor) {}

FileFollower::~FileFollower() = default;

std::vector<FileFollower::Candidate> FileFollower::Candidates() const {
  const fs::path path(options_.path);
  const std::string base = path.filename().string();
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<Candidate> candidates;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!absl::StartsWith(name, base) || absl::EndsWith(name, ".gz") ||
        absl::EndsWith(name, ".xz") || absl::EndsWith(name, ".bz2")) {
      continue;
    }
    struct stat info = {};
    if (::stat(entry->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    candidates.push_back({.name = entry->path().string(),
                          .inode = info.st_ino,
                          .size = info.st_size,
                          .modified = absl::TimeFromTimespec(info.st_mtim),
                          .is_current = name == base});
  }
  // The one that has the name was begun last, whatever was written last.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.is_current, a.modified, b.name) < std::tie(b.is_current, b.modified, a.name);
  });
  return candidates;
}

absl::StatusOr<std::unique_ptr<FileFollower::File>> FileFollower::Open(
    const Candidate& candidate) const {
  auto file = std::make_unique<File>();
  file->descriptor = ::open(candidate.name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file->descriptor < 0) return ReadFailed(candidate.name);
  file->inode = candidate.inode;
  file->name = fs::path(candidate.name).filename().string();
  RAPPORT_ASSIGN_OR_RETURN(file->id, IdOf(file->descriptor, candidate.name));
  return file;
}

absl::StatusOr<std::unique_ptr<FileFollower::File>> FileFollower::FindByCursor(
    const std::vector<Candidate>& candidates) const {
  // The name that it has now before a copy of it.
  for (auto candidate = candidates.rbegin(); candidate != candidates.rend(); ++candidate) {
    if (candidate->size < cursor_.offset()) continue;
    RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<File> file, Open(*candidate));
    if (file->id != cursor_.file_id()) continue;
    file->offset = cursor_.offset();
    file->size_seen = cursor_.size_seen();
    return file;
  }
  return nullptr;
}

std::string FileFollower::DescribeGap() const {
  const std::string gone =
      absl::StrCat(options_.path, ": the file that had been read up to byte ", cursor_.offset(),
                   " is not there any more under any name (deleted, overwritten or compressed); ");
  if (cursor_.size_seen() > cursor_.offset()) {
    return absl::StrCat(gone, "it had at least ", cursor_.size_seen() - cursor_.offset(),
                        " bytes more, which were not read");
  }
  return absl::StrCat(gone, "what was written to it later, if anything was, may have been missed");
}

absl::Status FileFollower::OpenFirst(bool all_was_read, FollowedLines* found) {
  const std::vector<Candidate> candidates = Candidates();
  if (!cursor_.file_id().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(file_, FindByCursor(candidates));
    if (file_ != nullptr) return absl::OkStatus();
  }
  if (candidates.empty() || !candidates.back().is_current) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(file_, Open(candidates.back()));
  if (!cursor_.file_id().empty() && !all_was_read) found->gap = DescribeGap();
  return absl::OkStatus();
}

absl::StatusOr<bool> FileFollower::Truncated() const {
  if (file_ == nullptr) return false;
  if (SizeOf(file_->descriptor) < file_->offset) return true;
  if (file_->id.empty()) return false;
  // It may have grown as long as it was before.
  RAPPORT_ASSIGN_OR_RETURN(const std::string id, IdOf(file_->descriptor, file_->name));
  return id != file_->id;
}

std::optional<FileFollower::Candidate> FileFollower::Successor() const {
  const std::vector<Candidate> candidates = Candidates();
  const auto own = std::find_if(candidates.begin(), candidates.end(),
                                [&](const Candidate& c) { return c.inode == file_->inode; });
  // Deleted, or compressed: what has the name is all that is left.
  const auto next =
      own == candidates.end() ? candidates.end() - (candidates.empty() ? 0 : 1) : own + 1;
  if (next == candidates.end() || (own == candidates.end() && !next->is_current)) {
    return std::nullopt;
  }
  return *next;
}

std::optional<FileFollower::Look> FileFollower::LookAtName() const {
  struct stat info = {};
  if (::stat(options_.path.c_str(), &info) != 0) return std::nullopt;
  return Look{.inode = info.st_ino,
              .size = info.st_size,
              .modified = absl::TimeFromTimespec(info.st_mtim),
              .changed = absl::TimeFromTimespec(info.st_ctim)};
}

absl::Status FileFollower::WhyNothing() const {
  struct stat info = {};
  if (::stat(options_.path.c_str(), &info) != 0) {
    if (errno != ENOENT) return ReadFailed(options_.path);
    return absl::NotFoundError(
        absl::StrCat(options_.path, " does not exist yet; it is read as soon as it does"));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(options_.path, " is no file", S_ISDIR(info.st_mode) ? ", but a folder" : ""));
  }
  // It came into being just now, or lies in a folder whose names may not be read.
  const fs::path folder = fs::path(options_.path).parent_path();
  return absl::UnavailableError(absl::StrCat(options_.path, " was not found in its folder, ",
                                             folder.string(),
                                             ", which must be readable because of rotated files"));
}

absl::StatusOr<FollowedLines> FileFollower::Read(size_t max_bytes, absl::Time now) {
  FollowedLines found;
  const std::optional<Look> look = LookAtName();
  if (!rest_ || look != rest_) {
    RAPPORT_RETURN_IF_ERROR(ReadOn(max_bytes, now, &found));
    const bool at_rest = found.lines.empty() && !found.gap && file_ != nullptr && look &&
                         look->inode == file_->inode && absl::Now() - look->modified > kSettled;
    rest_ = at_rest ? look : std::nullopt;
  }
  looked_at_ = now;
  found.cursor = cursor_;
  return found;
}

absl::Status FileFollower::ReadOn(size_t max_bytes, absl::Time now, FollowedLines* found) {
  if (file_ == nullptr) RAPPORT_RETURN_IF_ERROR(OpenFirst(/*all_was_read=*/false, found));
  RAPPORT_ASSIGN_OR_RETURN(const bool truncated, Truncated());
  if (truncated) {
    // The copy that was made before has the rest.
    cursor_.set_file_id(file_->id);
    cursor_.set_offset(file_->offset);
    cursor_.set_size_seen(file_->size_seen);
    const bool all_was_read = file_->offset == file_->size_seen && now - looked_at_ < kWatched;
    file_.reset();
    RAPPORT_RETURN_IF_ERROR(OpenFirst(all_was_read, found));
  }
  if (file_ == nullptr) return WhyNothing();
  const std::optional<Candidate> successor = Successor();
  replaced_at_ = successor ? std::min(replaced_at_, now) : absl::InfiniteFuture();
  const bool ended = now - replaced_at_ >= options_.rotation_grace;
  RAPPORT_RETURN_IF_ERROR(ReadLines(max_bytes, ended, found));
  if (found->lines.empty() && ended) {
    RAPPORT_ASSIGN_OR_RETURN(file_, Open(*successor));
    replaced_at_ = absl::InfiniteFuture();
    RAPPORT_RETURN_IF_ERROR(ReadLines(max_bytes, /*ended=*/false, found));
  }
  // A file that has no whole line yet could not be found again once it is renamed: until it has
  // one, reading goes on behind the one before.
  if (file_->id.empty() && !found->gap) return absl::OkStatus();
  cursor_.set_file_id(file_->id);
  cursor_.set_offset(file_->id.empty() ? 0 : file_->offset);
  cursor_.set_size_seen(file_->id.empty() ? 0 : file_->size_seen);
  return absl::OkStatus();
}

absl::Status FileFollower::ReadLines(size_t max_bytes, bool ended, FollowedLines* found) {
  if (file_->id.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(file_->id, IdOf(file_->descriptor, file_->name));
    if (file_->id.empty() && !ended) return absl::OkStatus();
  }
  size_t size = std::max<size_t>(max_bytes, 4096);
  RAPPORT_ASSIGN_OR_RETURN(std::string bytes,
                           ReadAt(file_->descriptor, file_->offset, size, file_->name));
  if (bytes.find('\n') == std::string::npos && bytes.size() == size) {
    // A line longer than what was asked for.
    size = std::max(size, options_.max_line_bytes + 1);
    RAPPORT_ASSIGN_OR_RETURN(bytes, ReadAt(file_->descriptor, file_->offset, size, file_->name));
  }
  size_t begin = 0;
  while (begin < bytes.size()) {
    const size_t end = bytes.find('\n', begin);
    const bool whole = end != std::string::npos;
    const bool too_long = !whole && bytes.size() - begin > options_.max_line_bytes;
    const bool last_of_all = !whole && ended && bytes.size() < size;
    if (!whole && !too_long && !last_of_all) break;
    const size_t stop = whole ? end : bytes.size();
    FollowedLine& line = found->lines.emplace_back();
    line.text = bytes.substr(begin, std::min(stop - begin, options_.max_line_bytes));
    if (absl::EndsWith(line.text, "\r")) line.text.pop_back();
    line.file_id = file_->id;
    line.offset = file_->offset + static_cast<int64_t>(begin);
    line.file = file_->name;
    begin = whole ? end + 1 : stop;
  }
  file_->offset += static_cast<int64_t>(begin);
  file_->size_seen = SizeOf(file_->descriptor);
  return absl::OkStatus();
}

int64_t FileFollower::lag_bytes() const {
  if (file_ == nullptr) return 0;
  return std::max<int64_t>(0, SizeOf(file_->descriptor) - file_->offset);
}

}  // namespace rapport
