#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/mail/mbox.h"

namespace rapport::mail_internal {

// A file that is one mail; its first MailReader::kMaxMailBytes. NotFound: it is gone; DataLoss: it
// cannot be read.
absl::StatusOr<MailReader::Mail> ReadMailFile(const std::string& path);

struct MaildirFile {
  std::string name;  // without flags
  std::string path;
};
// The files in new/ and cur/ of a Maildir in the order of their names. Unavailable: a folder cannot
// be read.
absl::StatusOr<std::vector<MaildirFile>> ListMaildir(const std::string& path);

}  // namespace rapport::mail_internal
