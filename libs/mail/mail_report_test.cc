#include "libs/mail/mail_report.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/mail.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ParsedMail Parse(absl::string_view bytes) {
  const absl::StatusOr<ParsedMail> mail = ParseMail(bytes);
  EXPECT_OK(mail);
  return *mail;
}

ParsedMail Of(absl::string_view from, absl::string_view subject, absl::string_view text,
              absl::string_view more_header = "") {
  return Parse(absl::StrCat("From: ", from, "\nTo: ben@firm.example\nSubject: ", subject, "\n",
                            more_header, "\n", text));
}

// A report in the form of RFC 3464.
ParsedMail Report(absl::string_view recipients) {
  return Parse(absl::StrCat(
      "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.firm.example>\nTo: ben@firm.example\n"
      "Subject: Delivery Status Notification\nAuto-Submitted: auto-replied\n"
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
      "About your message.\n--b\nContent-Type: message/delivery-status\n\n"
      "Reporting-MTA: dns; mx.firm.example\n\n",
      recipients,
      "\n--b\nContent-Type: text/rfc822-headers\n\nTo: whoever@kunde.example\n--b--\n"));
}

TEST(Bounces, EachRecipientThatFailedIsTold) {
  const ParsedMail mail = Report(
      "Original-Recipient: rfc822;anna@kunde.example\n"
      "Final-Recipient: rfc822; a.kunde@mail.kunde.example\nAction: failed\nStatus: 5.1.1\n\n"
      "Final-Recipient: RFC822; <jo@kunde.example>\nAction: failed\n\n"
      "Final-Recipient: rfc822; later@kunde.example\nAction: delayed\n\n"
      "Final-Recipient: x-unix; |/usr/bin/vacation\nAction: failed\n");
  EXPECT_TRUE(mail.bounce);
  EXPECT_THAT(mail.failed_recipients,
              ElementsAre("anna@kunde.example", "a.kunde@mail.kunde.example", "jo@kunde.example"));
  EXPECT_THAT(mail.reported_recipients, ElementsAre("later@kunde.example"));
}

TEST(Bounces, AnAddressOfAnyBytesFitsIntoAField) {
  const ParsedMail mail =
      Report(absl::StrCat("Final-Recipient: rfc822; j\xF6rg@Kunde.Example\nAction: failed\n\n"
                          "Final-Recipient: rfc822; ",
                          std::string(1000, 'x'), "@kunde.example\nAction: failed\n"));
  EXPECT_THAT(mail.failed_recipients, ElementsAre("j\uFFFDrg@kunde.example"));
}

TEST(Bounces, WhatIsDelayedDoneOrPassedOnIsNone) {
  for (const char* const action : {"delayed", "delivered", "relayed", "expanded", "Delayed"}) {
    const ParsedMail mail =
        Report(absl::StrCat("Final-Recipient: rfc822; anna@kunde.example\nAction: ", action, "\n"));
    EXPECT_FALSE(mail.bounce) << action;
    EXPECT_TRUE(mail.auto_reply) << action;
    EXPECT_THAT(mail.failed_recipients, IsEmpty());
    EXPECT_THAT(mail.reported_recipients, ElementsAre("anna@kunde.example"));
  }
}

TEST(Bounces, AReportThatNamesNobodyIsAboutWhomTheMailWasSentTo) {
  EXPECT_THAT(Report("Action: failed\nStatus: 5.0.0\n").failed_recipients,
              ElementsAre("whoever@kunde.example"));
}

TEST(Bounces, AComplaintOfSpamIsNone) {
  const ParsedMail mail = Parse(
      "From: feedback@provider.example\nTo: ben@firm.example\nSubject: complaint\n"
      "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nA "
      "complaint."
      "\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
      "Original-Rcpt-To: <anna@kunde.example>\n--b--\n");
  EXPECT_FALSE(mail.bounce);
  EXPECT_TRUE(mail.auto_reply);
  EXPECT_THAT(mail.reported_recipients, ElementsAre("anna@kunde.example"));
}

