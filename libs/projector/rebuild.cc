#include "libs/projector/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/projector/client_replay.h"
#include "libs/projector/takeover.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kReadWait = absl::Seconds(5);
constexpr absl::Duration kProgressEvery = absl::Milliseconds(200);
constexpr absl::Duration kPauseStep = absl::Milliseconds(20);

// What waits in memory of the records that a replay groups; the rest waits in a file.
constexpr size_t kMostReplayBytes = size_t{64} << 20;
constexpr size_t kReplayShare = 8;

// Counts records over all partitions, tells progress, and holds back to the rate limit. A record is
// read and folded: half a record each.
class Pacer {
 public:
  Pacer(const RebuildOptions& options, int64_t total, int64_t done)
      : options_(options), total_(total), done_halves_(2 * done), start_(absl::Now()) {}

  absl::Status CountRead(int64_t records) { return Count(records); }
  absl::Status CountFolded(int64_t records) { return Count(records); }
  absl::Status CountCommit() {
    next_progress_ = absl::InfinitePast();
    return Count(0);
  }
  void Finish() {
    if (options_.progress) Tell(absl::Now());
  }

 private:
  absl::Status Count(int64_t halves) {
    done_halves_ += halves;
    counted_halves_ += halves;
    const absl::Time now = absl::Now();
    if (options_.progress && now >= next_progress_) {
      next_progress_ = now + kProgressEvery;
      Tell(now);
    }
    return WaitForTurn();
  }

  void Tell(absl::Time now) const {
    RebuildProgress progress;
    progress.records = done_halves_ / 2;
    progress.total_records = total_;
    const double seconds = absl::ToDoubleSeconds(now - start_);
    if (counted_halves_ > 0 && seconds > 0) {
      progress.records_per_second = static_cast<double>(counted_halves_) / 2 / seconds;
      progress.remaining =
          absl::Seconds(static_cast<double>(std::max<int64_t>(0, total_ - progress.records)) /
                        progress.records_per_second);
    }
    options_.progress(progress);
  }

  absl::Status WaitForTurn() const {
    for (;;) {
      if (options_.control != nullptr && options_.control->cancelled()) {
        return absl::CancelledError("the rebuild was stopped; the next one goes on from here");
      }
      absl::Duration wait = absl::ZeroDuration();
      if (options_.control != nullptr && options_.control->paused()) {
        wait = kPauseStep;
      } else if (options_.records_per_second > 0) {
        const absl::Time due =
            start_ + absl::Seconds(static_cast<double>(counted_halves_) / 2 /
                                   static_cast<double>(options_.records_per_second));
        wait = std::min(due - absl::Now(), kPauseStep);
      }
      if (wait <= absl::ZeroDuration()) return absl::OkStatus();
      absl::SleepFor(wait);
    }
  }

  const RebuildOptions& options_;
  const int64_t total_;
  int64_t done_halves_;
  int64_t counted_halves_ = 0;
  const absl::Time start_;
  absl::Time next_progress_ = absl::InfinitePast();
};

// The records before `target` among the next ones; none when the rest of them were a gap.
absl::StatusOr<absl::Span<const RecordView>> ReadSome(LogReader& reader, Offset target,
                                                      const PartitionFold& fold,
                                                      const RebuildOptions& options) {
  const Offset begin = reader.position();
  RAPPORT_ASSIGN_OR_RETURN(absl::Span<const RecordView> records,
                           reader.Read(options.batch_records, kReadWait));
  if (records.empty() && reader.position() == begin) {
    return absl::UnavailableError(absl::StrCat(
        "the log gave no records from offset ", reader.position().value(), " of partition ",
        fold.partition().value(), ", though it reaches to ", target.value()));
  }
  while (!records.empty() && records.back().offset >= target) records.remove_suffix(1);
  return records;
}

