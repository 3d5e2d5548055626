#include "libs/people/access_routes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/people/signer.h"
#include "libs/serving/query_values.h"
#include "libs/serving/queued_answer.h"
#include "libs/web_hook_check/hashes.h"
#include "rapport/query/v1/access.pb.h"

namespace rapport {
namespace {

constexpr size_t kLongestTokenId = 100;
constexpr int64_t kMostAuditLines = 10'000;
// How far back the audit is read when nothing is said.
constexpr absl::Duration kAuditDays = absl::Hours(24 * 30);

std::string ByWhom(const HttpRequest& request) {
  std::string name = CallerOf(request).Name();
  return name.empty() ? "command line" : name;
}

absl::Status CheckTokenId(const std::string& id) {
  const bool clean = !id.empty() && id.size() <= kLongestTokenId &&
                     std::all_of(id.begin(), id.end(), [](unsigned char c) {
                       return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
                     });
  if (clean) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("token_id is '", absl::CHexEscape(id.substr(0, kLongestTokenId)),
                   "'; write letters, digits, '-', '_' and '.', up to ", kLongestTokenId));
}

absl::Status CheckOrder(const query::v1::TokenOrder& order, const Caller& caller, absl::Time now) {
  RAPPORT_RETURN_IF_ERROR(CheckTokenId(order.token_id()));
  if (order.scopes().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("scopes: none; there are: ", absl::StrJoin(TokenScopes(), ", ")));
  }
  bool writes = false;
  for (const std::string& scope : order.scopes()) {
    const std::optional<uint32_t> permissions = PermissionsOfScope(scope);
    if (!permissions) {
      return absl::InvalidArgumentError(absl::StrCat(
          "scopes: '", scope, "' is none; there are: ", absl::StrJoin(TokenScopes(), ", ")));
    }
    writes = writes || scope == "touchpoints:write";
    // Nobody gives away more than they have: a token sees all clients.
    const uint32_t beyond = *permissions & ~caller.permissions;
    const uint32_t of_clients = *permissions & PermissionsWithReach();
    if (beyond != 0 || (of_clients & ~caller.permissions_for_all) != 0) {
      return absl::PermissionDeniedError(
          absl::StrCat("scopes: '", scope, "' may do more than ", caller.Name(), " may"));
    }
  }
  if (!order.source().empty() && !writes) {
    return absl::InvalidArgumentError("source: goes with the scope touchpoints:write alone");
  }
  if (order.has_expires_at() && FromProto(order.expires_at()) <= now) {
    return absl::InvalidArgumentError("expires_at: is over; give a time to come");
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpResponse> MakeToken(const HttpRequest& request, const AccessRoutesEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::TokenOrder order;
  RAPPORT_RETURN_IF_ERROR(ParseJsonBody(request, &order));
  RAPPORT_RETURN_IF_ERROR(CheckOrder(order, CallerOf(request), env.now()));
  const bool taken = env.access_log->With(
      [&](const AccessTable& table) { return table.FindToken(order.token_id()) != nullptr; });
  if (taken) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a token '", order.token_id(),
                     "' already; revoke it first, or choose another name"));
  }
  query::v1::TokenSecret secret;
  secret.set_token_id(order.token_id());
  // The beginning tells people, and those who look for leaked secrets, what it is.
  secret.set_secret(absl::StrCat("rapport_", absl::WebSafeBase64Escape(RandomBytes())));
  access::v1::AccessRecord record;
  access::v1::TokenMade& made = *record.mutable_token_made();
  made.set_token_id(order.token_id());
  made.set_secret_hash(Sha256(secret.secret()));
  *made.mutable_scopes() = order.scopes();
  made.set_source(order.source());
  if (order.has_expires_at()) *made.mutable_expires_at() = order.expires_at();
  RAPPORT_RETURN_IF_ERROR(env.access_log->Write(std::move(record), ByWhom(request)));
  return MessageResponse(request, secret);
}

absl::StatusOr<HttpResponse> RevokeToken(const HttpRequest& request, const AccessRoutesEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& token_id = request.PathValue("id");
  const bool there = env.access_log->With(
      [&](const AccessTable& table) { return table.FindToken(token_id) != nullptr; });
  if (!there) return absl::NotFoundError(absl::StrCat("there is no token '", token_id, "'"));
  access::v1::AccessRecord record;
  record.mutable_token_revoked()->set_token_id(token_id);
  RAPPORT_RETURN_IF_ERROR(env.access_log->Write(std::move(record), ByWhom(request)));
  return HttpResponse{.status = 204};
}

