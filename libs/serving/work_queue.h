#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "libs/base/mutex.h"

namespace rapport {

// Does one piece of work after the other on a thread of its own: for what waits for the log or the
// disk and so must not hold up the server's threads. Thread-safe.
class WorkQueue {
 public:
  WorkQueue();
  // Does what is queued, and stops.
  ~WorkQueue();

  void Add(std::function<void()> work);

 private:
  void Run();

  Mutex mutex_;
  CondVar added_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rapport
