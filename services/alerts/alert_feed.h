#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "rapport/query/v1/alert.pb.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/alert_cursor.h"

namespace rapport {

// A step as it came from the alerts log.
struct FedStep {
  RecordPosition position;
  absl::Time written_at;  // the record's timestamp
  query::v1::AlertStep step;
};
using FedStepPtr = std::shared_ptr<const FedStep>;

// Reads the alerts log on a thread of its own, all partitions from their beginning on, into the
// book, and hands each step on once. The latest steps stay in memory, so that most of those who
// come back after a short while need no log. Thread-safe.
//
// One member of a group of its own instead of a reader for each partition: on Kafka that is one
// client with its connections and threads instead of a dozen.
class AlertFeed : private PartitionListener {
 public:
  struct Options {
    std::string topic;
    // Of this process alone.
    std::string group;
    std::string member;
    size_t steps_in_memory = 8192;
  };
  // Steps of one partition or several, in the order of each, and where the feed stands after them.
  using Listener = std::function<void(const std::vector<FedStepPtr>&, const AlertCursor& after)>;

  static absl::StatusOr<std::unique_ptr<AlertFeed>> Open(EventLog* log, const Options& options,
                                                         AlertBook* book);
  ~AlertFeed() override;

  // Begins to read; `listener` is called on the feed's thread. Once.
  void Start(Listener listener);
  // From its return on, `listener` is not called any more.
  void Stop();

  // Ok when all is read that was there at the start, and reading goes on; else Unavailable: why.
  absl::Status Ready() const;

  int partition_count() const { return partition_count_; }
  EventLog* log() const { return log_; }
  const std::string& topic() const { return options_.topic; }
  const AlertBook& book() const { return *book_; }

  // Up to `max` steps of `partition` from `*next` on as far as they are in memory, and moves
  // `*next` behind them; false when they begin later than at `*next`.
  bool FromMemory(Partition partition, int64_t* next, size_t max,
                  std::vector<FedStepPtr>* steps) const;

 private:
  struct Recent {
    // From here on, all steps are in `steps`.
    int64_t begin = 0;
    int64_t end = 0;
    std::deque<std::pair<uint64_t, FedStepPtr>> steps;  // with their number over all partitions
  };

  AlertFeed(EventLog* log, Options options, AlertBook* book)
      : log_(log), options_(std::move(options)), book_(book) {}

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override {}

  void Run();
  void Take(const PartitionRecords& records);
  void Keep(Partition partition, int64_t end, const std::vector<FedStepPtr>& steps)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  EventLog* const log_;
  const Options options_;
  AlertBook* const book_;
  Listener listener_;
  int partition_count_ = 0;
  std::vector<Offset> ends_at_start_;
  std::unique_ptr<Subscription> subscription_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;

  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::vector<Recent> recent_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t kept_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Reads the steps from a cursor on: those that the feed has in memory from there, earlier ones from
// the log. Goes as far as the feed has come and not further, so that what the book dropped is left
// out. One thread at a time.
class StepReader {
 public:
  StepReader(const AlertFeed* feed, AlertCursor from) : feed_(feed), cursor_(std::move(from)) {}

  // About `max` steps, in the order of each partition; none when there are no more now, or none in
  // the stretch of the log that was read: `*at_end` tells which. Errors as of LogReader::Read.
  absl::StatusOr<std::vector<FedStepPtr>> Read(size_t max, bool* at_end);
  // Behind what Read returned last.
  const AlertCursor& cursor() const { return cursor_; }

 private:
  absl::Status ReadLog(Partition partition, size_t max, std::vector<FedStepPtr>* steps);

  const AlertFeed* const feed_;
  AlertCursor cursor_;
  Partition reading_{-1};
  std::unique_ptr<LogReader> reader_;
};

}  // namespace rapport
