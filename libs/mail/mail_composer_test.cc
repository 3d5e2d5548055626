#include "libs/mail/mail_composer.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OutgoingMail Mail() {
  OutgoingMail mail;
  mail.from = {"Rapport", "rapport@firm.example"};
  mail.to = {"Анна Келлер", "anna@firm.example"};
  mail.subject = "Срочно: ООО «Северный ветер» может уйти";
  mail.date = absl::FromUnixSeconds(1'796'000'000);
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Warsaw", &mail.zone));
  mail.message_id = "0123abcd@firm.example";
  mail.fields = {{"List-Unsubscribe", "<https://rapport.firm.example/v1/mail/unsubscribe/" +
                                          std::string(200, 'x') + ">"},
                 {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}};
  mail.text = "Нет заказов 40 дней\n.точка в начале строки\n" + std::string(2000, 'a') + "\n";
  mail.html = "<p>Нет заказов <b>40 дней</b></p>";
  return mail;
}

TEST(MailComposerTest, WhatIsWrittenIsReadAgain) {
  const std::string bytes = ComposeMail(Mail());
  EXPECT_EQ(bytes, ComposeMail(Mail()));
  // Transport takes ASCII, and lines of up to 998 bytes.
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(bytes, "\r\n"))) {
    EXPECT_LE(line.size(), 998u);
    EXPECT_FALSE(absl::StrContains(line, '\n'));
    for (const char c : line) EXPECT_GE(c, 0) << line;
  }
  EXPECT_THAT(bytes, HasSubstr("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  // A filter of a mail server looks for it in one piece.
  EXPECT_THAT(bytes, HasSubstr(std::string(200, 'x') + ">"));
  const absl::StatusOr<ParsedMail> read = ParseMail(bytes, {.excerpt_bytes = 10'000});
  ASSERT_OK(read);
  EXPECT_EQ(read->subject, Mail().subject);
  EXPECT_EQ(read->message_id, Mail().message_id);
  EXPECT_THAT(read->from, ElementsAre(Mail().from));
  EXPECT_THAT(read->to, ElementsAre(Mail().to));
  EXPECT_EQ(read->date, Mail().date);
  EXPECT_THAT(read->excerpt, HasSubstr("Нет заказов 40 дней\n.точка в начале строки\n"));
}

TEST(MailComposerTest, NoValueBecomesAnotherField) {
  OutgoingMail mail = Mail();
  mail.subject = "one\r\nBcc: all@firm.example";
  mail.to.name = "Anna\r\nBcc: all@firm.example";
  EXPECT_FALSE(absl::StrContains(ComposeMail(mail), "\r\nBcc:"));
}

TEST(MailComposerTest, AMailboxIsOneWithItsNameOrWithout) {
  ASSERT_OK_AND_ASSIGN(const MailAddress named, ParseMailbox("Rapport <rapport@firm.example>"));
  EXPECT_EQ(named, (MailAddress{"Rapport", "rapport@firm.example"}));
  ASSERT_OK_AND_ASSIGN(const MailAddress bare, ParseMailbox("rapport@firm.example"));
  EXPECT_EQ(bare, (MailAddress{"", "rapport@firm.example"}));
  for (const char* const text :
       {"", "rapport", "a@b.example, c@d.example", "@firm.example", "a@"}) {
    EXPECT_THAT(ParseMailbox(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("write such as")))
        << text;
  }
}

}  // namespace
}  // namespace rapport
