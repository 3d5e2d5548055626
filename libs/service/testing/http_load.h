#pragma once

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/base/check.h"

// Load on a server, for benchmarks.

namespace rapport {

// That this process has used.
inline double ProcessorSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Sends requests over all connections, one at a time over each, until the time is over. Returns how
// many were answered. In a process of its own, so that the server's processor time is its own.
template <class Connection>
int64_t Load(int port, int connections, absl::Duration duration, const std::string& request) {
  std::vector<Connection> peers;
  std::vector<pollfd> polls;
  for (int i = 0; i < connections; ++i) {
    peers.emplace_back(port);
    polls.push_back({.fd = peers.back().fd(), .events = POLLIN, .revents = 0});
    peers.back().Send(request);
  }
  int64_t answered = 0;
  char bytes[4096];
  const absl::Time end = absl::Now() + duration;
  while (absl::Now() < end) {
    ::poll(polls.data(), polls.size(), 100);
    for (size_t i = 0; i < peers.size(); ++i) {
      if ((polls[i].revents & POLLIN) == 0) continue;
      if (peers[i].ReceiveSome(bytes, sizeof bytes) <= 0) return answered;
      ++answered;
      peers[i].Send(request);
    }
  }
  return answered;
}

// What `work` gives, done by a process of its own.
template <class Work>
int64_t InAnotherProcess(Work work) {
  int pipe[2];
  RAPPORT_CHECK(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int64_t result = work();
    ::_exit(::write(pipe[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  int64_t result = 0;
  RAPPORT_CHECK(::read(pipe[0], &result, sizeof result) == sizeof result);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  return result;
}

}  // namespace rapport
