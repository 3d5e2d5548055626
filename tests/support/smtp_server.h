#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/support/mail_server.h"

namespace rapport {

// A real SMTP server for tests: Postfix, with a queue of its own, which delivers into a Maildir
// of a temporary folder; dovecot knows who may log in. It takes mail for everybody at
// kDomain, except for kNobody, and refuses all others.
// Everything goes away with this object; the server also with the thread that called Start. One
// thread at a time.
class SmtpServerProcess {
 public:
  static constexpr absl::string_view kDomain = "firm.example";
  static constexpr absl::string_view kNobody = "nobody@firm.example";
  static constexpr absl::string_view kUser = MailServer::kUser;
  static constexpr absl::string_view kPassword = MailServer::kPassword;

  // About 2 s. FailedPrecondition: postfix or dovecot-imapd is not installed, or this is not root,
  // whom it needs.
  static absl::StatusOr<std::unique_ptr<SmtpServerProcess>> Start();
  ~SmtpServerProcess();
  SmtpServerProcess(const SmtpServerProcess&) = delete;
  SmtpServerProcess& operator=(const SmtpServerProcess&) = delete;

  int port() const { return port_; }                      // plain, without a login
  int start_tls_port() const { return start_tls_port_; }  // STARTTLS and a login, or nothing
  int tls_port() const { return tls_port_; }              // TLS from the start, and a login
  // The certificate, in PEM; for "localhost" and 127.0.0.1.
  const std::string& ca_file() const { return logins_->ca_file(); }
  // What was delivered to `user`@kDomain, in no order.
  std::vector<std::string> MailsOf(absl::string_view user) const;
  // Its log, for a test that fails.
  std::string Log() const;

  // Ends the server and all connections; and starts it again on the same ports.
  void Stop();
  absl::Status Launch();

 private:
  SmtpServerProcess() = default;
  absl::Status Init();
  absl::Status WriteConfiguration() const;

  std::unique_ptr<MailServer> logins_;
  std::string folder_;
  int port_ = 0;
  int start_tls_port_ = 0;
  int tls_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace rapport
