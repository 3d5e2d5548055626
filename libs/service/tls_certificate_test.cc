#include "libs/service/tls_certificate.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/log.h"
#include "libs/base/status_matchers.h"
#include "libs/service/testing/test_certificates.h"
#include "openssl/ssl.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kFailed = absl::StatusCode::kFailedPrecondition;

class TlsCertificateTest : public ::testing::Test {
 protected:
  TlsCertificateTest() {
    std::string folder = std::filesystem::temp_directory_path() / "rapport-tls-XXXXXX";
    folder_ = mkdtemp(folder.data());
    SetLogSink([this](LogLevel level, absl::string_view line) {
      if (level == LogLevel::kWarning) warnings_.emplace_back(line);
    });
  }
  ~TlsCertificateTest() override {
    SetLogSink(nullptr);
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  // Takes the place of the file at one moment, so that it is another one.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path("new")) << text;
    std::filesystem::permissions(Path("new"), std::filesystem::perms::owner_read);
    std::filesystem::rename(Path("new"), Path(name));
    return Path(name);
  }
  void Write(const TestCertificate& certificate) const {
    Write("certificate", certificate.certificate);
    Write("key", certificate.key);
  }
  auto Load() const { return TlsCertificate::Load(Path("certificate"), Path("key")); }
  // The common name of what sessions begin with.
  static std::string NameOf(TlsCertificate& certificate) {
    const TlsSession session = certificate.NewSession();
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get_certificate(session.get())),
                              NID_commonName, name, sizeof name);
    return name;
  }

  const TestCa ca_;
  std::string folder_;
  std::vector<std::string> warnings_;
};

TEST_F(TlsCertificateTest, TellsWhatIsWrongWithWhichFile) {
  const TestCertificate good = ca_.Issue("good", "DNS:localhost");
  Write(good);
  EXPECT_OK(Load());
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_THAT(TlsCertificate::Load(Path("none"), Path("key")),
              StatusIs(kFailed, AllOf(HasSubstr(Path("none")), HasSubstr("No such file"))));
  EXPECT_THAT(TlsCertificate::Load(Path("certificate"), Path("none")),
              StatusIs(kFailed, AllOf(HasSubstr(Path("none")), HasSubstr("No such file"))));
  EXPECT_THAT(TlsCertificate::Load(Path("key"), Path("key")),
              StatusIs(kFailed, AllOf(HasSubstr(Path("key")), HasSubstr("BEGIN CERTIFICATE"))));
  EXPECT_THAT(
      TlsCertificate::Load(Path("certificate"), Path("certificate")),
      StatusIs(kFailed, AllOf(HasSubstr(Path("certificate")), HasSubstr("BEGIN PRIVATE KEY"))));
  EXPECT_THAT(TlsCertificate::Load(folder_, Path("key")), StatusIs(kFailed, HasSubstr(folder_)));
  Write("key", ca_.Issue("other", "DNS:localhost").key);
  EXPECT_THAT(Load(), StatusIs(kFailed, AllOf(HasSubstr(Path("key")),
                                              HasSubstr("not that of the certificate"))));
  Write("certificate", good.certificate.substr(0, good.certificate.size() / 2));
  EXPECT_THAT(Load(), StatusIs(kFailed, HasSubstr(Path("certificate"))));
  Write("key", absl::StrCat("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n",
                            "-----END ENCRYPTED PRIVATE KEY-----\n"));
  Write("certificate", good.certificate);
  EXPECT_THAT(Load(), StatusIs(kFailed, HasSubstr("passphrase")));
}

TEST_F(TlsCertificateTest, AnExpiredOneIsToldAndTaken) {
  Write(ca_.Issue("old", "DNS:localhost", /*expired=*/true));
  EXPECT_OK(Load());
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr(Path("certificate")), HasSubstr("expired"))));
}

TEST_F(TlsCertificateTest, AKeyThatEverybodyMayReadIsTold) {
  Write(ca_.Issue("good", "DNS:localhost"));
  std::filesystem::permissions(Path("key"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_OK(Load());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr(Path("key"))));
}

TEST_F(TlsCertificateTest, IsReadAgainWhenItChanges) {
  Write(ca_.Issue("first", "DNS:localhost"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TlsCertificate> certificate, Load());
  absl::Time now = absl::UnixEpoch();
  certificate->ReadAgainIfChanged(now);
  Write(ca_.Issue("second", "DNS:localhost"));
  certificate->ReadAgainIfChanged(now += absl::Milliseconds(999));
  EXPECT_EQ(NameOf(*certificate), "first") << "within a second nobody looks again";
  certificate->ReadAgainIfChanged(now += absl::Milliseconds(1));
  EXPECT_EQ(NameOf(*certificate), "second");
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(TlsCertificateTest, WhatCannotBeUsedIsToldOnceAndChangesNothing) {
  Write(ca_.Issue("first", "DNS:localhost"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<TlsCertificate> certificate, Load());
  absl::Time now = absl::UnixEpoch();
  // The certificate is there before its key is.
  const TestCertificate second = ca_.Issue("second", "DNS:localhost");
  Write("certificate", second.certificate);
  for (int i = 0; i < 3; ++i) certificate->ReadAgainIfChanged(now += absl::Seconds(1));
  EXPECT_EQ(NameOf(*certificate), "first");
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("not that of the certificate"),
                                           HasSubstr("stays in use"))));
  std::filesystem::remove(Path("key"));
  for (int i = 0; i < 3; ++i) certificate->ReadAgainIfChanged(now += absl::Seconds(1));
  EXPECT_EQ(NameOf(*certificate), "first");
  EXPECT_EQ(warnings_.size(), 2u);
  Write("key", second.key);
  certificate->ReadAgainIfChanged(now += absl::Seconds(1));
  EXPECT_EQ(NameOf(*certificate), "second");
  EXPECT_EQ(warnings_.size(), 2u);
}

TEST_F(TlsCertificateTest, NamesAHostThatItIsFor) {
  Write(ca_.Issue("a", "DNS:desk.example.com,DNS:*.example.com,IP:127.0.0.1"));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<TlsCertificate> certificate, Load());
  EXPECT_EQ(certificate->HostFor("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(certificate->HostFor("0.0.0.0"), "desk.example.com");
  EXPECT_EQ(certificate->HostFor("127.0.0.2"), "desk.example.com");
  Write(ca_.Issue("local", "DNS:localhost,DNS:desk.example.com"));
  ASSERT_OK_AND_ASSIGN(certificate, Load());
  EXPECT_EQ(certificate->HostFor("127.0.0.1"), "localhost");
  EXPECT_EQ(certificate->HostFor("::1"), "localhost");
  EXPECT_EQ(certificate->HostFor("0.0.0.0"), "desk.example.com");
  Write(ca_.Issue("b", "DNS:*.example.com"));
  ASSERT_OK_AND_ASSIGN(certificate, Load());
  EXPECT_EQ(certificate->HostFor("::"), "rapport.example.com");
  Write(ca_.Issue("c", ""));
  ASSERT_OK_AND_ASSIGN(certificate, Load());
  EXPECT_EQ(certificate->HostFor("10.0.0.1"), "10.0.0.1");
}

}  // namespace
}  // namespace rapport
