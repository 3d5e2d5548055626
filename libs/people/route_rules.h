#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/service/access.h"
#include "rapport/organisation/v1/organisation.pb.h"

// What each route asks of whoever calls it, and what each role and each scope may do. The one table
// of it: README.md shows it to people, and a test holds the two together.

namespace rapport {

// What a caller who does not see all clients gets of a route.
enum class Reach {
  kNone,    // it has nothing to do with clients
  kNarrow,  // a list of those whom they see
  kOwn,     // one client, deal or alert: 404 unless they see it
};

struct RouteRule {
  absl::string_view method;
  absl::string_view pattern;
  Permission permission;
  Reach reach;
};

// All routes but the open ones; "{projection}" stands for each of the projections.
absl::Span<const RouteRule> RouteRules();
// The rule for a route of the server; nullopt when there is none, and nobody may call it.
std::optional<RouteRule> FindRule(absl::string_view method, absl::string_view pattern);

// One bit for each permission of a role.
uint32_t PermissionsOf(organisation::v1::Role role);
// One bit for each permission that some route has for a part of the clients.
uint32_t PermissionsWithReach();
// Whether a role sees all clients.
bool SeesAllClients(organisation::v1::Role role);

// What tokens may be given.
absl::Span<const absl::string_view> TokenScopes();
// One bit for each permission of a scope; nullopt when there is no such scope.
std::optional<uint32_t> PermissionsOfScope(absl::string_view scope);

// "read_clients".
std::string PermissionName(Permission permission);
absl::Span<const Permission> AllPermissions();

}  // namespace rapport
