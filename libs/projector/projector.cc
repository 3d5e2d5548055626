#include "libs/projector/projector.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kPollRecords = 4096;
// How long a poll waits for records: short while changes wait for their commit, longer and longer
// while nothing comes, and never so long that stopping takes time.
constexpr absl::Duration kFirstIdleWait = absl::Milliseconds(25);
constexpr absl::Duration kLongestIdleWait = absl::Milliseconds(200);
constexpr absl::Duration kBusyWait = absl::Milliseconds(1);
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr absl::Duration kProgressEvery = absl::Milliseconds(200);
// Further than this behind the end of the log, a store that is empty is loaded in bulk.
constexpr int64_t kBulkRecords = 100'000;
// Records that are read again at a time, so that the lock is free now and then.
constexpr int64_t kRereadRecords = 50'000;
// A record this old when it is polled: the end of the log is far.
constexpr absl::Duration kLag = absl::Seconds(1);
// Those who wait for a position within this time share a commit.
constexpr absl::Duration kWaitersShare = absl::Milliseconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<Projector>> Projector::Start(const ProjectionEnv& env,
                                                            const Options& options) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, env.log->PartitionCount(env.topics.touchpoints));
  RAPPORT_ASSIGN_OR_RETURN(const int alert_partitions, env.log->PartitionCount(env.topics.alerts));
  if (partitions != alert_partitions) {
    return absl::FailedPreconditionError(
        absl::StrCat("topic ", env.topics.alerts, " has ", alert_partitions,
                     " partitions and topic ", env.topics.touchpoints, " has ", partitions,
                     ": they must be as many, so that the alerts of a client stay in order"));
  }
  RAPPORT_ASSIGN_OR_RETURN(Generations generations, Generations::Open(options.folder));
  const ProjectionIdentity& identity = env.spec->identity();
  if (!generations.current()) {
    RAPPORT_ASSIGN_OR_RETURN(const int first, generations.Create(identity));
    RAPPORT_RETURN_IF_ERROR(generations.Activate(first));
  }
  RAPPORT_ASSIGN_OR_RETURN(const ProjectionIdentity stored,
                           generations.IdentityOf(*generations.current()));
  if (stored != identity) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the state of ", identity.name, " was folded by version ", stored.version,
        " with settings ", stored.settings_fingerprint, ", and this is version ", identity.version,
        " with settings ", identity.settings_fingerprint, ": rebuild ", identity.name));
  }
  auto projector =
      std::unique_ptr<Projector>(new Projector(env, options, std::move(generations), partitions));
  RAPPORT_ASSIGN_OR_RETURN(
      projector->subscription_,
      env.log->Subscribe(
          env.topics.touchpoints,
          {.group = options.group, .member = options.member, .address = options.address},
          projector.get()));
  projector->thread_ = std::thread([raw = projector.get()] { raw->Run(); });
  return projector;
}

void Projector::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  if (subscription_ != nullptr) {
    if (const absl::Status status = subscription_->Close(); !status.ok()) {
      Log(LogLevel::kWarning, absl::StrCat("leaving the group: ", status.message()));
    }
  }
  {
    // Also where the group did not take them back.
    MutexLock lock(&shown_mutex_);
    shown_.clear();
  }
  CallWaiters();
}

void Projector::Run() {
  while (!stopping_) {
    PollAndFold();
    CallWaiters();
  }
}

void Projector::PollAndFold() {
  bool busy = waiting_ > 0;
  {
    MutexLock lock(&mutex_);
    for (const auto& [partition, slot] : slots_) {
      busy |= slot.worker == nullptr || slot.worker->fold().has_uncommitted() ||
              slot.worker->fold().position() < slot.reread_until;
    }
  }
  const absl::StatusOr<PartitionRecords> polled =
      subscription_->Poll(kPollRecords, busy ? kBusyWait : idle_wait_);
  const bool found = polled.ok() && !polled->records.empty();
  idle_wait_ = busy || found ? kFirstIdleWait : std::min(2 * idle_wait_, kLongestIdleWait);
  MutexLock lock(&mutex_);
  bool catching_up = false;
  NoteReading(polled.ok() ? subscription_->Trouble() : polled.status());
  if (polled.ok()) {
    if (found) catching_up = absl::Now() - polled->records.back().timestamp > kLag;
    if (polled->next > polled->from) FoldInto(*polled);
  } else {
    changed_.WaitFor(&mutex_, kFirstPause);
  }
  const bool all_polled = polled.ok() && !found;
  for (auto& [partition, slot] : slots_) Maintain(partition, slot, catching_up, all_polled);
  Show();
  changed_.SignalAll();
}

