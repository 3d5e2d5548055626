#pragma once

#include "absl/time/time.h"

namespace rapport {

// Catches SIGTERM and SIGINT as long as it lives: the first asks the process to end, the second
// ends it at once. One at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // True once a signal has come; waits for it up to `timeout`.
  bool Wait(absl::Duration timeout) const;
};

}  // namespace rapport
