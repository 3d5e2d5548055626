#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/mail/mail.h"
#include "libs/mail/mail_header.h"

// What mail servers tell of mails of ours, and what machines answer.

namespace rapport::mail_internal {

// The parts of a mail that tell of the delivery of another one; empty where it has none.
struct ReportParts {
  std::string text;    // what it says to people, UTF-8
  std::string status;  // message/delivery-status (RFC 3464), all of them
  // message/feedback-report (RFC 5965): somebody complained of a mail as spam.
  std::string feedback;
  std::string returned;  // the mail it is about, its header at least
};

// Whether a mail server or another machine that carries mails wrote the mail, by who it says sent
// it: nobody that one could write to.
bool IsFromMailServer(const MailHeader& header, const ParsedMail& mail);

// Whether the text of a mail is worth being read for what it tells of a delivery.
bool MayBeReport(const MailHeader& header, const ParsedMail& mail);

// Sets bounce, auto_reply and the recipients of a mail that MayBeReport, or that has one of the
// parts of a report.
//   a delivery that failed for good            bounce, failed_recipients
//   that is delayed, done or was passed on     auto_reply, reported_recipients
//   a complaint of spam                        auto_reply, reported_recipients
// A mail that is none of these is left as it is.
void ReadReport(const MailHeader& header, const ReportParts& parts, ParsedMail* mail);

// Whether the subject is one that mail programs give to answers that nobody wrote.
// `asked_for_none`: the mail asks machines not to answer it, as Exchange's own answers do, so that
// less is enough.
bool IsAutomaticSubject(absl::string_view subject, bool asked_for_none);

}  // namespace rapport::mail_internal
