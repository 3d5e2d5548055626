#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/sources/source_ledger.h"
#include "libs/sources/stoppable_wait.h"

namespace rapport {

// Counts the sources log from its beginning, and goes on counting. Thread-safe.
class LedgerReader {
 public:
  // NotFound: the topic. `log` outlives it.
  static absl::StatusOr<std::unique_ptr<LedgerReader>> Start(EventLog* log,
                                                             const std::string& topic);
  ~LedgerReader();

  // Everything that was counted; `counted` as in query.v1.SourceList.
  query::v1::SourceList Show(absl::Time now) const;
  // What a source sent last; `counted` as above.
  query::v1::SourceRecords Latest(const std::string& source, size_t limit) const;

 private:
  LedgerReader(EventLog* log, std::string topic) : log_(log), topic_(std::move(topic)) {}
  absl::Status Open();
  void Run();
  // Counts what a partition has; true when that was something.
  absl::StatusOr<bool> CountSome(Partition partition, LogReader* reader);

  EventLog* const log_;
  const std::string topic_;
  struct Place {
    Partition partition;
    std::unique_ptr<LogReader> reader;
    Offset first_end;      // of the partition, when the process started
    absl::Status trouble;  // that was told of
  };
  std::vector<Place> places_;
  mutable Mutex mutex_;
  SourceLedger ledger_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> counted_ = false;
  StoppableWait wait_;
  std::thread thread_;
};

}  // namespace rapport
