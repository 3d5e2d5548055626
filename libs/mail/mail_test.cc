#include "libs/mail/mail.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/utf8.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

ParsedMail Parse(absl::string_view bytes) {
  absl::StatusOr<ParsedMail> mail = ParseMail(bytes);
  EXPECT_OK(mail);
  return mail.ok() ? *std::move(mail) : ParsedMail();
}

ParsedMail WithHeader(absl::string_view fields, absl::string_view text = "Text\n") {
  return Parse(absl::StrCat("From: Jo <jo@example.com>\nMessage-ID: <m@example.com>\n", fields,
                            "\n\n", text));
}

TEST(Mail, HeaderAndText) {
  const ParsedMail mail = Parse(
      "Message-ID: <m-2@example.com>\r\n"
      "In-Reply-To: <m-1@example.com>\r\n"
      "References: <m-0@example.com>\r\n <m-1@example.com>\r\n"
      "Date: Mon, 3 Aug 2026 10:12:00 +0200\r\n"
      "From: =?utf-8?q?J=C3=BCrgen?= Doe <Jo@EXAMPLE.com>\r\n"
      "To: us@ours.example, \"Doe, Ann\" <ann@example.com>\r\n"
      "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "\r\n"
      "Hello\r\n");
  EXPECT_EQ(mail.message_id, "m-2@example.com");
  EXPECT_EQ(mail.in_reply_to, "m-1@example.com");
  EXPECT_THAT(mail.references, ElementsAre("m-0@example.com", "m-1@example.com"));
  EXPECT_EQ(mail.thread_id, "m-0@example.com");
  EXPECT_EQ(mail.subject, "Grüße");
  EXPECT_EQ(mail.date, absl::FromUnixSeconds(1'785'744'720));
  EXPECT_THAT(mail.from, ElementsAre(MailAddress{"Jürgen Doe", "Jo@example.com"}));
  EXPECT_THAT(mail.to, ElementsAre(MailAddress{"", "us@ours.example"},
                                   MailAddress{"Doe, Ann", "ann@example.com"}));
  EXPECT_EQ(mail.excerpt, "Hello");
  EXPECT_EQ(mail.body_bytes, 7);
  EXPECT_EQ(mail.attachment_count, 0);
  EXPECT_FALSE(mail.auto_reply || mail.bounce || mail.mailing_list || mail.bulk);
}

TEST(Mail, AttachmentsAreCounted) {
  const ParsedMail mail = Parse(
      "From: jo@example.com\nContent-Type: multipart/mixed; boundary=b\n\n"
      "--b\nContent-Type: multipart/alternative; boundary=c\n\n"
      "--c\nContent-Type: text/plain\n\nPlain\n"
      "--c\nContent-Type: text/html\n\n<b>Rich</b>\n--c--\n"
      "--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n"
      "aGVsbG8=\n"
      "--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=b.txt\n\nabc\n"
      "--b--\n");
  EXPECT_EQ(mail.excerpt, "Plain");
  EXPECT_EQ(mail.attachment_count, 2);
  EXPECT_EQ(mail.attachment_bytes, 8);
}

TEST(Mail, HtmlAloneBecomesText) {
  const ParsedMail mail = Parse(
      "From: jo@example.com\nContent-Type: text/html; charset=iso-8859-1\n"
      "Content-Transfer-Encoding: quoted-printable\n\n"
      "<p>Gr=FC=DFe</p><blockquote>alt</blockquote>");
  EXPECT_EQ(mail.excerpt, "Grüße");
}

TEST(Mail, BytesOfAnEncodedWordAreOfItsCharset) {
  EXPECT_EQ(WithHeader("Subject: =?iso-8859-1?Q?Gr\xFC\xDF_e?= \xFC").subject, "Grüß e ü");
  EXPECT_EQ(WithHeader("Subject: =?utf-8?q?Gr\xC3\xBC\xC3\x9F_e?= \xC3\xBC").subject, "Grüß e ü");
  EXPECT_EQ(WithHeader("Subject: 1 =?x =?utf-8?q?a").subject, "1 =?x =?utf-8?q?a");
  EXPECT_THAT(WithHeader("To: =?iso-8859-15?Q?M\xFCller?= <m@example.com>").to,
              ElementsAre(MailAddress{"Müller", "m@example.com"}));
}

TEST(Mail, FoldedSubjectsAreOneLine) {
  EXPECT_EQ(WithHeader("Subject: Your\n\toffer\n   of today").subject, "Your offer of today");
}

TEST(Mail, AWordThatWasCutIntoSeveralIsOne) {
  EXPECT_EQ(WithHeader("Subject: =?utf-8?B?w5xiZXIgZGllIEzD?=\n =?utf-8?B?pG5kZXI=?=\n"
                       " =?utf-8?B?IGhpbmF1cw==?=")
                .subject,
            "Über die Länder hinaus");
  EXPECT_EQ(WithHeader("Subject: =?iso-8859-1?Q?Gr=FC=DFe_aus?=\n\t=?ISO-8859-1?Q?_M=FCnchen?=\n"
                       " =?iso-8859-1?q?_und_mehr?= for you")
                .subject,
            "Grüße aus München und mehr for you");
  EXPECT_EQ(WithHeader("Subject: =?utf-8?Q?a?= =?utf-8?B?Yg==?= =?iso-8859-1?Q?=E4?=").subject,
            "abä");
  EXPECT_EQ(WithHeader("Subject: =?utf-8?B?w5w?= =?utf-8?B?YmVy?=").subject, "Über");
}

TEST(Mail, LinesOfOldMacs) {
  EXPECT_EQ(Parse("From: a@x.example\rSubject: s\r\rText\r").excerpt, "Text");
}

TEST(Mail, LinesThatAMailProgramBrokeAreOne) {
  EXPECT_EQ(WithHeader("Content-Type: text/plain; format=flowed",
                       "This is a line \nthat was broken.\n Stuffed.\n> quoted \n> words\n-- \nJo")
                .excerpt,
            "This is a line that was broken.\nStuffed.");
  EXPECT_EQ(
      WithHeader("Content-Type: text/plain; format=flowed; delsp=yes", "Donau \ndampf").excerpt,
      "Donaudampf");
}

TEST(Mail, AnEmptyTextBesideHtmlSaysNothing) {
  const auto with = [](const std::string& plain) {
    return Parse(
               "From: a@x.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\n"
               "Content-Type: text/plain\n\n" +
               plain + "\n--b\nContent-Type: text/html\n\n<p>All is here.</p>\n--b--\n")
        .excerpt;
  };
  EXPECT_EQ(with("  "), "All is here.");
  EXPECT_EQ(with("This mail needs a program that shows HTML."), "All is here.");
  EXPECT_EQ(with("Plain words."), "Plain words.");
}

TEST(Mail, AnInvitationIsReadAndNotShownAsItStands) {
  const ParsedMail mail = Parse(
      "From: a@x.example\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n"
      "SUMMARY:Contract talk\nDESCRIPTION:Let us speak\\, soon.\\nBring the fig\n ures.\n"
      "END:VCALENDAR\n");
  EXPECT_EQ(mail.excerpt, "Contract talk\nLet us speak, soon.\nBring the figures.");
  EXPECT_EQ(mail.attachment_count, 1);
}

TEST(Mail, DatesThatAreNotInTheStandardForm) {
  const absl::Time at = absl::FromUnixSeconds(1'785'744'720);  // 2026-08-03 08:12
  EXPECT_EQ(WithHeader("Date: Mon, 3 Aug 2026 08:12:00 A").date, at);
  EXPECT_EQ(WithHeader("Date: Mon, 3 Aug 2026 08:12:00 UT (nothing)").date, at);
  EXPECT_EQ(WithHeader("Date: 3-Aug-2026 04:12 EDT").date, at);
  EXPECT_EQ(WithHeader("Date: Mon Aug  3 08:12:00 2026").date, at);
  EXPECT_EQ(WithHeader("Date: 2026-08-03T10:12:00+02:00").date, at);
  const absl::string_view received =
      "\nReceived: from a by b; Mon, 3 Aug 2026 10:12:00 +0200 (CEST)";
  for (const char* const unclear : {"4 8 26 08:12:00", "03/08/2026 08:12", "3 Aug 2026", "today"}) {
    EXPECT_EQ(WithHeader(absl::StrCat("Date: ", unclear, received)).date, at) << unclear;
    EXPECT_EQ(WithHeader(absl::StrCat("Date: ", unclear)).date, std::nullopt) << unclear;
  }
}

TEST(Mail, AddressesAreFoundBesideWhatIsNone) {
  const MailAddress jo{"", "jo@example.com"};
  const MailAddress ann{"", "ann@example.com"};
  EXPECT_THAT(WithHeader("To: undisclosed-recipients:;").to, IsEmpty());
  EXPECT_THAT(WithHeader("To: Jo (x <jo@example.com>, (Ann <ann@example.com>").to,
              ElementsAre(jo, ann));
  EXPECT_THAT(WithHeader("To: <jo@example.com>; <ann@example.com>").to, ElementsAre(jo, ann));
  EXPECT_THAT(WithHeader("To: <@relay.example:jo@example.com>").to, ElementsAre(jo));
  EXPECT_THAT(WithHeader("To: jo@example.com <jo@example.com>").to,
              ElementsAre(MailAddress{"jo@example.com", "jo@example.com"}));
  EXPECT_THAT(WithHeader("To: Us: <jo@example.com>, ann@example.com;").to, ElementsAre(jo, ann));
  EXPECT_THAT(WithHeader("To: >><<<>,<jo@example.com><").to, ElementsAre(jo));
}

TEST(Mail, IdsAreMadeOfWhatDoesNotChange) {
  const std::string header = "From: jo@example.com\r\nDate: Mon, 3 Aug 2026 10:12:00 +0200";
  const ParsedMail mail = Parse(header + "\r\n\r\nText\r\n");
  EXPECT_THAT(mail.message_id, StartsWith("made-"));
  EXPECT_EQ(mail.thread_id, mail.message_id);
  EXPECT_EQ(mail.message_id, Parse("X-Spam: no\n" + header + "\n\nText\n\n").message_id);
  EXPECT_NE(mail.message_id, Parse(header + "\r\n\r\nOther\r\n").message_id);
}

TEST(Mail, IdsAreBounded) {
  EXPECT_EQ(NormalizeMessageId(" <a b@c> "), "ab@c");
  EXPECT_EQ(NormalizeMessageId("<>"), "");
  EXPECT_EQ(NormalizeMessageId("bare@example.com"), "bare@example.com");
  EXPECT_THAT(NormalizeMessageId(absl::StrCat("<", std::string(161, 'x'), ">")),
              StartsWith("long-"));
  EXPECT_THAT(NormalizeMessageId("<\xFF@c>"), StartsWith("long-"));
  EXPECT_EQ(NormalizeMessageId(std::string(160, 'x')), std::string(160, 'x'));
}

TEST(Mail, ReferencesKeepTheFirstAndTheNewest) {
  std::string references = "References:";
  for (int i = 0; i < 150; ++i) absl::StrAppend(&references, " <", i, "@x>");
  const ParsedMail mail = WithHeader(references);
  ASSERT_THAT(mail.references, SizeIs(100));
  EXPECT_EQ(mail.references[0], "0@x");
  EXPECT_EQ(mail.references[1], "51@x");
  EXPECT_EQ(mail.references[99], "149@x");
}

TEST(Mail, TheLanguageIsWhatTheMailSays) {
  EXPECT_EQ(WithHeader("Content-Language: de-DE").language, "de-DE");
  EXPECT_EQ(WithHeader("Content-Language: fr, en").language, "fr");
  EXPECT_EQ(WithHeader("Content-Language: <none>").language, "");
  EXPECT_EQ(WithHeader("Subject: x").language, "");
}

TEST(Mail, MachinesAreTold) {
  EXPECT_TRUE(WithHeader("Auto-Submitted: auto-replied; owner=x").auto_reply);
  EXPECT_FALSE(WithHeader("Auto-Submitted: no").auto_reply);
  EXPECT_TRUE(WithHeader("X-Autoreply: yes").auto_reply);
  EXPECT_TRUE(WithHeader("Precedence: auto_reply").auto_reply);
  EXPECT_TRUE(WithHeader("Precedence: bulk").bulk);
  EXPECT_TRUE(WithHeader("Precedence: List").bulk);
  EXPECT_TRUE(WithHeader("List-Unsubscribe: <mailto:x@example.com>").bulk);
  EXPECT_TRUE(WithHeader("List-Id: <list.example.com>").mailing_list);
  EXPECT_FALSE(WithHeader("Precedence: normal").bulk);
}

TEST(Mail, BouncesTellWhomTheyAreAbout) {
  const ParsedMail report = Parse(
      "From: MAILER-DAEMON@mx.example\nReturn-Path: <>\n"
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
      "--b\n\nIt did not work.\n"
      "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
      "Final-Recipient: rfc822; Jo@example.com\nAction: failed\n\n--b--\n");
  EXPECT_TRUE(report.bounce);
  EXPECT_THAT(report.failed_recipients, ElementsAre("Jo@example.com"));
  EXPECT_EQ(report.excerpt, "It did not work.");
  EXPECT_TRUE(Parse("From: mailer-daemon@x\nReturn-Path: <>\n\nno").bounce);
  EXPECT_FALSE(Parse("From: jo@x\nReturn-Path: <>\n\nno").bounce);
  EXPECT_THAT(Parse("From: x@x\nX-Failed-Recipients: jo@example.com\n\n").failed_recipients,
              ElementsAre("jo@example.com"));
  const ParsedMail receipt = Parse(
      "From: jo@x\nContent-Type: multipart/report; report-type=disposition-notification; "
      "boundary=b\n\n--b\n\nRead.\n--b--\n");
  EXPECT_TRUE(receipt.auto_reply);
  EXPECT_FALSE(receipt.bounce);
}

TEST(Mail, ADateThatCannotBeReadIsTakenFromTheServers) {
  EXPECT_EQ(WithHeader("Date: soon\nReceived: from a by b; Mon, 3 Aug 2026 08:12:00 +0000").date,
            absl::FromUnixSeconds(1'785'744'720));
  EXPECT_EQ(WithHeader("Date: soon").date, std::nullopt);
}

TEST(Mail, WhatIsNoMailIsRefused) {
  for (const char* const bytes : {"", "\n", "no header\n\ntext", "\xFF\xFE:\n"}) {
    EXPECT_THAT(ParseMail(bytes),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("this is no mail")))
        << bytes;
  }
}

TEST(Mail, ALineOfTheMboxFormatIsSkipped) {
  EXPECT_EQ(Parse("From jo Mon Aug 3 10:12:00 2026\nSubject: s\n\nx").subject, "s");
}

TEST(Mail, DeepNestingIsBounded) {
  std::string nested = "From: jo@example.com\n";
  for (int i = 0; i < 20'000; ++i) {
    absl::StrAppend(&nested, "Content-Type: multipart/mixed; boundary=b", i, "\n\n--b", i, "\n");
  }
  EXPECT_EQ(Parse(nested + "\ntext").from.size(), 1U);
  std::string forwarded = "From: jo@example.com\n";
  for (int i = 0; i < 100'000; ++i) forwarded += "Content-Type: message/rfc822\n\n";
  EXPECT_EQ(Parse(forwarded).from.size(), 1U);
}

TEST(Mail, NestedGroupsOfAddressesAreBounded) {
  std::string groups;
  for (int i = 0; i < 500'000; ++i) groups += "a:";
  EXPECT_EQ(Parse(absl::StrCat("Subject: s\nTo: ", groups, "\n\nx")).subject, "s");
  EXPECT_EQ(Parse(absl::StrCat("Subject: s\nContent-Type: message/rfc822\n\nTo: ", groups, "\n\nx"))
                .subject,
            "s");
}

TEST(Mail, HugeHeadersAreBounded) {
  std::string many = "Subject: s\n";
  for (int i = 0; i < 1'000'000; ++i) many += "a:b\n";
  EXPECT_EQ(Parse(many + "\ntext").excerpt, "text");
  const std::string big(5'000'000, 'x');
  EXPECT_THAT(Parse(absl::StrCat("Subject: ", big, "\n\n")).subject,
              SizeIs(ParsedMail::kMaxSubjectBytes));
  EXPECT_THAT(Parse(absl::StrCat("From: jo@x\nTo: ", big, "\n\n")).size_bytes, 5'000'017);
}

TEST(Mail, BrokenPartsAreTaken) {
  EXPECT_EQ(Parse("From: jo@x\nContent-Transfer-Encoding: base64\n\naGVs*bG8=!!\xFF").excerpt,
            "hello");
  EXPECT_EQ(
      Parse("From: jo@x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ncut off").excerpt,
      "cut off");
  EXPECT_TRUE(mail_internal::IsUtf8(
      Parse("From: jo@x\nContent-Type: text/plain; charset=utf-16\n\n\xD8\x00\xD8").excerpt));
  EXPECT_THAT(Parse("From: jo@x\nContent-Type: multipart/mixed\n\nno boundary").from, SizeIs(1));
  EXPECT_THAT(Parse(std::string("From: jo@x\nSubject: a\0b\n\n\0text", 30)).from, SizeIs(1));
}

TEST(Mail, Parts) {
  ASSERT_OK_AND_ASSIGN(
      const ParsedMail mail,
      ParseMailParts({.header = "From: Jürgen <jo@example.com>\nMessage-Id: <m@example.com>\n",
                      .html = "<p>Hello</p>",
                      .attachment_count = 2,
                      .attachment_bytes = 10,
                      .size_bytes = 100}));
  EXPECT_THAT(mail.from, ElementsAre(MailAddress{"Jürgen", "jo@example.com"}));
  EXPECT_EQ(mail.message_id, "m@example.com");
  EXPECT_EQ(mail.excerpt, "Hello");
  EXPECT_EQ(mail.attachment_count, 2);
  EXPECT_THAT(ParseMailParts({}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("this is no mail")));
}

TEST(Mail, NoExcerptWhenNoneIsAskedFor) {
  ASSERT_OK_AND_ASSIGN(const ParsedMail mail,
                       ParseMail("From: jo@x\n\ntext", {.excerpt_bytes = 0}));
  EXPECT_THAT(mail.excerpt, IsEmpty());
  EXPECT_EQ(mail.body_bytes, 4);
}

}  // namespace
}  // namespace rapport
