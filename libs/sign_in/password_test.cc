#include "libs/sign_in/password.h"

#include <string>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "sodium.h"

namespace rapport {
namespace {

using ::testing::StartsWith;

constexpr char kPassword[] = "correct horse battery";

TEST(PasswordTest, HashesAndChecks) {
  ASSERT_OK_AND_ASSIGN(const std::string hash, HashPassword(kPassword));
  EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=65536,t=3,p=1$"));
  ASSERT_OK_AND_ASSIGN(const PasswordCheck right, CheckPassword(hash, kPassword));
  EXPECT_TRUE(right.matches);
  EXPECT_FALSE(right.needs_rehash);
  for (const std::string wrong : {"correct horse batterz", "correct horse battery ", ""}) {
    ASSERT_OK_AND_ASSIGN(const PasswordCheck check, CheckPassword(hash, wrong));
    EXPECT_FALSE(check.matches) << wrong;
  }
  ASSERT_OK_AND_ASSIGN(const std::string again, HashPassword(kPassword));
  EXPECT_NE(again, hash);
}

TEST(PasswordTest, AHashOfOtherParametersNeedsAnother) {
  char hash[crypto_pwhash_STRBYTES];
  ASSERT_EQ(crypto_pwhash_str(hash, kPassword, sizeof kPassword - 1, 2, size_t{19} << 20), 0);
  ASSERT_OK_AND_ASSIGN(const PasswordCheck right, CheckPassword(hash, kPassword));
  EXPECT_TRUE(right.matches);
  EXPECT_TRUE(right.needs_rehash);
  ASSERT_OK_AND_ASSIGN(const PasswordCheck wrong, CheckPassword(hash, "another password"));
  EXPECT_FALSE(wrong.needs_rehash);
}

TEST(PasswordTest, WhatIsNoHash) {
  for (const std::string& hash : {std::string(), std::string("secret"),
                                  std::string("$argon2id$v=19"), std::string(1000, '$')}) {
    EXPECT_THAT(
        CheckPassword(hash, kPassword),
        StatusIs(absl::StatusCode::kDataLoss, "what is kept for a password is no hash of one"));
  }
}

TEST(PasswordTest, TheUnmatchedHashIsOneLikeOthers) {
  EXPECT_EQ(crypto_pwhash_str_needs_rehash(UnmatchedHash().c_str(), 3, size_t{64} << 20), 0);
  ASSERT_OK_AND_ASSIGN(const PasswordCheck check, CheckPassword(UnmatchedHash(), kPassword));
  EXPECT_FALSE(check.matches);
}

TEST(PasswordTest, Lengths) {
  const auto too_short =
      StatusIs(absl::StatusCode::kInvalidArgument,
               "The password is too short: it must have at least 12 characters.");
  const auto too_long = StatusIs(absl::StatusCode::kInvalidArgument,
                                 "The password is too long: it may have at most 256 bytes.");
  EXPECT_THAT(CheckNewPassword("12345678901"), too_short);
  EXPECT_OK(CheckNewPassword("123456789012"));
  // Eleven characters, and twelve, of two bytes each.
  EXPECT_THAT(CheckNewPassword("äöüäöüäöüäö"), too_short);
  EXPECT_OK(CheckNewPassword("äöüäöüäöüäöü"));
  EXPECT_OK(CheckNewPassword(std::string(256, 'a')));
  EXPECT_THAT(CheckNewPassword(std::string(257, 'a')), too_long);
  EXPECT_THAT(HashPassword("short"), too_short);
  ASSERT_OK_AND_ASSIGN(const PasswordCheck check,
                       CheckPassword(UnmatchedHash(), std::string(257, 'a')));
  EXPECT_FALSE(check.matches);
}

}  // namespace
}  // namespace rapport
