#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/service/http_client.h"
#include "libs/sign_in/pending_sign_in.h"

namespace rapport {

struct OpenIdOptions {
  // As the provider writes it, to the letter; https, or http on a loopback address.
  std::string issuer;
  std::string client_id;
  std::string client_secret;  // "": a public client, which PKCE alone protects
  std::string redirect_uri;   // as it is registered with the provider
  std::vector<std::string> scopes = {"openid", "profile", "email"};
  std::string groups_claim = "groups";
  // How far the provider's clock and ours may be apart.
  absl::Duration clock_skew = absl::Seconds(60);
  std::function<absl::Time()> now = absl::Now;
};

// Who signed in, as the provider tells it.
struct Identity {
  std::string subject;  // never given to another person by the same provider
  std::string e_mail;   // "" when the provider does not tell it
  bool e_mail_verified = false;
  std::string name;  // "" when the provider does not tell it
  // By the ID token, or else by userinfo.
  std::vector<std::string> groups;
  absl::Time expires_at;      // of the ID token
  std::string id_token;       // for LogoutUrl
  std::string refresh_token;  // "" when the provider gives none
};

// A relying party of one OpenID Connect provider (authorisation code flow with PKCE). The calls
// return at once: what is handed in as `done` is called once, on the HTTP client's thread, or
// within the call when nothing has to be fetched for it; it must not block. It is called when this
// object is gone, too. Thread-safe.
//
// A status tells what to do next, and which check failed with the values that are no secrets. It is
// for the log; a person who signs in needs no more than the code:
//   PermissionDenied            the provider or a check refuses this sign-in
//   InvalidArgument             the redirect is none that this client can have asked for
//   Unavailable,                the provider cannot be asked now: try again later
//   DeadlineExceeded, Cancelled
//   FailedPrecondition,         the provider and the configuration do not fit: tell the operator
//   ResourceExhausted
class OpenIdClient {
 public:
  struct SignInStart {
    std::string url;        // where the browser goes
    PendingSignIn pending;  // kept by the caller until it comes back (PendingSignInSeal)
  };
  using QueryParameters = std::vector<std::pair<std::string, std::string>>;  // decoded

  // `http` must outlive the last call; when it ends, what is under way is Cancelled.
  // InvalidArgument: an option is wrong.
  static absl::StatusOr<std::unique_ptr<OpenIdClient>> Create(OpenIdOptions options,
                                                              HttpClient* http);
  ~OpenIdClient();
  OpenIdClient(const OpenIdClient&) = delete;
  OpenIdClient& operator=(const OpenIdClient&) = delete;

  void BeginSignIn(std::function<void(absl::StatusOr<SignInStart>)> done);

  // `parameters`: the query with which the browser came back. A pending sign-in is used once: the
  // provider refuses a code that comes again.
  void FinishSignIn(const PendingSignIn& pending, const QueryParameters& parameters,
                    std::function<void(absl::StatusOr<Identity>)> done);

  // A new identity for the refresh token of an earlier one, whose subject it must have. The refresh
  // token in it replaces the earlier one. Where the answer has no new ID token, userinfo tells of
  // the person, id_token is "", and expires_at is that of the access token.
  void Refresh(const std::string& refresh_token, const std::string& subject,
               std::function<void(absl::StatusOr<Identity>)> done);

  // Where the browser goes to sign out at the provider, and then to `post_logout_redirect_uri` (as
  // registered; "": stays there). `id_token` may be "". nullopt: the provider has no such page.
  void LogoutUrl(const std::string& id_token, const std::string& post_logout_redirect_uri,
                 std::function<void(absl::StatusOr<std::optional<std::string>>)> done);

 private:
  class Impl;
  explicit OpenIdClient(std::shared_ptr<Impl> impl);
  const std::shared_ptr<Impl> impl_;
};

}  // namespace rapport
