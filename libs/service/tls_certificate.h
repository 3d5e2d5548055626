#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "openssl/types.h"

namespace rapport {

struct FreeTls {
  void operator()(SSL* session) const;
  void operator()(SSL_CTX* context) const;
};
// TLS of one connection.
using TlsSession = std::unique_ptr<SSL, FreeTls>;

// What a server speaks TLS with: the chain of its certificate, and its key. TLS 1.2 with forward
// secrecy and authenticated encryption, or TLS 1.3; no compression and no renegotiation.
// Thread-safe.
class TlsCertificate {
 public:
  // Both files in PEM; the chain begins with the server's own certificate. FailedPrecondition: one
  // cannot be read, or the key is another certificate's. Warns when it has expired.
  static absl::StatusOr<std::unique_ptr<TlsCertificate>> Load(const std::string& certificate_file,
                                                              const std::string& key_file);

  // A server's, with the certificate as it is now.
  TlsSession NewSession();
  // Reads the files again when they have changed, looking at most once a second. What cannot be
  // used is told once and changes nothing. `now` is a steady clock's.
  void ReadAgainIfChanged(absl::Time now);

  // The host by which clients are to know a server that listens on `address` ("127.0.0.1", "::"):
  // the address when the certificate is for it, else a name that it is for, this machine's before
  // others. The address when there is none.
  std::string HostFor(const std::string& address);

 private:
  using Context = std::unique_ptr<SSL_CTX, FreeTls>;

  TlsCertificate(std::string certificate_file, std::string key_file)
      : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

  absl::StatusOr<Context> Read() const;
  // Tells one state of the files from another.
  std::string Fingerprint() const;

  const std::string certificate_file_;
  const std::string key_file_;
  Mutex mutex_;
  Context context_ ABSL_GUARDED_BY(mutex_);
  std::string fingerprint_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_look_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace rapport
