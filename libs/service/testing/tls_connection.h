#pragma once

#include <signal.h>

#include <memory>
#include <string>
#include <utility>

#include "libs/base/check.h"
#include "libs/service/testing/raw_connection.h"
#include "openssl/ssl.h"

namespace rapport {

// The same through TLS. Believes every certificate: what clients believe is tried with clients.
class TlsConnection : public RawConnection {
 public:
  explicit TlsConnection(int port, int receive_buffer_bytes = 0, int max_version = TLS1_3_VERSION)
      : RawConnection(port, receive_buffer_bytes), context_(SSL_CTX_new(TLS_client_method())) {
    // OpenSSL writes to its sockets without MSG_NOSIGNAL.
    ::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), fd());
    agreed_ = SSL_connect(tls_.get()) == 1;
  }
  TlsConnection(TlsConnection&&) = default;

  // Whether the handshake was done.
  bool agreed() const { return agreed_; }
  std::string version() const { return SSL_get_version(tls_.get()); }
  SSL* tls() { return tls_.get(); }
  // The common name of the server's certificate.
  std::string ServerName() const {
    char name[256] = "";
    const X509* const certificate = SSL_get0_peer_certificate(tls_.get());
    if (certificate != nullptr) {
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                sizeof name);
    }
    return name;
  }

  ssize_t SendSome(const char* bytes, size_t size) override {
    return SSL_write(tls_.get(), bytes, static_cast<int>(size));
  }
  ssize_t ReceiveSome(char* bytes, size_t size) override {
    return SSL_read(tls_.get(), bytes, static_cast<int>(size));
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> tls_;
  bool agreed_ = false;
};

}  // namespace rapport
