#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/partition_worker.h"

namespace rapport {

// Makes time an event: appends ClockAdvanced to every partition of the touchpoints topic at each
// multiple of the interval since 1970 (UTC). Any number of candidates may run; the one that owns
// the only partition of the clock topic ticks, and another takes over when it goes or dies. Ticks
// that nobody was there for are not made up for: one tick tells the time that it is. Thread-safe.
class ClockTicker : private PartitionListener {
 public:
  // Makes the clock topic when it is missing. `member`: this process's stable name among the
  // candidates. FailedPrecondition: the clock topic has several partitions. NotFound: no
  // touchpoints topic.
  static absl::StatusOr<std::unique_ptr<ClockTicker>> Start(EventLog* log, const LogTopics& topics,
                                                            const std::string& clock_topic,
                                                            absl::Duration interval,
                                                            const std::string& member);
  // Gives the clock to another candidate.
  ~ClockTicker() override;

  // Whether this one ticks.
  bool elected() const;
  // Its last tick, or the one it found in the log; InfinitePast() before it was elected.
  absl::Time last_tick() const;
  // Why the last attempt to tick failed; it is tried again.
  absl::Status trouble() const;

 private:
  ClockTicker(EventLog* log, std::string touchpoints_topic, std::string clock_topic,
              absl::Duration interval, int partitions)
      : log_(log),
        touchpoints_topic_(std::move(touchpoints_topic)),
        clock_topic_(std::move(clock_topic)),
        interval_(interval),
        partitions_(partitions) {}

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override;

  void Run();
  // Ticks when it is time; returns how long there is nothing to do.
  absl::StatusOr<absl::Duration> TickIfDue();
  absl::Status Tick(absl::Time now);
  // The latest ClockAdvanced of the log; InfinitePast() when there is none.
  absl::StatusOr<absl::Time> FindLastTick();
  // Where the note of the last tick says that it stands; the beginning without a note.
  absl::StatusOr<Offset> NotedOffset();

  EventLog* const log_;
  const std::string touchpoints_topic_;
  const std::string clock_topic_;
  const absl::Duration interval_;
  const int partitions_;
  std::unique_ptr<Subscription> subscription_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;

  mutable Mutex mutex_;
  bool elected_ ABSL_GUARDED_BY(mutex_) = false;
  // Whether last_tick_ has been looked up since the election.
  bool last_tick_known_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time last_tick_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport
