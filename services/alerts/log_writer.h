#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Appends records on a thread of its own, those that wait for the same topic together, so that
// nobody who serves requests waits for a disk. Thread-safe.
class LogWriter {
 public:
  using Done = std::function<void(absl::StatusOr<RecordPosition>)>;

  explicit LogWriter(EventLog* log);
  // Appends what waits, and stops.
  ~LogWriter();

  // `done` is called once, on the writer's thread, with the answer of EventLog::Append; at once
  // with Unavailable while too many wait.
  void Append(const std::string& topic, Record record, Done done);

 private:
  struct Waiting {
    std::string topic;
    Record record;
    Done done;
  };
  void Run();

  EventLog* const log_;
  Mutex mutex_;
  CondVar woken_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rapport