absl::Status FoldPartition(const ProjectionEnv& env, PartitionWorker& worker, Offset target,
                           const RebuildOptions& options, Pacer& pacer) {
  PartitionFold& fold = worker.fold();
  if (fold.position() >= target) return absl::OkStatus();
  RAPPORT_ASSIGN_OR_RETURN(
      const std::unique_ptr<LogReader> reader,
      env.log->OpenReader(env.topics.touchpoints, fold.partition(), fold.position()));
  const size_t memory = env.resources->in_memory()
                            ? std::numeric_limits<size_t>::max()
                            : std::min(kMostReplayBytes, env.budget->Share() / kReplayShare);
  // Effects that are found to be published.
  if (fold.has_uncommitted()) RAPPORT_RETURN_IF_ERROR(fold.Commit());
  bool at_end = false;
  while (!at_end) {
    ClientReplay replay(&fold, worker.folder(), memory);
    absl::Span<const RecordView> in_their_turn;
    while (!at_end && in_their_turn.empty() && replay.records() < options.checkpoint_records) {
      RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records,
                               ReadSome(*reader, target, fold, options));
      at_end = reader->position() >= target;
      size_t taken = 0;
      if (!fold.within_record()) {
        RAPPORT_ASSIGN_OR_RETURN(taken, replay.Add(records));
      }
      in_their_turn = records.subspan(taken);
      RAPPORT_RETURN_IF_ERROR(pacer.CountRead(static_cast<int64_t>(records.size())));
    }
    RAPPORT_RETURN_IF_ERROR(
        replay.Run([&](int64_t records) { return pacer.CountFolded(records); }));
    RAPPORT_RETURN_IF_ERROR(fold.Fold(in_their_turn));
    // What lies between the last record and the target is no record.
    if (at_end && reader->position() == target) fold.PassOver(target);
    RAPPORT_RETURN_IF_ERROR(pacer.CountFolded(static_cast<int64_t>(in_their_turn.size())));
    if (fold.has_uncommitted()) RAPPORT_RETURN_IF_ERROR(fold.Commit());
    RAPPORT_RETURN_IF_ERROR(pacer.CountCommit());
  }
  return absl::OkStatus();
}

absl::Status RemoveAll(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error)
    return absl::UnavailableError(absl::StrCat("removing ", folder, ": ", error.message()));
  return absl::OkStatus();
}

// Brings both to the same position: the new one may well be ahead, as bulk loading is faster.
absl::Status Align(PartitionWorker& live, PartitionWorker& built) {
  built.GoLive();
  RAPPORT_RETURN_IF_ERROR(built.FoldUpTo(live.fold().position()));
  RAPPORT_RETURN_IF_ERROR(built.Flush());
  RAPPORT_RETURN_IF_ERROR(live.FoldUpTo(built.fold().position()));
  return live.Flush();
}

int64_t RecordsFolded(const Projector::Workers& workers) {
  int64_t records = 0;
  for (const auto& [partition, worker] : workers) records += worker->fold().counts().records();
  return records;
}

}  // namespace

absl::StatusOr<Targets> TargetsAtEnd(EventLog& log, const std::string& topic) {
  return TargetsAtTime(log, topic, absl::InfiniteFuture());
}

absl::StatusOr<Targets> TargetsAtTime(EventLog& log, const std::string& topic, absl::Time time) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log.PartitionCount(topic));
  Targets targets;
  for (int i = 0; i < partitions; ++i) {
    if (time == absl::InfiniteFuture()) {
      RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log.GetWatermarks(topic, Partition(i)));
      targets[Partition(i)] = marks.end;
    } else {
      RAPPORT_ASSIGN_OR_RETURN(const Offset offset, log.OffsetForTime(topic, Partition(i), time));
      targets[Partition(i)] = offset;
    }
  }
  return targets;
}

absl::StatusOr<Projector::Workers> BuildAside(
    const ProjectionEnv& env, const std::function<std::string(Partition)>& folder_of,
    const Targets& targets, const RebuildOptions& options) {
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, env.log->PartitionCount(env.topics.touchpoints));
  Projector::Workers workers;
  int64_t total = 0;
  int64_t done = 0;
  for (const auto& [partition, target] : targets) {
    FoldOptions fold;
    fold.partition = partition;
    fold.partition_count = partitions;
    fold.bulk = true;
    RAPPORT_ASSIGN_OR_RETURN(
        workers[partition],
        PartitionWorker::Open(env, folder_of(partition), fold, PartitionWorker::Effects::kHold));
    // What the generations before have sent is not sent again.
    RAPPORT_RETURN_IF_ERROR(workers[partition]->FindPublished());
    total += target.value();
    done += std::min(target, workers[partition]->fold().position()).value();
  }
  Pacer pacer(options, total, done);
  for (auto& [partition, worker] : workers) {
    RAPPORT_RETURN_IF_ERROR(FoldPartition(env, *worker, targets.at(partition), options, pacer));
    // The next partition gets the memory.
    worker->fold().DropCache();
  }
  pacer.Finish();
  return workers;
}

