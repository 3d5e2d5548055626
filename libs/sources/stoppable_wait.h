#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/mutex.h"

namespace rapport {

// What a thread that looks again and again waits with. Thread-safe.
class StoppableWait {
 public:
  void Stop() {
    const MutexLock lock(&mutex_);
    stopped_ = true;
    changed_.SignalAll();
  }
  bool stopped() const {
    const MutexLock lock(&mutex_);
    return stopped_;
  }
  // Waits, or less when it is stopped. False when it is stopped.
  bool For(absl::Duration duration) {
    const absl::Time until = absl::Now() + duration;
    const MutexLock lock(&mutex_);
    while (!stopped_ && absl::Now() < until) changed_.WaitFor(&mutex_, until - absl::Now());
    return !stopped_;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rapport
