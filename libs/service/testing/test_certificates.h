#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "libs/base/check.h"
#include "openssl/bio.h"
#include "openssl/ec.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509v3.h"

namespace rapport {

// A certificate and its key, in PEM.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

// A CA that issues certificates for tests.
class TestCa {
 public:
  TestCa() : key_(EVP_EC_gen("P-256")) {
    certificate_ = Make("Test CA", key_.get(), kNow, "CA:TRUE", "");
  }

  std::string certificate() const { return PemOf(certificate_.get()); }

  // `names`: such as "DNS:localhost,IP:127.0.0.1". An expired one was valid until yesterday.
  TestCertificate Issue(const std::string& common_name, const std::string& names,
                        bool expired = false) const {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate made =
        Make(common_name, key.get(), expired ? -2 * kDay : kNow, "CA:FALSE", names);
    return {PemOf(made.get()), PemOf(key.get())};
  }

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  };
  using Certificate = std::unique_ptr<X509, Free>;
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  static constexpr long kNow = 0;
  static constexpr long kDay = 86400;

  // Valid for a day, from `begins` seconds after now (and an hour before). Signed by the CA.
  Certificate Make(const std::string& common_name, EVP_PKEY* key, long begins,
                   const std::string& constraints, const std::string& names) const {
    Certificate made(X509_new());
    X509* const certificate = made.get();
    X509_set_version(certificate, 2);
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), begins - 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), begins + kDay);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509* const issuer = certificate_ == nullptr ? certificate : certificate_.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    X509_set_pubkey(certificate, key);
    AddExtension(certificate, NID_basic_constraints, "critical," + constraints);
    if (!names.empty()) AddExtension(certificate, NID_subject_alt_name, names);
    RAPPORT_CHECK(X509_sign(certificate, key_.get(), EVP_sha256()) > 0, "signing");
    return made;
  }

  static void AddExtension(X509* certificate, int id, const std::string& value) {
    const std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str()));
    RAPPORT_CHECK(extension != nullptr, value);
    X509_add_ext(certificate, extension.get(), -1);
  }

  static std::string TextOf(BIO* bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    return std::string(text, static_cast<size_t>(size));
  }
  static std::string PemOf(X509* certificate) {
    const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return TextOf(bio.get());
  }
  static std::string PemOf(EVP_PKEY* key) {
    const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return TextOf(bio.get());
  }

  const Key key_;
  Certificate certificate_;
};

}  // namespace rapport