struct PlainCase {
  const char* name;
  const char* from;
  const char* subject;
  const char* text;
};

// As many servers write them: plain text, each in its own words. All are about gone@kunde.example.
const PlainCase kPlain[] = {
    {"qmail", "MAILER-DAEMON@mx.provider.example", "failure notice",
     "Hi. This is the qmail-send program at mx.provider.example.\n"
     "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
     "<gone@kunde.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
     "--- Below this line is a copy of the message.\n\nFrom: ben@firm.example\n"
     "To: other@kunde.example\n"},
    {"smarter", "System Administrator <postmaster@mail.firm.example>", "Delivery Failure",
     "Could not deliver message to the following recipient(s):\n\n"
     "Failed Recipient: gone@kunde.example\nReason: Remote host said: 550 5.1.1 no such user\n\n"
     "   -- The header and top 20 lines of the message follows --\n\nTo: other@kunde.example\n"},
    {"exchange", "Systemadministrator <MicrosoftExchange329e71ec88ae4615@kunde.example>",
     "Unzustellbar: Angebot 19",
     "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:\n\n"
     "gone@kunde.example\n\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n"},
    {"exim", "Mail Delivery System <Mailer-Daemon@mx.example>",
     "Mail delivery failed: returning message to sender",
     "This message was created automatically by mail delivery software.\n\n"
     "A message that you sent could not be delivered to one or more of its\nrecipients.\n\n"
     "  gone@kunde.example\n    SMTP error from remote mail server after RCPT TO:\n"
     "    550 no such user\n\n------ This is a copy of the message, including all the headers. "
     "------\n\nTo: other@kunde.example\n"},
    {"exchange 2003", "System Administrator <postmaster@kunde.example>", "Undeliverable: Offer",
     "Your message\n\n  To:      someone\n  Subject: Offer\n  Sent:    Thu, 5 Apr 2007\n\n"
     "did not reach the following recipient(s):\n\ngone@kunde.example on Thu, 5 Apr 2007 23:25\n"
     "    The e-mail account does not exist\n"},
    {"old sendmail", "MAILER-DAEMON@host.example (Mail Delivery Subsystem)",
     "Returned mail: User unknown",
     "   ----- Transcript of session follows -----\n550 <gone@kunde.example>... User unknown\n\n"
     "   ----- Unsent message follows -----\nReceived: by host\nTo: other@kunde.example\n"},
    {"notes", "Mailer <mailer-daemon@notes.example>", "DELIVERY FAILURE: User not listed",
     "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\n"
     "gone@kunde.example\n\n------- Returned Message --------\nTo: other@kunde.example\n"},
    {"opensmtpd", "Mailer Daemon <MAILER-DAEMON@openbsd.example>", "Delivery status notification",
     "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error "
     "has occurred while attempting to deliver a message for\n    the following list of "
     "recipients:\n\ngone@kunde.example: 550 5.2.2 mailbox full\n\n    Below is a copy of the "
     "original message:\n\nTo: other@kunde.example\n"},
    {"surfcontrol", "Mail Delivery System <post@gateway.example>", "Message could not be delivered",
     "Your message could not be sent.\nThe number of attempts made: 1\n"
     "Addressed To: gone@kunde.example\n\nFailed to send to identified host,\n"
     "550 unknown user\n"},
    {"dragonfly", "MAILER-DAEMON <>", "Mail delivery failed",
     "This is the DragonFly Mail Agent v0.13 at df.example.\n\n"
     "There was an error delivering your mail to <gone@kunde.example>.\n\n"
     "mx.kunde.example did not like our RCPT TO:\n550 5.1.1 no\n\nMessage headers follow.\n\n"
     "Received: from root\nTo: other@kunde.example\n"},
    {"verizon", "post_master@vtext.example", "Undeliverable Message",
     "Message not delivered to the following:\n\nError: No valid recipients from this domain.\n"
     "RCPT TO: gone@kunde.example\n"},
    {"m-filter", "MAILER-DAEMON@filter.example", "failure notice",
     "このメールは自動的に生成して送信しています。\nこのメールは送信できませんでした。\n\n"
     "gone@kunde.example\n\n-------server message\n550 5.1.1 unknown user <gone@kunde.example>\n\n"
     "-------original message\nTo: other@kunde.example\n"},
};

