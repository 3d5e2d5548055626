#include "libs/history/merge_orders.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libs/history/test_world.h"
#include "libs/projections/testing/random_history.h"

namespace rapport {
namespace {

using testing::Order;
using testing::World;
using touchpoint::v1::Touchpoint;

// Who has absorbed whom, as a person would keep it: merges that make no sense change nothing.
class Family {
 public:
  std::string RootOf(std::string client) const {
    for (auto at = into_.find(client); at != into_.end(); at = into_.find(client)) {
      client = at->second.second;
    }
    return client;
  }
  void Merge(const std::string& id, const std::string& absorbed, const std::string& survivor) {
    if (into_.count(absorbed) > 0 || RootOf(survivor) == absorbed) return;
    into_[absorbed] = {id, survivor};
  }
  void Split(const std::string& id) {
    std::erase_if(into_, [&](const auto& one) { return one.second.first == id; });
  }

 private:
  std::map<std::string, std::pair<std::string, std::string>> into_;
};

// Merges into absorbed clients, circles, splits in any order and twice, all while more comes and
// the teller lags behind or begins anew.
TEST(MergeOrdersTest, AnyOrderOfMergesAndSplitsIsCarriedOutAndTakenBack) {
  constexpr int kClients = 5;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    World plain;
    Family family;
    testing::Random random(seed);
    const auto any = [&] { return absl::StrCat("client-", random.Below(kClients)); };
    struct Ordered {
      std::string id;
      std::string absorbed;
      std::string survivor;
    };
    std::vector<Ordered> merges;
    std::map<std::string, size_t> orders;
    const auto split = [&](const Ordered& merge) {
      world.Split(merge.id, merge.absorbed, merge.survivor);
      family.Split(merge.id);
    };
    for (int step = 0; step < 60; ++step) {
      const std::string client = any();
      const auto choice = random.Below(10);
      if (choice < 5) {
        const Touchpoint order = Order(client, absl::StrCat("o", step), step);
        world.Append({order});
        plain.Append({order});
        ++orders[client];
      } else if (choice < 8) {
        // A client into itself is no touchpoint.
        const std::string survivor = any();
        if (survivor == client) continue;
        const std::string id = absl::StrCat("m", step);
        merges.push_back({id, client, survivor});
        // They stand in several partitions, and which is first is for the teller to say.
        world.Tell();
        world.Merge(id, client, survivor);
        family.Merge(id, client, survivor);
      } else if (!merges.empty()) {
        world.Tell();
        split(merges[static_cast<size_t>(random.Below(static_cast<int64_t>(merges.size())))]);
      }
      if (random.Chance(30)) world.Tell();
      if (random.Chance(10)) world.Die();
      if (step % 20 != 19) continue;
      world.Tell();
      std::map<std::string, size_t> expected;
      for (const auto& [name, count] : orders) expected[family.RootOf(name)] += count;
      for (int i = 0; i < kClients; ++i) {
        const std::string name = absl::StrCat("client-", i);
        EXPECT_EQ(world.RowsOf(name).size(), expected[name]) << name;
        std::string leads_to = name;
        for (std::string next = world.IdentityOf(leads_to); next != leads_to;
             next = world.IdentityOf(leads_to)) {
          leads_to = next;
        }
        EXPECT_EQ(leads_to, family.RootOf(name));
      }
    }
    for (size_t i = merges.size(); i > 1; --i) {
      std::swap(merges[i - 1], merges[static_cast<size_t>(random.Below(static_cast<int64_t>(i)))]);
    }
    for (const Ordered& merge : merges) {
      split(merge);
      split(merge);
    }
    world.Tell();
    EXPECT_EQ(world.DigestOf<Profile>(), plain.DigestOf<Profile>());
    EXPECT_EQ(world.DigestOf<DealPipeline>(), plain.DigestOf<DealPipeline>());
  }
}

TEST(MergeOrdersTest, AMergeThatIsRefusedIsBelievedByNobody) {
  World world;
  world.Append({Order("a", "a1", 1), Order("b", "b1", 1)});
  // As when two processes take them on at the same moment.
  world.Merge("there", "a", "b");
  world.Tell();
  world.Merge("back", "b", "a");
  EXPECT_EQ(world.IdentityOf("b"), "a");
  world.Tell();
  EXPECT_EQ(world.StateOf("back"), state::v1::MERGE_STATE_REFUSED);
  EXPECT_EQ(world.IdentityOf("a"), "b");
  EXPECT_EQ(world.IdentityOf("b"), "b");
  EXPECT_EQ(world.RowsOf("b").size(), 2u);
  // A client into itself is a dead letter of each projection.
  world.Merge("self", "b", "b");
  world.Die();
  world.Tell();
  EXPECT_EQ(world.ledger().Find("self")->refusal(), "client 'b' cannot be merged into itself");
}

}  // namespace
}  // namespace rapport
