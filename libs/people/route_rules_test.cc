#include "libs/people/route_rules.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "libs/organisation/organisation.h"

namespace rapport {
namespace {

using organisation::v1::Role;

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  for (const absl::string_view cell : absl::StrSplit(line, '|')) {
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  }
  return cells;
}

// The table that people read says what the code does.
TEST(RouteRules, RolesAreThoseOfTheReadme) {
  std::ifstream file(RAPPORT_PEOPLE_README);
  std::vector<std::string> columns;
  std::map<std::string, std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() < 4 || cells[1] == "---") continue;
    if (cells[1] == "role") {
      columns = cells;
    } else {
      rows[cells[1]] = cells;
    }
  }
  ASSERT_EQ(columns.size(), AllPermissions().size() + 4);
  for (int number = organisation::v1::Role_MIN + 1; number <= organisation::v1::Role_MAX;
       ++number) {
    const auto role = static_cast<Role>(number);
    ASSERT_EQ(rows.count(RoleName(role)), 1u) << RoleName(role);
    const std::vector<std::string>& row = rows[RoleName(role)];
    for (size_t i = 0; i < AllPermissions().size(); ++i) {
      const Permission permission = AllPermissions()[i];
      EXPECT_EQ(columns[i + 2], PermissionName(permission));
      const bool may = (PermissionsOf(role) & static_cast<uint32_t>(permission)) != 0;
      EXPECT_EQ(row[i + 2], may ? "x" : "") << RoleName(role) << " " << PermissionName(permission);
    }
    EXPECT_EQ(row[AllPermissions().size() + 2].find("all") == 0, SeesAllClients(role))
        << RoleName(role);
  }
}

TEST(RouteRules, EachRouteStandsOnceAndIsFound) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const RouteRule& rule : RouteRules()) {
    EXPECT_TRUE(seen.emplace(rule.method, rule.pattern).second) << rule.pattern;
    ASSERT_TRUE(FindRule(rule.method, rule.pattern).has_value()) << rule.pattern;
    EXPECT_EQ(FindRule(rule.method, rule.pattern)->permission, rule.permission);
  }
  EXPECT_TRUE(FindRule("HEAD", "/v1/clients").has_value());
  EXPECT_TRUE(FindRule("POST", "/v1/projections/profile/jobs/pause").has_value());
  EXPECT_TRUE(FindRule("GET", "/v1/projections/retention").has_value());
  EXPECT_FALSE(FindRule("GET", "/v1/projections/retention/secrets").has_value());
  EXPECT_FALSE(FindRule("DELETE", "/v1/clients").has_value());
}

TEST(RouteRules, ScopesAreKnownAndNarrow) {
  for (const absl::string_view scope : TokenScopes()) {
    EXPECT_TRUE(PermissionsOfScope(scope).has_value()) << scope;
  }
  EXPECT_FALSE(PermissionsOfScope("write").has_value());
  const uint32_t write = static_cast<uint32_t>(Permission::kWriteTouchpoints);
  EXPECT_EQ(*PermissionsOfScope("touchpoints:write"), write);
  EXPECT_EQ(*PermissionsOfScope("read") & write, 0u);
  for (const Permission permission :
       {Permission::kActOnAlerts, Permission::kOperate, Permission::kChangeStaff,
        Permission::kManageTokens, Permission::kMergeClients, Permission::kHandOver}) {
    EXPECT_EQ(*PermissionsOfScope("read") & static_cast<uint32_t>(permission), 0u);
  }
}

}  // namespace
}  // namespace rapport
