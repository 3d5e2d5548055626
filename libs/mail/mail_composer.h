#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/mail/mail.h"

namespace rapport {

// A mail that we write.
struct OutgoingMail {
  MailAddress from;
  MailAddress to;
  std::string subject;
  absl::Time date;
  absl::TimeZone zone;     // that the date is told in
  std::string message_id;  // without angle brackets; the same for the same mail
  // Further fields, such as List-Unsubscribe, in ASCII.
  std::vector<std::pair<std::string, std::string>> fields;
  // The same in both, in UTF-8.
  std::string text;
  std::string html;
};

// The mail in Internet message format, its lines ended by CR LF: plain text and HTML in
// multipart/alternative. The same bytes for the same mail.
std::string ComposeMail(const OutgoingMail& mail);

// "Rapport <rapport@firm.example>", or the address alone. InvalidArgument: it is not one mailbox.
absl::StatusOr<MailAddress> ParseMailbox(const std::string& text);

}  // namespace rapport
