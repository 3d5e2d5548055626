#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Reads a topic of one partition from its beginning and goes on, on a thread of its own: for small
// tables that every process holds. Thread-safe.
class TopicFollower {
 public:
  // Called on the follower's thread with the records in their order; it has done with them when it
  // comes back.
  using Take = std::function<void(absl::Span<const RecordView>)>;

  // Makes the topic when it is missing, and reads what it holds by now before it comes back.
  // FailedPrecondition: the topic has several partitions, or has lost its beginning.
  static absl::StatusOr<std::unique_ptr<TopicFollower>> Start(EventLog* log,
                                                              const std::string& topic, Take take);
  // From its return on, `take` is not called any more.
  ~TopicFollower();

  // All records before this have been taken.
  Offset position() const;
  // Waits until `position` is reached. DeadlineExceeded; or why the topic cannot be read.
  absl::Status Await(Offset position, absl::Duration timeout) const;
  // Waits until all is taken that the topic holds at the time of the call.
  absl::Status CatchUp(absl::Duration timeout) const;
  // Why the topic is not read just now; it is tried again.
  absl::Status trouble() const;

 private:
  TopicFollower(EventLog* log, std::string topic, Take take)
      : log_(log), topic_(std::move(topic)), take_(std::move(take)) {}
  void Run();
  // Takes what there is, waiting a while when there is nothing.
  absl::Status TakeSome();

  EventLog* const log_;
  const std::string topic_;
  const Take take_;
  std::unique_ptr<LogReader> reader_;  // of the thread
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  mutable CondVar moved_;
  Offset position_ ABSL_GUARDED_BY(mutex_) = Offset(0);
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rapport