namespace {

// The end of the log now, for the partitions that this process folds.
absl::StatusOr<Targets> TargetsOf(const Projector& projector) {
  const ProjectionEnv& env = projector.env();
  RAPPORT_ASSIGN_OR_RETURN(Targets targets, TargetsAtEnd(*env.log, env.topics.touchpoints));
  std::erase_if(targets,
                [&](const auto& target) { return projector.StoreOf(target.first) == nullptr; });
  if (!targets.empty()) return targets;
  return absl::FailedPreconditionError(
      absl::StrCat("this process folds no partition of ", env.spec->identity().name));
}

}  // namespace

absl::StatusOr<RebuildResult> Rebuild(Projector& projector, const RebuildOptions& options) {
  const ProjectionEnv& env = projector.env();
  const absl::Time start = absl::Now();
  const ProjectionIdentity& identity = env.spec->identity();
  RAPPORT_ASSIGN_OR_RETURN(Generations generations, Generations::Open(projector.options().folder));
  std::optional<int> number = generations.Unfinished(identity);
  if (!number) {
    RAPPORT_ASSIGN_OR_RETURN(number, generations.Create(identity));
  }
  RAPPORT_ASSIGN_OR_RETURN(const Targets targets, TargetsOf(projector));
  RAPPORT_ASSIGN_OR_RETURN(
      Projector::Workers built,
      BuildAside(
          env, [&](Partition partition) { return generations.PartitionFolder(*number, partition); },
          targets, options));

  RebuildResult result;
  result.generation = *number;
  const absl::Status switched =
      projector.WhilePaused([&](Projector::Workers* live, Generations* serving) -> absl::Status {
        // What has gone to another process meanwhile stays where it is in the new generation.
        std::erase_if(built, [&](const auto& entry) { return !live->contains(entry.first); });
        for (auto& [partition, worker] : built) {
          PartitionWorker& old = *live->at(partition);
          RAPPORT_RETURN_IF_ERROR(Align(old, *worker));
          if (worker->fold().digest() == old.fold().digest()) continue;
          RAPPORT_ASSIGN_OR_RETURN(std::optional<Difference> difference,
                                   FirstDifference(*old.store(), *worker->store()));
          if (difference) result.findings.push_back({partition, *std::move(difference)});
        }
        // The old one's alerts stand in the log; the new one finds them there and sends the rest.
        for (auto& [partition, worker] : built) {
          RAPPORT_RETURN_IF_ERROR(worker->FindPublished());
          RAPPORT_RETURN_IF_ERROR(TellDifference(env, *worker));
        }
        RAPPORT_RETURN_IF_ERROR(serving->Activate(*number));
        // What has come meanwhile is folded into the new generation by the projector.
        for (auto& [partition, worker] : *live) worker.reset();
        for (auto& [partition, worker] : built) {
          worker->StartPublishing();
          (*live)[partition] = std::move(worker);
        }
        return absl::OkStatus();
      });
  RAPPORT_RETURN_IF_ERROR(switched);
  for (const auto& [partition, target] : targets) result.records += target.value();
  result.took = absl::Now() - start;
  return result;
}

