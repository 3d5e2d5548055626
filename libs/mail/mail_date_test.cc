#include "libs/mail/mail_date.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/mail.h"

namespace rapport {
namespace {

using mail_internal::ReadMailDate;

std::string Read(absl::string_view value) {
  const auto date = ReadMailDate(value);
  if (!date.has_value()) return "none";
  return absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%S", date->time, absl::UTCTimeZone()),
                      date->zone_known ? "Z" : "?");
}

TEST(MailDate, ReadsWhatProgramsWrite) {
  for (const char* const value :
       {"Thu, 12 Nov 2026 10:00:00 +0100", "Thu, 12 Nov 2026 10:00:00 +0100 (GMT+01:00)",
        "Do, 12 Nov 2026 10:00:00 0100", "tor, 12 nov 2026 10:00:00 +0100 (CET)",
        "12 Nov 26 10:00 +0100", "2026-11-12T10:00:00+01:00", "2026-11-12 10:00:00 +01:00",
        "Thu, 12 Nov 2026 04:00:00 EST", "Thu, 12 Nov 2026 03:00:00 MDT",
        "Thu, 12 Nov 2026 10:00:00 -0-100 +0100", "Thursday, 12-Nov-26 09:00:00 GMT",
        "Thu, 12 Nov 2026 02:30:00 PM 0530", "Thu, 12 Nov 2026 09:00:00 AM +0000",
        "Thu, 12 Nov 2026 10:00:00 GMT+0100", "12.11.2026 10:00:00 +0100", "Thu, 12 Nov 126 9:00 Z",
        "mar, 12 nov 2026 10:00:00 +0100"}) {
    EXPECT_EQ(Read(value), "2026-11-12T09:00:00Z") << value;
  }
  EXPECT_EQ(Read("Tue, 05 Mar 2002 06:50 PM -0500"), "2002-03-05T23:50:00Z");
  EXPECT_EQ(Read("Tue, 05 Mar 2002 12:05 AM +0000"), "2002-03-05T00:05:00Z");
  EXPECT_EQ(Read("Sa, 12 Dez 2026 10:00:00 +0100"), "2026-12-12T09:00:00Z");
}

TEST(MailDate, AZoneThatCannotBeReadIsSaid) {
  EXPECT_EQ(Read("Thu Nov 12 09:00:00 2026"), "2026-11-12T09:00:00?");
  EXPECT_EQ(Read("Thu, 12 Nov 26 10:00:00 Hora oficial do Brasil"), "2026-11-12T10:00:00?");
  EXPECT_EQ(Read("Thu, 12 Nov 2026 10:00:00 +9999"), "2026-11-12T10:00:00?");
}

TEST(MailDate, WhatWouldBeGuessedIsNone) {
  for (const char* const value :
       {"", "yesterday", "12 Nov 2026", "10:00:00 +0100", "11/12/2026 10:00",
        "Thu, 31 Feb 2026 10:00:00 +0100", "Thu, 12 Nov 2026 25:00:00 +0100"}) {
    EXPECT_EQ(Read(value), "none") << value;
  }
}

std::string DateOf(absl::string_view date, absl::string_view received) {
  const auto mail =
      ParseMail(absl::StrCat("From: a@x.example\nDate: ", date, "\n", received, "\n"));
  EXPECT_OK(mail);
  return mail->date.has_value()
             ? absl::FormatTime("%Y-%m-%dT%H:%M:%S", *mail->date, absl::UTCTimeZone())
             : "none";
}

TEST(MailDate, AServerIsBelievedBeforeAClockThatIsWrong) {
  const std::string received =
      "Received: from a by b; Thu, 12 Nov 2026 10:00:05 +0100\n"
      "Received: from c by a; Thu, 12 Nov 2026 10:00:03 +0100\n";
  for (const char* const date :
       {"Thu, 01 Jan 1970 00:00:00 +0000", "Thu, 01 Jan 2015 00:01:00 +0100",
        "Fri, 12 Nov 2041 10:00:00 +0100", "Do, 12 Dez 2026 10:00:00 +0100", "nonsense",
        "Thu, 12 Nov 26 10:00:00 Hora oficial do Brasil"}) {
    EXPECT_EQ(DateOf(date, received), "2026-11-12T09:00:05") << date;
  }
  // It waited for somebody who lets it pass.
  EXPECT_EQ(DateOf("Tue, 10 Nov 2026 10:00:00 +0100", received), "2026-11-10T09:00:00");
}

TEST(MailDate, AMailOfLongAgoThatIsSentOnKeepsItsDate) {
  EXPECT_EQ(DateOf("Sat, 05 Jan 2002 10:00:00 +0000",
                   "Received: from mover by new; Thu, 12 Nov 2026 10:00:05 +0100\n"
                   "Received: from b by c; Sat, 05 Jan 2002 10:00:09 +0000\n"
                   "Received: from a by b; Sat, 05 Jan 2002 10:00:04 +0000\n"),
            "2002-01-05T10:00:00");
}

}  // namespace
}  // namespace rapport
