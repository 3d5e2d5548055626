#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/mail/mail.h"
#include "libs/web_hook_check/web_hook_request.h"

// Inbound mail that a provider posts to us. Each function checks who sent the request, and reads
// it; none writes anything.
//   Unauthenticated    the request carries no proof of who sent it
//   PermissionDenied   it carries a wrong or stale one, or one that cannot be read
//   AlreadyExists      it carries one that was used: the mail is on disk (Mailgun)
//   InvalidArgument    it comes from the provider, but holds no mail that can be read

namespace rapport {

// A mail from a web hook.
struct ReceivedMail {
  ParsedMail mail;
  // Address in our mailbox that it was sent to; empty when the provider does not tell.
  std::string recipient;
  // Mailgun: for MailgunTokens::Remember, once the mail is on disk.
  std::string token;
};

// Postmark: JSON, HTTP basic authentication with `credentials` ("user:password").
absl::StatusOr<ReceivedMail> ParsePostmark(const WebHookRequest& request,
                                           absl::string_view credentials,
                                           const MailSettings& settings = {});

// SendGrid Inbound Parse; at least one of the two is set, and all that are set are checked.
struct SendGridKeys {
  // Public key of the signature, base64 of its DER form.
  std::string public_key;
  // "user:password" of HTTP basic authentication.
  std::string credentials;
};
// FailedPrecondition: the public key is set and none.
absl::Status CheckSendGridKeys(const SendGridKeys& keys);
// multipart/form-data, with the parts of the mail or ("send raw") the mail itself. Signature: ECDSA
// with SHA-256 over time stamp and body; the time stamp is at most five minutes away from ours.
// FailedPrecondition: the key is none, or nothing is set.
absl::StatusOr<ReceivedMail> ParseSendGrid(const WebHookRequest& request, const SendGridKeys& keys,
                                           const MailSettings& settings = {});

// The tokens of Mailgun that were used, for as long as their time stamps would be taken.
// Thread-safe.
class MailgunTokens {
 public:
  // Mailgun sends a mail again, under the same signature, for eight hours.
  static constexpr absl::Duration kTolerance = absl::Hours(12);
  // How far a clock may be ahead of ours.
  static constexpr absl::Duration kMostAhead = absl::Minutes(5);

  // At most `most` tokens; the oldest are forgotten first.
  explicit MailgunTokens(size_t most = 100'000) : most_(most) {}

  bool IsUsed(absl::string_view token) const ABSL_LOCKS_EXCLUDED(mutex_);
  // To be called once the mail is on disk, so that one that could not be written is taken when
  // Mailgun sends it again.
  void Remember(absl::string_view token, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const size_t most_;
  mutable Mutex mutex_;
  std::deque<std::pair<absl::Time, std::string>> by_age_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> used_ ABSL_GUARDED_BY(mutex_);
};

// Mailgun: a form, or multipart/form-data; "body-mime" (routes whose address ends with "mime")
// holds the whole mail. Signature: HMAC-SHA256 with `signing_key` over time stamp and token, at
// most kTolerance old; a mail is taken once under each token.
absl::StatusOr<ReceivedMail> ParseMailgun(const WebHookRequest& request,
                                          absl::string_view signing_key, const MailgunTokens& used,
                                          const MailSettings& settings = {});

enum class MailProvider { kPostmark, kSendGrid, kMailgun };

// The HTTP status that makes the provider do what is right: 200 done; 401 and 403 refused;
// InvalidArgument in the way that keeps this provider from sending the same again (Postmark 403,
// SendGrid 400, Mailgun 406); 503 send it again.
int MailHookAnswer(MailProvider provider, const absl::Status& status);

}  // namespace rapport
