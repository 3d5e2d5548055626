#include "libs/people/people_access.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/web_hook_check/hashes.h"
#include "rapport/access/v1/access.pb.h"

namespace rapport {
namespace {

using access::v1::AuditAction;
using access::v1::CallerStatement;
using access::v1::SessionTicket;

// Over TLS the prefix has browsers keep the cookie to this host, and to TLS.
constexpr char kSecureCookie[] = "__Host-rapport";
constexpr char kCookie[] = "rapport";
// How long a statement holds: on its way, and for clocks that differ.
constexpr absl::Duration kStatementLife = absl::Minutes(2);
// How long other processes may take to hear of a new session.
constexpr absl::Duration kNewsDelay = absl::Minutes(1);
constexpr absl::Duration kSessionUsedEach = absl::Minutes(5);
constexpr absl::Duration kTokenUsedEach = absl::Minutes(10);
constexpr size_t kMostCached = 10'000;

absl::Status NoSuchUnit(absl::string_view unit_id) {
  return absl::InvalidArgumentError(absl::StrCat("there is no unit '", unit_id, "'"));
}

bool ChangesSomething(absl::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

// Whether a page of ours sent it: a browser tells, whatever page another site has.
bool IsSameOrigin(const HttpRequest& request) {
  const absl::string_view site = request.HeaderValue("sec-fetch-site");
  if (!site.empty()) return site == "same-origin";
  // The server has refused origins that are not ours.
  return !request.HeaderValue("origin").empty();
}

HttpResponse Refuse(const absl::Status& status) {
  HttpResponse response = ErrorResponse(status);
  if (absl::IsUnauthenticated(status)) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

// {id} or {client} of the route.
std::string ClientOf(const HttpRequest& request, const RouteRule& rule) {
  const bool is_client = absl::StartsWith(rule.pattern, "/v1/clients/{id}") ||
                         rule.pattern == "/v1/retention/{client}";
  if (!is_client || request.path_values.empty()) return "";
  return request.path_values.front().second;
}

}  // namespace

std::string CookieValue(const HttpRequest& request, absl::string_view name) {
  for (absl::string_view pair : absl::StrSplit(request.HeaderValue("cookie"), ';')) {
    pair = absl::StripAsciiWhitespace(pair);
    if (absl::ConsumePrefix(&pair, name) && absl::ConsumePrefix(&pair, "=")) {
      return std::string(pair);
    }
  }
  return "";
}

PeopleAccess::PeopleAccess(Options options, const OrganisationLog* organisation, AccessLog* access,
                           AuditLog* audit)
    : options_(std::move(options)),
      organisation_(organisation),
      access_(access),
      audit_(audit),
      tickets_(options_.key, "session"),
      statements_(options_.key, "caller") {}

bool PeopleAccess::controlled() const {
  return options_.has_provider ||
         std::any_of(options_.master_tokens.begin(), options_.master_tokens.end(),
                     [](const MasterToken& token) { return token.closes; }) ||
         access_->With([](const AccessTable& table) { return !table.empty(); });
}

absl::StatusOr<std::shared_ptr<const Caller>> PeopleAccess::FromStatement(
    absl::string_view statement) const {
  const std::optional<std::string> message = statements_.Open(statement);
  CallerStatement said;
  if (!message || !said.ParseFromString(*message)) {
    return absl::UnauthenticatedError(
        "the statement of who asks was not signed by this deployment; all its processes need the "
        "same access.key_file or http.token_file");
  }
  const absl::Duration age = options_.now() - FromProto(said.at());
  if (age > kStatementLife || age < -kStatementLife) {
    return absl::UnauthenticatedError(absl::StrCat("the statement of who asks was signed ",
                                                   absl::FormatDuration(age),
                                                   " ago; do the clocks of the machines differ?"));
  }
  if (organisation_->position().value() < said.organisation_position()) {
    return absl::UnavailableError("the organisation has changed, and this process has yet to hear");
  }
  auto caller = std::make_shared<Caller>();
  caller->kind = !said.person_id().empty()  ? Caller::Kind::kPerson
                 : !said.token_id().empty() ? Caller::Kind::kToken
                                            : Caller::Kind::kAnybody;
  caller->id = caller->kind == Caller::Kind::kToken ? said.token_id() : said.person_id();
  caller->is_staff = said.is_staff();
  caller->permissions = said.permissions();
  caller->permissions_for_all = said.permissions_for_all();
  caller->source = said.source();
  caller->sees_all = said.sees_all();
  if (!caller->sees_all) {
    caller->owners = std::make_shared<const absl::flat_hash_set<std::string>>(
        organisation_->Get()->PortfoliosOf(said.person_id(), options_.now()));
  }
  return caller;
}

std::vector<Header> PeopleAccess::Vouch(const HttpRequest& request) const {
  if (!options_.key_is_shared) return {};
  const Caller& caller = CallerOf(request);
  CallerStatement statement;
  ToProto(options_.now(), statement.mutable_at());
  if (caller.kind == Caller::Kind::kToken) {
    statement.set_token_id(caller.id);
  } else {
    statement.set_person_id(caller.id);
  }
  statement.set_is_staff(caller.is_staff);
  statement.set_permissions(caller.permissions);
  statement.set_permissions_for_all(caller.permissions_for_all);
  statement.set_sees_all(caller.sees_all);
  statement.set_source(caller.source);
  statement.set_organisation_position(organisation_->position().value());
  return {{kCallerHeader, statements_.Sign(statement.SerializeAsString())}};
}

absl::StatusOr<std::shared_ptr<const Caller>> PeopleAccess::FromToken(absl::string_view secret) {
  for (const MasterToken& master : options_.master_tokens) {
    if (!ConstantTimeEqual(master.secret, secret)) continue;
    auto caller = std::make_shared<Caller>(*Anybody());
    caller->kind = Caller::Kind::kPerson;
    caller->id = master.name;
    return caller;
  }
  const absl::Time now = options_.now();
  const std::optional<TokenEntry> token =
      access_->With([&](const AccessTable& table) -> std::optional<TokenEntry> {
        const TokenEntry* const found = table.FindTokenBySecret(Sha256(secret));
        if (found == nullptr) return std::nullopt;
        return *found;
      });
  if (!token) {
    return absl::UnauthenticatedError("this token is not known, or was revoked");
  }
  if (token->expires_at <= now) {
    return absl::UnauthenticatedError(
        absl::StrCat("token '", token->token_id, "' held until ",
                     absl::FormatTime(absl::RFC3339_sec, token->expires_at, absl::UTCTimeZone()),
                     "; make a new one"));
  }
  auto caller = std::make_shared<Caller>();
  caller->kind = Caller::Kind::kToken;
  caller->id = token->token_id;
  caller->source = token->source;
  caller->sees_all = true;
  for (const std::string& scope : token->scopes) {
    caller->permissions |= PermissionsOfScope(scope).value_or(0);
  }
  caller->permissions_for_all = caller->permissions;
  const MutexLock lock(&mutex_);
  absl::Time& told = used_.try_emplace("token/" + token->token_id, token->used_at).first->second;
  if (now - told >= kTokenUsedEach) {
    told = now;
    access::v1::AccessRecord record;
    record.mutable_token_used()->set_token_id(token->token_id);
    ToProto(now, record.mutable_token_used()->mutable_used_at());
    access_->WriteLater(std::move(record));
  }
  return caller;
}

std::shared_ptr<PeopleAccess::Checked> PeopleAccess::SessionOf(const HttpRequest& request) const {
  // What was set over TLS is not taken without, nor the other way round.
  std::string cookie = CookieValue(request, request.secure ? kSecureCookie : kCookie);
  if (cookie.empty()) return nullptr;
  {
    const MutexLock lock(&mutex_);
    const auto known = checked_.find(cookie);
    if (known != checked_.end()) return known->second;
  }
  const std::optional<std::string> message = tickets_.Open(cookie);
  const auto fresh = std::make_shared<Checked>();
  if (!message || !fresh->ticket.ParseFromString(*message)) return nullptr;
  const MutexLock lock(&mutex_);
  if (checked_.size() >= kMostCached) checked_.clear();
  return checked_.try_emplace(std::move(cookie), fresh).first->second;
}

absl::Status PeopleAccess::CheckSession(const SessionTicket& ticket) {
  const absl::Time now = options_.now();
  const auto over = [] {
    return absl::UnauthenticatedError("the session is over; please sign in again");
  };
  if (FromProto(ticket.ends_at()) <= now) return over();
  struct Standing {
    bool known = false;
    bool ended = false;
    absl::Time used_at;
  };
  const Standing standing = access_->With([&ticket, now](const AccessTable& table) -> Standing {
    const SessionEntry* const session = table.FindSession(ticket.session_id());
    if (session == nullptr) return {};
    return {true, session->ended || session->ends_at <= now, session->used_at};
  });
  if (!standing.known) {
    // Another process has begun it just now, and this one has yet to hear of it.
    return now - FromProto(ticket.begun_at()) < kNewsDelay ? absl::OkStatus() : over();
  }
  if (standing.ended) return over();
  const MutexLock lock(&mutex_);
  // What is forgotten stands in the log, to a few minutes.
  if (used_.size() >= 2 * kMostCached) used_.clear();
  absl::Time& told = used_.try_emplace(ticket.session_id(), standing.used_at).first->second;
  if (now - std::max(told, standing.used_at) >= options_.session_idle) {
    used_.erase(ticket.session_id());
    return absl::UnauthenticatedError(
        "the session is over, since nobody used it for a while; please sign in again");
  }
  if (now - told >= std::min(kSessionUsedEach, options_.session_idle / 4)) {
    told = now;
    access::v1::AccessRecord record;
    record.mutable_session_used()->set_session_id(ticket.session_id());
    ToProto(now, record.mutable_session_used()->mutable_used_at());
    access_->WriteLater(std::move(record));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Caller>> PeopleAccess::CallerOfSession(Checked* session) {
  const absl::Time now = options_.now();
  const int64_t second = absl::ToUnixSeconds(now);
  std::shared_ptr<const Organisation> organisation = organisation_->Get();
  {
    const MutexLock lock(&mutex_);
    const Given& given = session->given;
    if (given.organisation == organisation && given.second == second) return given.caller;
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::shared_ptr<const Caller> caller,
                           CallerFor(*organisation, session->ticket, now));
  const MutexLock lock(&mutex_);
  session->given = {.organisation = std::move(organisation), .second = second, .caller = caller};
  return caller;
}

absl::StatusOr<std::shared_ptr<const Caller>> PeopleAccess::CallerFor(
    const Organisation& organisation, const SessionTicket& ticket, absl::Time now) const {
  const std::string& person_id = ticket.person_id();
  const StaffPerson* const person = organisation.FindPerson(person_id);
  if (person == nullptr || person->left_at <= now) {
    return absl::UnauthenticatedError(
        absl::StrCat("'", person_id, "' does not work here any more"));
  }
  std::vector<organisation::v1::Role> roles = person->roles;
  for (const std::string& name : ticket.group_roles()) {
    if (const auto role = ParseRole(name)) roles.push_back(*role);
  }
  if (!organisation.LedBy(person_id, now).empty()) roles.push_back(organisation::v1::ROLE_LEAD);
  auto caller = std::make_shared<Caller>();
  caller->kind = Caller::Kind::kPerson;
  caller->id = person_id;
  caller->is_staff = true;
  for (const organisation::v1::Role role : roles) {
    caller->permissions |= PermissionsOf(role);
    if (SeesAllClients(role)) caller->permissions_for_all |= PermissionsOf(role);
  }
  caller->owners = std::make_shared<const absl::flat_hash_set<std::string>>(
      organisation.PortfoliosOf(person_id, now));
  return caller;
}

absl::StatusOr<std::shared_ptr<const Caller>> PeopleAccess::Identify(const HttpRequest& request) {
  const absl::string_view statement = request.HeaderValue(kCallerHeader);
  if (!statement.empty()) return FromStatement(statement);
  absl::string_view bearer = request.HeaderValue("authorization");
  if (absl::StartsWithIgnoreCase(bearer, "bearer ")) {
    return FromToken(absl::StripAsciiWhitespace(bearer.substr(7)));
  }
  if (const std::shared_ptr<Checked> session = SessionOf(request)) {
    RAPPORT_RETURN_IF_ERROR(CheckSession(session->ticket));
    if (ChangesSomething(request.method) && !IsSameOrigin(request)) {
      return absl::PermissionDeniedError(
          "what changes something must come from a page of this server, or with a token");
    }
    return CallerOfSession(session.get());
  }
  if (!controlled()) return Anybody();
  return absl::UnauthenticatedError(
      "please sign in, or send an API token as \"Authorization: Bearer TOKEN\"");
}

Access::Admission PeopleAccess::Admit(const HttpRequest& request, absl::string_view pattern) {
  absl::StatusOr<std::shared_ptr<const Caller>> caller = Identify(request);
  if (!caller.ok()) return {.refusal = Refuse(caller.status())};
  // What is not there, everybody may know who may know something.
  if (pattern.empty()) return {.caller = *std::move(caller)};
  const std::optional<RouteRule> rule = FindRule(request.method, pattern);
  const bool may =
      rule ? (*caller)->May(rule->permission) : (*caller)->permissions == Anybody()->permissions;
  if (!may) {
    const std::string why = rule ? absl::StrCat((*caller)->Name(), " may not do this: it needs ",
                                                PermissionName(rule->permission))
                                 : absl::StrCat((*caller)->Name(), " may not do this");
    if (rule) NoteRefusal(**caller, *rule, request, why);
    return {.refusal = Refuse(absl::PermissionDeniedError(why))};
  }
  Admission admission{.caller = *std::move(caller)};
  // The gateway has said so of what it was asked for.
  if (rule && request.HeaderValue(kCallerHeader).empty() &&
      admission.caller->sees_all != admission.caller->MayForAll(rule->permission)) {
    auto wide = std::make_shared<Caller>(*admission.caller);
    wide->sees_all = admission.caller->MayForAll(rule->permission);
    admission.caller = std::move(wide);
  }
  if (rule && audit_ != nullptr && request.HeaderValue(kCallerHeader).empty()) {
    admission.answered = Watch(*admission.caller, *rule, request);
  }
  return admission;
}

std::function<void(int)> PeopleAccess::Watch(const Caller& caller, const RouteRule& rule,
                                             const HttpRequest& request) {
  const bool changes =
      ChangesSomething(rule.method) && request.Query("dry_run").value_or("") != "true";
  if (!changes && rule.reach != Reach::kOwn) return {};
  const std::string client = ClientOf(request, rule);
  // Programs that offer touchpoints are known by these.
  if (rule.permission == Permission::kWriteTouchpoints || (client.empty() && !changes)) return {};
  access::v1::AuditRecord record;
  record.set_action(changes ? (rule.permission == Permission::kChangeStaff ||
                                       rule.permission == Permission::kManageTokens
                                   ? access::v1::AUDIT_ACTION_GRANTED
                                   : access::v1::AUDIT_ACTION_ACTED)
                    : absl::EndsWith(rule.pattern, "/touchpoints")
                        ? access::v1::AUDIT_ACTION_EXPORTED
                        : access::v1::AUDIT_ACTION_READ_CLIENT);
  record.set_actor(caller.Name());
  record.set_client_id(client);
  record.set_route(
      absl::StrCat(rule.method, " ", changes ? request.path : std::string(rule.pattern)));
  record.set_client_address(request.client_address);
  const bool narrowed = !caller.sees_all;
  return [audit = audit_, record = std::move(record), narrowed](int status) mutable {
    if (status == 404 && narrowed) {
      record.set_action(access::v1::AUDIT_ACTION_REFUSED);
      record.set_detail("there is none that they see");
    } else if (status >= 400) {
      return;
    }
    audit->Note(std::move(record));
  };
}

void PeopleAccess::NoteRefusal(const Caller& caller, const RouteRule& rule,
                               const HttpRequest& request, absl::string_view why) {
  if (audit_ == nullptr) return;
  access::v1::AuditRecord record;
  record.set_action(access::v1::AUDIT_ACTION_REFUSED);
  record.set_actor(caller.Name());
  record.set_client_id(ClientOf(request, rule));
  record.set_route(absl::StrCat(rule.method, " ", rule.pattern));
  record.set_client_address(request.client_address);
  record.set_detail(std::string(why));
  audit_->Note(std::move(record));
}

absl::StatusOr<std::vector<std::string>> PeopleAccess::OwnersIn(absl::string_view unit_id) const {
  const std::shared_ptr<const Organisation> organisation = organisation_->Get();
  if (organisation->FindUnit(unit_id) == nullptr) return NoSuchUnit(unit_id);
  return organisation->PeopleIn(unit_id, options_.now());
}

absl::StatusOr<std::vector<Access::Stay>> PeopleAccess::StaysIn(absl::string_view unit_id,
                                                                bool below) const {
  const std::shared_ptr<const Organisation> organisation = organisation_->Get();
  if (organisation->FindUnit(unit_id) == nullptr) return NoSuchUnit(unit_id);
  std::vector<Stay> stays;
  for (UnitStay& stay : organisation->StaysIn(unit_id, below)) {
    stays.push_back({std::move(stay.person_id), stay.from, stay.to});
  }
  return stays;
}

std::vector<Access::Unit> PeopleAccess::Units() const {
  std::vector<Unit> units;
  const std::shared_ptr<const Organisation> organisation = organisation_->Get();
  for (const auto& [id, unit] : organisation->units()) {
    units.push_back({id, unit.name, UnitKindName(unit.kind)});
  }
  return units;
}

std::string PeopleAccess::NameOf(absl::string_view person_id) const {
  const std::shared_ptr<const Organisation> organisation = organisation_->Get();
  const StaffPerson* const person = organisation->FindPerson(person_id);
  return person == nullptr ? "" : person->name;
}

std::vector<Access::OwnPerson> PeopleAccess::WhoWorksHere() const {
  std::vector<OwnPerson> people;
  const std::shared_ptr<const Organisation> organisation = organisation_->Get();
  for (const StaffPerson* const person : organisation->People()) {
    if (person->left_at <= options_.now()) continue;
    OwnPerson& own = people.emplace_back();
    own.person_id = person->person_id;
    own.extensions = person->extensions;
    own.e_mails = person->mailboxes;
    if (!person->e_mail.empty()) own.e_mails.push_back(person->e_mail);
  }
  return people;
}

std::string PeopleAccess::ActingFor(absl::string_view owner_id, absl::Time at) const {
  return organisation_->Get()->ActingFor(owner_id, at);
}

std::string PeopleAccess::EscalatesTo(absl::string_view owner_id, absl::Time at) const {
  return organisation_->Get()->EscalatesTo(owner_id, at);
}

absl::Status PeopleAccess::CheckWorksHere(absl::string_view person_id) const {
  const std::shared_ptr<const Organisation> organisation = organisation_->Get();
  const StaffPerson* const person = organisation->FindPerson(person_id);
  // A firm that has not said who works there may name whomever it likes.
  if (person == nullptr && organisation->people_count() == 0) return absl::OkStatus();
  if (person == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("nobody here is called '", person_id, "'"));
  }
  if (person->left_at > options_.now()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", person_id, "' left on ",
                   absl::FormatTime("%Y-%m-%d", person->left_at, absl::UTCTimeZone())));
}

absl::StatusOr<std::string> PeopleAccess::BeginSession(const std::string& person_id,
                                                       const std::string& proven_by,
                                                       const std::vector<std::string>& group_roles,
                                                       const HttpRequest& request) {
  const absl::Time now = options_.now();
  SessionTicket ticket;
  ticket.set_session_id(absl::BytesToHexString(RandomBytes().substr(0, 16)));
  ticket.set_person_id(person_id);
  ToProto(now, ticket.mutable_begun_at());
  ToProto(now + options_.session_length, ticket.mutable_ends_at());
  ticket.mutable_group_roles()->Assign(group_roles.begin(), group_roles.end());
  RAPPORT_RETURN_IF_ERROR(CallerFor(*organisation_->Get(), ticket, now).status());
  access::v1::AccessRecord record;
  access::v1::SessionBegun& begun = *record.mutable_session_begun();
  begun.set_session_id(ticket.session_id());
  begun.set_person_id(person_id);
  *begun.mutable_ends_at() = ticket.ends_at();
  begun.set_proven_by(proven_by);
  *begun.mutable_group_roles() = ticket.group_roles();
  begun.set_client_address(request.client_address);
  RAPPORT_RETURN_IF_ERROR(access_->Write(std::move(record), person_id));
  if (audit_ != nullptr) {
    access::v1::AuditRecord line;
    line.set_action(access::v1::AUDIT_ACTION_SIGNED_IN);
    line.set_actor(person_id);
    line.set_client_address(request.client_address);
    line.set_detail(proven_by);
    audit_->Note(std::move(line));
  }
  return absl::StrCat(request.secure ? kSecureCookie : kCookie, "=",
                      tickets_.Sign(ticket.SerializeAsString()), "; Path=/; HttpOnly; SameSite=Lax",
                      request.secure ? "; Secure" : "");
}

absl::StatusOr<std::string> PeopleAccess::EndSession(const HttpRequest& request) {
  if (const std::shared_ptr<Checked> session = SessionOf(request)) {
    const SessionTicket& ticket = session->ticket;
    access::v1::AccessRecord record;
    record.mutable_session_ended()->set_session_id(ticket.session_id());
    record.mutable_session_ended()->set_person_id(ticket.person_id());
    RAPPORT_RETURN_IF_ERROR(access_->Write(std::move(record), ticket.person_id()));
    if (audit_ != nullptr) {
      access::v1::AuditRecord line;
      line.set_action(access::v1::AUDIT_ACTION_SIGNED_OUT);
      line.set_actor(ticket.person_id());
      line.set_client_address(request.client_address);
      audit_->Note(std::move(line));
    }
  }
  return absl::StrCat(request.secure ? kSecureCookie : kCookie,
                      "=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0",
                      request.secure ? "; Secure" : "");
}

std::optional<absl::Time> PeopleAccess::SessionEnds(const HttpRequest& request) const {
  const std::shared_ptr<Checked> session = SessionOf(request);
  if (session == nullptr) return std::nullopt;
  return FromProto(session->ticket.ends_at());
}

}  // namespace rapport