void Projector::NoteReading(const absl::Status& trouble) {
  MutexLock lock(&shown_mutex_);
  if (!trouble.ok() && trouble != reading_trouble_) {
    Log(LogLevel::kWarning,
        absl::StrCat(env_.spec->identity().name, ": reading the log: ", trouble.message()));
  }
  reading_trouble_ = trouble;
}

absl::Status Projector::ReadingTrouble() const {
  MutexLock lock(&shown_mutex_);
  return reading_trouble_;
}

void Projector::Show() {
  MutexLock lock(&shown_mutex_);
  std::erase_if(shown_, [this](const auto& entry) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return slots_.count(entry.first) == 0;
  });
  for (const auto& [partition, slot] : slots_) {
    Shown& shown = shown_[partition];
    PartitionStatus& status = shown.status;
    status.partition = partition;
    status.trouble = slot.trouble;
    status.last_record_at = slot.last_record_at;
    if (slot.worker == nullptr) {
      shown.store = nullptr;
      continue;
    }
    const PartitionFold& fold = slot.worker->fold();
    shown.store = slot.worker->store();
    status.position = fold.position();
    status.committed = fold.committed_position();
    status.clock = fold.clock();
    status.digest = fold.digest();
    status.counts = fold.counts();
  }
  shown_generation_ = *generations_.current();
}

void Projector::NotifyAt(Partition partition, Offset position, absl::Time deadline,
                         std::function<void(absl::Status)> done) {
  absl::Status status;
  {
    MutexLock lock(&shown_mutex_);
    const auto shown = shown_.find(partition);
    if (shown == shown_.end()) {
      status = absl::NotFoundError(absl::StrCat("partition ", partition.value(), " of ",
                                                env_.spec->identity().name,
                                                " is not folded by this process"));
    } else if (shown->second.status.committed < position) {
      waiters_.emplace(partition, Waiter{position, absl::Now(), deadline, std::move(done)});
      return;
    }
  }
  done(status);
}

bool Projector::IsAwaited(Partition partition, const PartitionFold& fold) const {
  MutexLock lock(&shown_mutex_);
  const auto [begin, end] = waiters_.equal_range(partition);
  return std::any_of(begin, end, [&](const auto& entry) {
    const Waiter& waiter = entry.second;
    return waiter.position <= fold.position() && waiter.position > fold.committed_position() &&
           absl::Now() - waiter.since >= kWaitersShare;
  });
}

void Projector::CallWaiters() {
  std::vector<std::pair<Waiter, absl::Status>> over;
  {
    MutexLock lock(&shown_mutex_);
    const absl::Time now = absl::Now();
    for (auto it = waiters_.begin(); it != waiters_.end();) {
      const auto& [partition, waiter] = *it;
      const auto shown = shown_.find(partition);
      absl::Status status;
      if (shown == shown_.end()) {
        status = absl::UnavailableError(absl::StrCat("partition ", partition.value(), " of ",
                                                     env_.spec->identity().name,
                                                     " went to another process"));
      } else if (shown->second.status.committed < waiter.position) {
        if (now < waiter.deadline) {
          ++it;
          continue;
        }
        status = absl::DeadlineExceededError(absl::StrCat(
            env_.spec->identity().name, " is at offset ", shown->second.status.committed.value(),
            " of partition ", partition.value(), ", not yet at ", waiter.position.value()));
      }
      over.emplace_back(std::move(it->second), std::move(status));
      it = waiters_.erase(it);
    }
  }
  for (auto& [waiter, status] : over) waiter.done(std::move(status));
}

absl::StatusOr<Offset> Projector::OnAssigned(Partition partition) {
  MutexLock lock(&mutex_);
  Slot& slot = slots_[partition];
  const absl::Cleanup show = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { Show(); };
  if (slot.worker == nullptr) {
    if (const absl::Status status = OpenWorker(partition, slot); !status.ok()) {
      Fail(partition, slot, status);
      return status;
    }
  }
  slot.reading = true;
  return slot.worker->fold().position();
}

void Projector::OnRevoked(Partition partition, bool lost) {
  MutexLock lock(&mutex_);
  const auto it = slots_.find(partition);
  if (it == slots_.end()) return;
  if (!lost && it->second.worker != nullptr) {
    if (const absl::Status status = it->second.worker->Flush(); !status.ok()) {
      // Nothing is lost: the next owner folds from the last commit.
      Log(LogLevel::kWarning, absl::StrCat("giving up partition ", partition.value(), " of ",
                                           env_.spec->identity().name, ": ", status.message()));
    }
  }
  slots_.erase(it);
  Show();
}

