#include "libs/people/sign_in_routes.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/log.h"
#include "libs/base/printable.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/organisation/organisation.h"
#include "libs/people/sign_in_page.h"
#include "libs/people/signer.h"
#include "libs/service/config.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "libs/sign_in/password.h"
#include "libs/web_hook_check/hashes.h"
#include "rapport/query/v1/access.pb.h"

namespace rapport {
namespace {

constexpr char kPage[] = "/sign-in";
constexpr char kCallback[] = "/v1/sign-in/callback";
constexpr char kPendingCookie[] = "rapport-sign-in";
constexpr size_t kMaxBodyBytes = 4096;
constexpr absl::Duration kInvitationLife = absl::Hours(24 * 7);
constexpr char kByPassword[] = "password";

// A page of ours: nobody is sent elsewhere by a link that begins here.
std::string LocalPath(const std::string& path) {
  const bool local = absl::StartsWith(path, "/") && !absl::StartsWith(path, "//") &&
                     !absl::StrContains(path, '\\');
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < ' ') return kPage;
  }
  return local ? path : kPage;
}

HttpResponse GoTo(const std::string& address, const std::string& set_cookie) {
  HttpResponse response;
  response.status = 303;
  response.content_type = "";
  response.headers = {{"Location", address}, {"Cache-Control", "no-store"}};
  if (!set_cookie.empty()) response.headers.push_back({"Set-Cookie", set_cookie});
  return response;
}

std::string PendingCookie(const HttpRequest& request, const std::string& value) {
  return absl::StrCat(kPendingCookie, "=", value, "; Path=/v1/sign-in; HttpOnly; SameSite=Lax",
                      value.empty() ? "; Max-Age=0" : "; Max-Age=600",
                      request.secure ? "; Secure" : "");
}

HttpResponse PageResponse(int status, std::string page) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Cache-Control", "no-store"},
                      {"Content-Security-Policy", SignInPagePolicy()},
                      {"X-Frame-Options", "DENY"},
                      {"Referrer-Policy", "no-referrer"}};
  response.body = std::move(page);
  return response;
}

