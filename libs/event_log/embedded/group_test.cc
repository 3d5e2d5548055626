#include "libs/event_log/embedded/group.h"

#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::embedded {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The partitions of a member once it has released and taken what it should.
class Member {
 public:
  Member(Group* group, absl::string_view name) : group_(group), id_(group->Join(name)) {}

  // True when there was something to do.
  bool Settle() {
    if (!group_->IsMember(id_)) {
      owned_.clear();
      return false;
    }
    bool changed = false;
    while (const auto partition = group_->ToRelease(id_)) {
      group_->Release(*partition);
      EXPECT_EQ(owned_.erase(*partition), 1u);
      ++moves_;
      changed = true;
    }
    while (const auto partition = group_->ToTake(id_)) {
      group_->Take(*partition, id_);
      EXPECT_TRUE(owned_.insert(*partition).second);
      changed = true;
    }
    return changed;
  }
  void Leave() {
    group_->Leave(id_);
    owned_.clear();
  }
  std::vector<int> owned() const {
    std::vector<int> owned;
    for (const Partition partition : owned_) owned.push_back(partition.value());
    return owned;
  }
  int moves() const { return moves_; }

 private:
  Group* const group_;
  const MemberId id_;
  std::set<Partition> owned_;
  int moves_ = 0;
};

void Settle(const std::vector<Member*>& members) {
  for (bool changed = true; changed;) {
    changed = false;
    for (Member* member : members) changed |= member->Settle();
  }
}

TEST(GroupTest, TheFirstMemberGetsAll) {
  Group group(3);
  Member one(&group, "one");
  Settle({&one});
  EXPECT_THAT(one.owned(), ElementsAre(0, 1, 2));
}

TEST(GroupTest, APartitionMovesOnlyAfterItsRelease) {
  Group group(2);
  Member one(&group, "one");
  Settle({&one});
  Member two(&group, "two");
  EXPECT_FALSE(two.Settle());
  EXPECT_TRUE(one.Settle());
  EXPECT_THAT(one.owned(), ElementsAre(0));
  EXPECT_TRUE(two.Settle());
  EXPECT_THAT(two.owned(), ElementsAre(1));
}

TEST(GroupTest, AJoinMovesAsFewAsPossible) {
  Group group(7);
  Member one(&group, "one"), two(&group, "two");
  Settle({&one, &two});
  Member three(&group, "three");
  Settle({&one, &two, &three});
  EXPECT_EQ(one.owned().size() + two.owned().size() + three.owned().size(), 7u);
  EXPECT_EQ(three.owned().size(), 2u);
  EXPECT_EQ(one.moves() + two.moves(), 2);
}

TEST(GroupTest, AQuickRestartMovesNothing) {
  Group group(4);
  Member one(&group, "one"), two(&group, "two");
  Settle({&one, &two});
  EXPECT_THAT(one.owned(), ElementsAre(0, 1));
  one.Leave();
  Member again(&group, "one");
  Settle({&again, &two});
  EXPECT_THAT(again.owned(), ElementsAre(0, 1));
  EXPECT_EQ(two.moves(), 0);
}

TEST(GroupTest, ANamesakeTakesThePlace) {
  Group group(4);
  Member one(&group, "one"), two(&group, "two");
  Settle({&one, &two});
  Member again(&group, "one");
  Settle({&one, &two, &again});
  EXPECT_THAT(one.owned(), IsEmpty());
  EXPECT_THAT(again.owned(), ElementsAre(0, 1));
  EXPECT_EQ(two.moves(), 0);
  one.Leave();
  Settle({&two, &again});
  EXPECT_THAT(again.owned(), ElementsAre(0, 1));
}

TEST(GroupTest, MembersWithoutNameAreDifferent) {
  Group group(2);
  Member one(&group, ""), two(&group, "");
  Settle({&one, &two});
  EXPECT_THAT(one.owned(), ElementsAre(0));
  EXPECT_THAT(two.owned(), ElementsAre(1));
}

TEST(GroupTest, MoreMembersThanPartitions) {
  Group group(1);
  Member one(&group, "one"), two(&group, "two");
  Settle({&one, &two});
  EXPECT_THAT(one.owned(), ElementsAre(0));
  EXPECT_THAT(two.owned(), IsEmpty());
  one.Leave();
  Settle({&two});
  EXPECT_THAT(two.owned(), ElementsAre(0));
}

// Whatever comes and goes, every partition has one owner in the end and the shares are even.
TEST(GroupTest, AnyHistoryEndsBalanced) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const int partitions = 1 + static_cast<int>(random() % 12);
    Group group(partitions);
    std::vector<std::unique_ptr<Member>> members;
    for (int step = 0; step < 30; ++step) {
      if (members.empty() || random() % 3 == 0) {
        members.push_back(std::make_unique<Member>(&group, ""));
      } else if (const size_t i = random() % members.size(); random() % 3 == 0) {
        members[i]->Leave();
        members.erase(members.begin() + static_cast<ptrdiff_t>(i));
      } else {
        members[i]->Settle();
      }
    }
    if (members.empty()) continue;
    std::vector<Member*> all;
    for (const auto& member : members) all.push_back(member.get());
    Settle(all);
    std::set<int> owned;
    size_t least = 100, most = 0;
    for (const Member* member : all) {
      for (const int partition : member->owned()) {
        EXPECT_TRUE(owned.insert(partition).second) << "seed " << seed;
      }
      least = std::min(least, member->owned().size());
      most = std::max(most, member->owned().size());
    }
    EXPECT_EQ(owned.size(), static_cast<size_t>(partitions)) << "seed " << seed;
    EXPECT_LE(most, least + 1) << "seed " << seed;
  }
}

}  // namespace
}  // namespace rapport::embedded
