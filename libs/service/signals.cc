#include "libs/service/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>

#include "absl/time/clock.h"
#include "libs/base/check.h"

namespace rapport {
namespace {

// What the handler sees. It does nothing that a signal handler must not.
std::atomic<int> event_fd = -1;
std::atomic<bool> signalled = false;
int alive = 0;

void OnSignal(int number) {
  if (signalled.exchange(true)) ::_exit(128 + number);
  const int saved = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_fd, &one, sizeof one);
  errno = saved;
}

void Install(void (*handler)(int)) {
  struct sigaction action;
  std::memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGTERM, SIGINT}) ::sigaction(number, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  if (alive++ > 0) return;
  event_fd = ::eventfd(0, EFD_CLOEXEC);
  RAPPORT_CHECK(event_fd >= 0, std::strerror(errno));
  signalled = false;
  Install(OnSignal);
}

StopSignal::~StopSignal() {
  if (--alive > 0) return;
  Install(SIG_DFL);
  ::close(event_fd.exchange(-1));
}

bool StopSignal::Wait(absl::Duration timeout) const {
  const absl::Time deadline = absl::Now() + timeout;
  while (!signalled) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    // Rounded up, so that a short wait is no busy loop; an infinite one stays below the limit.
    const int64_t millis =
        std::min<int64_t>(absl::ToInt64Milliseconds(left), std::numeric_limits<int>::max() - 1) + 1;
    pollfd fd = {.fd = event_fd, .events = POLLIN, .revents = 0};
    ::poll(&fd, 1, static_cast<int>(millis));
  }
  return true;
}

}  // namespace rapport