absl::StatusOr<RebuildResult> RebuildOffline(const ProjectionEnv& env, const std::string& folder,
                                             const RebuildOptions& options) {
  const absl::Time start = absl::Now();
  RAPPORT_ASSIGN_OR_RETURN(Generations generations, Generations::Open(folder));
  std::optional<int> number = generations.Unfinished(env.spec->identity());
  if (!number) {
    RAPPORT_ASSIGN_OR_RETURN(number, generations.Create(env.spec->identity()));
  }
  RAPPORT_ASSIGN_OR_RETURN(const Targets targets, TargetsAtEnd(*env.log, env.topics.touchpoints));
  RAPPORT_ASSIGN_OR_RETURN(
      const Projector::Workers built,
      BuildAside(
          env, [&](Partition partition) { return generations.PartitionFolder(*number, partition); },
          targets, options));
  for (const auto& [partition, worker] : built) {
    RAPPORT_RETURN_IF_ERROR(TellDifference(env, *worker));
  }
  RAPPORT_RETURN_IF_ERROR(generations.Activate(*number));
  RebuildResult result;
  result.generation = *number;
  result.comparable = false;
  result.records = RecordsFolded(built);
  result.took = absl::Now() - start;
  return result;
}

absl::Status BringUpToDate(const ProjectionEnv& env, const std::string& folder,
                           std::function<void(const RebuildProgress&)> progress) {
  const ProjectionIdentity& identity = env.spec->identity();
  RAPPORT_ASSIGN_OR_RETURN(const Generations generations, Generations::Open(folder));
  if (!generations.current()) return absl::OkStatus();
  const absl::StatusOr<ProjectionIdentity> stored = generations.IdentityOf(*generations.current());
  if (stored.ok() && *stored == identity) return absl::OkStatus();
  Log(LogLevel::kInfo, absl::StrCat("the stored state of ", identity.name,
                                    " is of another version or other settings; rebuilding it"));
  RebuildOptions options;
  options.progress = std::move(progress);
  return RebuildOffline(env, folder, options).status();
}

absl::Status Rollback(Projector& projector) {
  return projector.WhilePaused([](Projector::Workers* live, Generations* serving) -> absl::Status {
    RAPPORT_RETURN_IF_ERROR(serving->Rollback());
    // Closed, so that the projector opens those of the other generation.
    for (auto& [partition, worker] : *live) worker.reset();
    return absl::OkStatus();
  });
}

bool VerifyResult::equal() const {
  return std::all_of(partitions.begin(), partitions.end(),
                     [](const PartitionResult& partition) { return partition.equal(); });
}

absl::StatusOr<VerifyResult> Verify(Projector& projector, const std::string& scratch_folder,
                                    const RebuildOptions& options) {
  const absl::Time start = absl::Now();
  const ProjectionEnv& env = projector.env();
  RAPPORT_RETURN_IF_ERROR(RemoveAll(scratch_folder));
  RAPPORT_ASSIGN_OR_RETURN(const Targets targets, TargetsOf(projector));
  VerifyResult result;
  {
    RAPPORT_ASSIGN_OR_RETURN(Projector::Workers built,
                             BuildAside(
                                 env,
                                 [&](Partition partition) {
                                   return absl::StrCat(scratch_folder, "/p", partition.value());
                                 },
                                 targets, options));
    RAPPORT_RETURN_IF_ERROR(
        projector.WhilePaused([&](Projector::Workers* live, Generations*) -> absl::Status {
          for (auto& [partition, worker] : built) {
            // Gone to another process meanwhile.
            if (!live->contains(partition)) continue;
            PartitionWorker& serving = *live->at(partition);
            RAPPORT_RETURN_IF_ERROR(Align(serving, *worker));
            VerifyResult::PartitionResult& verified = result.partitions.emplace_back();
            verified.partition = partition;
            verified.position = serving.fold().position();
            verified.live = serving.fold().digest();
            verified.rebuilt = worker->fold().digest();
            RAPPORT_ASSIGN_OR_RETURN(verified.stored, serving.store()->ComputeDigest());
            if (verified.equal()) continue;
            RAPPORT_ASSIGN_OR_RETURN(verified.difference,
                                     FirstDifference(*serving.store(), *worker->store()));
          }
          result.records = RecordsFolded(built);
          return absl::OkStatus();
        }));
  }
  RAPPORT_RETURN_IF_ERROR(RemoveAll(scratch_folder));
  result.took = absl::Now() - start;
  return result;
}

}  // namespace rapport
