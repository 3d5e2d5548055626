#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"
#include "libs/import/mapping_file.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

class ImportInput;

struct ImportProgress {
  enum class Phase {
    kReading,   // the files, in bytes as they lie on disk
    kGrouping,  // what was read, in rows, where rows are gathered in groups
    kWriting,   // what was read, in touchpoints: the second half of as_it_happened or shift_to_now
  };
  Phase phase = Phase::kReading;
  int64_t done = 0;
  int64_t total = 0;
  int64_t rows = 0;
};

// A line of a file that is not used.
struct RejectedLine {
  std::string file;  // without its folder
  int64_t line = 0;
  std::string reason;
};

// Rows that are not used for reasons alike: such as differ only in numbers and quoted values.
struct LikeReasons {
  int64_t rows = 0;
  RejectedLine first;
};

struct ImportOptions {
  std::string touchpoints_topic = "touchpoints";
  std::string rejected_topic = "rejected";
  // Folder for temporary files: about as large as the touchpoints where history is played or moved,
  // and three times as large as the CSV files whose rows are gathered in groups.
  std::string spool_folder = "/tmp";
  // The present.
  absl::Time now;
  // Plays history: touchpoints in the order of time, and a ClockAdvanced in every partition at each
  // multiple of clock_step since 1970 (UTC), so that alerts come about as they would have then.
  // Without it the touchpoints are written in the order of the file with one ClockAdvanced of `now`
  // after them, so that what is true now comes about.
  bool as_it_happened = false;
  absl::Duration clock_step = absl::Hours(24);
  // Moves all times by the same number of whole days (24 hours), so that the last touchpoint
  // happened within the 24 hours before `now`: distances and hours of the day stay. Dates of birth
  // or foundation stay where they are.
  bool shift_to_now = false;
  // Called for about every 5,000 rows or events.
  std::function<void(const ImportProgress&)> progress;
  // Called for each touchpoint as the file has it, without recorded_at and before times are moved,
  // with the path of the file and the first line that it was made of.
  std::function<void(const std::string& file, int64_t line, const touchpoint::v1::Touchpoint&)>
      on_touchpoint;
  // Called for each line that is rejected.
  std::function<void(const RejectedLine&)> on_rejected;
};

// Rows, mails or calls that were no contact, for one reason.
struct SkippedRows {
  static constexpr size_t kExamples = 3;
  int64_t rows = 0;
  std::deque<std::string> examples;  // the latest, for people
};

struct ImportSummary {
  int64_t rows = 0;           // or events, read; the row of names not counted
  int64_t rejected_rows = 0;  // in the rejected log
  int64_t skipped_rows = 0;   // no contact, or no rule is meant for them
  // Those of `skipped_rows` of which it is known why, by the reason.
  std::map<std::string, SkippedRows> skipped;
  int64_t touchpoints = 0;               // appended
  std::map<std::string, int64_t> kinds;  // by name of the kind, such as "order_placed"
  int64_t clients = 0;
  int64_t clock_records = 0;
  // Of the touchpoints as they were written; both InfinitePast() when there are none.
  absl::Time first = absl::InfinitePast();
  absl::Time last = absl::InfinitePast();
  absl::Duration shifted_by;
  // The clock at the end.
  absl::Time clock = absl::InfinitePast();
  // The log had come further than the beginning of the history before: its clock was not turned
  // back. InfinitePast() when it had not.
  absl::Time clock_was_at = absl::InfinitePast();
  // The first ten.
  std::vector<RejectedLine> rejected;
  // All of them by reason, most rows first.
  std::vector<LikeReasons> rejected_reasons;
  // Groups of rows that other rows of the file stood between, and which were gathered.
  int64_t scattered_groups = 0;
};

// One file of an import; CSV and NDJSON may be compressed by gzip.
struct ImportFile {
  std::string path;
  // How the rows of a CSV file become touchpoints. Null: the file holds CloudEvents in JSON, one to
  // a line (NDJSON).
  const MappingFile* mapping = nullptr;
  // When set: how a file of another form is opened, which `now` is the present of.
  std::function<absl::StatusOr<std::unique_ptr<ImportInput>>(const std::string& path,
                                                             absl::Time now)>
      open = {};
};

// Appends what the files hold to the log as touchpoints; those of all files together in the order
// of time where history is played or moved. The files of one mapping are read one after the other,
// at the place of the first of them. A row that cannot be used goes to the rejected log with
// its group, an event alone, and the rest goes on. Doing it again changes nothing for readers,
// since event ids come from the files alone. Blocks.
//
// NotFound, FailedPrecondition, DataLoss: a file. InvalidArgument: the mapping, with its line, or
// the options. Unavailable: the log or the disk. After an error part of the files may have been
// appended; doing it again is safe.
absl::StatusOr<ImportSummary> ImportFiles(EventLog* log, absl::Span<const ImportFile> files,
                                          const ImportOptions& options);

}  // namespace rapport
