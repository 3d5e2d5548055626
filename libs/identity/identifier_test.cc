#include "libs/identity/identifier.h"

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using touchpoint::v1::IDENTIFIER_KIND_ACCOUNT_NUMBER;
using touchpoint::v1::IDENTIFIER_KIND_CRM_ID;
using touchpoint::v1::IDENTIFIER_KIND_E_MAIL;
using touchpoint::v1::IDENTIFIER_KIND_PHONE;
using touchpoint::v1::IDENTIFIER_KIND_PORTAL_LOGIN;
using touchpoint::v1::IDENTIFIER_KIND_UNSPECIFIED;

TEST(Identifier, HasAKeyForWritersInAnyLanguage) {
  EXPECT_EQ(KeyOf({IDENTIFIER_KIND_PHONE, "+4930123456", ""}), "phone::+4930123456");
  EXPECT_EQ(KeyOf({IDENTIFIER_KIND_E_MAIL, "anna@example.com", ""}), "e_mail::anna@example.com");
  EXPECT_EQ(KeyOf({IDENTIFIER_KIND_CRM_ID, "4711", "crm-berlin"}), "crm_id:crm-berlin:4711");
  EXPECT_EQ(KeyOf({IDENTIFIER_KIND_ACCOUNT_NUMBER, "1:2", ""}), "account::1:2");
  EXPECT_EQ(KeyOf({IDENTIFIER_KIND_PORTAL_LOGIN, "x:y", "a:b%"}), "login:a%3Ab%25:x:y");
  for (const char* const key : {"phone::+4930123456", "crm_id:crm-berlin:4711", "account::1:2",
                                "login:a%3Ab%25:x:y", "login:%253A:"}) {
    ASSERT_OK_AND_ASSIGN(const Identifier identifier, ParseKey(key));
    EXPECT_EQ(KeyOf(identifier), key);
  }
  EXPECT_EQ(ParseKey("login:a%3Ab%25:x:y")->issuer, "a:b%");
  for (const char* const key : {"", "phone", "phone:", "fax::1", "phone:+4930123456"}) {
    EXPECT_THAT(ParseKey(key), StatusIs(absl::StatusCode::kInvalidArgument,
                                        absl::StrCat("'", key, "' is no key of an identifier")));
  }
  EXPECT_EQ(Describe({IDENTIFIER_KIND_CRM_ID, "4711", "crm-berlin"}), "crm_id 4711 of crm-berlin");
  EXPECT_EQ(Describe({IDENTIFIER_KIND_PHONE, "+4930123456", ""}), "phone +4930123456");
}

// printf 'phone::+4930123456' | sha256sum | cut -c1-32
TEST(Identifier, MakesTheSameProvisionalClientEverywhere) {
  EXPECT_EQ(ProvisionalClientId({IDENTIFIER_KIND_PHONE, "+4930123456", ""}),
            "p-be6242262b228e737cdbb9eb11e27d36");
  EXPECT_EQ(ProvisionalClientId({IDENTIFIER_KIND_E_MAIL, "anna@example.com", ""}),
            "p-e21ea0ef4ff55c94a252bcfe55971fea");
  EXPECT_EQ(ProvisionalClientId({IDENTIFIER_KIND_CRM_ID, "4711", "crm-berlin"}),
            "p-34ba1d50f98d3fed9f9970606c3ff9aa");
  EXPECT_EQ(ProvisionalClientId({IDENTIFIER_KIND_PORTAL_LOGIN, "x:y", "a:b%"}),
            "p-81d555637d1e084bdf97169643789785");
}

TEST(Identifier, TellsProvisionalClientsByTheirIds) {
  EXPECT_TRUE(IsProvisional("p-be6242262b228e737cdbb9eb11e27d36"));
  EXPECT_FALSE(IsProvisional("p-be6242262b228e737cdbb9eb11e27d3"));
  EXPECT_FALSE(IsProvisional("p-be6242262b228e737cdbb9eb11e27d3G"));
  EXPECT_FALSE(IsProvisional("q-be6242262b228e737cdbb9eb11e27d36"));
  EXPECT_FALSE(IsProvisional("bakery-17"));
  EXPECT_FALSE(IsProvisional(""));
}

TEST(Normalize, DoesAsTheKindAsks) {
  EXPECT_EQ(*Normalize(IDENTIFIER_KIND_PHONE, "030 1234567", "pbx", {}),
            (Identifier{IDENTIFIER_KIND_PHONE, "+49301234567", ""}));
  EXPECT_EQ(*Normalize(IDENTIFIER_KIND_E_MAIL, "Anna <ANNA@example.com>", "crm", {}),
            (Identifier{IDENTIFIER_KIND_E_MAIL, "anna@example.com", ""}));
  EXPECT_EQ(*Normalize(IDENTIFIER_KIND_PORTAL_LOGIN, " Anna ", " shop ", {}),
            (Identifier{IDENTIFIER_KIND_PORTAL_LOGIN, "Anna", "shop"}));
  EXPECT_THAT(Normalize(IDENTIFIER_KIND_CRM_ID, " ", "crm", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the crm_id is empty"));
  EXPECT_THAT(Normalize(IDENTIFIER_KIND_UNSPECIFIED, "1", "", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "there is no kind of identifier 0"));
  EXPECT_THAT(Normalize(IDENTIFIER_KIND_PHONE, "anonymous", "", {}),
              StatusIs(absl::StatusCode::kNotFound, "the number is withheld"));
}

TEST(IdentifierKindName, NamesEveryKindAndFindsItAgain) {
  const auto* kinds = touchpoint::v1::IdentifierKind_descriptor();
  for (int i = 1; i < kinds->value_count(); ++i) {
    const auto kind = static_cast<IdentifierKind>(kinds->value(i)->number());
    EXPECT_NE(IdentifierKindName(kind), "");
    EXPECT_EQ(IdentifierKindOf(IdentifierKindName(kind)), kind);
  }
  EXPECT_EQ(IdentifierKindName(IDENTIFIER_KIND_UNSPECIFIED), "");
  EXPECT_EQ(IdentifierKindOf("fax"), IDENTIFIER_KIND_UNSPECIFIED);
}

}  // namespace
}  // namespace rapport
