#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "services/alerts/alert_book.h"

namespace rapport {

// Whether the serialised touchpoint may be an AlertAcknowledged or AlertSnoozed. Looks at the tags
// of its fields only, some tens of nanoseconds.
bool MayBeMark(absl::string_view touchpoint);

// Follows the touchpoints log on a thread of its own for what people did about alerts without
// closing them, which the alerts log does not tell, and for the log's clock, and gives both to the
// book. Begins, once the
// alerts are read, at the oldest raising of an alert that is open then: no mark of an open alert
// stands before it.
class MarkReader : private PartitionListener {
 public:
  struct Options {
    std::string topic;
    // Of this process alone.
    std::string group;
    std::string member;
  };
  // `alerts_read` tells whether the book has read what was there at the start.
  MarkReader(EventLog* log, const Options& options, AlertBook* book,
             std::function<bool()> alerts_read);
  ~MarkReader() override;

  // Ok when all is read that was there when it began.
  absl::Status Ready() const;

 private:
  absl::StatusOr<Offset> OnAssigned(Partition partition) override;
  void OnRevoked(Partition partition, bool lost) override {}
  void Run();
  absl::Status Begin();
  absl::Status ReadOn();

  EventLog* const log_;
  const Options options_;
  AlertBook* const book_;
  const std::function<bool()> alerts_read_;
  std::unique_ptr<Subscription> subscription_;
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Offset> next_ ABSL_GUARDED_BY(mutex_);
  std::vector<Offset> ends_at_start_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rapport
