#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/web_hook_check/authorization.h"
#include "libs/web_hook_check/form.h"
#include "libs/web_hook_check/hashes.h"
#include "libs/web_hook_check/web_hook_request.h"

namespace rapport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

WebHookRequest With(const std::string& name, const std::string& value) {
  return {.url = "https://hooks.example.com/v1/sources/a?b=c", .headers = {{name, value}}};
}

// RFC 2202 case 2, RFC 4231 case 2, RFC 1321, FIPS 180-2.
TEST(HashesTest, VectorsOfTheStandards) {
  EXPECT_EQ(absl::BytesToHexString(HmacSha1("Jefe", "what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(absl::BytesToHexString(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(absl::BytesToHexString(Md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(absl::BytesToHexString(HmacSha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HashesTest, EqualInContentAndLength) {
  EXPECT_TRUE(ConstantTimeEqual("secret", "secret"));
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_FALSE(ConstantTimeEqual("secret", "Secret"));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secret2"));
  EXPECT_FALSE(ConstantTimeEqual("secret", ""));
}

TEST(AuthorizationTest, Basic) {
  // The example of RFC 7617.
  const std::string credentials = "Aladdin:open sesame";
  EXPECT_OK(
      CheckBasicAuth(With("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), credentials));
  EXPECT_OK(
      CheckBasicAuth(With("authorization", "basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), credentials));
  EXPECT_THAT(CheckBasicAuth(With("x", "y"), credentials),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Authorization: Basic")));
  EXPECT_THAT(CheckBasicAuth(With("authorization", "Bearer abc"), credentials),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Authorization: Basic")));
  for (const std::string wrong : {"Basic QWxhZGRpbjpvcGVu", "Basic ", "Basic ***"}) {
    EXPECT_THAT(CheckBasicAuth(With("authorization", wrong), credentials),
                StatusIs(absl::StatusCode::kPermissionDenied, "the user or the password is wrong"));
  }
}

TEST(AuthorizationTest, Bearer) {
  EXPECT_OK(CheckBearer(With("authorization", "Bearer abc"), "abc"));
  EXPECT_THAT(CheckBearer(With("authorization", "abc"), "abc"),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Authorization: Bearer")));
  EXPECT_THAT(CheckBearer(With("authorization", "Bearer abd"), "abc"),
              StatusIs(absl::StatusCode::kPermissionDenied, "the token is wrong"));
}

TEST(FormTest, FieldsKeepTheirOrder) {
  ASSERT_OK_AND_ASSIGN(const std::vector<FormField> fields,
                       ParseForm("From=%2B4930+1&empty=&alone&&From=2%c3%a9"));
  EXPECT_THAT(fields, ElementsAre(FormField{"From", "+4930 1"}, FormField{"empty", ""},
                                  FormField{"alone", ""}, FormField{"From", "2\xC3\xA9"}));
  EXPECT_EQ(FormValue(fields, "From"), "+4930 1");
  EXPECT_EQ(FormValue(fields, "To"), "");
  ASSERT_OK_AND_ASSIGN(const std::vector<FormField> none, ParseForm(""));
  EXPECT_THAT(none, IsEmpty());
}

TEST(FormTest, WhatIsNoForm) {
  for (const std::string text : {"a=%4", "a=%", "a=%4g", "%zz=1"}) {
    EXPECT_THAT(ParseForm(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no percent escape")));
  }
  std::string many;
  for (int i = 0; i < 1001; ++i) absl::StrAppend(&many, "a=1&");
  EXPECT_THAT(ParseForm(many),
              StatusIs(absl::StatusCode::kInvalidArgument, "the form has more than 1000 fields"));
}

TEST(WebHookRequestTest, Parts) {
  EXPECT_EQ(QueryOf("https://a.example/b?c=d&e#f"), "c=d&e");
  EXPECT_EQ(QueryOf("https://a.example/b#?c"), "");
  EXPECT_EQ(MediaType(With("content-type", "Application/JSON; charset=utf-8")), "application/json");
  EXPECT_EQ(MediaType(With("accept", "text/plain")), "");
}

}  // namespace
}  // namespace rapport
