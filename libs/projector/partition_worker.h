#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/partition_fold.h"
#include "libs/state_store/state_store.h"

namespace rapport {

struct LogTopics {
  std::string touchpoints = "touchpoints";
  std::string alerts = "alerts";
  std::string rejected = "rejected";
  // What the sources sent (source.v1.SourceRecord).
  std::string sources = "sources";
  // Who works here (organisation.v1.OrganisationRecord); one partition.
  std::string organisation = "organisation";
  // Accounts, tokens and sessions (access.v1.AccessRecord); one partition.
  std::string access = "access";
  // Who looked at what, and did what (access.v1.AuditRecord); one partition.
  std::string audit = "audit";
};

// What the workers of one projection share. All outlive them.
struct ProjectionEnv {
  EventLog* log = nullptr;
  LogTopics topics;
  const ProjectionSpec* spec = nullptr;
  StoreResources* resources = nullptr;
  CacheBudget* budget = nullptr;
  // How long a log that ends before what was folded from it may take to show that it does not.
  absl::Duration log_patience = absl::Seconds(1);
};

// One partition of one generation of a projection: its store, its fold, and the publishing of its
// effects. One thread at a time, but for store(), whose reads are thread-safe.
class PartitionWorker {
 public:
  // kHold: effects stay in the outbox (a generation that is being built).
  enum class Effects { kPublish, kHold };

  // Opens the store in `folder` at its stored position. A store that is damaged, or was folded from
  // another log or a longer one, is set aside and a new one begun. To publish, the end of the
  // alerts log is read first: what it holds is never sent again.
  static absl::StatusOr<std::unique_ptr<PartitionWorker>> Open(const ProjectionEnv& env,
                                                               const std::string& folder,
                                                               const FoldOptions& options,
                                                               Effects effects);

  // Folds records; what lies between the position and the first of them is read from the log.
  // After an error the worker is to be closed and opened again.
  absl::Status Fold(absl::Span<const RecordView> records);
  // Folds from the log up to `end`.
  absl::Status FoldUpTo(Offset end);
  // Commits when it is time, and publishes what is committed.
  absl::Status CommitIfDue(absl::Time now, bool catching_up);
  // Commits and publishes all.
  absl::Status Flush();
  // A generation that has taken over: publishes from the next commit on.
  void StartPublishing() { effects_ = Effects::kPublish; }
  // Reads the end of the alerts log and takes what stands there off the outbox. FailedPrecondition:
  // the alerts follow from another touchpoints log, or are damaged.
  absl::Status FindPublished();
  // From bulk loading to the live path.
  void GoLive() { fold_->set_bulk(false); }

  PartitionFold& fold() { return *fold_; }
  const PartitionFold& fold() const { return *fold_; }
  const std::shared_ptr<StateStore>& store() const { return store_; }
  const std::string& folder() const { return folder_; }
  // Why opening set the store aside that it found; empty when it did not.
  const std::string& set_aside() const { return set_aside_; }

 private:
  PartitionWorker(const ProjectionEnv& env, std::string folder, Effects effects)
      : env_(env), folder_(std::move(folder)), effects_(effects) {}
  absl::Status OpenStore(const FoldOptions& options);
  absl::Status Publish();
  // `published`: the last alert that the alerts log holds of us.
  absl::Status CheckCause(const alert::v1::AlertEvent& published) const;

  const ProjectionEnv env_;
  const std::string folder_;
  Effects effects_;
  std::string set_aside_;
  // False while an append to the alerts log has failed: part of it may be there.
  bool frontier_known_ = false;
  std::shared_ptr<StateStore> store_;
  std::unique_ptr<PartitionFold> fold_;
};

}  // namespace rapport
