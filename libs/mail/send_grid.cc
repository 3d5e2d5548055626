#include <memory>
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
#include "libs/web_hook_check/authorization.h"
#include "nlohmann/json.hpp"
#include "openssl/evp.h"
#include "openssl/x509.h"

namespace rapport {
namespace {

using mail_internal::At;
using mail_internal::HeaderLines;
using mail_internal::MailForm;
using mail_internal::TextAt;
using nlohmann::json;

constexpr absl::Duration kTolerance = absl::Minutes(5);

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

absl::StatusOr<std::unique_ptr<EVP_PKEY, FreeKey>> ReadKey(const std::string& written) {
  std::string der;
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  if (absl::Base64Unescape(absl::StripAsciiWhitespace(written), &der)) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    key.reset(d2i_PUBKEY(nullptr, &bytes, static_cast<long>(der.size())));
  }
  if (key != nullptr) return key;
  return absl::FailedPreconditionError(
      "the public key of SendGrid is none: put the text that SendGrid shows as \"Verification "
      "Key\" "
      "into its file");
}

bool Verifies(EVP_PKEY* key, absl::string_view signature, absl::string_view timestamp,
              absl::string_view body) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerifyUpdate(context.get(), timestamp.data(), timestamp.size()) == 1 &&
         EVP_DigestVerifyUpdate(context.get(), body.data(), body.size()) == 1 &&
         EVP_DigestVerifyFinal(context.get(),
                               reinterpret_cast<const unsigned char*>(signature.data()),
                               signature.size()) == 1;
}

absl::Status CheckSignature(const WebHookRequest& request, const std::string& public_key) {
  RAPPORT_ASSIGN_OR_RETURN(const auto key, ReadKey(public_key));
  const auto signature = FindHeader(request, "x-twilio-email-event-webhook-signature");
  const auto timestamp = FindHeader(request, "x-twilio-email-event-webhook-timestamp");
  if (!signature.has_value() || !timestamp.has_value()) {
    return absl::UnauthenticatedError("the request is not signed");
  }
  std::string raw;
  if (!absl::Base64Unescape(*signature, &raw) ||
      !Verifies(key.get(), raw, *timestamp, request.body)) {
    return absl::PermissionDeniedError("the signature is another");
  }
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(*timestamp, &seconds) ||
      absl::AbsDuration(request.now - absl::FromUnixSeconds(seconds)) > kTolerance) {
    return absl::PermissionDeniedError("the signature is too old, or a clock is wrong");
  }
  return absl::OkStatus();
}

absl::Status Check(const WebHookRequest& request, const SendGridKeys& keys) {
  if (keys.public_key.empty() && keys.credentials.empty()) {
    return absl::FailedPreconditionError(
        "SendGrid needs a public key or credentials: else anybody could send us mail");
  }
  if (!keys.public_key.empty()) {
    RAPPORT_RETURN_IF_ERROR(CheckSignature(request, keys.public_key));
  }
  return keys.credentials.empty() ? absl::OkStatus() : CheckBasicAuth(request, keys.credentials);
}

// JSON in a field; null when it is none.
json JsonOf(absl::string_view field) { return mail_internal::ParseJson(field).value_or(json()); }

MailParts PartsOf(const MailForm& form) {
  const json charsets = JsonOf(form.Get("charsets"));
  const auto field = [&](const char* name) {
    return mail_internal::ToUtf8(form.Get(name), TextAt(charsets, name));
  };
  HeaderLines header;
  header.AddBlock(form.Get("headers"));
  // What the header has already counts.
  header.Add("From", field("from"));
  header.Add("To", field("to"));
  header.Add("Cc", field("cc"));
  header.Add("Subject", field("subject"));
  return {.header = header.text(),
          .text = field("text"),
          .html = field("html"),
          .attachment_count = form.file_count(),
          .attachment_bytes = form.file_bytes()};
}

}  // namespace

absl::Status CheckSendGridKeys(const SendGridKeys& keys) {
  return keys.public_key.empty() ? absl::OkStatus() : ReadKey(keys.public_key).status();
}

absl::StatusOr<ReceivedMail> ParseSendGrid(const WebHookRequest& request, const SendGridKeys& keys,
                                           const MailSettings& settings) {
  RAPPORT_RETURN_IF_ERROR(Check(request, keys));
  RAPPORT_ASSIGN_OR_RETURN(const MailForm form, MailForm::Parse(request));
  ReceivedMail received;
  if (const auto raw = form.Find("email"); raw.has_value()) {
    RAPPORT_ASSIGN_OR_RETURN(received.mail, ParseMail(*raw, settings));
  } else {
    MailParts parts = PartsOf(form);
    parts.size_bytes = static_cast<int64_t>(request.body.size());
    RAPPORT_ASSIGN_OR_RETURN(received.mail, ParseMailParts(parts, settings));
  }
  const json envelope = JsonOf(form.Get("envelope"));
  const json& to = At(envelope, "to");
  if (to.is_array() && !to.empty()) received.recipient = mail_internal::AsText(to[0]);
  return received;
}

}  // namespace rapport