// What somebody is told whom we don't let in: the same whatever the reason.
absl::Status WrongPassword() {
  return absl::UnauthenticatedError("the e-mail address or the password is not right");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignInRoutes>> SignInRoutes::Create(const config::v1::Access& config,
                                                                   Env env) {
  RAPPORT_ASSIGN_OR_RETURN(const PendingSignInSeal seal,
                           PendingSignInSeal::Create(Sha256(env.key)));
  HttpClient* const http = env.http_client;
  const std::function<absl::Time()> now = env.now;
  std::unique_ptr<SignInRoutes> routes(new SignInRoutes(std::move(env), seal));
  routes->passwords_ = std::make_unique<PasswordWork>();
  const config::v1::OpenId& provider = config.open_id();
  if (provider.issuer().empty()) return routes;
  if (provider.client_id().empty() || provider.public_url().empty()) {
    return absl::InvalidArgumentError(
        "access.open_id needs client_id and public_url beside the issuer");
  }
  OpenIdOptions options;
  options.issuer = provider.issuer();
  options.client_id = provider.client_id();
  if (!provider.client_secret_file().empty()) {
    RAPPORT_ASSIGN_OR_RETURN(options.client_secret, ReadSecretFile(provider.client_secret_file()));
  }
  options.redirect_uri = absl::StrCat(absl::StripSuffix(provider.public_url(), "/"), kCallback);
  options.scopes.insert(options.scopes.end(), provider.scopes().begin(), provider.scopes().end());
  options.groups_claim = provider.groups_claim();
  options.now = now;
  for (const config::v1::GroupRole& group : provider.group_roles()) {
    if (!ParseRole(group.role())) {
      return absl::InvalidArgumentError(absl::StrCat("access.open_id.group_roles: '", group.role(),
                                                     "' is no role; group '", group.group(),
                                                     "' cannot have it"));
    }
    routes->role_of_group_.emplace(group.group(), group.role());
  }
  absl::StatusOr<std::unique_ptr<OpenIdClient>> client =
      OpenIdClient::Create(std::move(options), http);
  RAPPORT_RETURN_IF_ERROR(Annotate(client.status(), "access.open_id"));
  routes->issuer_ = provider.issuer();
  routes->public_url_ = std::string(absl::StripSuffix(provider.public_url(), "/"));
  routes->provider_ = *std::move(client);
  return routes;
}

void SignInRoutes::AddTo(HttpServer* http) {
  const HttpServer::RouteOptions open = {.open = true, .max_body_bytes = kMaxBodyBytes};
  http->Handle("GET", kPage, Answering([this](const HttpRequest&) {
                 return PageResponse(200, SignInPage(/*by_provider=*/provider_ != nullptr, ""));
               }),
               open);
  http->Handle(
      "GET", "/v1/sign-in",
      [this](const HttpRequest& request, HttpReply reply) {
        GoToProvider(request, std::move(reply));
      },
      open);
  http->Handle(
      "GET", kCallback,
      [this](const HttpRequest& request, HttpReply reply) { ComeBack(request, std::move(reply)); },
      open);
  http->Handle(
      "POST", "/v1/session",
      [this](const HttpRequest& request, HttpReply reply) { SignIn(request, std::move(reply)); },
      open);
  http->Handle(
      "DELETE", "/v1/session",
      [this](const HttpRequest& request, HttpReply reply) { SignOut(request, std::move(reply)); },
      open);
  http->Handle(
      "POST", "/v1/invitations",
      [this](const HttpRequest& request, HttpReply reply) {
        ChoosePassword(request, std::move(reply));
      },
      open);
  http->Handle(
      "POST", "/v1/staff/{id}/invitation",
      AnsweringFrom(env_.queue, [this](const HttpRequest& request) { return Invite(request); }));
}

void SignInRoutes::GoToProvider(const HttpRequest& request, HttpReply reply) {
  const std::string return_to = LocalPath(request.Query("return_to").value_or("/"));
  if (provider_ == nullptr) return reply.Send(GoTo(kPage, ""));
  const auto waiting = std::make_shared<HttpReply>(std::move(reply));
  provider_->BeginSignIn([this, waiting, request,
                          return_to](absl::StatusOr<OpenIdClient::SignInStart> start) {
    if (!start.ok()) {
      Log(LogLevel::kError, absl::StrCat("sign-in: ", start.status().message()));
      return waiting->Send(PageResponse(
          503, SignInPage(true, "The sign-in service cannot be reached. Please try again later.")));
    }
    const std::string cookie =
        absl::StrCat(seal_.Seal(start->pending), "~", absl::WebSafeBase64Escape(return_to));
    waiting->Send(GoTo(start->url, PendingCookie(request, cookie)));
  });
}

void SignInRoutes::ComeBack(const HttpRequest& request, HttpReply reply) {
  const auto waiting = std::make_shared<HttpReply>(std::move(reply));
  const std::string cookie = CookieValue(request, kPendingCookie);
  const size_t mark = cookie.find('~');
  std::string return_to;
  if (provider_ == nullptr || mark == std::string::npos ||
      !absl::WebSafeBase64Unescape(cookie.substr(mark + 1), &return_to)) {
    return TakeIdentity(request, waiting, kPage,
                        absl::InvalidArgumentError("this browser has begun no sign-in"));
  }
  return_to = LocalPath(return_to);
  const absl::StatusOr<PendingSignIn> pending = seal_.Open(cookie.substr(0, mark), env_.now());
  if (!pending.ok()) return TakeIdentity(request, waiting, return_to, pending.status());
  provider_->FinishSignIn(
      *pending, request.query,
      [this, waiting, request, return_to](const absl::StatusOr<Identity>& identity) {
        TakeIdentity(request, waiting, return_to, identity);
      });
}

void SignInRoutes::TakeIdentity(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                                const std::string& return_to,
                                const absl::StatusOr<Identity>& identity) {
  const auto refuse = [&](const std::string& who, const std::string& why, const std::string& told) {
    NoteFailure(request, who, why);
    HttpResponse response = PageResponse(403, SignInPage(/*by_provider=*/true, told));
    response.headers.push_back({"Set-Cookie", PendingCookie(request, "")});
    reply->Send(std::move(response));
  };
  if (!identity.ok()) {
    return refuse("", std::string(identity.status().message()),
                  "The sign-in did not succeed. Please try again.");
  }
  const std::shared_ptr<const Organisation> organisation = env_.organisation->Get();
  const StaffPerson* const person =
      identity->e_mail_verified ? organisation->FindByEmail(identity->e_mail) : nullptr;
  if (person == nullptr) {
    return refuse(identity->e_mail,
                  identity->e_mail_verified
                      ? "nobody who works here has this address"
                      : "the provider does not say that the address has been verified",
                  "You are known to the sign-in service, and not to Rapport. Please ask whoever "
                  "looks after it to add you.");
  }
  std::vector<std::string> roles;
  for (const std::string& group : identity->groups) {
    const auto [begin, end] = role_of_group_.equal_range(group);
    for (auto role = begin; role != end; ++role) roles.push_back(role->second);
  }
  env_.queue->Add([this, request, reply, return_to, person_id = person->person_id, roles] {
    HttpResponse begun = Begin(request, person_id, issuer_, roles);
    if (begun.status >= 400) return reply->Send(std::move(begun));
    HttpResponse response = GoTo(return_to, "");
    response.headers.insert(response.headers.end(), begun.headers.begin(), begun.headers.end());
    response.headers.push_back({"Set-Cookie", PendingCookie(request, "")});
    reply->Send(std::move(response));
  });
}

void SignInRoutes::SignIn(const HttpRequest& request, HttpReply reply) {
  query::v1::SignInOrder order;
  if (const absl::Status parsed = ParseJsonBody(request, &order); !parsed.ok()) {
    return reply.Send(ErrorResponse(parsed));
  }
  const absl::Duration wait = attempts_.Begin(order.e_mail(), request.client_address, env_.now());
  if (wait > absl::ZeroDuration()) {
    NoteFailure(request, order.e_mail(), "too many attempts");
    HttpResponse response = ErrorResponse(absl::ResourceExhaustedError(
        absl::StrCat("too many attempts; please wait for ",
                     absl::FormatDuration(absl::Ceil(wait, absl::Seconds(1))))));
    response.headers.push_back(
        {"Retry-After", absl::StrCat(absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1))))});
    return reply.Send(std::move(response));
  }
  const std::shared_ptr<const Organisation> organisation = env_.organisation->Get();
  const StaffPerson* const person = organisation->FindByEmail(order.e_mail());
  std::optional<std::string> hash;
  if (person != nullptr) {
    hash = env_.access_log->With([&](const AccessTable& table) -> std::optional<std::string> {
      const AccountEntry* const account = table.FindAccount(person->person_id);
      if (account == nullptr || account->password_hash.empty()) return std::nullopt;
      return account->password_hash;
    });
  }
  const auto waiting = std::make_shared<HttpReply>(std::move(reply));
  passwords_->Check(hash, order.password(),
                    [this, waiting, request, e_mail = order.e_mail(),
                     person_id = person == nullptr ? "" : person->person_id](
                        const absl::StatusOr<PasswordCheck>& check) {
                      if (!check.ok()) return waiting->Send(ErrorResponse(check.status()));
                      if (!check->matches) {
                        NoteFailure(request, e_mail, "wrong address or password");
                        return waiting->Send(ErrorResponse(WrongPassword()));
                      }
                      attempts_.Succeeded(e_mail, request.client_address);
                      env_.queue->Add([this, waiting, request, person_id] {
                        waiting->Send(Begin(request, person_id, kByPassword, {}));
                      });
                    });
}

