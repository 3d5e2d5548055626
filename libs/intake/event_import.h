#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"

namespace rapport {

struct EventImportProgress {
  // Bytes of the file as it lies on disk.
  int64_t done = 0;
  int64_t total = 0;
  int64_t lines = 0;
};

struct EventImportOptions {
  std::string touchpoints_topic = "touchpoints";
  std::string rejected_topic = "rejected";
  // The present: recorded_at, and the ClockAdvanced that follows the touchpoints in every
  // partition, so that what is true now comes about.
  absl::Time now;
  // How far ahead of `now` a touchpoint may have happened.
  absl::Duration max_future = absl::Minutes(5);
  // Called for about every 5,000 lines.
  std::function<void(const EventImportProgress&)> progress;
};

struct EventImportSummary {
  int64_t lines = 0;                     // read, empty ones not counted
  int64_t rejected_lines = 0;            // in the rejected log
  int64_t touchpoints = 0;               // appended
  std::map<std::string, int64_t> kinds;  // by name of the kind, such as "order_placed"
  int64_t clients = 0;
  int64_t clock_records = 0;
  // Of occurred_at; both InfinitePast() when there are none.
  absl::Time first = absl::InfinitePast();
  absl::Time last = absl::InfinitePast();
  struct Rejected {
    int64_t line = 0;  // from 1
    std::string reason;
  };
  // The first ten.
  std::vector<Rejected> rejected;
};

// Appends the lines of `path`, a file of structured CloudEvents in JSON, one on each line (or one
// compressed by gzip), to the log as touchpoints. A line that cannot be used goes to the rejected
// log, and the rest goes on. Doing it again changes nothing for readers, since event ids come from
// source and id alone. Blocks.
//
// NotFound, FailedPrecondition, DataLoss: the file. Unavailable: the log or the disk. After an
// error part of the file may have been appended; doing it again is safe.
absl::StatusOr<EventImportSummary> ImportCloudEvents(EventLog* log, const std::string& path,
                                                     const EventImportOptions& options);

}  // namespace rapport
