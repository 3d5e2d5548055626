#include "libs/mail/mail_contact.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using touchpoint::v1::Touchpoint;

const absl::Time kReceived = absl::FromUnixSeconds(1'785'750'000);

MailContactSettings Settings() {
  return {
      .source = "office",
      .is_own = [](absl::string_view address) { return absl::EndsWith(address, "@ours.example"); },
      .agent_of = [](absl::string_view address) -> std::string {
        if (address == "ben@ours.example") return "ben";
        if (address == "anna@ours.example") return "anna";
        return "";
      }};
}

// Of a mail that makes one contact.
MailContact One(const ParsedMail& mail, const MailPlace& place,
                const MailContactSettings& settings = Settings()) {
  std::vector<MailContact> contacts = MakeMailContacts(mail, place, settings);
  EXPECT_EQ(contacts.size(), 1u);
  return std::move(contacts.front());
}

MailContact Make(absl::string_view header, const std::string& mailbox = "anna@ours.example") {
  const auto mail =
      ParseMail(absl::StrCat(header,
                             "\nMessage-ID: <m@example.com>\n"
                             "Date: Mon, 3 Aug 2026 08:12:00 +0000\nSubject: s\n\nText"));
  EXPECT_OK(mail);
  return One(*mail, {mailbox, "INBOX", kReceived});
}

// The touchpoint with a client would be taken by the log.
void ExpectValid(Touchpoint touchpoint) {
  touchpoint.set_client_id("c");
  EXPECT_OK(ValidateTouchpoint(touchpoint));
}

TEST(MailContact, Inbound) {
  const MailContact contact =
      Make("From: Jo@Example.com\nTo: info@ours.example, ben@ours.example, x@example.net");
  ASSERT_TRUE(contact.exchanged.has_value());
  const Touchpoint& exchanged = *contact.exchanged;
  ExpectValid(exchanged);
  EXPECT_EQ(exchanged.direction(), touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_EQ(exchanged.channel(), touchpoint::v1::CHANNEL_E_MAIL);
  EXPECT_EQ(exchanged.agent_id(), "ben");
  EXPECT_EQ(exchanged.source(), "e-mail");
  EXPECT_EQ(exchanged.source_event_id(), "message/m@example.com/1785744720");
  EXPECT_EQ(FromProto(exchanged.occurred_at()), absl::FromUnixSeconds(1'785'744'720));
  EXPECT_EQ(exchanged.email_exchanged().client_e_mail(), "jo@example.com");
  EXPECT_EQ(exchanged.email_exchanged().excerpt(), "Text");
  EXPECT_THAT(contact.client_addresses, ElementsAre("jo@example.com", "x@example.net"));

  ASSERT_TRUE(contact.delivered.has_value());
  ExpectValid(*contact.delivered);
  EXPECT_EQ(contact.delivered->source(), "office");
  EXPECT_EQ(contact.delivered->source_event_id(),
            "delivery/anna@ours.example/m@example.com/1785744720");
  EXPECT_EQ(contact.delivered->email_delivered().folder(), "INBOX");
}

TEST(MailContact, OneMailInTwoMailboxesIsOneTouchpoint) {
  const char* const kHeader = "From: jo@example.com\nTo: ben@ours.example";
  const MailContact one = Make(kHeader);
  const MailContact other = Make(kHeader, "ben@ours.example");
  EXPECT_EQ(one.exchanged->SerializeAsString(), other.exchanged->SerializeAsString());
  EXPECT_NE(one.delivered->event_id(), other.delivered->event_id());
}

TEST(MailContact, Outbound) {
  const MailContact contact = Make(
      "From: ben@ours.example\nTo: anna@ours.example\nCc: jo@example.com, Jo@example.com, "
      "x@example.net");
  ASSERT_TRUE(contact.exchanged.has_value());
  EXPECT_EQ(contact.exchanged->direction(), touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_EQ(contact.exchanged->agent_id(), "ben");
  EXPECT_THAT(contact.client_addresses, ElementsAre("jo@example.com", "x@example.net"));
}

TEST(MailContact, TheMailboxNamesTheAgentWhereNobodyElseDoes) {
  EXPECT_EQ(Make("From: jo@example.com\nTo: list@example.net").exchanged->agent_id(), "anna");
}

TEST(MailContact, WhatIsNoContact) {
  EXPECT_EQ(Make("From: ben@ours.example\nTo: anna@ours.example").skipped_because,
            "it stayed among ourselves");
  EXPECT_EQ(Make("To: anna@ours.example").skipped_because, "it does not tell who sent it");
  EXPECT_FALSE(Make("To: anna@ours.example").delivered.has_value());
}

TEST(MailContact, ABounceBelongsToWhomItIsAbout) {
  const MailContact contact =
      Make("From: mailer-daemon@ours.example\nX-Failed-Recipients: jo@example.com");
  ASSERT_TRUE(contact.exchanged.has_value());
  EXPECT_TRUE(contact.exchanged->email_exchanged().bounce());
  EXPECT_EQ(contact.exchanged->direction(), touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_THAT(contact.client_addresses, ElementsAre("jo@example.com"));
}

TEST(MailContact, ADateAheadOfOursIsNotBelieved) {
  ParsedMail mail = *ParseMail("From: jo@example.com\n\n");
  mail.date = kReceived + absl::Hours(25);
  EXPECT_EQ(FromProto(One(mail, {"", "", kReceived}).exchanged->occurred_at()), kReceived);
  mail.date = std::nullopt;
  const MailContact contact = One(mail, {"", "", kReceived});
  EXPECT_EQ(FromProto(contact.exchanged->occurred_at()), kReceived);
  EXPECT_FALSE(contact.delivered.has_value());
}

TEST(MailContact, TheLongestIdsAreTaken) {
  const std::string mailbox(200, 'm');
  const auto mail = ParseMail(
      absl::StrCat("From: jo@example.com\nMessage-ID: <", std::string(160, 'i'), ">\n\n"));
  const MailContact contact = One(*mail, {mailbox, "", kReceived});
  ExpectValid(*contact.exchanged);
  ExpectValid(*contact.delivered);
}

TEST(MailContact, AddressesAreNormalisedAsAsked) {
  MailContactSettings settings = Settings();
  settings.normalize = [](absl::string_view address) {
    return address == "x@example.net" ? "" : "normal";
  };
  const auto mail = ParseMail("From: jo@example.com\nTo: x@example.net\n\n");
  EXPECT_THAT(One(*mail, {"", "", kReceived}, settings).client_addresses, ElementsAre("normal"));
}

TEST(MailContact, TheWriterIsTheClientWhoeverSends) {
  const auto client = [](absl::string_view header) {
    const MailContact contact = Make(header);
    if (!contact.exchanged) return contact.skipped_because;
    EXPECT_EQ(contact.exchanged->direction(), touchpoint::v1::DIRECTION_INBOUND);
    return contact.client_addresses.front();
  };
  EXPECT_EQ(client("From: form@ours.example\nTo: info@ours.example\nReply-To: jo@example.com"),
            "jo@example.com");
  EXPECT_EQ(client("From: \"'Jo' via Info\" <info@ours.example>\nTo: info@ours.example\n"
                   "X-Original-From: Jo <jo@example.com>"),
            "jo@example.com");
  EXPECT_EQ(client("From: no-reply@forms.example\nTo: info@ours.example\nReply-To: jo@example.com"),
            "jo@example.com");
  // A newsletter's Reply-To is nobody who wrote it.
  EXPECT_EQ(client("From: no-reply@shop.example\nTo: info@ours.example\n"
                   "Reply-To: r-1234@bounces.example\nList-Unsubscribe: <mailto:x@shop.example>"),
            "no-reply@shop.example");
  EXPECT_EQ(client("From: Jo <jo@example.com>\nTo: info@ours.example\nReply-To: other@example.com"),
            "jo@example.com");
  EXPECT_EQ(client("From: ben@ours.example\nTo: anna@ours.example\nReply-To: ben@ours.example"),
            "it stayed among ourselves");
  // What we send to a client is ours, wherever answers go.
  const MailContact ours =
      Make("From: ben@ours.example\nTo: jo@example.com\nReply-To: desk@tickets.example");
  EXPECT_EQ(ours.exchanged->direction(), touchpoint::v1::DIRECTION_OUTBOUND);
  EXPECT_THAT(ours.client_addresses, ElementsAre("jo@example.com"));
}

TEST(MailContact, NobodyIsAClientByTheNameOfAMailServer) {
  for (const char* const from : {"MAILER-DAEMON@mx.example", "postmaster@mx.example",
                                 "Microsoft Outlook <MicrosoftExchange329e71ec@mx.example>"}) {
    const MailContact contact = Make(absl::StrCat("From: ", from, "\nTo: ben@ours.example"));
    EXPECT_FALSE(contact.exchanged.has_value()) << from;
    EXPECT_EQ(contact.skipped_because, "a mail server wrote it, and tells of no recipient");
  }
  const MailContact ours = Make(
      "From: mailer-daemon@ours.example\nTo: ben@ours.example\n"
      "X-Failed-Recipients: anna@ours.example");
  EXPECT_EQ(ours.skipped_because, "a mail server reports on a mail among ourselves");
}

TEST(MailContact, ABounceStandsWithEachWhomItIsAbout) {
  const MailContact contact =
      Make("From: mailer-daemon@mx.example\nX-Failed-Recipients: jo@example.com, x@example.net");
  ASSERT_EQ(contact.others.size(), 1u);
  ExpectValid(contact.others[0]);
  EXPECT_EQ(contact.others[0].email_exchanged().client_e_mail(), "x@example.net");
  EXPECT_TRUE(contact.others[0].email_exchanged().bounce());
  EXPECT_FALSE(contact.others[0].email_exchanged().copied());
}

TEST(MailContact, OthersAreTheSameInEachCopy) {
  const MailContact one = Make("From: jo@example.com\nTo: ben@ours.example\nCc: x@example.net");
  const MailContact other =
      Make("From: jo@example.com\nTo: ben@ours.example\nCc: y@example.net, x@example.net", "ben");
  ASSERT_EQ(one.others.size(), 1u);
  ASSERT_EQ(other.others.size(), 2u);
  EXPECT_TRUE(one.others[0].email_exchanged().copied());
  EXPECT_EQ(one.others[0].event_id(), other.others[1].event_id());
  EXPECT_NE(one.others[0].event_id(), one.exchanged->event_id());
}

TEST(MailContact, AnIdUsedAgainOnAnotherDayIsAnotherMail) {
  const auto key = [](absl::string_view date) {
    return MailKey(*ParseMail(absl::StrCat("Message-ID: <m@x>\nDate: ", date, "\n\n")));
  };
  EXPECT_EQ(key("Mon, 3 Aug 2026 08:12:00 +0000"), key("Mon, 3 Aug 2026 10:12:00 +0200"));
  EXPECT_NE(key("Mon, 3 Aug 2026 08:12:00 +0000"), key("Tue, 4 Aug 2026 08:12:00 +0000"));
  EXPECT_EQ(key("soon"), "m@x");
}

TEST(MailContact, AClockThatWasNeverSetIsNotBelieved) {
  ParsedMail mail = *ParseMail("From: jo@example.com\n\n");
  mail.date = absl::UnixEpoch() + absl::Seconds(10);
  EXPECT_EQ(FromProto(One(mail, {"", "", kReceived}).exchanged->occurred_at()), kReceived);
}

}  // namespace
}  // namespace rapport