absl::Status Projector::OpenWorker(Partition partition, Slot& slot) {
  FoldOptions fold = options_.fold;
  fold.partition = partition;
  fold.partition_count = partition_count_;
  RAPPORT_ASSIGN_OR_RETURN(
      slot.worker,
      PartitionWorker::Open(env_, generations_.PartitionFolder(*generations_.current(), partition),
                            fold, PartitionWorker::Effects::kPublish));
  const absl::StatusOr<Watermarks> asked =
      env_.log->GetWatermarks(env_.topics.touchpoints, partition);
  RAPPORT_RETURN_IF_ERROR(OfLog(asked.status()));
  const Watermarks marks = *asked;
  // What was polled of another log, or of this one before it was cut off, does not come again.
  if (!slot.worker->set_aside().empty()) {
    slot.reread_until = std::min(slot.reread_until, marks.end);
  }
  // A new or set-aside store with a long log behind it is loaded at the speed of a rebuild.
  if (slot.worker->fold().position() == Offset(0) && marks.end.value() > kBulkRecords) {
    slot.worker->fold().set_bulk(true);
    slot.bulk_until = marks.end;
  }
  return absl::OkStatus();
}

void Projector::Fail(Partition partition, Slot& slot, const absl::Status& status) {
  const std::string folder = slot.worker != nullptr ? slot.worker->folder() : "";
  // What was polled and is not committed is read again.
  if (slot.worker != nullptr) {
    slot.reread_until = std::max(slot.reread_until, slot.worker->fold().position());
  }
  slot.worker.reset();
  {
    // Closed, before it is opened again or set aside.
    MutexLock lock(&shown_mutex_);
    if (const auto it = shown_.find(partition); it != shown_.end()) it->second.store = nullptr;
  }
  // Damage that opening does not find: the store is not used again.
  if (absl::IsDataLoss(status) && !folder.empty()) {
    if (const absl::Status aside = SetAside(folder, env_.resources, status.message());
        !aside.ok()) {
      Log(LogLevel::kError, std::string(aside.message()));
    }
  }
  slot.trouble = status;
  slot.pause = std::clamp(slot.pause * 2, kFirstPause, kLongestPause);
  slot.retry_at = absl::Now() + slot.pause;
  Log(LogLevel::kWarning, absl::StrCat(env_.spec->identity().name, " partition ", partition.value(),
                                       " stands still: ", status.message(), "; trying again in ",
                                       absl::FormatDuration(slot.pause)));
}

void Projector::FoldInto(const PartitionRecords& read) {
  const auto it = slots_.find(read.partition);
  if (it == slots_.end()) return;
  Slot& slot = it->second;
  if (slot.worker == nullptr || slot.worker->fold().position() < read.from) {
    slot.reread_until = read.next;
    return;
  }
  if (const absl::Status status = slot.worker->Fold(read.records); !status.ok()) {
    slot.reread_until = std::max(slot.reread_until, read.next);
    Fail(read.partition, slot, status);
    return;
  }
  slot.worker->fold().PassOver(read.next);
  slot.folded_at = absl::Now();
  if (!read.records.empty()) slot.last_record_at = read.records.back().timestamp;
}

bool Projector::IsQuiet(const Slot& slot) const {
  return slot.folded_at - slot.last_record_at <= kLag &&
         absl::Now() - slot.folded_at >= options_.fold.quiet_interval;
}

void Projector::Maintain(Partition partition, Slot& slot, bool catching_up, bool all_polled) {
  const auto maintain = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
    if (slot.worker == nullptr) {
      if (!slot.reading || absl::Now() < slot.retry_at) return absl::OkStatus();
      RAPPORT_RETURN_IF_ERROR(OpenWorker(partition, slot));
    }
    PartitionFold& fold = slot.worker->fold();
    if (fold.position() < slot.reread_until) {
      RAPPORT_RETURN_IF_ERROR(
          slot.worker->FoldUpTo(std::min(slot.reread_until, fold.position() + kRereadRecords)));
      catching_up = fold.position() < slot.reread_until;
    }
    if (slot.bulk_until > Offset(0) && fold.position() >= slot.bulk_until) {
      RAPPORT_RETURN_IF_ERROR(slot.worker->Flush());
      fold.set_bulk(false);
      slot.bulk_until = Offset(0);
    }
    const Offset committed = fold.committed_position();
    const absl::Time before = absl::Now();
    const bool flush = (waiting_ > 0 && !catching_up) || IsAwaited(partition, fold) ||
                       (all_polled && fold.has_uncommitted() && IsQuiet(slot));
    RAPPORT_RETURN_IF_ERROR(flush ? slot.worker->Flush()
                                  : slot.worker->CommitIfDue(before, catching_up));
    if (options_.on_commit && fold.committed_position() != committed) {
      options_.on_commit(partition, absl::Now() - before);
    }
    slot.trouble = absl::OkStatus();
    slot.pause = absl::ZeroDuration();
    return absl::OkStatus();
  };
  if (const absl::Status status = maintain(); !status.ok()) Fail(partition, slot, status);
}