void SignInRoutes::SignOut(const HttpRequest& request, HttpReply reply) {
  const auto waiting = std::make_shared<HttpReply>(std::move(reply));
  env_.queue->Add([this, waiting, request] {
    const absl::StatusOr<std::string> cookie = env_.access->EndSession(request);
    if (!cookie.ok()) return waiting->Send(ErrorResponse(cookie.status()));
    const auto tell = [waiting, request, set = *cookie](const std::string& provider_url) {
      query::v1::SignedOut out;
      out.set_provider_url(provider_url);
      HttpResponse response = MessageResponse(request, out);
      response.headers.push_back({"Set-Cookie", set});
      waiting->Send(std::move(response));
    };
    if (provider_ == nullptr) return tell("");
    provider_->LogoutUrl("", public_url_ + "/sign-in",
                         [tell](const absl::StatusOr<std::optional<std::string>>& url) {
                           // Here they are signed out all the same.
                           if (!url.ok())
                             Log(LogLevel::kWarning,
                                 absl::StrCat("sign-out: ", url.status().message()));
                           tell(url.ok() ? url->value_or("") : "");
                         });
  });
}

void SignInRoutes::ChoosePassword(const HttpRequest& request, HttpReply reply) {
  query::v1::InvitationOrder order;
  absl::Status wrong = ParseJsonBody(request, &order);
  if (wrong.ok()) wrong = CheckNewPassword(order.password());
  if (!wrong.ok()) return reply.Send(ErrorResponse(wrong));
  const std::string secret_hash = Sha256(order.invitation());
  const absl::Time now = env_.now();
  const auto invited = [this, secret_hash, now]() -> std::optional<std::string> {
    return env_.access_log->With([&](const AccessTable& table) -> std::optional<std::string> {
      const std::optional<std::string> person = table.InvitedBy(secret_hash);
      if (!person || table.FindAccount(*person)->invitation_ends_at <= now) return std::nullopt;
      return person;
    });
  };
  const absl::Status void_link =
      absl::NotFoundError("this link was used already, or is too old; please ask for a new one");
  if (!invited()) {
    NoteFailure(request, "", "a link that was used, or is too old");
    return reply.Send(ErrorResponse(void_link));
  }
  const auto waiting = std::make_shared<HttpReply>(std::move(reply));
  passwords_->Hash(order.password(), [this, waiting, request, invited,
                                      void_link](const absl::StatusOr<std::string>& hash) {
    if (!hash.ok()) return waiting->Send(ErrorResponse(hash.status()));
    env_.queue->Add([this, waiting, request, invited, void_link, hash = *hash] {
      // Somebody else may have used it meanwhile: the queue does one after the other.
      const std::optional<std::string> person = invited();
      if (!person) return waiting->Send(ErrorResponse(void_link));
      access::v1::AccessRecord record;
      record.mutable_password_set()->set_person_id(*person);
      record.mutable_password_set()->set_password_hash(hash);
      const absl::Status written = env_.access_log->Write(std::move(record), *person);
      if (!written.ok()) return waiting->Send(ErrorResponse(written));
      // Whoever had the old password is out.
      access::v1::AccessRecord ended;
      ended.mutable_session_ended()->set_person_id(*person);
      const absl::Status out = env_.access_log->Write(std::move(ended), *person);
      if (!out.ok()) return waiting->Send(ErrorResponse(out));
      waiting->Send(Begin(request, *person, kByPassword, {}));
    });
  });
}

