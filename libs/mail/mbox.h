#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rapport {

// Mails of a larger file or folder, one by one. One thread at a time.
class MailReader {
 public:
  // What is read of one mail; the rest is left out.
  static constexpr size_t kMaxMailBytes = size_t{25} << 20;

  struct Mail {
    std::string bytes;
    int64_t size = 0;  // in the file; more than `bytes` holds when it was cut
    // Where it stands, for people: "in.mbox, byte 4711" or the name of the file.
    std::string place;
    // When a mailbox took it, as the name of a file in a Maildir or the line before it in an mbox
    // tells; nullopt: neither does.
    std::optional<absl::Time> delivered_at;
  };

  virtual ~MailReader() = default;
  // nullopt at the end. DataLoss: what can't be read; the next call goes on behind it, if it can.
  virtual absl::StatusOr<std::optional<Mail>> Next() = 0;
};

// By what `path` is: a folder with new/ or cur/ (Maildir); any other folder, whose files ending
// with .eml are read in the order of their names; a file that begins with "From " (mbox, in which
// one
// ">" is taken off lines that begin with ">From ", ">>From " and so on); any other file: one mail.
// NotFound: there is no such file; DataLoss: it cannot be read.
absl::StatusOr<std::unique_ptr<MailReader>> OpenMails(const std::string& path);

}  // namespace rapport
