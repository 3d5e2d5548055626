#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/history/merge_ledger.h"
#include "libs/projector/leadership.h"
#include "libs/projector/partition_worker.h"

namespace rapport {

// Tells the histories of clients anew (HistoryTeller), in one of all processes that have a writer:
// the one that owns the partition of the topic `history`. On a thread of its own, which tries again
// after errors.
class HistoryWriter {
 public:
  struct Options {
    LogTopics topics;
    std::string notes_topic = MergeLedger::kTopic;
    std::string group = "rapport-history";
    std::string member;  // as in SubscribeOptions
    std::function<absl::Time()> now;
  };

  // Makes the topic of the notes where it is not there. `log` outlives it. FailedPrecondition: that
  // topic has more than one partition.
  static absl::StatusOr<std::unique_ptr<HistoryWriter>> Start(EventLog* log, Options options);
  ~HistoryWriter();
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;

  // Whether this process is the one.
  bool leads() const { return leads_; }
  // What keeps it from its work; ok while nothing does. Thread-safe.
  absl::Status trouble() const;

 private:
  HistoryWriter(EventLog* log, Options options) : log_(log), options_(std::move(options)) {}
  void Run();
  absl::Status Work();
  void Lead(bool leads);
  // Less when it is to stop, or leads, or leads no longer.
  void Pause(absl::Duration pause);

  EventLog* const log_;
  const Options options_;
  std::atomic<bool> leads_ = false;
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  CondVar changed_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Leadership> leadership_;
  std::thread thread_;
};

}  // namespace rapport
