#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/follower.h"
#include "libs/people/access_table.h"
#include "rapport/access/v1/access.pb.h"

namespace rapport {

// Accounts, tokens and sessions, kept up with the topic `access`. Thread-safe.
class AccessLog {
 public:
  // Makes the topic when it is missing; all that it holds is there when this comes back.
  static absl::StatusOr<std::unique_ptr<AccessLog>> Open(EventLog* log, const std::string& topic,
                                                         std::function<absl::Time()> now);
  ~AccessLog();

  // Calls `read` with the table, under a lock: it must not take long.
  template <class Read>
  auto With(Read read) const {
    const MutexLock lock(&mutex_);
    return read(table_);
  }

  // Writes, and comes back once it is in the table; recorded_at is set. Errors as EventLog::Append.
  // It takes as long as the log does.
  absl::Status Write(access::v1::AccessRecord record, const std::string& recorded_by);
  // Writes later, on a thread of its own, what may be lost without harm (that something was used).
  void WriteLater(access::v1::AccessRecord record);

  absl::Status trouble() const { return follower_->trouble(); }
  absl::Status CatchUp(absl::Duration timeout) const { return follower_->CatchUp(timeout); }

 private:
  AccessLog(EventLog* log, std::string topic, std::function<absl::Time()> now);
  void Take(absl::Span<const RecordView> records);
  absl::StatusOr<Offset> Append(access::v1::AccessRecord record);
  void WriteWhatWaits();

  EventLog* const log_;
  const std::string topic_;
  const std::function<absl::Time()> now_;
  mutable Mutex mutex_;
  AccessTable table_ ABSL_GUARDED_BY(mutex_);
  Mutex waiting_mutex_;
  CondVar added_;
  std::deque<access::v1::AccessRecord> waiting_ ABSL_GUARDED_BY(waiting_mutex_);
  bool stopping_ ABSL_GUARDED_BY(waiting_mutex_) = false;
  std::unique_ptr<TopicFollower> follower_;
  std::thread writer_;
};

}  // namespace rapport
