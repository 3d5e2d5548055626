#include "libs/people/route_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rapport {
namespace {

using organisation::v1::Role;
using enum Permission;

constexpr absl::string_view kProjections = "/v1/projections/";

constexpr std::array kRules = {
    RouteRule{"GET", "/v1/clients", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/search", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/clients/{id}", kReadClients, Reach::kOwn},
    RouteRule{"GET", "/v1/clients/{id}/timeline", kReadClients, Reach::kOwn},
    RouteRule{"GET", "/v1/clients/{id}/touchpoints", kReadClients, Reach::kOwn},
    RouteRule{"POST", "/v1/clients/{id}/touchpoints", kRecordContacts, Reach::kOwn},
    RouteRule{"POST", "/v1/clients/{id}/touchpoints/{touchpoint_id}/withdraw", kRecordContacts,
              Reach::kOwn},
    RouteRule{"GET", "/v1/agenda", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/commitments", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/owners/{id}/call-list", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/changes/stream", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/retention/at-risk", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/retention/{client}", kReadClients, Reach::kOwn},
    RouteRule{"GET", "/v1/retention/{client}/history", kReadClients, Reach::kOwn},
    RouteRule{"GET", "/v1/pipeline/board", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/pipeline/deals", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/deals/{id}", kReadClients, Reach::kOwn},
    RouteRule{"GET", "/v1/kpis", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/values", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/waterfall", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/sums", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/{kpi}/breakdown", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/{kpi}/touchpoints", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/{kpi}/changes", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/alerts", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/alerts/stream", kReadClients, Reach::kNarrow},
    RouteRule{"GET", "/v1/alerts/{id}", kReadClients, Reach::kOwn},
    RouteRule{"POST", "/v1/alerts/{id}/acknowledge", kActOnAlerts, Reach::kOwn},
    RouteRule{"POST", "/v1/alerts/{id}/snooze", kActOnAlerts, Reach::kOwn},
    RouteRule{"POST", "/v1/alerts/{id}/dismiss", kActOnAlerts, Reach::kOwn},
    RouteRule{"POST", "/v1/alerts/{id}/resolve", kActOnAlerts, Reach::kOwn},
    RouteRule{"GET", "/v1/kpis/forecast", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/cohorts", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/kpis/deals", kReadFigures, Reach::kNarrow},
    RouteRule{"GET", "/v1/targets", kReadFigures, Reach::kNarrow},
    RouteRule{"POST", "/v1/targets", kSetPlans, Reach::kNarrow},
    RouteRule{"GET", "/v1/bonus/schemes", kReadFigures, Reach::kNone},
    RouteRule{"GET", "/v1/bonus/statement", kReadFigures, Reach::kOwn},
    RouteRule{"POST", "/v1/bonus/what-if", kSetPlans, Reach::kNarrow},
    RouteRule{"POST", "/v1/handovers", kHandOver, Reach::kNarrow},
    RouteRule{"POST", "/v1/clients/{id}/merge", kMergeClients, Reach::kNone},
    RouteRule{"POST", "/v1/merges/{id}/split", kMergeClients, Reach::kNone},
    RouteRule{"GET", "/v1/merges", kMergeClients, Reach::kNone},
    RouteRule{"GET", "/v1/merges/{id}", kMergeClients, Reach::kNone},
    RouteRule{"GET", "/v1/identities", kMergeClients, Reach::kNone},
    RouteRule{"GET", "/v1/identities/reviews", kMergeClients, Reach::kNone},
    RouteRule{"POST", "/v1/identities/reviews/{id}/reject", kMergeClients, Reach::kNone},
    RouteRule{"POST", "/v1/touchpoints", kWriteTouchpoints, Reach::kNone},
    RouteRule{"GET", "/v1/sources", kReadSources, Reach::kNone},
    RouteRule{"GET", "/v1/sources/{name}/records", kReadSources, Reach::kNone},
    RouteRule{"GET", "/v1/rejected", kReadRejected, Reach::kNone},
    RouteRule{"GET", "/v1/rejected/{position}", kReadRejected, Reach::kNone},
    RouteRule{"POST", "/v1/rejected/{position}/retry", kMendRejected, Reach::kNone},
    RouteRule{"GET", "/v1/clock", kReadOperation, Reach::kNone},
    RouteRule{"POST", "/v1/clock", kOperate, Reach::kNone},
    RouteRule{"GET", "/v1/web-hooks", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/v1/web-hooks/{name}/deliveries", kReadOperation, Reach::kNone},
    RouteRule{"POST", "/v1/web-hooks/{name}/deliveries/{id}/resend", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/web-hooks/{name}/enable", kOperate, Reach::kNone},
    RouteRule{"GET", "/v1/mail", kReadOperation, Reach::kNone},
    RouteRule{"POST", "/v1/mail/test", kOperate, Reach::kNone},
    RouteRule{"GET", "/v1/mail/digests/{person}", kReadClients, Reach::kOwn},
    RouteRule{"POST", "/v1/mail/digests/{person}", kReadClients, Reach::kOwn},
    RouteRule{"GET", "/v1/mail/preferences/{person}", kReadStaff, Reach::kNone},
    RouteRule{"POST", "/v1/mail/preferences/{person}", kReadStaff, Reach::kNone},
    RouteRule{"GET", "/v1/projections", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/v1/projections/{projection}", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/v1/projections/{projection}/jobs", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/v1/projections/{projection}/dead-letters", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/v1/projections/{projection}/dead-letters/{position}", kReadOperation,
              Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/dead-letters/{position}/retry", kOperate,
              Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/dead-letters/{position}/skip", kOperate,
              Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/rebuild", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/verify", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/rollback", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/jobs/pause", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/jobs/resume", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/projections/{projection}/jobs/cancel", kOperate, Reach::kNone},
    RouteRule{"POST", "/v1/log/checkpoint", kOperate, Reach::kNone},
    RouteRule{"GET", "/v1/config", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/metrics", kReadOperation, Reach::kNone},
    RouteRule{"GET", "/v1/staff", kReadStaff, Reach::kNone},
    RouteRule{"GET", "/v1/staff/{id}", kReadStaff, Reach::kNone},
    RouteRule{"POST", "/v1/staff", kChangeStaff, Reach::kNone},
    RouteRule{"GET", "/v1/units", kReadStaff, Reach::kNone},
    RouteRule{"POST", "/v1/units", kChangeStaff, Reach::kNone},
    RouteRule{"POST", "/v1/staff/{id}/invitation", kChangeStaff, Reach::kNone},
    RouteRule{"DELETE", "/v1/staff/{id}/sessions", kChangeStaff, Reach::kNone},
    RouteRule{"GET", "/v1/tokens", kManageTokens, Reach::kNone},
    RouteRule{"POST", "/v1/tokens", kManageTokens, Reach::kNone},
    RouteRule{"DELETE", "/v1/tokens/{id}", kManageTokens, Reach::kNone},
    RouteRule{"GET", "/v1/audit", kReadAudit, Reach::kNone},
};

constexpr std::array kAll = {
    kReadClients,      kReadFigures, kActOnAlerts,  kRecordContacts, kHandOver,      kMergeClients,
    kWriteTouchpoints, kReadSources, kReadRejected, kMendRejected,   kReadOperation, kOperate,
    kReadStaff,        kChangeStaff, kManageTokens, kReadAudit,      kSetPlans};

constexpr std::array<absl::string_view, 5> kScopes = {"touchpoints:write", "read", "operate",
                                                      "alerts:act", "all"};

template <class... Permissions>
constexpr uint32_t Bits(Permissions... permissions) {
  return (static_cast<uint32_t>(permissions) | ...);
}

// "/v1/projections/{projection}/jobs" of "/v1/projections/profile/jobs", and "{id}" of "{id...}".
std::string General(absl::string_view pattern) {
  if (!absl::StartsWith(pattern, kProjections)) {
    return absl::StrReplaceAll(pattern, {{"...}", "}"}});
  }
  const absl::string_view rest = pattern.substr(kProjections.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  return absl::StrCat(kProjections, "{projection}", rest.substr(slash));
}

}  // namespace

absl::Span<const RouteRule> RouteRules() { return kRules; }

std::optional<RouteRule> FindRule(absl::string_view method, absl::string_view pattern) {
  using Route = std::pair<absl::string_view, absl::string_view>;
  static const auto* const rules = [] {
    auto* const all = new absl::flat_hash_map<Route, RouteRule>();
    for (const RouteRule& rule : kRules) all->emplace(Route(rule.method, rule.pattern), rule);
    return all;
  }();
  // What a HEAD asks for is what a GET does.
  const absl::string_view wanted = method == "HEAD" ? "GET" : method;
  auto rule = rules->find(Route(wanted, pattern));
  if (rule == rules->end()) rule = rules->find(Route(wanted, General(pattern)));
  if (rule == rules->end()) return std::nullopt;
  return rule->second;
}

uint32_t PermissionsOf(Role role) {
  switch (role) {
    case organisation::v1::ROLE_RELATIONSHIP_MANAGER:
      return Bits(kReadClients, kReadFigures, kActOnAlerts, kRecordContacts, kReadStaff);
    case organisation::v1::ROLE_LEAD:
      return Bits(kReadClients, kReadFigures, kActOnAlerts, kRecordContacts, kHandOver, kReadStaff,
                  kSetPlans);
    case organisation::v1::ROLE_DIRECTOR:
      return Bits(kReadClients, kReadFigures, kActOnAlerts, kRecordContacts, kHandOver,
                  kMergeClients, kReadStaff, kSetPlans);
    case organisation::v1::ROLE_ANALYST:
      return Bits(kReadFigures, kReadStaff);
    case organisation::v1::ROLE_INTEGRATOR:
      return Bits(kWriteTouchpoints, kReadSources, kReadRejected, kMendRejected, kManageTokens,
                  kReadStaff);
    case organisation::v1::ROLE_OPERATOR:
      return Bits(kReadSources, kReadOperation, kOperate, kReadStaff);
    case organisation::v1::ROLE_AUDITOR:
      return Bits(kReadClients, kReadFigures, kReadSources, kReadRejected, kReadOperation,
                  kReadStaff, kReadAudit);
    case organisation::v1::ROLE_ADMINISTRATOR:
      return Bits(kReadStaff, kChangeStaff, kManageTokens);
    default:
      return 0;
  }
}

uint32_t PermissionsWithReach() {
  uint32_t permissions = 0;
  for (const RouteRule& rule : kRules) {
    if (rule.reach != Reach::kNone) permissions |= static_cast<uint32_t>(rule.permission);
  }
  return permissions;
}

bool SeesAllClients(Role role) {
  return role == organisation::v1::ROLE_DIRECTOR || role == organisation::v1::ROLE_AUDITOR ||
         role == organisation::v1::ROLE_ANALYST;
}

absl::Span<const absl::string_view> TokenScopes() { return kScopes; }

std::optional<uint32_t> PermissionsOfScope(absl::string_view scope) {
  if (scope == "touchpoints:write") return Bits(kWriteTouchpoints);
  if (scope == "read") {
    return Bits(kReadClients, kReadFigures, kReadSources, kReadRejected, kReadOperation,
                kReadStaff);
  }
  if (scope == "operate") {
    return Bits(kReadSources, kReadRejected, kMendRejected, kReadOperation, kOperate, kReadStaff);
  }
  if (scope == "alerts:act") return Bits(kReadClients, kActOnAlerts);
  if (scope == "all") return ~uint32_t{0};
  return std::nullopt;
}

std::string PermissionName(Permission permission) {
  switch (permission) {
    case kReadClients:
      return "read_clients";
    case kReadFigures:
      return "read_figures";
    case kActOnAlerts:
      return "act_on_alerts";
    case kRecordContacts:
      return "record_contacts";
    case kHandOver:
      return "hand_over";
    case kMergeClients:
      return "merge_clients";
    case kWriteTouchpoints:
      return "write_touchpoints";
    case kReadSources:
      return "read_sources";
    case kReadRejected:
      return "read_rejected";
    case kMendRejected:
      return "mend_rejected";
    case kReadOperation:
      return "read_operation";
    case kOperate:
      return "operate";
    case kReadStaff:
      return "read_staff";
    case kChangeStaff:
      return "change_staff";
    case kManageTokens:
      return "manage_tokens";
    case kReadAudit:
      return "read_audit";
    case kSetPlans:
      return "set_plans";
  }
  return "";
}

absl::Span<const Permission> AllPermissions() { return kAll; }

}  // namespace rapport
