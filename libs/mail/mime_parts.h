#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/mail/mail.h"
#include "libs/mail/mail_header.h"

namespace rapport::mail_internal {

// Sizes, attachments and excerpt of `mail`, the mails in it, and of a report what it tells, from
// the parts of `body`. Which parts are text and which are attachments follows RFC 8621, 4.1.4.
void FillFromBody(const MailHeader& header, absl::string_view body, const MailSettings& settings,
                  ParsedMail* mail);

// The same of a text in UTF-8 that is all there is.
void FillFromText(const MailHeader& header, absl::string_view text, bool html,
                  const MailSettings& settings, ParsedMail* mail);

}  // namespace rapport::mail_internal
