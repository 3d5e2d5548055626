#include "services/alerts/web_hook_signature.h"

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kOther[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
constexpr char kId[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr char kBody[] = R"({"test": 2432232314})";
const absl::Time kAt = absl::FromUnixSeconds(1'614'265'330);

TEST(WebHookSignatureTest, IsThatOfTheStandardsVector) {
  ASSERT_OK_AND_ASSIGN(const WebHookSigner signer, WebHookSigner::Parse(kSecret));
  EXPECT_THAT(
      signer.Sign(kId, kAt, kBody),
      ElementsAre(Header{"webhook-id", kId}, Header{"webhook-timestamp", "1614265330"},
                  Header{"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}));
}

TEST(WebHookSignatureTest, TwoSecretsBothSign) {
  ASSERT_OK_AND_ASSIGN(const WebHookSigner both,
                       WebHookSigner::Parse(absl::StrCat(kOther, "\r\n", kSecret, "\n\n")));
  ASSERT_OK_AND_ASSIGN(const WebHookSigner other, WebHookSigner::Parse(kOther));
  EXPECT_EQ(both.Sign(kId, kAt, kBody)[2].value,
            absl::StrCat(other.Sign(kId, kAt, kBody)[2].value,
                         " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

TEST(WebHookSignatureTest, AWrongSecretIsToldWithoutTellingIt) {
  for (const auto& [lines, what] : std::vector<std::pair<std::string, std::string>>{
           {"", "there are 0 secrets"},
           {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret 1 is not \"whsec_\" and base64"},
           {"whsec_MfKQ9r8!", "secret 1 is not \"whsec_\" and base64"},
           {"whsec_MfKQ9r8G", "secret 1 has 6 bytes; it must have 24 to 64"},
           {absl::StrCat(kSecret, "\n", kSecret, "\n", kSecret), "there are 3 secrets"}}) {
    EXPECT_THAT(WebHookSigner::Parse(lines),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         ::testing::AllOf(HasSubstr(what), Not(HasSubstr("MfKQ9r8")))));
  }
}

}  // namespace
}  // namespace rapport
