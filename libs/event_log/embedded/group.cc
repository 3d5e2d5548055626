#include "libs/event_log/embedded/group.h"

#include <algorithm>

#include "libs/base/check.h"

namespace rapport::embedded {

MemberId Group::Join(absl::string_view name, absl::string_view address) {
  const MemberId id = ++last_id_;
  const auto expelled = std::find_if(members_.begin(), members_.end(), [&](const auto& member) {
    return !name.empty() && member.second.name == name;
  });
  if (expelled != members_.end()) {
    for (Share& share : shares_) {
      if (share.owner == expelled->first) share.owner.reset();
      if (share.heir == expelled->first) share.heir = id;
    }
    members_.erase(expelled);
  }
  members_[id] = {std::string(name), std::string(address)};
  Balance();
  return id;
}

void Group::Leave(MemberId member) {
  for (Share& share : shares_) {
    if (share.owner == member) share.owner.reset();
  }
  if (members_.erase(member) > 0) Balance();
}

std::optional<Partition> Group::ToRelease(MemberId member) const {
  for (size_t i = 0; i < shares_.size(); ++i) {
    if (shares_[i].owner == member && shares_[i].heir != member) {
      return Partition(static_cast<int32_t>(i));
    }
  }
  return std::nullopt;
}

std::optional<Partition> Group::ToTake(MemberId member) const {
  for (size_t i = 0; i < shares_.size(); ++i) {
    if (!shares_[i].owner.has_value() && shares_[i].heir == member) {
      return Partition(static_cast<int32_t>(i));
    }
  }
  return std::nullopt;
}

std::vector<GroupMember> Group::Members() const {
  std::vector<GroupMember> all;
  for (const auto& [id, member] : members_) {
    GroupMember& one = all.emplace_back();
    one.member = member.name;
    one.address = member.address;
    for (size_t i = 0; i < shares_.size(); ++i) {
      if (shares_[i].owner == id) one.partitions.emplace_back(static_cast<int32_t>(i));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const GroupMember& a, const GroupMember& b) { return a.member < b.member; });
  return all;
}

void Group::Release(Partition partition) {
  shares_[static_cast<size_t>(partition.value())].owner.reset();
}

void Group::Take(Partition partition, MemberId member) {
  Share& share = shares_[static_cast<size_t>(partition.value())];
  RAPPORT_CHECK(!share.owner.has_value(), "partition ", partition.value(), " has an owner");
  share.owner = member;
}

void Group::Balance() {
  std::map<MemberId, std::vector<Share*>> plan;
  for (const auto& [id, member] : members_) plan[id];
  if (plan.empty()) {
    for (Share& share : shares_) share.heir.reset();
    return;
  }
  const auto fewer = [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); };
  // Who has a partition keeps it, and after that who was to get it. The last in a plan move first,
  // so that nobody lets go of one while there are others to give.
  std::vector<Share*> promised, free;
  for (Share& share : shares_) {
    const auto owner = share.owner.has_value() ? plan.find(*share.owner) : plan.end();
    if (owner != plan.end()) {
      owner->second.push_back(&share);
    } else {
      promised.push_back(&share);
    }
  }
  for (Share* share : promised) {
    const auto heir = share->heir.has_value() ? plan.find(*share->heir) : plan.end();
    if (heir != plan.end()) {
      heir->second.push_back(share);
    } else {
      free.push_back(share);
    }
  }
  for (Share* share : free) {
    std::min_element(plan.begin(), plan.end(), fewer)->second.push_back(share);
  }
  for (;;) {
    const auto [least, most] = std::minmax_element(plan.begin(), plan.end(), fewer);
    if (most->second.size() <= least->second.size() + 1) break;
    least->second.push_back(most->second.back());
    most->second.pop_back();
  }
  for (const auto& [id, shares] : plan) {
    for (Share* share : shares) share->heir = id;
  }
}

}  // namespace rapport::embedded
