#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/base/strong_type.h"
#include "libs/event_log/event_log.h"

namespace rapport::embedded {

// One subscription's membership in a group; never used again.
using MemberId = StrongInt<struct MemberIdTag, int64_t>;

// Who owns which partition of a topic. Shares differ by one partition at most; a change moves as
// few partitions as possible, and a partition is given to its new owner only after the old one has
// let it go. Not thread-safe.
class Group {
 public:
  explicit Group(int partitions) : shares_(static_cast<size_t>(partitions)) {}

  // A member of the same name (when not empty) is expelled: this one takes its place and shares.
  MemberId Join(absl::string_view name, absl::string_view address = "");
  // Lets go of everything; also for a member that has been expelled.
  void Leave(MemberId member);
  bool IsMember(MemberId member) const { return members_.contains(member); }

  // What `member` owns and shall let go of, if anything.
  std::optional<Partition> ToRelease(MemberId member) const;
  // What `member` shall own and nobody owns, if anything.
  std::optional<Partition> ToTake(MemberId member) const;
  // In the order of their names.
  std::vector<GroupMember> Members() const;
  void Release(Partition partition);
  void Take(Partition partition, MemberId member);

 private:
  struct Share {
    std::optional<MemberId> owner;
    // Who shall own it; unset only while the group has no members.
    std::optional<MemberId> heir;
  };

  struct Member {
    std::string name;
    std::string address;
  };

  void Balance();

  std::map<MemberId, Member> members_;
  std::vector<Share> shares_;
  MemberId last_id_{0};
};

}  // namespace rapport::embedded
