#include "libs/mail/maildir.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/mail/mail_file.h"
#include "libs/mail/mbox.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using mail_internal::MaildirFile;

// What changes within so short a time may have the same time stamp.
constexpr absl::Duration kClockGrain = absl::Seconds(2);

uint64_t HashOf(const std::string& name) { return absl::big_endian::Load64(Sha256(name).data()); }

absl::Time ChangedAt(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return absl::InfiniteFuture();
  return absl::TimeFromTimespec(status.st_mtim);
}

}  // namespace

MaildirFollower::MaildirFollower(std::string path, const source::v1::MaildirCursor& cursor)
    : path_(std::move(path)), read_(cursor.read_names().begin(), cursor.read_names().end()) {}

source::v1::MaildirCursor MaildirFollower::cursor() const {
  source::v1::MaildirCursor cursor;
  cursor.mutable_read_names()->Add(read_.begin(), read_.end());
  std::sort(cursor.mutable_read_names()->begin(), cursor.mutable_read_names()->end());
  return cursor;
}

absl::StatusOr<size_t> MaildirFollower::Poll(
    size_t most, const std::function<absl::Status(MaildirMessage message)>& take,
    const std::function<void(const std::string& name, const absl::Status& why)>& skip) {
  const absl::Time now = absl::Now();
  const std::pair changed(ChangedAt(absl::StrCat(path_, "/new")),
                          ChangedAt(absl::StrCat(path_, "/cur")));
  if (changed == all_read_at_) return 0;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<MaildirFile> files, mail_internal::ListMaildir(path_));
  absl::flat_hash_set<uint64_t> there;
  size_t taken = 0;
  bool all = true;
  for (const MaildirFile& file : files) {
    const uint64_t hash = HashOf(file.name);
    there.insert(hash);
    if (read_.contains(hash)) continue;
    if (taken >= most) {
      all = false;
      continue;
    }
    absl::StatusOr<MailReader::Mail> mail = mail_internal::ReadMailFile(file.path);
    if (absl::IsNotFound(mail.status())) {  // moved or marked just now: found again next time
      all = false;
      continue;
    }
    if (mail.ok()) {
      RAPPORT_RETURN_IF_ERROR(take({.name = file.name,
                                    .bytes = std::move(mail->bytes),
                                    .delivered_at = mail->delivered_at,
                                    .size = mail->size}));
      ++taken;
    } else {
      skip(file.name, mail.status());
    }
    read_.insert(hash);
  }
  absl::erase_if(read_, [&there](uint64_t hash) { return !there.contains(hash); });
  if (all && std::max(changed.first, changed.second) + kClockGrain < now) all_read_at_ = changed;
  return taken;
}

}  // namespace rapport
