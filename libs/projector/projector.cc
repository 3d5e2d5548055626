#include "libs/projector/projector.h"

#include <algorithm>
#include <utility>

#include "libs/base/check.h"
#include "libs/base/log.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kPollRecords = 4096;
// How long a poll waits for records: short while changes wait for their commit, and never so long
// that stopping takes time.
constexpr absl::Duration kIdleWait = absl::Milliseconds(50);
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
      env.log->Subscribe(env.topics.touchpoints, {.group = options.group, .member = options.member},
                         projector.get()));
  projector->thread_ = std::thread([raw = projector.get()] { raw->Run(); });
  return projector;
}

Projector::~Projector() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  if (subscription_ != nullptr) {
    if (const absl::Status status = subscription_->Close(); !status.ok()) {
      Log(LogLevel::kWarning, absl::StrCat("leaving the group: ", status.message()));
    }
  }
}

void Projector::Run() {
  while (!stopping_) RunOnce();
}

void Projector::RunOnce() {
  bool busy = waiting_ > 0;
  {
    MutexLock lock(&mutex_);
    for (const auto& [partition, slot] : slots_) {
      busy |= slot.worker == nullptr || slot.worker->fold().has_uncommitted() ||
              slot.worker->fold().position() < slot.reread_until;
    }
  }
  const absl::StatusOr<PartitionRecords> polled =
      subscription_->Poll(kPollRecords, busy ? kBusyWait : kIdleWait);
  MutexLock lock(&mutex_);
  bool catching_up = false;
  if (polled.ok()) {
    if (!polled->records.empty()) {
      catching_up = absl::Now() - polled->records.back().timestamp > kLag;
      FoldInto(polled->partition, polled->records);
    }
  } else {
    Log(LogLevel::kWarning,
        absl::StrCat(env_.spec->identity().name, ": reading the log: ", polled.status().message()));
    changed_.WaitFor(&mutex_, kFirstPause);
  }
  for (auto& [partition, slot] : slots_) Maintain(partition, slot, catching_up);
  changed_.SignalAll();
}

absl::StatusOr<Offset> Projector::OnAssigned(Partition partition) {
  MutexLock lock(&mutex_);
  Slot& slot = slots_[partition];
  if (const absl::Status status = OpenWorker(partition, slot); !status.ok()) {
    Fail(partition, slot, status);
    // Opened again later, from its own position; what is there until now is read again then.
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             env_.log->GetWatermarks(env_.topics.touchpoints, partition));
    slot.reread_until = marks.end;
    return marks.end;
  }
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
}

absl::Status Projector::OpenWorker(Partition partition, Slot& slot) {
  FoldOptions fold = options_.fold;
  fold.partition = partition;
  RAPPORT_ASSIGN_OR_RETURN(
      slot.worker,
      PartitionWorker::Open(env_, generations_.PartitionFolder(*generations_.current(), partition),
                            fold, PartitionWorker::Effects::kPublish));
  RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                           env_.log->GetWatermarks(env_.topics.touchpoints, partition));
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
  // Damage that opening does not find: the store is not used again.
  if (absl::IsDataLoss(status) && !folder.empty()) {
    if (const absl::Status aside = SetAside(folder, status.message()); !aside.ok()) {
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

void Projector::FoldInto(Partition partition, absl::Span<const RecordView> records) {
  const auto it = slots_.find(partition);
  if (it == slots_.end()) return;
  Slot& slot = it->second;
  if (slot.worker == nullptr || slot.worker->fold().position() < records.front().offset) {
    slot.reread_until = records.back().offset + 1;
    return;
  }
  if (const absl::Status status = slot.worker->Fold(records); !status.ok()) {
    slot.reread_until = std::max(slot.reread_until, records.back().offset + 1);
    Fail(partition, slot, status);
  }
}

void Projector::Maintain(Partition partition, Slot& slot, bool catching_up) {
  const auto maintain = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
    if (slot.worker == nullptr) {
      if (absl::Now() < slot.retry_at) return absl::OkStatus();
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
    RAPPORT_RETURN_IF_ERROR(waiting_ > 0 && !catching_up
                                ? slot.worker->Flush()
                                : slot.worker->CommitIfDue(absl::Now(), catching_up));
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
      if (const auto status = StatusLocked(); status.ok()) progress(*status);
    }
    changed_.WaitFor(&mutex_, kProgressEvery);
  }
  --waiting_;
  if (progress && result.ok()) {
    if (const auto status = StatusLocked(); status.ok()) progress(*status);
  }
  return result;
}

absl::StatusOr<std::vector<PartitionStatus>> Projector::StatusLocked() const {
  std::vector<PartitionStatus> all;
  for (const auto& [partition, slot] : slots_) {
    PartitionStatus& status = all.emplace_back();
    status.partition = partition;
    status.trouble = slot.trouble;
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks,
                             env_.log->GetWatermarks(env_.topics.touchpoints, partition));
    status.end = marks.end;
    if (slot.worker == nullptr) continue;
    const PartitionFold& fold = slot.worker->fold();
    status.position = fold.position();
    status.committed = fold.committed_position();
    status.clock = fold.clock();
    status.digest = fold.digest();
    status.counts = fold.counts();
  }
  return all;
}

absl::StatusOr<std::vector<PartitionStatus>> Projector::Status() const {
  MutexLock lock(&mutex_);
  return StatusLocked();
}

std::shared_ptr<StateStore> Projector::StoreOf(Partition partition) const {
  MutexLock lock(&mutex_);
  const auto it = slots_.find(partition);
  if (it == slots_.end() || it->second.worker == nullptr) return nullptr;
  return it->second.worker->store();
}

int Projector::generation() const {
  MutexLock lock(&mutex_);
  return *generations_.current();
}

absl::Status Projector::WhilePaused(
    const std::function<absl::Status(Workers*, Generations*)>& action) {
  ++waiting_;
  MutexLock lock(&mutex_);
  --waiting_;
  Workers workers;
  if (slots_.size() != static_cast<size_t>(partition_count_)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this process owns ", slots_.size(), " of the ", partition_count_, " partitions of ",
        env_.spec->identity().name, ": stop the other processes of the group first"));
  }
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
  return status;
}

}  // namespace rapport
