#include "libs/sign_in/open_id.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/sha256.h"
#include "libs/base/status.h"
#include "libs/service/http_target.h"
#include "libs/sign_in/cached_document.h"
#include "libs/sign_in/id_token.h"
#include "libs/sign_in/json_document.h"
#include "libs/sign_in/key_set.h"
#include "libs/sign_in/provider.h"
#include "libs/sign_in/secrets.h"

namespace rapport {
namespace {

using Parameters = OpenIdClient::QueryParameters;

constexpr size_t kMostAnswerBytes = size_t{256} << 10;
constexpr size_t kMostParameterBytes = size_t{8} << 10;

std::string FormEncode(const Parameters& parameters) {
  return absl::StrJoin(parameters, "&", [](std::string* out, const auto& parameter) {
    absl::StrAppend(out, parameter.first, "=", PercentEncode(parameter.second));
  });
}

std::string WithQuery(const std::string& url, const Parameters& parameters) {
  return absl::StrCat(url, absl::StrContains(url, '?') ? "&" : "?", FormEncode(parameters));
}

// What PKCE's S256 makes of a verifier.
std::string CodeChallenge(const std::string& code_verifier) {
  const auto digest = Sha256(code_verifier);
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// A parameter that stands there at most once. "" when it does not.
absl::StatusOr<std::string> SingleParameter(const Parameters& parameters, absl::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : parameters) {
    if (key != name) continue;
    if (found != nullptr || value.size() > kMostParameterBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the redirect has ", name,
                       found != nullptr ? " more than once" : " with too long a value"));
    }
    found = &value;
  }
  return found == nullptr ? std::string() : *found;
}

// The provider's own words, without the secrets that it may repeat.
std::string Words(std::string error, std::string description,
                  const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::string* const text : {&error, &description}) {
      absl::StrReplaceAll({{secret, "..."}}, text);
    }
  }
  return description.empty() ? Quoted(error)
                             : absl::StrCat(Quoted(error), ": ", Quoted(description));
}

// An answer to the authorisation request that is an error (OpenID Connect Core 1.0, 3.1.2.6).
absl::Status AuthorisationError(const std::string& error, const std::string& words) {
  const std::string message = absl::StrCat("the provider did not sign anybody in: ", words);
  if (error == "temporarily_unavailable" || error == "server_error") {
    return absl::UnavailableError(message);
  }
  for (const char* const ours :
       {"invalid_request", "unauthorized_client", "invalid_scope", "unsupported_response_type"}) {
    if (error == ours) return absl::FailedPreconditionError(message);
  }
  return absl::PermissionDeniedError(message);
}

absl::Status StatusError(absl::string_view what, const HttpAnswer& answer) {
  const std::string message = absl::StrCat(what, " answered ", answer.status);
  if (answer.status >= 500 || answer.status == 429) return absl::UnavailableError(message);
  return absl::FailedPreconditionError(message);
}

// What a token endpoint gave (RFC 6749, 5).
struct Tokens {
  std::string access_token;
  std::string id_token;
  std::string refresh_token;
  bool is_bearer = false;
  absl::Duration expires_in = absl::ZeroDuration();
};

