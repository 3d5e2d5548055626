#include "libs/mail/mail.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "libs/mail/excerpt.h"
#include "libs/mail/html_text.h"
#include "libs/mail/mail_header.h"
#include "libs/mail/mime_parts.h"
#include "libs/mail/utf8.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using mail_internal::MailHeader;

absl::Status NoHeader() {
  return absl::InvalidArgumentError(
      "this is no mail: it does not begin with header fields such as \"From: jo@example.com\"");
}

// An id for a mail that has none: the same for each copy of it, however its lines end.
std::string MakeId(const MailHeader& header, absl::string_view body) {
  std::string text =
      absl::StrCat(header.Get("date"), "\n", header.Get("from"), "\n", header.Get("subject"), "\n");
  const absl::string_view stripped = absl::StripTrailingAsciiWhitespace(body);
  text.reserve(text.size() + stripped.size());
  std::copy_if(stripped.begin(), stripped.end(), std::back_inserter(text),
               [](char c) { return c != '\r'; });
  return absl::StrCat("made-", absl::BytesToHexString(Sha256(text).substr(0, 16)));
}

void Identify(const MailHeader& header, absl::string_view body, ParsedMail* mail) {
  if (mail->message_id.empty()) mail->message_id = MakeId(header, body);
  mail->thread_id = !mail->references.empty()    ? mail->references.front()
                    : !mail->in_reply_to.empty() ? mail->in_reply_to
                                                 : mail->message_id;
}

}  // namespace

absl::StatusOr<ParsedMail> ParseMail(absl::string_view bytes, const MailSettings& settings) {
  // Lines that end as those of old Macs do.
  std::string with_lines;
  if (!absl::StrContains(bytes, '\n') && absl::StrContains(bytes, '\r')) {
    with_lines = absl::StrReplaceAll(bytes, {{"\r", "\n"}});
    bytes = with_lines;
  }
  const MailHeader header(bytes);
  if (header.empty()) return NoHeader();
  const absl::string_view body = bytes.substr(header.body_at());
  ParsedMail mail;
  mail.size_bytes = static_cast<int64_t>(bytes.size());
  mail_internal::FillFromHeader(header, &mail);
  mail_internal::FillFromBody(header, body, settings, &mail);
  Identify(header, body, &mail);
  return mail;
}

absl::StatusOr<ParsedMail> ParseMailParts(const MailParts& parts, const MailSettings& settings) {
  const MailHeader header(parts.header);
  if (header.empty()) return NoHeader();
  ParsedMail mail;
  mail.size_bytes = parts.size_bytes;
  mail_internal::FillFromHeader(header, &mail);
  const std::string& body = parts.text.empty() ? parts.html : parts.text;
  mail.body_bytes = static_cast<int64_t>(body.size());
  mail.attachment_count = parts.attachment_count;
  mail.attachment_bytes = parts.attachment_bytes;
  mail_internal::FillFromText(header, body, /*html=*/parts.text.empty(), settings, &mail);
  Identify(header, body, &mail);
  return mail;
}

}  // namespace rapport
