#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rapport/state/v1/source.pb.h"

namespace rapport {

// A line of a file that grows.
struct FollowedLine {
  std::string text;     // without the line break
  std::string file_id;  // as in FileCursor
  int64_t offset = 0;   // of its first byte
  std::string file;     // name of the file without its folder, as it is called now
};

// What was found, and where reading goes on once it is on disk.
struct FollowedLines {
  std::vector<FollowedLine> lines;
  state::v1::FileCursor cursor;
  // What is missing, or may be: the file was taken away before it was read to an end that is known.
  std::optional<std::string> gap;
};

// Reads a file line by line as it grows, through rotation: a file that was renamed (or copied and
// truncated) is read to its end under its new name, then those that came after it, then the one
// that has the name now. A last line without a line break is held back until it has one, or until
// the file has long been followed by another. One thread at a time.
class FileFollower {
 public:
  struct Options {
    std::string path;
    // Where to go on; empty: from the beginning of the file.
    state::v1::FileCursor cursor;
    // Files that were rotated are written for so long still.
    absl::Duration rotation_grace = absl::Seconds(5);
    // Longer lines are cut off here.
    size_t max_line_bytes = size_t{1} << 20;
  };
  explicit FileFollower(Options options);
  ~FileFollower();

  // Up to about `max_bytes` of what has not been read; no lines when there is nothing new. `now` is
  // the wall clock. NotFound: there is no such file yet; FailedPrecondition: what has the name is
  // no file; Unavailable: it cannot be read. Whichever: try again.
  absl::StatusOr<FollowedLines> Read(size_t max_bytes, absl::Time now);
  // Bytes that are there and not read yet, of the file that is being read.
  int64_t lag_bytes() const;

 private:
  struct File {
    ~File();
    int descriptor = -1;
    uint64_t inode = 0;
    std::string name;
    std::string id;
    int64_t offset = 0;
    int64_t size_seen = 0;  // as in FileCursor
  };
  // A file of the folder that is, or was, the one to follow.
  struct Candidate {
    std::string name;
    uint64_t inode = 0;
    int64_t size = 0;
    absl::Time modified;
    bool is_current = false;  // has the name
  };
  // What stat tells of the file that has the name.
  struct Look {
    uint64_t inode = 0;
    int64_t size = 0;
    absl::Time modified;
    absl::Time changed;
    bool operator==(const Look&) const = default;
  };
  std::optional<Look> LookAtName() const;
  // Why there is nothing to begin with, when nothing was found.
  absl::Status WhyNothing() const;
  // Reads on, from what may be another file now.
  absl::Status ReadOn(size_t max_bytes, absl::Time now, FollowedLines* found);
  // In the order in which they were written.
  std::vector<Candidate> Candidates() const;
  absl::StatusOr<std::unique_ptr<File>> Open(const Candidate& candidate) const;
  // Opens the file to begin with; leaves file_ empty when there is none. `all_was_read`: the
  // cursor's had been read to its end when it was taken away, as far as can be seen.
  absl::Status OpenFirst(bool all_was_read, FollowedLines* found);
  // What of the cursor's file, which is gone, is missing or may be.
  std::string DescribeGap() const;
  // Opens the one that has the cursor's id, if there is one with as many bytes.
  absl::StatusOr<std::unique_ptr<File>> FindByCursor(
      const std::vector<Candidate>& candidates) const;
  absl::StatusOr<bool> Truncated() const;
  absl::Status ReadLines(size_t max_bytes, bool ended, FollowedLines* found);
  // Whether another file has come after the one that is open, and what it is.
  std::optional<Candidate> Successor() const;

  const Options options_;
  state::v1::FileCursor cursor_;
  std::unique_ptr<File> file_;
  // Since when another file has come after the open one; InfiniteFuture while none has.
  absl::Time replaced_at_ = absl::InfiniteFuture();
  absl::Time looked_at_ = absl::InfinitePast();
  // How the file looked when it had been read to its end and was long written; while it looks so,
  // there is nothing to do.
  std::optional<Look> rest_;
};

}  // namespace rapport
