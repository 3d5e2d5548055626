#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/mail/imap_follower.h"
#include "libs/sources/mail_intake.h"
#include "libs/sources/source_reader.h"
#include "libs/sources/source_writer.h"

// Mailboxes that are read as mails come. The cursor moves once what was read is on disk.

namespace rapport {

struct MailboxOptions {
  // Address or name of the mailbox.
  std::string mailbox;
  std::string cursor_file;
  MailSettings mail;
};

struct MaildirOptions {
  MailboxOptions common;
  std::string path;
  absl::Duration interval = absl::Seconds(1);
};

// `writer` and what `intake` refers to outlive them. DataLoss: the cursor's file is damaged.
absl::StatusOr<std::unique_ptr<SourceReader>> FollowMaildir(const MaildirOptions& options,
                                                            MailIntake intake,
                                                            SourceWriter* writer);
absl::StatusOr<std::unique_ptr<SourceReader>> FollowImap(MailboxOptions options,
                                                         ImapSettings settings, MailIntake intake,
                                                         SourceWriter* writer);

}  // namespace rapport
