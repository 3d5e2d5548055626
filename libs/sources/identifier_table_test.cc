#include "libs/sources/identifier_table.h"

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class IdentifierTableTest : public ::testing::Test {
 protected:
  std::vector<std::string> Who(const std::string& identifier) const {
    std::vector<IdentifierTable::Claimant> claimants;
    table_.Find(table_.KeyFor(identifier), &claimants);
    std::vector<std::string> who;
    for (const auto& claimant : claimants) who.emplace_back(claimant.client_id);
    return who;
  }
  void Put(const std::string& client, const std::vector<std::string>& identifiers) {
    std::vector<IdentifierTable::Claim> claims;
    for (const std::string& identifier : identifiers) claims.push_back({table_.KeyFor(identifier)});
    table_.Put(client, false, "", claims);
  }

  IdentifierTable table_;
};

TEST_F(IdentifierTableTest, FindsWhoHasAnIdentifier) {
  Put("a", {"1", "2", "3"});
  Put("b", {"3", "4"});
  EXPECT_THAT(Who("1"), ElementsAre("a"));
  EXPECT_THAT(Who("3"), ElementsAre("a", "b"));
  EXPECT_THAT(Who("5"), IsEmpty());
  EXPECT_THAT(table_.SharedKeys(), ElementsAre(table_.KeyFor("3")));
  Put("a", {"4"});
  EXPECT_THAT(Who("1"), IsEmpty());
  EXPECT_THAT(Who("3"), ElementsAre("b"));
  EXPECT_THAT(Who("4"), UnorderedElementsAre("a", "b"));
  Put("b", {});
  EXPECT_THAT(Who("4"), ElementsAre("a"));
  EXPECT_THAT(table_.SharedKeys(), IsEmpty());
  EXPECT_EQ(table_.client_count(), 2u);
  EXPECT_EQ(table_.identifier_count(), 1u);
}

TEST_F(IdentifierTableTest, TellsWhatIsKnownOfAClient) {
  table_.Put("p", true, "survivor", {{table_.KeyFor("1"), true}});
  std::vector<IdentifierTable::Claimant> claimants;
  table_.Find(table_.KeyFor("1"), &claimants);
  ASSERT_EQ(claimants.size(), 1u);
  EXPECT_TRUE(claimants[0].provisional);
  EXPECT_TRUE(claimants[0].of_former);
  EXPECT_EQ(claimants[0].survivor, "survivor");
  IdentifierTable::Claimant claimant;
  ASSERT_TRUE(table_.FindClient("survivor", &claimant));
  EXPECT_EQ(claimant.survivor, "");
  EXPECT_FALSE(claimant.provisional);
  EXPECT_FALSE(table_.FindClient("nobody", &claimant));
}

TEST_F(IdentifierTableTest, ClientIdsMayBeLong) {
  for (size_t size : {0, 47, 48, 49, 255, 256, 1000}) {
    const std::string client(size, 'x');
    Put(client, {absl::StrCat("id-", size)});
    EXPECT_THAT(Who(absl::StrCat("id-", size)), ElementsAre(client));
  }
  EXPECT_EQ(table_.client_count(), 7u);
}

TEST_F(IdentifierTableTest, TwoTablesHashDifferently) {
  const IdentifierTable other;
  EXPECT_FALSE(table_.KeyFor("1") == other.KeyFor("1"));
}

// Against a map, over random changes.
TEST_F(IdentifierTableTest, IsAsAMapOfSets) {
  testing::Random random(7);
  std::map<std::string, std::set<std::string>> oracle;  // by client
  for (int i = 0; i < 20'000; ++i) {
    const std::string client = absl::StrCat("client-", random.Below(50));
    std::set<std::string> identifiers;
    for (int64_t n = random.Below(6); n > 0; --n)
      identifiers.insert(absl::StrCat(random.Below(80)));
    Put(client, {identifiers.begin(), identifiers.end()});
    oracle[client] = identifiers;
    const std::string probe = absl::StrCat(random.Below(80));
    std::vector<std::string> expected;
    for (const auto& [who, has] : oracle)
      if (has.count(probe) > 0) expected.push_back(who);
    ASSERT_THAT(Who(probe), ::testing::UnorderedElementsAreArray(expected)) << "step " << i;
  }
}

TEST_F(IdentifierTableTest, NamesAClientOfWhomAnotherTableKnowsSomethingElse) {
  IdentifierTable other(table_.seed());
  const auto both = [&](const std::string& client, const std::string& survivor,
                        const std::vector<IdentifierTable::Claim>& claims) {
    table_.Put(client, false, survivor, claims);
    other.Put(client, false, survivor, claims);
  };
  const IdentifierTable::Key one = table_.KeyFor("1");
  const IdentifierTable::Key two = table_.KeyFor("2");
  both("a", "", {{one}, {two}});
  both("b", "a", {{two, true}});
  EXPECT_EQ(table_.FirstDifference(other), "");
  // What was known once counts no more.
  other.Put("gone", true, "", {});
  EXPECT_EQ(table_.FirstDifference(other), "");
  const auto differs = [&](const std::string& client, bool provisional, const std::string& survivor,
                           const std::vector<IdentifierTable::Claim>& claims) {
    IdentifierTable changed(table_.seed());
    changed.Put("a", false, "", {{two}, {one}});
    changed.Put("b", false, "a", {{two, true}});
    EXPECT_EQ(table_.FirstDifference(changed), "") << "the order does not matter";
    changed.Put(client, provisional, survivor, claims);
    EXPECT_EQ(changed.FirstDifference(table_), client);
    return table_.FirstDifference(changed);
  };
  EXPECT_EQ(differs("a", false, "", {{one}}), "a");
  EXPECT_EQ(differs("c", false, "", {{one}}), "c");
  EXPECT_EQ(differs("c", false, "a", {}), "c");
  EXPECT_EQ(differs("b", true, "a", {{two, true}}), "b");
  EXPECT_EQ(differs("b", false, "", {{two, true}}), "b");
  EXPECT_EQ(differs("b", false, "a", {{two, false}}), "b");
  EXPECT_EQ(differs("b", false, "a", {{one, true}}), "b");
}

}  // namespace
}  // namespace rapport
