#include "libs/sources/source_settings.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/service/config.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::v1::Sources SourcesOf(const std::string& text) {
  const auto config = ParseConfig("sources { " + text + " }", "test", {});
  EXPECT_OK(config.status());
  return config.ok() ? config->sources() : config::v1::Sources();
}

TEST(SourceSettingsTest, WhatCannotWorkIsRefusedWithSourceSettingAndValue) {
  const struct {
    std::string text;
    std::string why;
  } kCases[] = {
      {R"(sources { name: "a" asterisk_cdr { path: "Master.csv" } })",
       "source a: asterisk_cdr.path 'Master.csv' is no whole path; write one that begins with "
       "\"/\", such as \"/var/log/asterisk/cdr-csv/Master.csv\""},
      {R"(sources { name: "a" asterisk_cdr { path: "/x/Master.csv.gz" } })",
       "source a: asterisk_cdr.path '/x/Master.csv.gz' is compressed, and does not grow; name the "
       "file that is written to, and import this one with `rapport import --from`"},
      {R"(sources { name: "a" asterisk_queue_log { path: "queue_log" } })",
       "source a: asterisk_queue_log.path 'queue_log' is no whole path"},
      {R"(sources { name: "a" asterisk_cdr { path: "/x" further_columns: "foo" } })",
       "source a: asterisk_cdr.further_columns: 'foo' is none of"},
      {R"(sources { name: "a" asterisk_manager { address: "pbx:x" username: "u")"
       R"( secret_file: "f" } })",
       "source a: asterisk_manager.address 'pbx:x' is not host:port; write such as "
       "\"127.0.0.1:5038\""},
      {R"(sources { name: "a" asterisk_manager { address: "pbx" username: "u")"
       R"( secret_file: "f" } })",
       "source a: asterisk_manager.address 'pbx' is not host:port"},
      {R"(sources { name: "a" amazon_connect { path: "ctr.json" } })",
       "source a: amazon_connect.path 'ctr.json' is no whole path"},
      {R"(sources { name: "a" imap { address: "mail.firm.example" username: "u")"
       R"( secret_file: "f" } })",
       "source a: imap.address 'mail.firm.example' is not host:port; write such as "
       "\"imap.example.com:993\""},
      {R"(sources { name: "a" maildir { path: "mail" } })",
       "source a: maildir.path 'mail' is no whole path"},
      {R"(public_url: "hooks.example.com")",
       "sources.public_url 'hooks.example.com' does not begin with \"https://\" or \"http://\"; "
       "write such as \"https://hooks.example.com\""},
      {R"(identity { own_domains: "@firm.example" })",
       "sources.identity.own_domains '@firm.example' is no domain; write the part behind the "
       "\"@\", such as \"firm.example\""},
      {R"(identity { plus_tag_domains: "a b" })", "sources.identity.plus_tag_domains 'a b'"},
      {R"(identity { dotless_domains: "" })", "sources.identity.dotless_domains ''"},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(CheckSources(SourcesOf(one.text)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(one.why)))
        << one.text;
  }
}

TEST(SourceSettingsTest, WhatWorksIsTaken) {
  EXPECT_OK(CheckSources(SourcesOf(R"(
      public_url: "https://hooks.example.com"
      identity { own_domains: "firm.example" }
      sources { name: "a" asterisk_cdr { path: "/x/Master.csv" } }
      sources { name: "b" asterisk_manager { username: "u" secret_file: "f" } }
      sources { name: "c" amazon_connect {} }
      sources { name: "d" imap { address: "[::1]:993" username: "u" secret_file: "f" } }
      sources { name: "e" maildir { path: "/x/mail" } })")));
}

TEST(SourceSettingsTest, WarnsOfAsterisksThatMayBeOne) {
  const std::string cdr = R"(sources { name: "cdr" asterisk_cdr { path: "/c" } )";
  const std::string queue = R"(sources { name: "queue" asterisk_queue_log { path: "/q" } )";
  EXPECT_THAT(SourceWarnings(SourcesOf(cdr + "}" + queue + "}")),
              ElementsAre("sources 'cdr' and 'queue' are of different systems ('cdr' and 'queue'), "
                          "so that a call in both is two contacts; if they are one Asterisk, give "
                          "both system: \"cdr\""));
  EXPECT_THAT(SourceWarnings(SourcesOf(cdr + "}" + queue + R"(system: "cdr" })")), IsEmpty());
  EXPECT_THAT(
      SourceWarnings(SourcesOf(cdr + R"(} sources { name: "phone" twilio { token_file: "f" } })")),
      IsEmpty());
}

}  // namespace
}  // namespace rapport
