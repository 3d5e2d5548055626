#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/projector/clock_guard.h"
#include "libs/projector/partition_worker.h"
#include "rapport/query/v1/clock.pb.h"
#include "rapport/state/v1/clock.pb.h"

namespace rapport {

// Makes time an event: appends ClockAdvanced to every partition of the touchpoints topic at each
// multiple of the interval since 1970 (UTC). Any number of candidates may run; the one that owns
// the only partition of the clock topic ticks, and another takes over when it goes or dies. Ticks
// that nobody was there for are not made up for: one tick tells the time that it is.
//
// A wall clock that is not to be believed (clock_guard.h) is held: there are no ticks, and nothing
// is judged by it. A log whose clock is ahead stands. An operator's word (Confirm) ends both: it is
// written to the clock topic, whoever ticks carries it out, and ClockCorrected goes to every
// partition, from where time goes on. Thread-safe.
class ClockTicker : private PartitionListener {
 public:
  struct Options {
    absl::Duration interval;
    // This process's stable name among the candidates.
    std::string member;
    ClockGuard::Limits limits = {};
    std::function<ClockReading()> read_clocks = ReadClocks;
    // Called on the ticker's thread several times a second.
    std::function<void(const ClockTicker&)> on_look = nullptr;
  };

  // Makes the clock topic when it is missing. FailedPrecondition: the clock topic has several
  // partitions. NotFound: no touchpoints topic.
  static absl::StatusOr<std::unique_ptr<ClockTicker>> Start(EventLog* log, const LogTopics& topics,
                                                            const std::string& clock_topic,
                                                            Options options);
  // Gives the clock to another candidate.
  ~ClockTicker() override;

  // Whether this one ticks.
  bool elected() const;
  // Its last tick, or the one it found in the log; InfinitePast() before it was elected.
  absl::Time last_tick() const;
  // Why the last attempt to tick failed; it is tried again.
  absl::Status trouble() const;
  // How it stands, for people.
  query::v1::Clock status() const;
  // An operator says that it is `now`. FailedPrecondition: this machine's clock shows another time,
  // and would go on from there. Ok: the word is in the log, and is carried out by whoever ticks.
  absl::Status Confirm(absl::Time now, const std::string& reason);

 private:
  // What the clock topic tells: where the latest tick or correction stands in partition 0 of the
  // touchpoints topic, and from where on operators' words are not carried out yet.
  struct Notes {
    Offset touchpoints = Offset(0);
    Offset words = Offset(0);
  };

  ClockTicker(EventLog* log, std::string touchpoints_topic, std::string clock_topic,
              Options options, int partitions)
      : log_(log),
        touchpoints_topic_(std::move(touchpoints_topic)),
        clock_topic_(std::move(clock_topic)),
        options_(std::move(options)),
        partitions_(partitions),
        guard_(WithInterval(options_)) {}

  // The last tick is up to an interval old.
  static ClockGuard::Limits WithInterval(const Options& options) {
    ClockGuard::Limits limits = options.limits;
    limits.max_step += options.interval;
    return limits;
  }

  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override;

  void Run();
  // Ticks when it is time; returns how long there is nothing to do.
  absl::StatusOr<absl::Duration> TickIfDue();
  // After an election: where the log's clock is.
  absl::Status Begin();
  void TakeWords(const PartitionRecords& records);
  // The word that waits: corrects the clock, or says why not.
  absl::Status CarryOut();
  // Appends what `make` makes for each partition to the touchpoints topic, and notes it.
  absl::Status Write(absl::Time now, const std::function<Record(Partition)>& make);
  // The log's clock in partition 0; InfinitePast() when there is none.
  absl::StatusOr<absl::Time> FindLastTick();
  // When the last record of any partition was written; InfinitePast() when there is none.
  absl::StatusOr<absl::Time> LastRecorded();
  absl::StatusOr<Notes> ReadNotes();
  void SetStanding(query::v1::ClockStanding standing, const std::string& reason);

  EventLog* const log_;
  const std::string touchpoints_topic_;
  const std::string clock_topic_;
  const Options options_;
  const int partitions_;
  std::unique_ptr<Subscription> subscription_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  // Of the ticker's thread.
  ClockGuard guard_;
  std::optional<state::v1::ClockConfirmed> word_;

  mutable Mutex mutex_;
  bool elected_ ABSL_GUARDED_BY(mutex_) = false;
  // Whether last_tick_ has been looked up since the election.
  bool last_tick_known_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time last_tick_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  query::v1::ClockStanding standing_ ABSL_GUARDED_BY(mutex_) = query::v1::CLOCK_STANDING_STANDBY;
  std::string reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport
