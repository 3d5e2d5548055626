#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/mail/header_lines.h"
#include "libs/mail/mail_form.h"
#include "libs/mail/mail_json.h"
#include "libs/mail/mail_web_hooks.h"
#include "libs/mail/utf8.h"
#include "libs/web_hook_check/hashes.h"
#include "nlohmann/json.hpp"

namespace rapport {
namespace {

using mail_internal::HeaderLines;
using mail_internal::MailForm;
using nlohmann::json;

absl::Status Check(const MailForm& form, absl::string_view signing_key, const MailgunTokens& used,
                   absl::Time now) {
  const absl::string_view timestamp = form.Get("timestamp");
  const absl::string_view token = form.Get("token");
  const absl::string_view signature = form.Get("signature");
  if (timestamp.empty() || token.empty() || signature.empty()) {
    return absl::UnauthenticatedError("the request is not signed");
  }
  const std::string expected =
      absl::BytesToHexString(HmacSha256(signing_key, absl::StrCat(timestamp, token)));
  if (!ConstantTimeEqual(absl::AsciiStrToLower(signature), expected)) {
    return absl::PermissionDeniedError("the signature is another");
  }
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(timestamp, &seconds) || seconds < 0) {
    return absl::PermissionDeniedError("the time stamp is none");
  }
  const absl::Duration age = now - absl::FromUnixSeconds(seconds);
  if (age > MailgunTokens::kTolerance || age < -MailgunTokens::kMostAhead) {
    return absl::PermissionDeniedError("the signature is too old, or a clock is wrong");
  }
  if (used.IsUsed(token)) return absl::AlreadyExistsError("the token was used before");
  return absl::OkStatus();
}

// The header as Mailgun gives it: pairs of name and value.
std::string HeaderOf(const MailForm& form) {
  HeaderLines header;
  const json pairs = mail_internal::ParseJson(form.Get("message-headers")).value_or(json());
  if (pairs.is_array()) {
    for (const json& pair : pairs) {
      if (!pair.is_array() || pair.size() != 2) continue;
      header.Add(mail_internal::AsText(pair[0]), mail_internal::AsText(pair[1]));
    }
  }
  // What the header has already counts.
  header.Add("Message-Id", form.Get("Message-Id"));
  header.Add("From", form.Get("from"));
  header.Add("To", form.Get("recipient"));
  header.Add("Subject", form.Get("subject"));
  return header.text();
}

}  // namespace

bool MailgunTokens::IsUsed(absl::string_view token) const {
  const MutexLock lock(&mutex_);
  return used_.contains(token);
}

void MailgunTokens::Remember(absl::string_view token, absl::Time now) {
  const MutexLock lock(&mutex_);
  if (!used_.emplace(token).second) return;
  by_age_.emplace_back(now, token);
  // A time stamp may lie as far ahead of us as behind.
  while (by_age_.size() > most_ || by_age_.front().first < now - 2 * kTolerance) {
    used_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

absl::StatusOr<ReceivedMail> ParseMailgun(const WebHookRequest& request,
                                          absl::string_view signing_key, const MailgunTokens& used,
                                          const MailSettings& settings) {
  if (signing_key.empty()) return absl::FailedPreconditionError("the signing key is empty");
  // The signature stands in the form itself.
  const absl::StatusOr<MailForm> parsed = MailForm::Parse(request);
  if (!parsed.ok()) return Unproven(parsed.status());
  const MailForm& form = *parsed;
  RAPPORT_RETURN_IF_ERROR(Check(form, signing_key, used, request.now));
  ReceivedMail received;
  if (const auto raw = form.Find("body-mime"); raw.has_value()) {
    RAPPORT_ASSIGN_OR_RETURN(received.mail, ParseMail(*raw, settings));
  } else {
    const MailParts parts{.header = HeaderOf(form),
                          .text = mail_internal::ToUtf8(form.Get("body-plain"), ""),
                          .html = mail_internal::ToUtf8(form.Get("body-html"), ""),
                          .attachment_count = form.file_count(),
                          .attachment_bytes = form.file_bytes(),
                          .size_bytes = static_cast<int64_t>(request.body.size())};
    RAPPORT_ASSIGN_OR_RETURN(received.mail, ParseMailParts(parts, settings));
  }
  received.recipient = std::string(form.Get("recipient"));
  received.token = std::string(form.Get("token"));
  return received;
}

int MailHookAnswer(MailProvider provider, const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDataLoss:
      break;
    default:
      return 503;
  }
  switch (provider) {
    case MailProvider::kPostmark:
      return 403;
    case MailProvider::kSendGrid:
      return 400;
    case MailProvider::kMailgun:
      return 406;
  }
  return 503;
}

}  // namespace rapport
