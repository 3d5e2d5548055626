#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/mail/mail_web_hooks.h"
#include "libs/sources/mail_intake.h"
#include "libs/sources/source_settings.h"
#include "libs/telephony/amazon_connect.h"
#include "libs/telephony/free_switch.h"
#include "libs/telephony/twilio.h"
#include "libs/web_hook_check/authorization.h"
#include "services/sources/source_catalog.h"

// The part of source_catalog.h about sources that call us.

namespace rapport {
namespace {

using config::v1::Source;
using source::v1::SourceRecord;

int CallHookAnswer(const absl::Status& status) {
  if (status.ok()) return 200;
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kInvalidArgument:
      return 400;
    default:
      return 503;
  }
}

using Admit = std::function<absl::Status(const WebHookRequest&)>;

// Whether the header has what the signature of the body would be in.
Admit AdmitSigned(const char* header) {
  return [header](const WebHookRequest& request) {
    if (FindHeader(request, header).has_value()) return absl::OkStatus();
    return absl::UnauthenticatedError(absl::StrCat("the request must carry ", header));
  };
}

Admit AdmitBasic(std::string credentials) {
  return [credentials = std::move(credentials)](const WebHookRequest& request) {
    return CheckBasicAuth(request, credentials);
  };
}

// A web hook whose requests say something about calls. `parse` takes the request, the secret and
// who tells.
template <class Parse>
WebHook CallHook(const Admit& admit, Parse parse, std::string secret, CallSource call_source) {
  return {.admit = admit,
          .read = [parse, secret = std::move(secret), call_source = std::move(call_source)](
                      const WebHookRequest& request) -> absl::StatusOr<Inbound> {
            Inbound inbound;
            RAPPORT_ASSIGN_OR_RETURN(inbound.records, parse(request, secret, call_source));
            return inbound;
          },
          .answer = CallHookAnswer};
}

using ReadMail = std::function<absl::StatusOr<ReceivedMail>(const WebHookRequest&)>;

WebHook MailHook(const Source& source, const SourceEnv& env, MailProvider provider, Admit admit,
                 ReadMail read, std::shared_ptr<MailgunTokens> tokens = nullptr) {
  const auto intake =
      std::make_shared<MailIntake>(source.name(), env.rules, env.agents, env.threads);
  return {.admit = std::move(admit),
          .read = [intake, read = std::move(read), tokens = std::move(tokens)](
                      const WebHookRequest& request) -> absl::StatusOr<Inbound> {
            absl::StatusOr<ReceivedMail> read_mail = read(request);
            Inbound inbound;
            // Sent again although it is on disk: to be answered as if it came now.
            if (absl::IsAlreadyExists(read_mail.status())) return inbound;
            RAPPORT_ASSIGN_OR_RETURN(const ReceivedMail received, std::move(read_mail));
            intake->Offer(received.mail,
                          {.mailbox = received.recipient, .folder = "", .received_at = request.now},
                          request.body, &inbound.contacts);
            if (tokens != nullptr) {
              inbound.on_written = [tokens, token = received.token, now = request.now] {
                tokens->Remember(token, now);
              };
            }
            return inbound;
          },
          .answer =
              [provider](const absl::Status& status) { return MailHookAnswer(provider, status); }};
}

absl::StatusOr<WebHook> SendGridHook(const Source& source, const SourceEnv& env) {
  SendGridKeys keys;
  if (!source.send_grid().public_key_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(keys.public_key, SecretOf(source, "send_grid.public_key_file",
                                                       source.send_grid().public_key_file()));
  }
  if (!source.send_grid().credentials_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(keys.credentials, SecretOf(source, "send_grid.credentials_file",
                                                        source.send_grid().credentials_file()));
  }
  if (keys.public_key.empty() && keys.credentials.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("source ", source.name(),
                     ": give send_grid.public_key_file or credentials_file, so that "
                     "not everybody may post mail"));
  }
  const absl::Status usable = CheckSendGridKeys(keys);
  if (!usable.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("source ", source.name(), ": send_grid.public_key_file ",
                     source.send_grid().public_key_file(), ": ", usable.message()));
  }
  Admit admit = keys.credentials.empty() ? AdmitSigned("x-twilio-email-event-webhook-signature")
                                         : AdmitBasic(keys.credentials);
  return MailHook(source, env, MailProvider::kSendGrid, std::move(admit),
                  [keys](const WebHookRequest& request) { return ParseSendGrid(request, keys); });
}

absl::StatusOr<WebHook> MailgunHook(const Source& source, const SourceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(const std::string key, SecretOf(source, "mailgun.signing_key_file",
                                                           source.mailgun().signing_key_file()));
  const auto tokens = std::make_shared<MailgunTokens>();
  return MailHook(
      source, env, MailProvider::kMailgun, /*admit=*/{},
      [key, tokens](const WebHookRequest& request) { return ParseMailgun(request, key, *tokens); },
      tokens);
}

absl::StatusOr<WebHook> PostmarkHook(const Source& source, const SourceEnv& env) {
  RAPPORT_ASSIGN_OR_RETURN(
      const std::string credentials,
      SecretOf(source, "postmark.credentials_file", source.postmark().credentials_file()));
  return MailHook(
      source, env, MailProvider::kPostmark, AdmitBasic(credentials),
      [credentials](const WebHookRequest& request) { return ParsePostmark(request, credentials); });
}

absl::StatusOr<WebHook> CallHookOf(const Source& source) {
  RAPPORT_ASSIGN_OR_RETURN(CallSource call_source, CallSourceOf(source));
  if (source.has_twilio()) {
    RAPPORT_ASSIGN_OR_RETURN(std::string token,
                             SecretOf(source, "twilio.token_file", source.twilio().token_file()));
    return CallHook(AdmitSigned("x-twilio-signature"), ParseTwilioCallback, std::move(token),
                    std::move(call_source));
  }
  if (source.has_free_switch()) {
    RAPPORT_ASSIGN_OR_RETURN(
        std::string credentials,
        SecretOf(source, "free_switch.credentials_file", source.free_switch().credentials_file()));
    const Admit admit = AdmitBasic(credentials);
    return CallHook(admit, ParseFreeSwitchRequest, std::move(credentials), std::move(call_source));
  }
  RAPPORT_ASSIGN_OR_RETURN(std::string token, SecretOf(source, "amazon_connect.token_file",
                                                       source.amazon_connect().token_file()));
  const Admit admit = [token](const WebHookRequest& request) {
    return CheckBearer(request, token);
  };
  return CallHook(admit, ParseAmazonConnectRequest, std::move(token), std::move(call_source));
}

}  // namespace

absl::Status AddWebHook(const Source& source, const SourceEnv& env, WebHooks* hooks) {
  absl::StatusOr<WebHook> hook;
  if (source.has_postmark()) {
    hook = PostmarkHook(source, env);
  } else if (source.has_send_grid()) {
    hook = SendGridHook(source, env);
  } else if (source.has_mailgun()) {
    hook = MailgunHook(source, env);
  } else if (source.has_twilio() || source.has_free_switch() ||
             !source.amazon_connect().token_file().empty()) {
    hook = CallHookOf(source);
  } else {
    return absl::OkStatus();
  }
  RAPPORT_RETURN_IF_ERROR(hook.status());
  (*hooks)[source.name()] = *std::move(hook);
  return absl::OkStatus();
}

}  // namespace rapport
