#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

// Copies of an embedded log that can be opened as it.

namespace rapport {

// Makes `folder`, which is not there yet and is on the file system of the log, a log of its own
// with everything that was acknowledged before the call. It costs next to no room, since the two
// share their files. `log` is an embedded one on disk. Unavailable: the disk is full.
absl::Status CheckpointEmbeddedLog(EventLog* log, const std::string& folder);

struct LogBackup {
  // Backups of a folder are numbered from 1.
  uint32_t number = 0;
  absl::Time taken_at;
  // Of all its files, and of those that were not in an earlier backup.
  int64_t bytes = 0;
  int64_t new_bytes = 0;
};

// Backs up the log in `log_folder`, which nobody has open (a checkpoint), into `backup_folder`,
// made when it is missing. A file that an earlier backup has is not copied again. The latest `keep`
// backups stay. FailedPrecondition: a folder cannot be read or written; Unavailable: the disk is
// full.
absl::StatusOr<LogBackup> BackUpEmbeddedLog(const std::string& log_folder,
                                            const std::string& backup_folder, uint32_t keep);

// Makes `log_folder`, which is not there or empty, the log that was backed up last, after the
// checksums of all its files were compared. NotFound: there is no backup; DataLoss: it is damaged;
// FailedPrecondition: `log_folder` has something in it, or cannot be written.
absl::StatusOr<LogBackup> RestoreEmbeddedLog(const std::string& backup_folder,
                                             const std::string& log_folder);

}  // namespace rapport
