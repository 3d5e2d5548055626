#include "libs/sign_in/pending_sign_in.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);

PendingSignInSeal Seal(char key = 'k') {
  return *PendingSignInSeal::Create(std::string(PendingSignInSeal::kKeyBytes, key));
}

TEST(PendingSignInTest, EachIsAnotherOne) {
  const PendingSignIn pending = PendingSignIn::Begin(kNow);
  const PendingSignIn other = PendingSignIn::Begin(kNow);
  EXPECT_THAT(pending.state, SizeIs(43));
  EXPECT_THAT(pending.code_verifier, MatchesRegex("[A-Za-z0-9_-]{43}"));
  EXPECT_NE(pending.state, other.state);
  EXPECT_NE(pending.nonce, other.nonce);
  EXPECT_NE(pending.code_verifier, other.code_verifier);
  EXPECT_NE(pending.state, pending.nonce);
}

TEST(PendingSignInTest, IsSealedAndOpened) {
  const PendingSignIn pending = PendingSignIn::Begin(kNow + absl::Milliseconds(5));
  const std::string sealed = Seal().Seal(pending);
  EXPECT_THAT(sealed, MatchesRegex("[A-Za-z0-9_-]{200,300}"));
  EXPECT_NE(Seal().Seal(pending), sealed);
  ASSERT_OK_AND_ASSIGN(const PendingSignIn opened, Seal().Open(sealed, kNow + absl::Minutes(5)));
  EXPECT_EQ(opened, pending);
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(sealed, &bytes));
  EXPECT_THAT(bytes, Not(HasSubstr(pending.state)));
}

TEST(PendingSignInTest, ExpiresInside) {
  const std::string sealed = Seal().Seal(PendingSignIn::Begin(kNow));
  EXPECT_OK(Seal().Open(sealed, kNow + PendingSignInSeal::kLifetime));
  EXPECT_OK(Seal().Open(sealed, kNow - absl::Minutes(1)));
  EXPECT_THAT(
      Seal().Open(sealed, kNow + PendingSignInSeal::kLifetime + absl::Milliseconds(1)),
      StatusIs(absl::StatusCode::kDeadlineExceeded,
               "the sign-in was begun at 2030-03-17T17:46:40Z, and it may take 10m at most"));
  EXPECT_THAT(Seal().Open(sealed, kNow - absl::Minutes(2)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("was begun at 2030")));
}

TEST(PendingSignInTest, WhatWasNotSealedIsNotOpened) {
  const auto unknown = StatusIs(absl::StatusCode::kInvalidArgument,
                                "the sign-in that was begun is not one that was sealed here");
  const std::string sealed = Seal().Seal(PendingSignIn::Begin(kNow));
  EXPECT_THAT(Seal('l').Open(sealed, kNow), unknown);
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(sealed, &bytes));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] ^= 1;
    EXPECT_THAT(Seal().Open(absl::WebSafeBase64Escape(changed), kNow), unknown) << at;
    EXPECT_THAT(Seal().Open(absl::WebSafeBase64Escape(bytes.substr(0, at)), kNow), unknown) << at;
  }
  EXPECT_THAT(Seal().Open("no base64!", kNow), unknown);
  EXPECT_THAT(Seal().Open(std::string(100'000, 'A'), kNow), unknown);
}

TEST(PendingSignInTest, AKeyHas32Bytes) {
  EXPECT_THAT(PendingSignInSeal::Create("short"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "the key that seals sign-ins has 5 bytes; it must have 32"));
}

}  // namespace
}  // namespace rapport