absl::Status Projector::CatchUp(
    absl::Duration timeout,
    const std::function<void(const std::vector<PartitionStatus>&)>& progress) {
  std::vector<Offset> targets;
  for (int i = 0; i < partition_count_; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             env_.log->GetWatermarks(env_.topics.touchpoints, Partition(i)));
    targets.push_back(marks.end);
  }
  const absl::Time deadline = absl::Now() + timeout;
  absl::Time next_progress = absl::Now();
  ++waiting_;
  MutexLock lock(&mutex_);
  absl::Status result;
  for (;;) {
    const auto done = [&](const auto& entry) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      const Slot& slot = entry.second;
      const size_t index = static_cast<size_t>(entry.first.value());
      return slot.worker != nullptr && slot.worker->fold().committed_position() >= targets[index] &&
             slot.worker->fold().outbox().empty();
    };
    if (slots_.size() >= static_cast<size_t>(options_.least_partitions) &&
        std::all_of(slots_.begin(), slots_.end(), done)) {
      break;
    }
    const auto stuck = std::find_if(slots_.begin(), slots_.end(), [](const auto& entry) {
      return !entry.second.trouble.ok() && entry.second.pause >= absl::Seconds(1);
    });
    if (stuck != slots_.end()) {
      result = Annotate(stuck->second.trouble, absl::StrCat(env_.spec->identity().name,
                                                            " partition ", stuck->first.value()));
      break;
    }
    if (absl::Now() >= deadline) {
      result = absl::DeadlineExceededError(absl::StrCat(
          env_.spec->identity().name, " has not caught up within ", absl::FormatDuration(timeout)));
      break;
    }
    if (progress && absl::Now() >= next_progress) {
      next_progress = absl::Now() + kProgressEvery;
      if (const auto status = Status(); status.ok()) progress(*status);
    }
    changed_.WaitFor(&mutex_, kProgressEvery);
  }
  --waiting_;
  if (progress && result.ok()) {
    if (const auto status = Status(); status.ok()) progress(*status);
  }
  return result;
}

absl::StatusOr<std::vector<PartitionStatus>> Projector::Status() const {
  std::vector<PartitionStatus> all;
  {
    MutexLock lock(&shown_mutex_);
    for (const auto& [partition, shown] : shown_) all.push_back(shown.status);
  }
  for (PartitionStatus& status : all) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             env_.log->GetWatermarks(env_.topics.touchpoints, status.partition));
    status.end = marks.end;
  }
  return all;
}

std::shared_ptr<StateStore> Projector::StoreOf(Partition partition) const {
  MutexLock lock(&shown_mutex_);
  const auto it = shown_.find(partition);
  return it == shown_.end() ? nullptr : it->second.store;
}

std::map<Partition, std::shared_ptr<StateStore>> Projector::Stores() const {
  MutexLock lock(&shown_mutex_);
  std::map<Partition, std::shared_ptr<StateStore>> stores;
  for (const auto& [partition, shown] : shown_) {
    if (shown.store != nullptr) stores[partition] = shown.store;
  }
  return stores;
}

absl::Status Projector::WhilePaused(
    const std::function<absl::Status(Workers*, Generations*)>& action) {
  ++waiting_;
  MutexLock lock(&mutex_);
  --waiting_;
  Workers workers;
  for (auto& [partition, slot] : slots_) {
    if (slot.worker == nullptr) {
      return Annotate(slot.trouble, absl::StrCat("partition ", partition.value(), " stands still"));
    }
    if (const absl::Status status = slot.worker->Flush(); !status.ok()) {
      Fail(partition, slot, status);
      return status;
    }
  }
  for (auto& [partition, slot] : slots_) {
    // Should it be opened again, then further back, as after a rollback.
    slot.reread_until = std::max(slot.reread_until, slot.worker->fold().position());
    workers[partition] = std::move(slot.worker);
  }
  const absl::Status status = action(&workers, &generations_);
  for (auto& [partition, slot] : slots_) {
    // After an error nothing uncommitted counts.
    slot.worker = status.ok() ? std::move(workers[partition]) : nullptr;
    // Opened again from what is stored.
    if (slot.worker == nullptr) slot.retry_at = absl::InfinitePast();
  }
  Show();
  return status;
}

}  // namespace rapport
