#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/event_log/event_log.h"
#include "libs/import/importer.h"
#include "libs/import/reason_tally.h"
#include "libs/import/spool.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// Where the inputs of an import put what they hold: touchpoints, in the end, into the log in the
// order of time with the clock, and what cannot be used into the rejected log. One thread at a
// time.
class ImportSink {
 public:
  // `options` outlives the sink.
  ImportSink(EventLog* log, const ImportOptions& options);

  // Before the first touchpoint. NotFound: a topic; Unavailable: the spool.
  absl::Status Start();
  // A touchpoint, valid but for recorded_at, and where the first of what it is made of stands.
  absl::Status Accept(const std::string& file, int64_t line,
                      touchpoint::v1::Touchpoint* touchpoint);
  // What stood on `line` of `file` (a path), and why it is not used.
  absl::Status Reject(const std::string& source, const std::string& file, int64_t line,
                      absl::string_view content, const std::string& reason);
  void Skip(int64_t rows) { summary_.skipped_rows += rows; }
  // The same of rows, mails or calls that are no contact, which `reason` tells in words that do not
  // depend on them, and `what` was, for people.
  void Skip(int64_t rows, const std::string& reason, std::string what);
  void CountScatteredGroup() { ++summary_.scattered_groups; }
  // A row, or an event, was read; tells now and then how far the inputs are: `done` of `total`
  // bytes.
  void CountRow(int64_t done, int64_t total);
  void ReportReading(int64_t done, int64_t total) const;
  // `done` of `total` rows have been put to use, `before` of them when it was told last.
  void ReportGrouping(int64_t before, int64_t done, int64_t total) const;

  // After the last input: everything stands in the log.
  absl::StatusOr<ImportSummary> Finish();

  int partitions() const { return partitions_; }

 private:
  // Appends to one topic in batches.
  class BatchWriter {
   public:
    BatchWriter(EventLog* log, std::string topic, size_t batch)
        : log_(log), topic_(std::move(topic)), batch_(batch) {}
    absl::Status Add(Record record);
    absl::Status Add(const touchpoint::v1::Touchpoint& touchpoint);
    absl::Status Flush();

   private:
    Record* Next();
    absl::Status FlushIfFull();

    EventLog* const log_;
    const std::string topic_;
    const size_t batch_;
    // The first `count_` wait; the memory of those behind is used again.
    std::vector<Record> records_;
    size_t count_ = 0;
  };

  absl::Status Append(touchpoint::v1::Touchpoint* touchpoint, absl::Time recorded_at);
  // Second half of an import that needs to know all touchpoints before it writes the first.
  absl::Status WriteSpool();
  absl::Status PlayHistory();
  absl::Status CheckClockStep(absl::Duration history) const;
  absl::Status ReadShifted(size_t i, touchpoint::v1::Touchpoint* touchpoint);
  // History that is not moved ends with its last touchpoint; everything else ends now.
  absl::Time EndOfClock() const;
  absl::Status AppendClock(absl::Time now);

  EventLog* const log_;
  const ImportOptions& options_;
  int partitions_ = 0;
  BatchWriter touchpoints_;
  BatchWriter rejected_;
  std::unique_ptr<TouchpointSpool> spool_;  // null: touchpoints are appended as they come
  absl::flat_hash_set<std::string> clients_;
  std::map<touchpoint::v1::Touchpoint::PayloadCase, int64_t> kinds_;
  ReasonTally rejected_reasons_;
  ImportSummary summary_;
};

}  // namespace rapport
