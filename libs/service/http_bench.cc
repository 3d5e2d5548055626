// How many requests a second the server answers over kept connections, and what an idle stream
// costs.
//   http_bench [connections=64] [seconds=3] [threads=1] [body_bytes=300] [streams=10000]

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/service/http_server.h"
#include "libs/service/testing/raw_connection.h"

namespace rapport {
namespace {

int64_t ResidentBytes() {
  int64_t total_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

double ProcessorSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Sends requests over all connections, one at a time over each, until the time is over. Returns how
// many were answered. In a process of its own, so that the server's processor time is its own.
int64_t Load(int port, int connections, absl::Duration duration, const std::string& request) {
  std::vector<RawConnection> peers;
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
      if (::recv(polls[i].fd, bytes, sizeof bytes, 0) <= 0) return answered;
      ++answered;
      peers[i].Send(request);
    }
  }
  return answered;
}

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

void Run(int connections, int seconds, int threads, size_t body_bytes, int streams) {
  rlimit files;
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Metrics metrics;
  auto server = HttpServer::Create({.threads = threads}, &metrics);
  RAPPORT_CHECK(server.ok(), server.status().ToString());
  (*server)->Handle("POST", "/v1/touchpoints", Answering([](const HttpRequest& request) {
                      HttpResponse response;
                      response.status = 202;
                      response.body = "{\"positions\":[\"3:12345\"]}";
                      return response;
                    }));
  (*server)->Handle("GET", "/stream", [](const HttpRequest&, HttpReply reply) {
    HttpResponse head;
    head.content_type = "text/event-stream";
    reply.Stream(head).Write(": hello\n\n");
  });
  RAPPORT_CHECK((*server)->Start().ok());
  const int port = (*server)->port();
  const std::string request = absl::StrCat(
      "POST /v1/touchpoints HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
      "Content-Length: ",
      body_bytes, "\r\n\r\n", std::string(body_bytes, 'x'));
  const double before = ProcessorSeconds();
  const int64_t answered =
      InAnotherProcess([&] { return Load(port, connections, absl::Seconds(seconds), request); });
  const double used = ProcessorSeconds() - before;
  std::printf("%d connections, %d threads, POST of %zu bytes: %.0f requests/s, %.0f/s core\n",
              connections, threads, body_bytes, static_cast<double>(answered) / seconds,
              static_cast<double>(answered) / used);

  const int64_t resident = ResidentBytes();
  int done[2];
  RAPPORT_CHECK(::pipe(done) == 0);
  const int64_t opened = InAnotherProcess([&]() -> int64_t {
    std::vector<RawConnection> peers;
    int64_t count = 0;
    for (int i = 0; i < streams; ++i) {
      peers.emplace_back(port);
      peers.back().Send(RawGet("/stream"));
      if (!peers.back().ReadUntil("hello").empty()) ++count;
    }
    // Held while the other process looks at itself.
    if (::fork() == 0) {
      char end;
      ::close(done[1]);
      ::_exit(::read(done[0], &end, 1) == 0 ? 0 : 1);
    }
    return count;
  });
  std::printf("%lld idle streams: %.1f KiB each\n", static_cast<long long>(opened),
              static_cast<double>(ResidentBytes() - resident) / 1024 / static_cast<double>(opened));
  ::close(done[1]);
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  const auto argument = [&](int index, int fallback) {
    return argc > index ? std::atoi(argv[index]) : fallback;
  };
  rapport::Run(argument(1, 64), argument(2, 3), argument(3, 1),
               static_cast<size_t>(argument(4, 300)), argument(5, 10'000));
  return 0;
}
