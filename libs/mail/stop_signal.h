#pragma once

#include "absl/time/time.h"

namespace rapport::mail_internal {

// Tells threads that wait for something else, too, that they shall end. Thread-safe.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void Stop();
  bool stopped() const;
  // Waits until `socket` (none when negative) can be read, the time is over, or Stop.
  // Whether the socket can be read.
  bool WaitReadable(int socket, absl::Duration timeout) const;
  // Whether the socket takes bytes.
  bool WaitWritable(int socket, absl::Duration timeout) const;

 private:
  bool Wait(int socket, short events, absl::Duration timeout) const;

  const int event_;  // readable once stopped
};

}  // namespace rapport::mail_internal
