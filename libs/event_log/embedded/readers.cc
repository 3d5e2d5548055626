#include "libs/event_log/embedded/readers.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"

namespace rapport::embedded {
namespace {

// How much of a wait is left, on a clock that nobody sets.
class Deadline {
 public:
  explicit Deadline(absl::Duration wait)
      // An infinite wait would overflow the clock.
      : end_(std::chrono::steady_clock::now() +
             absl::ToChronoNanoseconds(std::min(wait, absl::Hours(24 * 365)))) {}
  absl::Duration Left() const { return absl::FromChrono(end_ - std::chrono::steady_clock::now()); }

 private:
  const std::chrono::steady_clock::time_point end_;
};

}  // namespace

absl::StatusOr<absl::Span<const RecordView>> EmbeddedReader::Read(size_t max_records,
                                                                  absl::Duration wait) {
  if (!cursor_.Ready() && wait > absl::ZeroDuration()) {
    // Lets go of the files that it holds.
    RAPPORT_RETURN_IF_ERROR(cursor_.Next(max_records).status());
    const Deadline deadline(wait);
    MutexLock lock(&topic_->mutex);
    while (!cursor_.Ready()) {
      const absl::Duration left = deadline.Left();
      if (left <= absl::ZeroDuration()) break;
      topic_->changed.WaitFor(&topic_->mutex, left);
    }
  }
  return cursor_.Next(max_records);
}

EmbeddedSubscription::EmbeddedSubscription(rocksdb::DB* db, Topic* topic,
                                           const SubscribeOptions& options,
                                           PartitionListener* listener, std::atomic<int>* uses)
    : use_(uses), db_(db), topic_(topic), options_(options), listener_(listener) {
  MutexLock lock(&topic_->mutex);
  group_ = &topic_->groups.try_emplace(options_.group, static_cast<int>(topic_->partitions.size()))
                .first->second;
  member_ = group_->Join(options_.member, options_.address);
  topic_->changed.SignalAll();
}

EmbeddedSubscription::~EmbeddedSubscription() { Leave(); }

void EmbeddedSubscription::Leave() {
  closed_ = true;
  owned_.clear();
  MutexLock lock(&topic_->mutex);
  group_->Leave(member_);
  topic_->changed.SignalAll();
}

absl::Status EmbeddedSubscription::Close() {
  if (closed_) return absl::OkStatus();
  bool lost;
  {
    MutexLock lock(&topic_->mutex);
    lost = !group_->IsMember(member_);
  }
  for (const auto& [partition, owned] : std::exchange(owned_, {})) {
    listener_->OnRevoked(partition, lost);
  }
  Leave();
  return absl::OkStatus();
}

absl::StatusOr<PartitionRecords> EmbeddedSubscription::Poll(size_t max_records,
                                                            absl::Duration wait) {
  if (closed_) return absl::FailedPreconditionError("the subscription is closed");
  const Deadline deadline(wait);
  for (;;) {
    RAPPORT_RETURN_IF_ERROR(Rebalance());
    RAPPORT_RETURN_IF_ERROR(StartReading());
    if (const auto it = NextReady(); it != owned_.end()) {
      last_read_ = it->first;
      Owned& owned = it->second;
      const Offset from = owned.cursor->position();
      const auto records = owned.cursor->Next(max_records);
      if (!records.ok()) {
        owned.cursor.reset();
        return owned.attempts.Failed(records.status());
      }
      owned.attempts.Succeeded();
      return PartitionRecords{it->first, *records, from, owned.cursor->position()};
    }
    // Lets go of the files that the cursors hold.
    for (auto& [partition, owned] : owned_) {
      if (owned.cursor.has_value() && !owned.cursor->Ready()) owned.cursor->Next(0).IgnoreError();
    }
    MutexLock lock(&topic_->mutex);
    while (!HasWork()) {
      const absl::Duration left = deadline.Left();
      if (left <= absl::ZeroDuration()) return PartitionRecords{};
      const absl::Duration until_attempt = NextAttempt() - absl::Now();
      if (until_attempt <= absl::ZeroDuration()) break;
      topic_->changed.WaitFor(&topic_->mutex, std::min(left, until_attempt));
    }
  }
}

absl::Status EmbeddedSubscription::Rebalance() {
  for (;;) {
    std::optional<Partition> release, take;
    {
      MutexLock lock(&topic_->mutex);
      if (!group_->IsMember(member_)) break;
      release = group_->ToRelease(member_);
      if (!release.has_value()) take = group_->ToTake(member_);
      if (take.has_value()) group_->Take(*take, member_);
    }
    if (release.has_value()) {
      owned_.erase(*release);
      listener_->OnRevoked(*release, /*lost=*/false);
      MutexLock lock(&topic_->mutex);
      // Unless the group has given it away meanwhile, because we were expelled.
      if (group_->IsMember(member_)) group_->Release(*release);
      topic_->changed.SignalAll();
    } else if (take.has_value()) {
      owned_.try_emplace(*take);
    } else {
      return absl::OkStatus();
    }
  }
  return Expelled();
}

absl::Status EmbeddedSubscription::StartReading() {
  for (auto& [partition, owned] : owned_) {
    if (owned.cursor.has_value() || !owned.attempts.Due()) continue;
    const absl::Status status = Start(partition, owned);
    if (!status.ok()) return owned.attempts.Failed(status);
  }
  return absl::OkStatus();
}

absl::Status EmbeddedSubscription::Start(Partition partition, Owned& owned) {
  RAPPORT_ASSIGN_OR_RETURN(const Offset from, listener_->OnAssigned(partition));
  if (from < Offset(0)) {
    return absl::InvalidArgumentError(
        absl::StrCat(topic_->Place(partition), ": there is no offset ", from.value()));
  }
  owned.cursor.emplace(db_, topic_, topic_->Find(partition), from);
  if (!owned.cursor->Ready()) owned.attempts.Succeeded();
  return absl::OkStatus();
}

absl::Time EmbeddedSubscription::NextAttempt() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [partition, owned] : owned_) {
    if (!owned.cursor.has_value()) next = std::min(next, owned.attempts.next());
  }
  return next;
}

