#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rapport/source/v1/mail_cursor.pb.h"

namespace rapport {

// A mail in a Maildir.
struct MaildirMessage {
  std::string name;  // of the file, without its flags: stays the same when it is moved or marked
  std::string bytes;
  std::optional<absl::Time> delivered_at;  // as its name tells
  int64_t size = 0;  // more than `bytes` holds when it was cut at MailReader::kMaxMailBytes
};

// Finds mails that are new in a Maildir: files in new/ and cur/ that were not read before. Nothing
// is moved or marked, so that mail programs see all as before. One thread at a time.
class MaildirFollower {
 public:
  // `path` holds new/ and cur/. `cursor` is one that cursor() gave before, or an empty one.
  MaildirFollower(std::string path, const source::v1::MaildirCursor& cursor);

  // Hands over at most `most` mails that were not read before, in the order of their names (they
  // begin with the time of delivery), and returns how many. A status of `take` ends it and is
  // returned, and that mail comes again. A file that cannot be read is reported to `skip`, and not
  // again. Unavailable: the folder cannot be read now.
  absl::StatusOr<size_t> Poll(
      size_t most, const std::function<absl::Status(MaildirMessage message)>& take,
      const std::function<void(const std::string& name, const absl::Status& why)>& skip);

  // What was read: to be stored once all mails handed over are on disk. Its size follows the number
  // of files in the folder, 8 bytes for each.
  source::v1::MaildirCursor cursor() const;

 private:
  const std::string path_;
  // Hashes of the names of those files that were read and, at the last look, were still there.
  absl::flat_hash_set<uint64_t> read_;
  // When new/ and cur/ were changed last before they were found to hold nothing unread.
  std::pair<absl::Time, absl::Time> all_read_at_;
};

}  // namespace rapport
