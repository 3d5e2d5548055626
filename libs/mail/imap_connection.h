#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/mail/imap_follower.h"
#include "libs/mail/imap_lexer.h"
#include "libs/mail/stop_signal.h"

namespace rapport::mail_internal {

// A connection to an IMAP server, logged in. libcurl connects, begins TLS and logs in; all commands
// after that are the caller's. One thread at a time.
class ImapConnection {
 public:
  // FailedPrecondition: the settings are wrong, or the server's certificate or our secret is
  // refused; Unavailable: the server cannot be reached. Cancelled: `stop`, which has to outlive the
  // connection.
  static absl::StatusOr<std::unique_ptr<ImapConnection>> Open(const ImapSettings& settings,
                                                              const StopSignal* stop);
  // Closes the connection without asking the server.
  virtual ~ImapConnection() = default;

  virtual absl::Status Send(absl::string_view bytes) = 0;
  // The next response; nullopt when nothing comes for so long. Unavailable: the connection is over.
  // DataLoss: the server does not speak IMAP. Cancelled: stopped.
  virtual absl::StatusOr<std::optional<ImapResponse>> Receive(absl::Duration silence) = 0;
};

}  // namespace rapport::mail_internal