absl::StatusOr<HttpResponse> ListTokens(const HttpRequest& request, const AccessRoutesEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  query::v1::TokenList list;
  env.access_log->With([&list](const AccessTable& table) {
    for (const auto& [id, token] : table.tokens()) {
      query::v1::Token& shown = *list.add_tokens();
      shown.set_token_id(id);
      shown.mutable_scopes()->Assign(token.scopes.begin(), token.scopes.end());
      shown.set_source(token.source);
      shown.set_made_by(token.made_by);
      ToProto(token.made_at, shown.mutable_made_at());
      if (token.expires_at != absl::InfiniteFuture()) {
        ToProto(token.expires_at, shown.mutable_expires_at());
      }
      if (token.used_at != absl::InfinitePast()) ToProto(token.used_at, shown.mutable_used_at());
    }
    return 0;
  });
  return MessageResponse(request, list);
}

absl::StatusOr<HttpResponse> ShowSession(const HttpRequest& request, const AccessRoutesEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  RAPPORT_ASSIGN_OR_RETURN(const std::shared_ptr<const Caller> caller,
                           env.access->Identify(request));
  query::v1::Session session;
  session.set_access_controlled(env.access->controlled());
  session.set_person_id(caller->Name());
  session.set_sees_all_clients(caller->MayForAll(Permission::kReadClients));
  if (caller->owners != nullptr && !session.sees_all_clients()) {
    std::vector<std::string> owners(caller->owners->begin(), caller->owners->end());
    std::sort(owners.begin(), owners.end());
    session.mutable_owner_ids()->Assign(owners.begin(), owners.end());
  }
  const std::shared_ptr<const Organisation> organisation = env.organisation->Get();
  if (const StaffPerson* const person = organisation->FindPerson(caller->id)) {
    session.set_name(person->name);
    for (const organisation::v1::Role role : person->roles) session.add_roles(RoleName(role));
    for (std::string& unit : organisation->LedBy(caller->id, env.now())) {
      session.add_leads_unit_ids(std::move(unit));
    }
  }
  if (const std::optional<absl::Time> ends = env.access->SessionEnds(request)) {
    ToProto(*ends, session.mutable_ends_at());
  }
  return MessageResponse(request, session);
}

absl::StatusOr<HttpResponse> EndAllSessions(const HttpRequest& request,
                                            const AccessRoutesEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {}));
  const std::string& person_id = request.PathValue("id");
  if (env.organisation->Get()->FindPerson(person_id) == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no person '", person_id, "'"));
  }
  access::v1::AccessRecord record;
  record.mutable_session_ended()->set_person_id(person_id);
  RAPPORT_RETURN_IF_ERROR(env.access_log->Write(std::move(record), ByWhom(request)));
  return HttpResponse{.status = 204};
}

absl::StatusOr<HttpResponse> ReadAudit(const HttpRequest& request, const AccessRoutesEnv& env) {
  RAPPORT_RETURN_IF_ERROR(CheckQuery(request, {"client", "person", "from", "to", "limit"}));
  AuditFilter filter;
  filter.client_id = request.Query("client").value_or("");
  filter.actor = request.Query("person").value_or("");
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> from, QueryTime(request, "from"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> to, QueryTime(request, "to"));
  filter.from = from.value_or(env.now() - kAuditDays);
  filter.to = to.value_or(absl::InfiniteFuture());
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int64_t> limit,
                           QueryNumber(request, "limit", 1, kMostAuditLines));
  if (limit) filter.limit = static_cast<size_t>(*limit);
  RAPPORT_ASSIGN_OR_RETURN(const query::v1::AuditList list, env.audit->Read(filter));
  return MessageResponse(request, list);
}

}  // namespace

void AddAccessRoutes(HttpServer* http, const AccessRoutesEnv& env) {
  using Read = absl::StatusOr<HttpResponse> (*)(const HttpRequest&, const AccessRoutesEnv&);
  const auto with = [&env](Read read) {
    return [read, env](const HttpRequest& request) { return read(request, env); };
  };
  const auto later = [&](const char* method, const char* pattern, Read read) {
    http->Handle(method, pattern, AnsweringFrom(env.queue, with(read)));
  };
  http->Handle("GET", "/v1/tokens", Answering(with(ListTokens)));
  later("POST", "/v1/tokens", MakeToken);
  later("DELETE", "/v1/tokens/{id}", RevokeToken);
  // Whoever asks who they are need not be allowed anything.
  http->Handle("GET", "/v1/session", Answering(with(ShowSession)), {.open = true});
  later("DELETE", "/v1/staff/{id}/sessions", EndAllSessions);
  later("GET", "/v1/audit", ReadAudit);
}

}  // namespace rapport
