#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/projector/projector.h"
#include "libs/projector/rebuild.h"
#include "rapport/query/v1/projection.pb.h"

namespace rapport {

// Rebuilds, verifications and rollbacks of one projection beside its live fold: one at a time, on a
// thread of its own. Thread-safe.
class ProjectionJobs {
 public:
  using Verification = std::function<absl::StatusOr<VerifyResult>(const std::string& scratch_folder,
                                                                  const RebuildOptions& options)>;
  // `scratch_folder`: where a verification folds. `verification`: what it is, where there is more
  // to it than the projector's state.
  ProjectionJobs(Projector* projector, std::string scratch_folder, Verification verification = {});
  // Cancels what runs, and waits for it.
  ~ProjectionJobs();

  // Starts a job and returns it as it stands. Aborted: another one is under way.
  absl::StatusOr<query::v1::Job> Start(query::v1::JobKind kind, const query::v1::JobOrder& order);

  // Steer the job that is under way and return it as it stands. NotFound: none is.
  absl::StatusOr<query::v1::Job> Pause();
  absl::StatusOr<query::v1::Job> Resume();
  absl::StatusOr<query::v1::Job> Cancel();

  // The newest first, at most 20.
  query::v1::JobList List() const;
  // The one under way; nullopt when none is.
  std::optional<query::v1::Job> Current() const;

 private:
  absl::Status Run(query::v1::JobKind kind, const RebuildOptions& options, query::v1::Job* result);
  absl::StatusOr<query::v1::Job> Steer(const std::function<void(RebuildControl&)>& how);
  query::v1::Job& newest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return jobs_.front(); }
  void TellProgress(const RebuildProgress& progress);

  Projector* const projector_;
  const std::string scratch_folder_;
  const Verification verification_;

  mutable Mutex mutex_;
  std::deque<query::v1::Job> jobs_ ABSL_GUARDED_BY(mutex_);  // the newest first
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<RebuildControl> control_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport
