#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/mail/header_lines.h"
#include "libs/mail/mail_json.h"
#include "libs/mail/mail_web_hooks.h"
#include "libs/web_hook_check/authorization.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

using mail_internal::At;
using mail_internal::HeaderLines;
using mail_internal::TextAt;
using nlohmann::json;

std::string Addresses(const json& list) {
  std::string written;
  if (!list.is_array()) return written;
  for (const json& entry : list) {
    const std::string address =
        mail_internal::WrittenAddress(TextAt(entry, "Name"), TextAt(entry, "Email"));
    if (!address.empty()) absl::StrAppend(&written, written.empty() ? "" : ", ", address);
  }
  return written;
}

// Postmark takes some fields out of "Headers" and gives them apart.
std::string HeaderOf(const json& mail) {
  HeaderLines header;
  const json& from = At(mail, "FromFull");
  header.Add("From", mail_internal::WrittenAddress(TextAt(from, "Name"), TextAt(from, "Email")));
  header.Add("To", Addresses(At(mail, "ToFull")));
  header.Add("Cc", Addresses(At(mail, "CcFull")));
  header.Add("Bcc", Addresses(At(mail, "BccFull")));
  header.Add("Subject", TextAt(mail, "Subject"));
  header.Add("Date", TextAt(mail, "Date"));
  if (const json& fields = At(mail, "Headers"); fields.is_array()) {
    for (const json& field : fields) header.Add(TextAt(field, "Name"), TextAt(field, "Value"));
  }
  return header.text();
}

int64_t SizeOf(const json& attachment) {
  if (const int64_t told = mail_internal::NumberAt(attachment, "ContentLength"); told > 0) {
    return told;
  }
  return static_cast<int64_t>(TextAt(attachment, "Content").size()) * 3 / 4;  // base64
}

}  // namespace

absl::StatusOr<ReceivedMail> ParsePostmark(const WebHookRequest& request,
                                           absl::string_view credentials,
                                           const MailSettings& settings) {
  RAPPORT_RETURN_IF_ERROR(CheckBasicAuth(request, credentials));
  RAPPORT_ASSIGN_OR_RETURN(const json mail, mail_internal::ParseJson(request.body));
  MailParts parts{.header = HeaderOf(mail),
                  .text = TextAt(mail, "TextBody"),
                  .html = TextAt(mail, "HtmlBody"),
                  .size_bytes = static_cast<int64_t>(request.body.size())};
  if (const json& attachments = At(mail, "Attachments"); attachments.is_array()) {
    for (const json& attachment : attachments) {
      ++parts.attachment_count;
      parts.attachment_bytes += SizeOf(attachment);
    }
  }
  ReceivedMail received;
  RAPPORT_ASSIGN_OR_RETURN(received.mail, ParseMailParts(parts, settings));
  received.recipient = TextAt(mail, "OriginalRecipient");
  return received;
}

}  // namespace rapport