absl::StatusOr<Tokens> ReadTokens(const HttpAnswer& answer,
                                  const std::vector<std::string>& secrets) {
  constexpr absl::string_view kWhat = "the token endpoint";
  const absl::StatusOr<nlohmann::json> json = ParseDocument(answer.body);
  if (answer.status != 200) {
    const absl::Status plain = StatusError(kWhat, answer);
    if (!json.ok()) return plain;
    const absl::StatusOr<std::string> error = TextMember(*json, "error");
    const absl::StatusOr<std::string> description = TextMember(*json, "error_description");
    if (!error.ok() || error->empty() || !description.ok()) return plain;
    const std::string message =
        absl::StrCat(plain.message(), ": ", Words(*error, *description, secrets));
    // The code or refresh token is no good (any more), or was never ours.
    if (*error == "invalid_grant") return absl::PermissionDeniedError(message);
    return absl::Status(plain.code(), message);
  }
  if (!json.ok())
    return absl::FailedPreconditionError(absl::StrCat(kWhat, ": ", json.status().message()));
  Tokens tokens;
  const auto read = [&]() -> absl::Status {
    RAPPORT_ASSIGN_OR_RETURN(tokens.access_token, TextMember(*json, "access_token"));
    RAPPORT_ASSIGN_OR_RETURN(tokens.id_token, TextMember(*json, "id_token"));
    RAPPORT_ASSIGN_OR_RETURN(tokens.refresh_token, TextMember(*json, "refresh_token"));
    RAPPORT_ASSIGN_OR_RETURN(const std::string type, TextMember(*json, "token_type"));
    tokens.is_bearer = absl::EqualsIgnoreCase(type, "bearer");
    return absl::OkStatus();
  };
  if (const absl::Status status = read(); !status.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(kWhat, ": ", status.message()));
  }
  const auto expires_in = json->find("expires_in");
  if (expires_in != json->end() && expires_in->is_number_unsigned()) {
    tokens.expires_in = absl::Seconds(expires_in->get<uint64_t>());
  }
  return tokens;
}

absl::Status CheckOptions(const OpenIdOptions& options) {
  RAPPORT_RETURN_IF_ERROR(Annotate(CheckEndpoint(options.issuer), "the issuer"));
  if (absl::StrContains(options.issuer, '?')) {
    return absl::InvalidArgumentError("the issuer has a query, which none has");
  }
  if (options.client_id.empty()) return absl::InvalidArgumentError("there is no client id");
  RAPPORT_RETURN_IF_ERROR(Annotate(CheckEndpoint(options.redirect_uri), "the redirect URI"));
  if (std::find(options.scopes.begin(), options.scopes.end(), "openid") == options.scopes.end()) {
    return absl::InvalidArgumentError("the scopes have no openid");
  }
  if (options.clock_skew < absl::ZeroDuration() || options.clock_skew > absl::Minutes(10)) {
    return absl::InvalidArgumentError(absl::StrCat("the clock skew is ",
                                                   absl::FormatDuration(options.clock_skew),
                                                   "; it must be 0 to 10 min"));
  }
  return absl::OkStatus();
}

}  // namespace

// What is under way holds it.
class OpenIdClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  using IdentityDone = std::function<void(absl::StatusOr<Identity>)>;

  Impl(OpenIdOptions options, HttpClient* http)
      : options_(std::move(options)),
        http_(http),
        provider_(options_.now, [this](auto done) { ReadProvider(std::move(done)); }),
        keys_(options_.now, [this](auto done) { ReadKeys(std::move(done)); }) {}

  void BeginSignIn(std::function<void(absl::StatusOr<SignInStart>)> done);
  void FinishSignIn(const PendingSignIn& pending, const Parameters& parameters, IdentityDone done);
  void Refresh(const std::string& refresh_token, const std::string& subject, IdentityDone done);
  void LogoutUrl(const std::string& id_token, const std::string& post_logout_redirect_uri,
                 std::function<void(absl::StatusOr<std::optional<std::string>>)> done);

 private:
  using ProviderDocument = std::shared_ptr<const Provider>;
  using Keys = std::vector<SigningKey>;

  // One exchange at the token endpoint, and what comes of it.
  struct Exchange {
    Parameters form;
    std::vector<std::string> secrets;  // that no message may have
    std::optional<std::string> nonce;
    std::optional<std::string> subject;  // who it must be
    std::string refresh_token;           // kept when no other one comes
    ProviderDocument provider;
    Tokens tokens;
    IdentityDone done;
  };
  using ExchangePtr = std::shared_ptr<Exchange>;

  void ReadProvider(std::function<void(absl::StatusOr<Provider>)> done);
  void ReadKeys(std::function<void(absl::StatusOr<Keys>)> done);
  // Fetches a document that stands open to everybody.
  void FetchDocument(absl::string_view what, const std::string& url,
                     std::function<void(absl::StatusOr<std::string>)> done);
  // OK: the redirect brings a code.
  absl::Status CheckRedirect(const PendingSignIn& pending, const Parameters& parameters,
                             const Provider& provider) const;

  // The steps of an exchange, each of which begins the next one or calls `done`.
  void RequestTokens(const ExchangePtr& exchange);
  void CheckIdToken(const ExchangePtr& exchange);
  void FinishIdToken(const ExchangePtr& exchange, const SignedToken& token, const SigningKey& key);
  // Adds by userinfo what the ID token does not tell of the person.
  void AddUserinfo(const ExchangePtr& exchange, Identity identity, bool told_groups);

  // The request for `form` by this client. FailedPrecondition: the provider takes no proof that it
  // can give.
  absl::StatusOr<HttpCall> TokenCall(const Provider& provider, Parameters form) const;

  const OpenIdOptions options_;
  HttpClient* const http_;
  CachedDocument<Provider> provider_;
  CachedDocument<Keys> keys_;
};