absl::StatusOr<HttpResponse> SignInRoutes::Invite(const HttpRequest& request) const {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& person_id = request.PathValue("id");
  const std::shared_ptr<const Organisation> organisation = env_.organisation->Get();
  const StaffPerson* const person = organisation->FindPerson(person_id);
  if (person == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no person '", person_id, "'"));
  }
  if (person->e_mail.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", person_id, "' has no e-mail address to sign in by; give one first"));
  }
  if (person->left_at <= env_.now()) {
    return absl::FailedPreconditionError(absl::StrCat("'", person_id, "' has left"));
  }
  const std::string secret = absl::WebSafeBase64Escape(RandomBytes());
  query::v1::Invitation invitation;
  invitation.set_person_id(person_id);
  // Behind the "#", it stands in no log of a server or proxy.
  invitation.set_path(absl::StrCat("/sign-in#invitation=", secret));
  ToProto(env_.now() + kInvitationLife, invitation.mutable_expires_at());
  access::v1::AccessRecord record;
  record.mutable_invitation_made()->set_person_id(person_id);
  record.mutable_invitation_made()->set_secret_hash(Sha256(secret));
  *record.mutable_invitation_made()->mutable_expires_at() = invitation.expires_at();
  const std::string by = CallerOf(request).Name();
  RAPPORT_RETURN_IF_ERROR(
      env_.access_log->Write(std::move(record), by.empty() ? "command line" : by));
  return MessageResponse(request, invitation);
}

HttpResponse SignInRoutes::Begin(const HttpRequest& request, const std::string& person_id,
                                 const std::string& proven_by,
                                 const std::vector<std::string>& roles) const {
  const absl::StatusOr<std::string> cookie =
      env_.access->BeginSession(person_id, proven_by, roles, request);
  if (!cookie.ok()) {
    if (absl::IsUnauthenticated(cookie.status())) {
      NoteFailure(request, person_id, std::string(cookie.status().message()));
      return ErrorResponse(WrongPassword());
    }
    return ErrorResponse(cookie.status());
  }
  HttpResponse response{.status = 204};
  response.headers = {{"Set-Cookie", *cookie}, {"Cache-Control", "no-store"}};
  return response;
}

void SignInRoutes::NoteFailure(const HttpRequest& request, const std::string& who,
                               const std::string& why) const {
  Log(LogLevel::kWarning, absl::StrCat("sign-in", who.empty() ? "" : " of ", Printable(who),
                                       " from ", request.client_address, " failed: ", why));
  if (env_.audit == nullptr) return;
  access::v1::AuditRecord record;
  record.set_action(access::v1::AUDIT_ACTION_SIGN_IN_FAILED);
  record.set_actor(who.substr(0, 200));
  record.set_client_address(request.client_address);
  record.set_detail(why);
  env_.audit->Note(std::move(record));
}

}  // namespace rapport
