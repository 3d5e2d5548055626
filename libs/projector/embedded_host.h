#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/projector.h"
#include "libs/projector/rebuild.h"

namespace rapport {

// Everything in one process over the embedded log: `<data>/log`, and the projections' states under
// `<data>/state`. One process at a time. Thread-safe but for Open and destruction.
class EmbeddedHost {
 public:
  struct Options {
    // Created when missing.
    std::string data;
    // Cap over caches, write buffers and decoded states of all projections, rebuilds included.
    size_t memory_bytes = size_t{1} << 30;
    // Of the topics, when they are created; a log that exists keeps its own.
    int partitions = 4;
    // How the projections commit; partition and bulk don't matter.
    FoldOptions fold;
    // The projections to run.
    std::vector<std::unique_ptr<ProjectionSpec>> projections;
    // Told about a rebuild that Open has to do, because a projection's code or settings changed.
    std::function<void(const std::string& projection, const RebuildProgress&)> rebuild_progress;
  };

  // FailedPrecondition: another process has the folder open.
  static absl::StatusOr<std::unique_ptr<EmbeddedHost>> Open(Options options);
  ~EmbeddedHost();

  EventLog& log() const { return *log_; }
  const LogTopics& topics() const { return topics_; }
  int partition_count() const { return partition_count_; }

  // Waits until all projections have folded, committed and published all that the log holds.
  absl::Status CatchUp(
      const std::function<void(const std::string& projection, const std::vector<PartitionStatus>&)>&
          progress = {});

  // NotFound, with the names that there are.
  absl::StatusOr<Projector*> Find(absl::string_view projection) const;
  // To read what the projection has committed. Unavailable: a partition is not open.
  absl::StatusOr<ProjectionView> View(absl::string_view projection) const;
  // The clock as the projection has folded it: the earliest over the partitions.
  absl::StatusOr<absl::Time> Clock(absl::string_view projection) const;
  // Folds anew beside the live state, and compares.
  absl::StatusOr<VerifyResult> VerifyProjection(absl::string_view projection,
                                                const RebuildOptions& options) const;

 private:
  EmbeddedHost() = default;

  std::string data_;
  LogTopics topics_;
  int partition_count_ = 0;
  std::vector<std::unique_ptr<ProjectionSpec>> specs_;
  std::unique_ptr<StoreResources> resources_;
  std::unique_ptr<CacheBudget> budget_;
  std::unique_ptr<EventLog> log_;
  std::map<std::string, std::unique_ptr<Projector>> projectors_;
};

}  // namespace rapport