void OpenIdClient::Impl::FetchDocument(absl::string_view what, const std::string& url,
                                       std::function<void(absl::StatusOr<std::string>)> done) {
  HttpCall call;
  call.url = url;
  call.headers = {{"accept", "application/json"}};
  call.max_response_bytes = kMostAnswerBytes;
  http_->Send(std::move(call), [what = std::string(what), url,
                                done = std::move(done)](absl::StatusOr<HttpAnswer> answer) {
    if (!answer.ok()) {
      done(Annotate(answer.status(), what));
    } else if (answer->status != 200) {
      done(StatusError(absl::StrCat(what, " ", url), *answer));
    } else {
      done(std::move(answer->body));
    }
  });
}

void OpenIdClient::Impl::ReadProvider(std::function<void(absl::StatusOr<Provider>)> done) {
  const absl::string_view issuer = absl::StripSuffix(options_.issuer, "/");
  FetchDocument(
      "the discovery document", absl::StrCat(issuer, "/.well-known/openid-configuration"),
      [self = shared_from_this(), done = std::move(done)](absl::StatusOr<std::string> text) {
        if (!text.ok()) return done(text.status());
        done(ParseProvider(*text, self->options_.issuer));
      });
}

void OpenIdClient::Impl::ReadKeys(std::function<void(absl::StatusOr<Keys>)> done) {
  provider_.Get([self = shared_from_this(),
                 done = std::move(done)](absl::StatusOr<ProviderDocument> provider) mutable {
    if (!provider.ok()) return done(provider.status());
    self->FetchDocument("the key set", (*provider)->jwks_uri,
                        [self, done = std::move(done)](absl::StatusOr<std::string> text) {
                          if (!text.ok()) return done(text.status());
                          done(ParseKeySet(*text));
                        });
  });
}

void OpenIdClient::Impl::BeginSignIn(std::function<void(absl::StatusOr<SignInStart>)> done) {
  provider_.Get([self = shared_from_this(),
                 done = std::move(done)](absl::StatusOr<ProviderDocument> provider) {
    if (!provider.ok()) return done(provider.status());
    const OpenIdOptions& options = self->options_;
    SignInStart start;
    start.pending = PendingSignIn::Begin(options.now());
    start.url = WithQuery((*provider)->authorization_endpoint,
                          {{"response_type", "code"},
                           {"client_id", options.client_id},
                           {"redirect_uri", options.redirect_uri},
                           {"scope", absl::StrJoin(options.scopes, " ")},
                           {"state", start.pending.state},
                           {"nonce", start.pending.nonce},
                           {"code_challenge", CodeChallenge(start.pending.code_verifier)},
                           {"code_challenge_method", "S256"}});
    done(std::move(start));
  });
}