TEST(Bounces, InPlainTextAreKnownByWhoWritesAndWhatTheySay) {
  for (const PlainCase& plain : kPlain) {
    const ParsedMail mail = Of(plain.from, plain.subject, plain.text);
    EXPECT_TRUE(mail.bounce) << plain.name;
    EXPECT_THAT(mail.failed_recipients, ElementsAre("gone@kunde.example")) << plain.name;
  }
}

TEST(Bounces, AWarningInPlainTextIsNone) {
  const ParsedMail mail = Of(
      "Mail Delivery System <Mailer-Daemon@mx.example>", "Warning: message 1abc delayed 24 hours",
      "The message has not yet been delivered.\n\n  gone@kunde.example\n\n"
      "No action is required on your part. Delivery attempts will continue.\n");
  EXPECT_FALSE(mail.bounce);
  EXPECT_TRUE(mail.auto_reply);
  EXPECT_THAT(mail.reported_recipients, ElementsAre("gone@kunde.example"));
}

TEST(Bounces, WhatPeopleWriteIsNone) {
  EXPECT_FALSE(Of("Kai <kai@kunde.example>", "Undeliverable parcel",
                  "The parcel came back as undeliverable. gone@kunde.example is not here any more.")
                   .bounce);
  EXPECT_FALSE(Of("Kai <kai@kunde.example>", "Fwd: Undelivered Mail Returned to Sender",
                  "Look what I got:\n550 5.1.1 <gone@kunde.example>: User unknown\n")
                   .bounce);
  EXPECT_FALSE(Of("Kai <kai@kunde.example>", "Delivery report of October",
                  "All 550 parcels came, none could not be delivered.")
                   .bounce);
}

TEST(AutomaticReplies, AreKnownByTheirSubjectInManyLanguages) {
  for (const char* const subject :
       {"Automatic reply: Offer 17", "Out of Office: Offer", "Out of Office AutoReply: Offer",
        "Automatische Antwort: Angebot 17", "Abwesenheitsnotiz: Angebot 17",
        "=?utf-8?B?UsOpcG9uc2UgYXV0b21hdGlxdWUgOiBPZmZyZSAxNw==?=", "Respuesta automática: Oferta",
        "Risposta automatica: Offerta 17", "Automatisch antwoord: Aanbod 17",
        "Poza biurem: Oferta 17", "Автоответ: Предложение 17", "Resposta automática: Oferta",
        "Automatiskt svar: Offert", "自動返信: 見積", "[Auto-Reply] Offer", "Out of office"}) {
    EXPECT_TRUE(Of("a@kunde.example", subject, "I am away.").auto_reply) << subject;
  }
  for (const char* const subject :
       {"Re: Offer 17, automatic reply of your shop is wrong",
        "Automatic reply of your shop is wrong", "Re: Automatic reply: Offer", "Auto: 3 Fahrzeuge",
        "Abwesenheit von Herrn Meier beim Termin", "Offer 17"}) {
    EXPECT_FALSE(Of("a@kunde.example", subject, "Please look.").auto_reply) << subject;
  }
  EXPECT_TRUE(
      Of("a@kunde.example", "Auto: Offer 17", "", "X-Auto-Response-Suppress: All\n").auto_reply);
}

TEST(AutomaticReplies, AnAnswerToAnInvitationTakesNoWords) {
  EXPECT_TRUE(Of("a@kunde.example", "Accepted: Talk", "BEGIN:VCALENDAR\n",
                 "Content-Type: text/calendar; method=REPLY\n")
                  .auto_reply);
}

}  // namespace
}  // namespace rapport