absl::Status EmbeddedSubscription::Trouble() const {
  RAPPORT_RETURN_IF_ERROR(expelled_);
  for (const auto& [partition, owned] : owned_) RAPPORT_RETURN_IF_ERROR(owned.attempts.trouble());
  return absl::OkStatus();
}

absl::Status EmbeddedSubscription::Expelled() {
  for (const auto& [partition, owned] : std::exchange(owned_, {})) {
    listener_->OnRevoked(partition, /*lost=*/true);
  }
  expelled_ = absl::FailedPreconditionError(
      absl::StrCat("topic ", topic_->name, ", group ", options_.group,
                   ": another subscription has taken the place of member ", options_.member));
  return expelled_;
}

EmbeddedSubscription::OwnedMap::iterator EmbeddedSubscription::NextReady() {
  const auto ready = [](const auto& entry) { return entry.second.Ready(); };
  const auto start = owned_.upper_bound(last_read_);
  const auto after = std::find_if(start, owned_.end(), ready);
  if (after != owned_.end()) return after;
  const auto before = std::find_if(owned_.begin(), start, ready);
  return before != start ? before : owned_.end();
}

bool EmbeddedSubscription::HasWork() {
  return !group_->IsMember(member_) || group_->ToRelease(member_).has_value() ||
         group_->ToTake(member_).has_value() || NextReady() != owned_.end();
}

absl::Status EmbeddedSubscription::SetPaused(Partition partition, bool paused) {
  const auto it = owned_.find(partition);
  if (it == owned_.end()) {
    return absl::FailedPreconditionError(absl::StrCat("topic ", topic_->name, ", group ",
                                                      options_.group, ": partition ",
                                                      partition.value(), " is not ours"));
  }
  it->second.paused = paused;
  return absl::OkStatus();
}

}  // namespace rapport::embedded
