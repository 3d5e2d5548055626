#include "services/gateway/owners.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr absl::Duration kRefreshEvery = absl::Seconds(1);
// Between two questions at the least, however many ask.
constexpr absl::Duration kLeastPause = absl::Milliseconds(100);

}  // namespace

Owners::Owners(EventLog* log, std::string touchpoints_topic, std::vector<std::string> projections)
    : log_(log), topic_(std::move(touchpoints_topic)), projections_(std::move(projections)) {
  Refresh();
  thread_ = std::thread([this] { Run(); });
}

Owners::~Owners() { Stop(); }

void Owners::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

Owners::Map Owners::Of(const std::string& projection) const {
  MutexLock lock(&mutex_);
  const auto it = maps_.find(projection);
  return it == maps_.end() ? Map() : it->second;
}

absl::Status Owners::status() const {
  MutexLock lock(&mutex_);
  return status_;
}

bool Owners::AfterRefresh(std::function<void()> then) {
  MutexLock lock(&mutex_);
  if (stopping_) return false;
  waiting_.push_back(std::move(then));
  changed_.SignalAll();
  return true;
}

void Owners::Run() {
  absl::Time last = absl::Now();
  for (;;) {
    std::vector<std::function<void()>> told;
    bool stopping = false;
    {
      MutexLock lock(&mutex_);
      for (;;) {
        const absl::Time next = last + (waiting_.empty() ? kRefreshEvery : kLeastPause);
        const absl::Time now = absl::Now();
        if (stopping_ || now >= next) break;
        changed_.WaitFor(&mutex_, next - now);
      }
      told.swap(waiting_);
      stopping = stopping_;
    }
    if (!stopping) Refresh();
    last = absl::Now();
    for (const std::function<void()>& then : told) then();
    if (stopping) return;
  }
}

void Owners::Refresh() {
  std::map<std::string, Map> maps;
  absl::Status status;
  for (const std::string& projection : projections_) {
    absl::StatusOr<Map> map = Ask(projection);
    if (map.ok()) {
      maps[projection] = *std::move(map);
    } else {
      status = map.status();
    }
  }
  MutexLock lock(&mutex_);
  // What is known stays: the owners may well be there while the log's coordinator is not.
  for (auto& [projection, map] : maps) maps_[projection] = std::move(map);
  status_ = status;
}

absl::StatusOr<Owners::Map> Owners::Ask(const std::string& projection) {
  Map map;
  RAPPORT_ASSIGN_OR_RETURN(map.partition_count, log_->PartitionCount(topic_));
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<GroupMember> members,
                           log_->GroupMembers(topic_, absl::StrCat("rapport-", projection)));
  for (const GroupMember& member : members) {
    for (const Partition partition : member.partitions) {
      map.addresses[partition] = member.address;
    }
  }
  return map;
}

}  // namespace rapport
