#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/compare.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/projector.h"

namespace rapport {

struct RebuildProgress {
  // Done so far, those of an earlier, cut-off run included; a record that is read and not folded
  // yet counts half.
  int64_t records = 0;
  int64_t total_records = 0;  // to fold in all, as the log stood at the start
  double records_per_second = 0;
  // Until the end at this rate; infinite before there is a rate.
  absl::Duration remaining = absl::InfiniteDuration();
};

// Steers a rebuild from another thread. Thread-safe.
class RebuildControl {
 public:
  void Pause() { paused_ = true; }
  void Resume() { paused_ = false; }
  // Stops after the current batch; what is committed stays and is resumed by the next rebuild.
  void Cancel() { cancelled_ = true; }
  bool paused() const { return paused_; }
  bool cancelled() const { return cancelled_; }

 private:
  std::atomic<bool> paused_ = false;
  std::atomic<bool> cancelled_ = false;
};

struct RebuildOptions {
  // Records a second over all partitions; 0 for no limit.
  int64_t records_per_second = 0;
  // Records of a partition that are folded together and committed: what a crash costs. The more,
  // the faster, since each client among them is folded and written once.
  int64_t checkpoint_records = 5'000'000;
  // Records that are read at a time.
  size_t batch_records = 4096;
  // Called about five times a second, and after each commit.
  std::function<void(const RebuildProgress&)> progress;
  RebuildControl* control = nullptr;
};

// Where to stop, for each partition that is folded.
using Targets = std::map<Partition, Offset>;
// The end of the log now; or the first offsets at or after `time`, as of a time.
absl::StatusOr<Targets> TargetsAtEnd(EventLog& log, const std::string& topic);
absl::StatusOr<Targets> TargetsAtTime(EventLog& log, const std::string& topic, absl::Time time);

// Folds the log from its beginning up to `targets` into stores under the folders that `folder_of`
// names, or goes on where an earlier run was cut off, client by client (ClientReplay). Memory is
// bounded, however many records and clients there are. Returns the workers, committed, their
// effects held back. Cancelled: by the control.
absl::StatusOr<Projector::Workers> BuildAside(
    const ProjectionEnv& env, const std::function<std::string(Partition)>& folder_of,
    const Targets& targets, const RebuildOptions& options);

struct RebuildResult {
  int generation = 0;
  int64_t records = 0;
  absl::Duration took;
  // Where the new generation differs from the one that served, partition by partition; empty when
  // they are equal.
  struct Finding {
    Partition partition;
    Difference difference;
  };
  std::vector<Finding> findings;
  // The one that served was folded by another version or other settings: differences are expected.
  bool comparable = true;
};

// Builds a new generation beside the live one of `projector`, lets it follow until it is where the
// live one is, compares, and puts it in its place; the one before stays for rollback. An unfinished
// rebuild of the same version is gone on with.
absl::StatusOr<RebuildResult> Rebuild(Projector& projector, const RebuildOptions& options);

// The same with no live one: a projection whose stored state is of another version or settings.
absl::StatusOr<RebuildResult> RebuildOffline(const ProjectionEnv& env, const std::string& folder,
                                             const RebuildOptions& options);

// Rebuilds offline what is stored under `folder` when other code or settings folded it, telling
// `progress`; does nothing when there is nothing or it is up to date.
absl::Status BringUpToDate(const ProjectionEnv& env, const std::string& folder,
                           std::function<void(const RebuildProgress&)> progress);

// Goes back to the generation before the last rebuild.
absl::Status Rollback(Projector& projector);

struct VerifyResult {
  struct PartitionResult {
    Partition partition;
    Offset position;
    Digest live;    // the running digest
    Digest stored;  // of what the store really holds
    Digest rebuilt;
    // Set when they are not all equal: where live and rebuilt first differ; nullopt when only the
    // running digest is off.
    std::optional<Difference> difference;
    // Where what answers from memory differs from what is stored; empty when it does not, or
    // nothing does.
    std::string in_memory = {};
    bool equal() const { return live == stored && live == rebuilt && in_memory.empty(); }
  };
  std::vector<PartitionResult> partitions;
  int64_t records = 0;
  absl::Duration took;
  bool equal() const;
};

// Folds the log anew into `scratch_folder` (removed afterwards) up to where the live state stands,
// and compares.
absl::StatusOr<VerifyResult> Verify(Projector& projector, const std::string& scratch_folder,
                                    const RebuildOptions& options);

}  // namespace rapport