absl::Status OpenIdClient::Impl::CheckRedirect(const PendingSignIn& pending,
                                               const Parameters& parameters,
                                               const Provider& provider) const {
  RAPPORT_ASSIGN_OR_RETURN(const std::string state, SingleParameter(parameters, "state"));
  if (pending.state.empty() || !SameSecret(state, pending.state)) {
    return absl::InvalidArgumentError(
        state.empty() ? "the redirect has no state"
                      : "state is not the one that this sign-in was begun with");
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string issuer, SingleParameter(parameters, "iss"));
  if (issuer.empty() ? provider.names_issuer : issuer != options_.issuer) {
    return absl::PermissionDeniedError(absl::StrCat("the redirect's iss is ", Quoted(issuer),
                                                    ", and the configured issuer ",
                                                    Quoted(options_.issuer)));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string error, SingleParameter(parameters, "error"));
  if (!error.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const std::string description,
                             SingleParameter(parameters, "error_description"));
    return AuthorisationError(
        error, Words(error, description, {pending.state, pending.nonce, pending.code_verifier}));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::string code, SingleParameter(parameters, "code"));
  if (code.empty()) return absl::InvalidArgumentError("the redirect has neither code nor error");
  return absl::OkStatus();
}

void OpenIdClient::Impl::FinishSignIn(const PendingSignIn& pending, const Parameters& parameters,
                                      IdentityDone done) {
  provider_.Get([self = shared_from_this(), pending, parameters,
                 done = std::move(done)](absl::StatusOr<ProviderDocument> provider) mutable {
    if (!provider.ok()) return done(provider.status());
    const absl::Status redirect = self->CheckRedirect(pending, parameters, **provider);
    if (!redirect.ok()) return done(redirect);
    const std::string code = *SingleParameter(parameters, "code");
    const auto exchange = std::make_shared<Exchange>();
    exchange->form = {{"grant_type", "authorization_code"},
                      {"code", code},
                      {"redirect_uri", self->options_.redirect_uri},
                      {"code_verifier", pending.code_verifier}};
    exchange->secrets = {code, pending.code_verifier, pending.nonce, self->options_.client_secret};
    exchange->nonce = pending.nonce;
    exchange->provider = *std::move(provider);
    exchange->done = std::move(done);
    self->RequestTokens(exchange);
  });
}

void OpenIdClient::Impl::Refresh(const std::string& refresh_token, const std::string& subject,
                                 IdentityDone done) {
  provider_.Get([self = shared_from_this(), refresh_token, subject,
                 done = std::move(done)](absl::StatusOr<ProviderDocument> provider) mutable {
    if (!provider.ok()) return done(provider.status());
    const auto exchange = std::make_shared<Exchange>();
    exchange->form = {{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}};
    exchange->secrets = {refresh_token, self->options_.client_secret};
    exchange->subject = subject;
    exchange->refresh_token = refresh_token;
    exchange->provider = *std::move(provider);
    exchange->done = std::move(done);
    self->RequestTokens(exchange);
  });
}

absl::StatusOr<HttpCall> OpenIdClient::Impl::TokenCall(const Provider& provider,
                                                       Parameters form) const {
  HttpCall call;
  call.method = "POST";
  call.url = provider.token_endpoint;
  call.headers = {{"accept", "application/json"},
                  {"content-type", "application/x-www-form-urlencoded"}};
  call.max_response_bytes = kMostAnswerBytes;
  const bool has_secret = !options_.client_secret.empty();
  if (has_secret && provider.takes_basic) {
    const std::string credentials =
        absl::StrCat(PercentEncode(options_.client_id), ":", PercentEncode(options_.client_secret));
    call.headers.push_back(
        {"authorization", absl::StrCat("Basic ", absl::Base64Escape(credentials))});
  } else if (has_secret && !provider.takes_post) {
    return absl::FailedPreconditionError(
        "the provider's token endpoint takes neither client_secret_basic nor client_secret_post");
  } else {
    form.emplace_back("client_id", options_.client_id);
    if (has_secret) form.emplace_back("client_secret", options_.client_secret);
  }
  call.body = FormEncode(form);
  return call;
}

void OpenIdClient::Impl::RequestTokens(const ExchangePtr& exchange) {
  absl::StatusOr<HttpCall> call = TokenCall(*exchange->provider, std::move(exchange->form));
  if (!call.ok()) return exchange->done(call.status());
  http_->Send(*std::move(call),
              [self = shared_from_this(), exchange](absl::StatusOr<HttpAnswer> answer) {
                if (!answer.ok()) {
                  return exchange->done(Annotate(answer.status(), "the token endpoint"));
                }
                absl::StatusOr<Tokens> tokens = ReadTokens(*answer, exchange->secrets);
                if (!tokens.ok()) return exchange->done(tokens.status());
                exchange->tokens = *std::move(tokens);
                self->CheckIdToken(exchange);
              });
}

