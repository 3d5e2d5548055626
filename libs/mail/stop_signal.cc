#include "libs/mail/stop_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "libs/base/check.h"

namespace rapport::mail_internal {

StopSignal::StopSignal() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  RAPPORT_CHECK(event_ >= 0, "no file descriptors are left");
}

StopSignal::~StopSignal() { close(event_); }

void StopSignal::Stop() {
  const uint64_t one = 1;
  RAPPORT_CHECK(write(event_, &one, sizeof one) == sizeof one);
}

bool StopSignal::stopped() const {
  pollfd event{event_, POLLIN, 0};
  return poll(&event, 1, 0) == 1;
}

bool StopSignal::WaitReadable(int socket, absl::Duration timeout) const {
  return Wait(socket, POLLIN, timeout);
}

bool StopSignal::WaitWritable(int socket, absl::Duration timeout) const {
  return Wait(socket, POLLOUT, timeout);
}

bool StopSignal::Wait(int socket, short events, absl::Duration timeout) const {
  pollfd both[2] = {{event_, POLLIN, 0}, {socket, events, 0}};
  const int64_t milliseconds =
      absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1)));
  poll(both, 2, static_cast<int>(std::clamp<int64_t>(milliseconds, 0, INT32_MAX)));
  return both[1].revents != 0;
}

}  // namespace rapport::mail_internal
