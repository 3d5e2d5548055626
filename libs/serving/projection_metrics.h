#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/projector/projector.h"
#include "libs/service/metrics.h"

namespace rapport {

// Tells Prometheus how a projector stands, by projection and partition, read every two seconds:
//   rapport_folded_total, rapport_duplicates_total, rapport_timers_total, rapport_effects_total
//   rapport_dead_letters, rapport_clients, rapport_fold_lag_offsets, rapport_fold_lag_seconds
//   rapport_fold_stands_still (1 or 0), rapport_state_disk_bytes
//   rapport_commit_seconds (histogram, by projection), rapport_state_cache_bytes (of the process)
class ProjectionMetrics {
 public:
  ProjectionMetrics(Metrics* metrics, std::string projection, const CacheBudget* budget);
  ~ProjectionMetrics();

  // Begins to read.
  void Watch(const Projector* projector);
  // Reads no more; the projector may go.
  void Stop();
  // A commit took so long. Any thread.
  void Commit(absl::Duration took);

 private:
  struct Families;
  struct OfPartition;

  void Run();
  void Read();

  const std::string projection_;
  const CacheBudget* const budget_;
  const std::unique_ptr<Families> families_;
  const Projector* projector_ = nullptr;
  std::map<Partition, std::unique_ptr<OfPartition>> partitions_;

  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// How old the last folded record was at `now` when the log goes on behind it; zero at its end.
absl::Duration FoldLag(const PartitionStatus& status, absl::Time now);

}  // namespace rapport
