#include "libs/service/tls_certificate.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/service/config.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/ssl.h"
#include "openssl/x509v3.h"

namespace rapport {
namespace {

constexpr char kLocalhost[] = "localhost";
constexpr absl::Duration kLookInterval = absl::Seconds(1);
// Of TLS 1.2; all of TLS 1.3 are like these.
constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
// What is agreed on when the peer asks (ALPN), with its length before it.
constexpr unsigned char kProtocol[] = "\x08http/1.1";

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

Owned<BIO> TextBio(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// What OpenSSL says about the call before.
std::string LastReason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL does not say why" : reason;
}

int RefusePassphrase(char* buffer, int size, int writing, void* user) { return -1; }

absl::StatusOr<std::vector<Owned<X509>>> ReadChain(const std::string& path) {
  const auto failed = [&path](absl::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrCat("reading the certificate in ", path, ": ", why));
  };
  std::ifstream file(path);
  std::stringstream text;
  if (!file) return failed(std::strerror(errno));
  text << file.rdbuf();
  const std::string pem = text.str();
  const Owned<BIO> bio = TextBio(pem);
  std::vector<Owned<X509>> chain;
  while (X509* const next = PEM_read_bio_X509(bio.get(), nullptr, RefusePassphrase, nullptr)) {
    chain.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (chain.empty() && at_end) {
    ERR_clear_error();
    return failed("there is none in PEM (\"-----BEGIN CERTIFICATE-----\")");
  }
  if (!at_end) return failed(LastReason());
  ERR_clear_error();
  return chain;
}

absl::StatusOr<Owned<EVP_PKEY>> ReadKey(const std::string& path) {
  RAPPORT_ASSIGN_OR_RETURN(const std::string pem, ReadSecretFile(path));
  const Owned<BIO> bio = TextBio(pem);
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassphrase, nullptr));
  if (key != nullptr) return key;
  ERR_clear_error();
  return absl::FailedPreconditionError(absl::StrCat(
      "reading the TLS key in ", path, ": ",
      absl::StrContains(pem, "ENCRYPTED")
          ? "it needs a passphrase; write it without one (openssl pkey -in FILE -out FILE)"
          : "it is no private key in PEM (\"-----BEGIN PRIVATE KEY-----\")"));
}

void WarnOfDates(const std::string& path, const X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    Log(LogLevel::kWarning, absl::StrCat("the certificate in ", path,
                                         " has expired: clients refuse it; put a new one there"));
  } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    Log(LogLevel::kWarning, absl::StrCat("the certificate in ", path,
                                         " is not valid yet: clients refuse it until then"));
  }
}

int ChooseProtocol(SSL* session, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned int offered_size, void* user) {
  const int result = SSL_select_next_proto(const_cast<unsigned char**>(chosen), chosen_size,
                                           kProtocol, sizeof kProtocol - 1, offered, offered_size);
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string FingerprintOf(const std::string& path) {
  struct stat facts;
  if (::stat(path.c_str(), &facts) != 0) return std::strerror(errno);
  return absl::StrCat(facts.st_dev, " ", facts.st_ino, " ", facts.st_size, " ",
                      facts.st_mtim.tv_sec, " ", facts.st_mtim.tv_nsec, " ", facts.st_ctim.tv_sec,
                      " ", facts.st_ctim.tv_nsec);
}

// DNS names of the certificate, in its order.
std::vector<std::string> NamesOf(const X509* certificate) {
  const Owned<GENERAL_NAMES> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return names;
}

}  // namespace

void FreeTls::operator()(SSL* session) const { SSL_free(session); }
void FreeTls::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

absl::StatusOr<std::unique_ptr<TlsCertificate>> TlsCertificate::Load(
    const std::string& certificate_file, const std::string& key_file) {
  std::unique_ptr<TlsCertificate> loaded(new TlsCertificate(certificate_file, key_file));
  MutexLock lock(&loaded->mutex_);
  loaded->fingerprint_ = loaded->Fingerprint();
  RAPPORT_ASSIGN_OR_RETURN(loaded->context_, loaded->Read());
  return loaded;
}

absl::StatusOr<TlsCertificate::Context> TlsCertificate::Read() const {
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<Owned<X509>> chain, ReadChain(certificate_file_));
  RAPPORT_ASSIGN_OR_RETURN(const Owned<EVP_PKEY> key, ReadKey(key_file_));
  X509* const own = chain.front().get();
  if (X509_check_private_key(own, key.get()) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        absl::StrCat("the key in ", key_file_, " is not that of the certificate in ",
                     certificate_file_, "; name the two together"));
  }
  Context context(SSL_CTX_new(TLS_server_method()));
  RAPPORT_CHECK(context != nullptr, "no memory");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_cipher_list(context.get(), kCiphers);
  // Whoever comes again has a ticket, so that nothing is kept here.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One call to the kernel for a request instead of two.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, nullptr);
  bool taken = SSL_CTX_use_certificate(context.get(), own) == 1;
  for (size_t i = 1; taken && i < chain.size(); ++i) {
    taken = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  }
  if (!taken) {
    return absl::FailedPreconditionError(
        absl::StrCat("the certificate in ", certificate_file_, " cannot be used: ", LastReason()));
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("the TLS key in ", key_file_, " cannot be used: ", LastReason()));
  }
  WarnOfDates(certificate_file_, own);
  return context;
}

std::string TlsCertificate::Fingerprint() const {
  return absl::StrCat(FingerprintOf(certificate_file_), "; ", FingerprintOf(key_file_));
}

TlsSession TlsCertificate::NewSession() {
  MutexLock lock(&mutex_);
  TlsSession session(SSL_new(context_.get()));
  RAPPORT_CHECK(session != nullptr, "no memory");
  return session;
}

void TlsCertificate::ReadAgainIfChanged(absl::Time now) {
  std::string fingerprint;
  {
    MutexLock lock(&mutex_);
    if (now < next_look_) return;
    next_look_ = now + kLookInterval;
    fingerprint = Fingerprint();
    if (fingerprint == fingerprint_) return;
    fingerprint_ = fingerprint;
  }
  absl::StatusOr<Context> context = Read();
  if (!context.ok()) {
    Log(LogLevel::kWarning, absl::StrCat(context.status().message(),
                                         "; the certificate that was read before stays in use"));
    return;
  }
  Log(LogLevel::kInfo, absl::StrCat("the certificate in ", certificate_file_, " was read again"));
  MutexLock lock(&mutex_);
  // Sessions keep what they began with.
  context_ = *std::move(context);
}

std::string TlsCertificate::HostFor(const std::string& address) {
  MutexLock lock(&mutex_);
  X509* const own = SSL_CTX_get0_certificate(context_.get());
  const auto is_for = [own](const std::string& name) {
    return !name.empty() && X509_check_host(own, name.c_str(), 0, 0, nullptr) == 1;
  };
  const bool is_any = address == "0.0.0.0" || address == "::";
  if (!is_any && X509_check_ip_asc(own, address.c_str(), 0) == 1) return address;
  const bool is_loopback = absl::StartsWith(address, "127.") || address == "::1";
  if (is_loopback && is_for(kLocalhost)) return kLocalhost;
  char machine[256] = "";
  ::gethostname(machine, sizeof machine - 1);
  if (is_for(machine)) return machine;
  for (const std::string& name : NamesOf(own)) {
    if (name == kLocalhost) continue;
    // Any name will do in the place of a star.
    return absl::StartsWith(name, "*.") ? absl::StrCat("rapport", name.substr(1)) : name;
  }
  return is_for(kLocalhost) ? kLocalhost : address;
}

}  // namespace rapport