void OpenIdClient::Impl::CheckIdToken(const ExchangePtr& exchange) {
  if (exchange->tokens.id_token.empty()) {
    if (!exchange->subject) {
      return exchange->done(absl::PermissionDeniedError("the token endpoint gave no ID token"));
    }
    // An answer to a refresh need not have one.
    Identity identity;
    identity.subject = *exchange->subject;
    identity.expires_at = options_.now() + exchange->tokens.expires_in;
    return AddUserinfo(exchange, std::move(identity), /*told_groups=*/false);
  }
  absl::StatusOr<SignedToken> token = SignedToken::Parse(exchange->tokens.id_token);
  if (!token.ok()) return exchange->done(token.status());
  keys_.Get([self = shared_from_this(), exchange,
             token = *std::move(token)](absl::StatusOr<std::shared_ptr<const Keys>> keys) {
    if (!keys.ok()) return exchange->done(keys.status());
    const absl::StatusOr<SigningKey> key = token.FindKey(**keys);
    if (key.ok()) return self->FinishIdToken(exchange, token, *key);
    if (!absl::IsNotFound(key.status())) return exchange->done(key.status());
    // The provider may have changed its keys since they were read.
    self->keys_.GetNewer(
        [self, exchange, token](absl::StatusOr<std::shared_ptr<const Keys>> newer) {
          if (!newer.ok()) return exchange->done(newer.status());
          const absl::StatusOr<SigningKey> found = token.FindKey(**newer);
          if (found.ok()) return self->FinishIdToken(exchange, token, *found);
          exchange->done(absl::PermissionDeniedError(found.status().message()));
        });
  });
}

void OpenIdClient::Impl::FinishIdToken(const ExchangePtr& exchange, const SignedToken& token,
                                       const SigningKey& key) {
  IdTokenRules rules;
  rules.issuer = options_.issuer;
  rules.client_id = options_.client_id;
  rules.nonce = exchange->nonce;
  rules.access_token = exchange->tokens.access_token;
  rules.groups_claim = options_.groups_claim;
  rules.now = options_.now();
  rules.skew = options_.clock_skew;
  const absl::StatusOr<std::string> payload = token.Verify(key);
  if (!payload.ok()) return exchange->done(payload.status());
  absl::StatusOr<IdTokenClaims> claims = rapport::CheckIdToken(*payload, rules);
  if (!claims.ok()) return exchange->done(claims.status());
  PersonClaims& person = claims->person;
  if (exchange->subject && person.subject != *exchange->subject) {
    return exchange->done(absl::PermissionDeniedError(
        "the ID token: sub is not that of the identity which is refreshed"));
  }
  Identity identity;
  identity.subject = std::move(person.subject);
  identity.e_mail = std::move(person.e_mail);
  identity.e_mail_verified = person.e_mail_verified;
  identity.name = std::move(person.name);
  const bool told_groups = person.groups.has_value();
  if (told_groups) identity.groups = *std::move(person.groups);
  identity.expires_at = claims->expires_at;
  identity.id_token = exchange->tokens.id_token;
  AddUserinfo(exchange, std::move(identity), told_groups);
}

