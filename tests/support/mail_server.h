#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// A real IMAP server for tests: dovecot with Maildir storage in a temporary folder, on free
// loopback ports, plain and with TLS under a certificate of its own. Its one user is kUser with
// kPassword. Everything goes away with this object; the server also with the thread that called
// Start. One thread at a time.
class MailServer {
 public:
  static constexpr absl::string_view kUser = "anna";
  static constexpr absl::string_view kPassword = "secret word";

  // About 0.2 s. `settings` are lines for its configuration, such as "imap_capability = IMAP4rev1".
  // FailedPrecondition: dovecot-imapd is not installed.
  static absl::StatusOr<std::unique_ptr<MailServer>> Start(absl::string_view settings = "");
  ~MailServer();
  MailServer(const MailServer&) = delete;
  MailServer& operator=(const MailServer&) = delete;

  int port() const { return port_; }          // plain or STARTTLS
  int tls_port() const { return tls_port_; }  // TLS from the start
  // The certificate, in PEM; for "localhost" and 127.0.0.1.
  const std::string& ca_file() const { return ca_file_; }
  // Where a folder ("INBOX", "Sent") is kept, in Maildir format.
  std::string FolderPath(absl::string_view folder = "INBOX") const;

  // Puts a mail into new/ of a folder, which is made when there is none.
  void Deliver(absl::string_view mail, absl::string_view folder = "INBOX");
  // The files of a folder by their place ("new/1.host") and what they hold.
  std::map<std::string, std::string> Files(absl::string_view folder = "INBOX") const;

  // Gives a folder another UIDVALIDITY, and all its messages UIDs from 1 on. The server is
  // restarted.
  absl::Status ChangeUidValidity(absl::string_view folder = "INBOX");
  // Ends the server and all connections, and starts it again on the same ports.
  absl::Status Restart();

 private:
  MailServer() = default;
  absl::Status Init();
  absl::Status MakeCertificate();
  absl::Status WriteConfiguration() const;
  absl::Status Launch();
  void Stop();
  // Makes what root made belong to the user whom the server reads mail as.
  void HandOver(const std::string& path) const;

  std::string settings_;
  std::string folder_;
  std::string ca_file_;
  int port_ = 0;
  int tls_port_ = 0;
  pid_t pid_ = -1;
  uid_t mail_uid_ = 0;
  gid_t mail_gid_ = 0;
  int64_t delivered_ = 0;
};

}  // namespace rapport
