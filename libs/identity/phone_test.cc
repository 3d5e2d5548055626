#include "libs/identity/phone.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

constexpr char kNormal[] = "+49301234567";

std::string In(absl::string_view region, absl::string_view text) {
  const auto phone = NormalizePhone(text, {.default_region = std::string(region)});
  return phone.ok() ? *phone : phone.status().ToString();
}

TEST(NormalizePhone, ReadsWhatPeopleWrite) {
  for (const char* const text :
       {"+49301234567", "+49 30 1234567", "+49 (30) 123-4567", "+49 (0)30 1234567",
        "+49 030 1234567", "0049 30 1234567", "0049301234567", "030 1234567", "030/123 45 67",
        "(030) 1234567", "030-1234567", "030.123.4567", "  030 1234567\t", "030 1234567 ext. 12",
        "+49 30 1234567 x12", "＋49301234567"}) {
    EXPECT_EQ(In("DE", text), kNormal) << text;
  }
}

TEST(NormalizePhone, ReadsWhatListsHold) {
  struct Row {
    const char* written;
    const char* region;
    const char* number;
  };
  for (const Row& row : {
           Row{"+44 (0)20 7946 0018", "GB", "+442079460018"},
           Row{"020 7946 0018 x12", "GB", "+442079460018"},
           Row{"tel:+44-20-7946-0018|ext=5", "GB", "+442079460018"},
           Row{"0044 20 7946 0018", "DE", "+442079460018"},
           Row{"493012345678", "DE", "+493012345678"},
           Row{"3012345678", "DE", "+493012345678"},
           Row{"+33 0 6 12 34 56 78", "FR", "+33612345678"},
           Row{"+49 (0) 30 / 123 456-78", "DE", "+493012345678"},
           Row{"030 12345678 Durchwahl 9", "DE", "+493012345678"},
           Row{"030 12345678, Nebenstelle 9", "DE", "+493012345678"},
           Row{"+1 650 253 0000x136", "US", "+16502530000"},
           Row{"+49-30-12345678 (mobil)", "DE", "+493012345678"},
           Row{"(mobil) 0176 12345678", "DE", "+4917612345678"},
           Row{"030/1234567-0", "DE", "+493012345670"},
           Row{"030 1234567 / 0171 1234567", "DE", "+49301234567"},
           Row{"SALES:+493012345678", "DE", "+493012345678"},
       }) {
    EXPECT_EQ(In(row.region, row.written), row.number) << row.written;
  }
  for (const char* const text :
       {"030 12345678 Anna", "4,93012E+11", "030 12345678 ruft zurück", "privat 030 12345678"}) {
    EXPECT_THAT(NormalizePhone(text, {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no phone number")))
        << text;
  }
}

TEST(NormalizePhone, ReadsWhatTelephoneSystemsWrite) {
  for (const char* const text :
       {"\"Anna Keller\" <0301234567>", "Anna <+49301234567>", "\"\"\"0301234567\"\" <0301234567>",
        "\"0301234567\" <>", "<0301234567>", "\"0301234567\"", "tel:+49-30-1234567",
        "TEL:+49301234567", "tel:030-1234567;phone-context=+49", "tel:+49301234567;ext=12",
        "sip:+49301234567@pbx.example", "sips:0301234567@10.0.0.1:5061;transport=tls",
        "<sip:+49301234567@pbx.example;user=phone>", "sip:+49301234567;npdi@pbx.example",
        "sip:+49301234567:secret@pbx.example", "sip:%2B49301234567@pbx.example",
        "0301234567@10.0.0.1", "\"sip:x\" <sip:0301234567@pbx>", "'0301234567'",
        // Names in a code page that is not UTF-8.
        "\"\xcf\xe5\xf2\xf0\" <0301234567>"}) {
    EXPECT_EQ(In("DE", text), kNormal) << text;
  }
  // Rows of a real Asterisk, numbers replaced.
  EXPECT_EQ(In("RU", "\"89000000101\" <89000000101>"), "+79000000101");
}

TEST(NormalizePhone, TheRegionTellsTheCountry) {
  EXPECT_EQ(In("GB", "020 7946 0958"), "+442079460958");
  EXPECT_EQ(In("US", "(202) 555-0123"), "+12025550123");
  EXPECT_EQ(In("US", "011 49 30 1234567"), kNormal);
  EXPECT_EQ(In("US", "1-800-FLOWERS"), "+18003569377");
  EXPECT_EQ(In("FR", "01 23 45 67 89"), "+33123456789");
  // Italian numbers keep their zero.
  EXPECT_EQ(In("IT", "06 1234 5678"), "+390612345678");
  EXPECT_EQ(In("DE", "+39 06 1234 5678"), "+390612345678");
  EXPECT_EQ(In("DE", "0170 1234567"), "+491701234567");
}

TEST(NormalizePhone, ANormalFormIsItsOwn) {
  for (const char* const text :
       {"+49301234567", "+442079460958", "+12025550123", "+390612345678"}) {
    EXPECT_EQ(In("DE", text), text);
    EXPECT_EQ(In("US", text), text);
  }
}

TEST(NormalizePhone, WithheldNumbersAreToldApart) {
  for (const char* const text :
       {"", " ", "anonymous", "Anonymous", "restricted", "unknown", "<unknown>",
        "\"unknown\" <unknown>", "Private", "unavailable", "\"Anonymous\" <anonymous>",
        "sip:anonymous@anonymous.invalid", "\"\" <>", "sip:@pbx", "tel:", "+266696687",
        "0086282452253", "\"+86282452253r", "\"Anonym\" <sip:anonymous@host;user=phone>"}) {
    EXPECT_THAT(NormalizePhone(text, {}),
                StatusIs(absl::StatusCode::kNotFound, "the number is withheld"))
        << text;
  }
}

TEST(NormalizePhone, ExtensionsAreNoClients) {
  for (const char* const text : {"201", "12345", "\"Front desk\" <201>", "sip:201@pbx", "1 0 1"}) {
    EXPECT_THAT(NormalizePhone(text, {}),
                StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("is an extension")))
        << text;
  }
  EXPECT_THAT(NormalizePhone("12345", {.default_region = "DE", .extension_digits = 4}),
              StatusIs(absl::StatusCode::kOk, ""));
  // A local number in Washington.
  EXPECT_THAT(
      NormalizePhone("555-0123", {.default_region = "US"}),
      StatusIs(absl::StatusCode::kOutOfRange, "'555-0123' is a local number without an area code"));
  EXPECT_THAT(
      NormalizePhone("+1 23456", {}),
      StatusIs(absl::StatusCode::kOutOfRange, "'+1 23456' is too short for a phone number"));
}

TEST(NormalizePhone, OtherTextsAreNoNumbers) {
  for (const char* const text :
       {"SIP/201-00000a12", "Local/ch1@TimeDelay-00000000;2", "sip:anna@pbx.example", "Anna",
        "anna@example.com", "-", "...", "\"Anna\" <SIP/201>"}) {
    EXPECT_THAT(NormalizePhone(text, {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no phone number")))
        << text;
  }
  EXPECT_THAT(NormalizePhone("+999 123456789", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("country code")));
  EXPECT_THAT(NormalizePhone("+1 2025550123456", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("long")));
  EXPECT_THAT(NormalizePhone(std::string(10'000, '1'), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("it is too long")));
}

TEST(IsPhoneRegion, KnowsCountries) {
  EXPECT_TRUE(IsPhoneRegion("DE"));
  EXPECT_FALSE(IsPhoneRegion("de"));
  EXPECT_FALSE(IsPhoneRegion("XX"));
  EXPECT_FALSE(IsPhoneRegion(""));
}

TEST(NormalizePhone, WhatATextMeansDependsOnTheRulesOfTheCall) {
  const PhoneRules german;
  const PhoneRules american{.default_region = "US"};
  const PhoneRules long_extensions{.extension_digits = 10};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(*NormalizePhone("2125550123", german), "+492125550123");
    EXPECT_EQ(*NormalizePhone("2125550123", american), "+12125550123");
    EXPECT_EQ(NormalizePhone("2125550123", long_extensions).status().code(),
              absl::StatusCode::kOutOfRange);
  }
  // More than are remembered.
  for (int i = 0; i < 45'000; ++i) {
    const int number = 1'000'000 + i % 35'000;
    ASSERT_EQ(*NormalizePhone(absl::StrCat("030 ", number), german), absl::StrCat("+4930", number));
  }
}

}  // namespace
}  // namespace rapport
