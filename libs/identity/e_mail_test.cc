#include "libs/identity/e_mail.h"

#include <fstream>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

using ::testing::HasSubstr;

std::string Of(absl::string_view text, const EMailRules& rules = {}) {
  const auto e_mail = NormalizeEmail(text, rules);
  return e_mail.ok() ? *e_mail : e_mail.status().ToString();
}

TEST(NormalizeEmail, ReadsAMailbox) {
  for (const char* const text : {"anna@example.com",
                                 "Anna@Example.COM",
                                 "  anna@example.com ",
                                 "<anna@example.com>",
                                 "Anna Keller <anna@example.com>",
                                 "\"Keller, Anna\" <anna@example.com>",
                                 "\"a@b.example\" <anna@example.com>",
                                 "\"<x@y>\" <anna@example.com>",
                                 "anna@example.com (Anna Keller)",
                                 "anna(a \\) comment)@example.com",
                                 "anna@example.com.",
                                 "Anna <@relay.example,@other.example:anna@example.com>",
                                 "anna @ example . com",
                                 "\"anna\"@example.com",
                                 "mailto:anna@example.com",
                                 "<mailto:anna@example.com?subject=x>",
                                 "=?utf-8?q?Anna?= <anna@example.com>",
                                 "Anna\r\n <anna@example.com>",
                                 "\"Anna <anna@example.com>",
                                 "Anna (Keller <anna@example.com>",
                                 "Anna <anna@example.com"}) {
    EXPECT_EQ(Of(text), "anna@example.com") << text;
  }
}

TEST(NormalizeEmail, KeepsWhatTellsAddressesApart) {
  EXPECT_EQ(Of("anna+rapport@example.com"), "anna+rapport@example.com");
  EXPECT_EQ(Of("a.nna@example.com"), "a.nna@example.com");
  EXPECT_EQ(Of("\"anna keller\"@example.com"), "\"anna keller\"@example.com");
  EXPECT_EQ(Of("\"a\\\"b@c\"@example.com"), "\"a\\\"b@c\"@example.com");
  EXPECT_EQ(Of("\"a..b\"@example.com"), "\"a..b\"@example.com");
  // Some carriers gave such addresses out, against the RFC.
  EXPECT_EQ(Of("a..b@example.com"), "\"a..b\"@example.com");
  EXPECT_EQ(Of("root@localhost"), "root@localhost");
  EXPECT_EQ(Of("anna@[192.0.2.1]"), "anna@[192.0.2.1]");
  EXPECT_EQ(Of("o'neil!#$%@example.com"), "o'neil!#$%@example.com");
}

TEST(NormalizeEmail, LowersLettersOfOtherScripts) {
  EXPECT_EQ(Of("INFO@MÜNCHEN.example"), "info@münchen.example");
  EXPECT_EQ(Of("JÉRÔME@ŁÓDŹ.example"), "jérôme@łódź.example");
  EXPECT_EQ(Of("ПОЧТА@ПРИМЕР.example"), "почта@пример.example");
  EXPECT_EQ(Of("ΑΘΗΝΑ@example.com"), "αθηνα@example.com");
  EXPECT_EQ(Of("info@XN--MNCHEN-3YA.example"), "info@xn--mnchen-3ya.example");
  EXPECT_EQ(Of("名前@例え.jp"), "名前@例え.jp");
}

TEST(NormalizeEmail, TagsAndDotsByDomain) {
  const EMailRules rules = {.plus_tag_domains = {"example.com"},
                            .dotless_domains = {"example.com"}};
  EXPECT_EQ(Of("A.n.na+shop+2@Example.com", rules), "anna@example.com");
  EXPECT_EQ(Of("a.nna+shop@example.org", rules), "a.nna+shop@example.org");
  EXPECT_EQ(Of("a.nna+shop@mail.example.com", rules), "a.nna+shop@mail.example.com");
  EXPECT_EQ(Of("+shop@example.com", rules), "+shop@example.com");
  EXPECT_EQ(Of("...@example.com", rules), "\"...\"@example.com");
}

TEST(NormalizeEmail, ANormalFormIsItsOwn) {
  for (const char* const text :
       {"anna@example.com", "\"anna keller\"@example.com", "\"a\\\\b\"@example.com",
        "\"a..b\"@x.org", "anna@[192.0.2.1]", "info@münchen.example"}) {
    EXPECT_EQ(Of(text), text);
  }
}

TEST(NormalizeEmail, RefusesWhatIsNone) {
  for (const char* const text :
       {"", "anna", "anna@", "@example.com", "anna@exa mple@com", "anna@-x.example",
        "anna@example..com", "anna@.example.com", "an\x01na@example.com", "Anna <>",
        "anna[1]@example.com", "anna@[]", "\"an\x01na\"@example.com", "a\\b@example.com"}) {
    EXPECT_THAT(NormalizeEmail(text, {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no e-mail address")))
        << text;
  }
  EXPECT_THAT(NormalizeEmail("anna@example.com, ben@example.com", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("there are several")));
  EXPECT_THAT(NormalizeEmail("A <anna@example.com>, B <ben@example.com>", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("there are several")));
  EXPECT_THAT(NormalizeEmail(std::string(65, 'a') + "@example.com", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too long")));
  EXPECT_THAT(NormalizeEmail(std::string(5000, 'a') + "@example.com", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too long")));
}

// One header of a mail: its first line and those that go on with a blank.
std::string FirstHeader(const std::string& text) {
  for (size_t i = text.find('\n'); i != std::string::npos; i = text.find('\n', i + 1)) {
    if (i + 1 >= text.size() || (text[i + 1] != ' ' && text[i + 1] != '\t'))
      return text.substr(0, i);
  }
  return text;
}

// Headers of the mail-parser project with what they hold: those with one address are read, and
// those with several or none are refused.
TEST(NormalizeEmail, AgreesWithTheCorpusOfHeaders) {
  std::ifstream file(RAPPORT_ADDRESS_FILE);
  const nlohmann::json vectors = nlohmann::json::parse(file);
  int addresses = 0;
  int refused = 0;
  for (const nlohmann::json& vector : vectors) {
    const std::string header = FirstHeader(vector["header"]);
    const nlohmann::json& list = vector["expected"].value("List", nlohmann::json::array());
    if (list.size() == 1 && absl::StrContains(header, "@")) {
      std::string expected = absl::AsciiStrToLower(list[0]["address"].get<std::string>());
      // As the header writes it: "mailto:" and blanks are not part of the address itself.
      if (absl::StartsWith(expected, "mailto:")) expected = expected.substr(7);
      expected = expected.substr(0, expected.find('?'));
      expected.erase(std::remove(expected.begin(), expected.end(), ' '), expected.end());
      EXPECT_EQ(Of(header), expected) << header;
      ++addresses;
    } else {
      EXPECT_THAT(NormalizeEmail(header, {}),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no e-mail address")))
          << header;
      ++refused;
    }
  }
  std::cout << addresses << " addresses as expected, " << refused << " lists and others refused\n";
  EXPECT_EQ(addresses, 41);
  EXPECT_EQ(refused, 19);
}

TEST(DomainOf, IsWhatStandsBehindTheLastAt) {
  EXPECT_EQ(DomainOf("anna@example.com"), "example.com");
  EXPECT_EQ(DomainOf("\"a@b\"@example.com"), "example.com");
}

}  // namespace
}  // namespace rapport
