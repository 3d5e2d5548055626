#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/strong_type.h"
#include "libs/projector/partition_fold.h"
#include "libs/state_store/state_store.h"

namespace rapport {

// The generations of one projection's state under `<data>/state/<projection>/`:
//
//   CURRENT          two lines: the number of the generation that serves; "previous" and that of
//                    the one that served before, for rollback, or "none"
//   g<N>/IDENTITY    state.v1.GenerationIdentity as text: which code and settings folded it
//   g<N>/p<K>/       the store of partition K
//   g<N>/p<K>.set-aside-<M>/  one that was damaged, or folded from another log
//
// CURRENT is replaced by rename, so that a generation takes over at one moment or not at all. (An
// earlier version had the second number alone in a file PREVIOUS, and CURRENT in one line.) One
// process at a time.
class Generations {
 public:
  // `folder` is made when it is missing.
  static absl::StatusOr<Generations> Open(std::string folder);

  // The generation that serves; nullopt before the first.
  std::optional<int> current() const { return current_; }
  std::optional<int> previous() const { return previous_; }

  // A new generation's number; its folder and IDENTITY are on disk.
  absl::StatusOr<int> Create(const ProjectionIdentity& identity);
  // Which code and settings folded `generation`. NotFound when there is none.
  absl::StatusOr<ProjectionIdentity> IdentityOf(int generation) const;
  // The newest generation above current() that was begun for `identity` and has not taken over: a
  // rebuild that was cut off.
  std::optional<int> Unfinished(const ProjectionIdentity& identity) const;

  // Makes `generation` the one that serves, and removes all but it and the one before.
  absl::Status Activate(int generation);
  // Goes back to the generation that served before. FailedPrecondition when there is none.
  absl::Status Rollback();
  absl::Status Remove(int generation);

  std::string PartitionFolder(int generation, Partition partition) const;

 private:
  explicit Generations(std::string folder) : folder_(std::move(folder)) {}
  std::string GenerationFolder(int generation) const;
  std::vector<int> List() const;
  absl::Status WriteSmallFile(const std::string& path, const std::string& content) const;
  absl::Status ReadCurrent();
  // Makes these the ones.
  absl::Status WriteCurrent(int current, std::optional<int> previous);

  std::string folder_;
  std::optional<int> current_;
  std::optional<int> previous_;
};

// Moves a store out of the way (SetAsideStateStore) and says so in the log.
absl::Status SetAside(const std::string& folder, StoreResources* resources, absl::string_view why);

}  // namespace rapport
