#include "libs/identity/identity_rules.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

TEST(IdentityRules, TakesTheConfiguration) {
  config::v1::Identity config;
  config.set_default_region("GB");
  config.set_extension_digits(3);
  config.set_shared_by_clients(7);
  config.add_own_domains("Example.com.");
  config.add_own_numbers("+44 (20) 7946");
  config.add_plus_tag_domains("Mail.example");
  config.add_dotless_domains("dots.example");
  ASSERT_OK_AND_ASSIGN(const IdentityRules rules, MakeIdentityRules(config));
  EXPECT_EQ(rules.shared_by_clients, 7);
  EXPECT_EQ(*NormalizePhone("020 7946 0958", rules.forms.phone), "+442079460958");
  EXPECT_THAT(
      NormalizePhone("2010", rules.forms.phone),
      StatusIs(absl::StatusCode::kOutOfRange, "'2010' is a local number without an area code"));
  EXPECT_EQ(*NormalizeEmail("a.b+c@mail.example", rules.forms.e_mail), "a.b@mail.example");
  EXPECT_EQ(*NormalizeEmail("a.b+c@dots.example", rules.forms.e_mail), "ab+c@dots.example");

  EXPECT_TRUE(rules.own_numbers.Has("+442079460958"));
  EXPECT_FALSE(rules.own_numbers.Has("+442080000000"));
  EXPECT_TRUE(rules.own_domains.Has("anna@example.com"));
  EXPECT_TRUE(rules.own_domains.Has("anna@sales.example.com"));
  EXPECT_FALSE(rules.own_domains.Has("anna@notexample.com"));
  EXPECT_FALSE(rules.own_domains.Has("example.com@other.example"));
}

TEST(IdentityRules, WithoutSettingsNothingIsOurs) {
  ASSERT_OK_AND_ASSIGN(const IdentityRules rules, MakeIdentityRules({}));
  EXPECT_EQ(*NormalizePhone("030 1234567", rules.forms.phone), "+49301234567");
  EXPECT_FALSE(rules.own_numbers.Has("+49301234567"));
  EXPECT_FALSE(rules.own_domains.Has("anna@example.com"));
}

TEST(IdentityRules, RefusesWhatCannotBeMeant) {
  config::v1::Identity config;
  config.set_default_region("Germany");
  EXPECT_THAT(MakeIdentityRules(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "identity.default_region: 'Germany' is no region such as DE, GB or US"));
  for (const char* const number : {"030 123", "+", "", "+49 abc", "4+9"}) {
    config::v1::Identity own;
    own.add_own_numbers(number);
    EXPECT_THAT(MakeIdentityRules(own),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         absl::StrCat("identity.own_numbers: '", number,
                                      "' does not begin with + and a country code")));
  }
}

TEST(IdentityRules, WhatIsDialledForAnOutsideLineIsTakenOff) {
  config::v1::Identity config;
  config.set_default_region("DE");
  config.add_outside_line_prefixes("0");
  config.add_outside_line_prefixes("9");
  const absl::StatusOr<IdentityRules> rules = MakeIdentityRules(config);
  ASSERT_OK(rules);
  EXPECT_EQ(rules->WithoutOutsideLine("003012345678"), "03012345678");
  EXPECT_EQ(rules->WithoutOutsideLine("903012345678"), "03012345678");
  EXPECT_EQ(rules->WithoutOutsideLine("+493012345678"), "+493012345678");
  EXPECT_EQ(rules->WithoutOutsideLine("0112"), "0112");
  config.add_outside_line_prefixes("#9");
  EXPECT_THAT(
      MakeIdentityRules(config).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'#9' is not made of digits")));
}

}  // namespace
}  // namespace rapport
