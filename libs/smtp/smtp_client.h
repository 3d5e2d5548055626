#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport {

// How an SMTP server is reached.
struct SmtpServer {
  enum class Security {
    kStartTls,  // encrypted before anything of us is said; a server without it gets nothing
    kTls,       // from the first byte on
    kNone,
  };
  std::string host_and_port;  // "smtp.firm.example:587"
  Security security = Security::kStartTls;
  std::string username;  // empty: without a login
  std::string password;
  std::string ca_file;  // PEM; empty: the system's
  // Of a whole mail, connecting included.
  absl::Duration timeout = absl::Seconds(30);
};

// What a server made of a mail, and so what its sender does next.
struct SmtpReply {
  enum class Outcome {
    kTaken,    // the server answers for it from now on
    kPutOff,   // try this mail again later: 4xx to its recipient or its text
    kRefused,  // never try it again: 5xx to its recipient or its text
    // Try all mails again later: not reached, not encrypted, not logged in, or it takes none now.
    kServerTrouble,
    // Cut off when all of it was sent: it may have been taken. Try it again under the same
    // Message-ID, by which mailboxes know it.
    kUnknown,
  };
  Outcome outcome = Outcome::kServerTrouble;
  int code = 0;      // of the reply, such as 250; 0: none came
  std::string text;  // the reply without the code, or why none came; one line
  std::string step;  // what the server was told last, such as "RCPT TO"; "connect" before all
  absl::Duration took;
};

// Hands mails to one SMTP server (libcurl) over a connection that is kept for the next one. One
// thread at a time; Send waits.
class SmtpClient {
 public:
  // InvalidArgument: the server is not host:port.
  static absl::StatusOr<std::unique_ptr<SmtpClient>> Create(SmtpServer server);
  ~SmtpClient();

  // `message` in Internet message format, its lines ended by CR LF. `from` and `to` are bare
  // addresses; one that cannot stand in a command is kRefused.
  SmtpReply Send(const std::string& from, const std::string& to, absl::string_view message);

 private:
  class Impl;
  explicit SmtpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rapport