void OpenIdClient::Impl::AddUserinfo(const ExchangePtr& exchange, Identity identity,
                                     bool told_groups) {
  const Tokens& tokens = exchange->tokens;
  identity.refresh_token =
      tokens.refresh_token.empty() ? exchange->refresh_token : tokens.refresh_token;
  const bool complete = told_groups && !identity.e_mail.empty() && !identity.name.empty();
  const bool can_ask =
      exchange->provider->userinfo_endpoint && tokens.is_bearer && !tokens.access_token.empty();
  if (complete || !can_ask) {
    // Without either, nobody says that the person is still known to the provider.
    if (identity.id_token.empty()) {
      return exchange->done(absl::FailedPreconditionError(
          "the answer to the refresh has no ID token, and there is no userinfo to ask"));
    }
    return exchange->done(std::move(identity));
  }
  HttpCall call;
  call.url = *exchange->provider->userinfo_endpoint;
  call.headers = {{"accept", "application/json"},
                  {"authorization", absl::StrCat("Bearer ", tokens.access_token)}};
  call.max_response_bytes = kMostAnswerBytes;
  http_->Send(std::move(call), [self = shared_from_this(), exchange, told_groups,
                                identity](absl::StatusOr<HttpAnswer> answer) mutable {
    constexpr absl::string_view kWhat = "userinfo";
    if (!answer.ok()) return exchange->done(Annotate(answer.status(), kWhat));
    if (answer->status != 200) return exchange->done(StatusError(kWhat, *answer));
    const absl::StatusOr<nlohmann::json> json = ParseDocument(answer->body);
    if (!json.ok()) {
      return exchange->done(
          absl::PermissionDeniedError(absl::StrCat(kWhat, ": ", json.status().message())));
    }
    absl::StatusOr<PersonClaims> person = ReadPerson(*json, self->options_.groups_claim);
    if (!person.ok()) return exchange->done(Annotate(person.status(), kWhat));
    if (person->subject != identity.subject) {
      return exchange->done(
          absl::PermissionDeniedError("userinfo: sub is not that of who signed in"));
    }
    if (!told_groups && person->groups) identity.groups = *std::move(person->groups);
    if (identity.name.empty()) identity.name = std::move(person->name);
    if (identity.e_mail.empty()) {
      identity.e_mail = std::move(person->e_mail);
      identity.e_mail_verified = person->e_mail_verified;
    }
    exchange->done(std::move(identity));
  });
}

void OpenIdClient::Impl::LogoutUrl(
    const std::string& id_token, const std::string& post_logout_redirect_uri,
    std::function<void(absl::StatusOr<std::optional<std::string>>)> done) {
  provider_.Get([self = shared_from_this(), id_token, post_logout_redirect_uri,
                 done = std::move(done)](absl::StatusOr<ProviderDocument> provider) {
    if (!provider.ok()) return done(provider.status());
    if (!(*provider)->end_session_endpoint) return done(std::optional<std::string>());
    Parameters parameters = {{"client_id", self->options_.client_id}};
    if (!id_token.empty()) parameters.emplace_back("id_token_hint", id_token);
    if (!post_logout_redirect_uri.empty()) {
      parameters.emplace_back("post_logout_redirect_uri", post_logout_redirect_uri);
    }
    done(std::optional<std::string>(WithQuery(*(*provider)->end_session_endpoint, parameters)));
  });
}

absl::StatusOr<std::unique_ptr<OpenIdClient>> OpenIdClient::Create(OpenIdOptions options,
                                                                   HttpClient* http) {
  RAPPORT_RETURN_IF_ERROR(CheckOptions(options));
  return std::unique_ptr<OpenIdClient>(
      new OpenIdClient(std::make_shared<Impl>(std::move(options), http)));
}

OpenIdClient::OpenIdClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

OpenIdClient::~OpenIdClient() = default;

void OpenIdClient::BeginSignIn(std::function<void(absl::StatusOr<SignInStart>)> done) {
  impl_->BeginSignIn(std::move(done));
}

void OpenIdClient::FinishSignIn(const PendingSignIn& pending, const QueryParameters& parameters,
                                std::function<void(absl::StatusOr<Identity>)> done) {
  impl_->FinishSignIn(pending, parameters, std::move(done));
}

void OpenIdClient::Refresh(const std::string& refresh_token, const std::string& subject,
                           std::function<void(absl::StatusOr<Identity>)> done) {
  impl_->Refresh(refresh_token, subject, std::move(done));
}

void OpenIdClient::LogoutUrl(const std::string& id_token,
                             const std::string& post_logout_redirect_uri,
                             std::function<void(absl::StatusOr<std::optional<std::string>>)> done) {
  impl_->LogoutUrl(id_token, post_logout_redirect_uri, std::move(done));
}

}  // namespace rapport
