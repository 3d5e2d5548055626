#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "libs/base/mutex.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/projector.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/touchpoint/record.h"
#include "services/alerts/alerts.h"

// Prints how long it takes from a touchpoint on disk to its alert at a subscriber of the stream,
// with the embedded log and the retention projection in one process, while 5,000 touchpoints come
// each second; and what 10,000 idle subscribers cost.
// Arguments: seconds of load, and the number of idle subscribers.

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
constexpr int kPerSecond = 5000;
constexpr int kBatch = 25;
constexpr int kClients = 50'000;
// One in so many raises an alert.
constexpr int kAlertEvery = 100;

double ResidentMiB() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  file >> pages >> pages;
  return static_cast<double>(pages * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double CpuSeconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// When alerts of clients came, as a subscriber sees them.
class Arrivals {
 public:
  void Take(absl::string_view piece) {
    const absl::Time now = absl::Now();
    MutexLock lock(&mutex_);
    absl::StrAppend(&rest_, piece);
    for (size_t end = rest_.find("\n\n"); end != std::string::npos; end = rest_.find("\n\n")) {
      constexpr absl::string_view kField = "\"client_id\":\"";
      const size_t at = rest_.find(kField.data());
      if (at < end) {
        const size_t from = at + kField.size();
        arrived_.try_emplace(rest_.substr(from, rest_.find('"', from) - from), now);
      }
      rest_.erase(0, end + 2);
    }
  }
  std::map<std::string, absl::Time> arrived() {
    MutexLock lock(&mutex_);
    return arrived_;
  }

 private:
  Mutex mutex_;
  std::string rest_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Time> arrived_ ABSL_GUARDED_BY(mutex_);
};

// The log, the projection and the service.
struct Process {
  Process()
      : log(*OpenEmbeddedLog({.folder = folder / "log"})),
        retention(log.get()),
        config(*ParseConfig("", "bench")),
        http(*HttpServer::Create({}, &metrics)) {
    for (const char* topic : {"touchpoints", "alerts", "rejected"}) {
      RAPPORT_CHECK(log->CreateTopic(topic, kPartitions).ok());
    }
    projector = *Projector::Start(
        retention.env(),
        {.folder = folder / "retention", .group = "retention", .member = "1", .fold = {}});
    ServiceEnv env;
    env.config = &config;
    env.instance = "1";
    env.log = log.get();
    env.metrics = &metrics;
    env.http = http.get();
    env.http_client = &client;
    service = *StartAlerts(env);
    RAPPORT_CHECK(http->Start().ok());
    while (!service->Ready().ok()) absl::SleepFor(absl::Milliseconds(1));
    std::vector<Record> clocks;
    for (int i = 0; i < kPartitions; ++i) {
      clocks.push_back(MakeClockRecord(absl::Now(), Partition(i)));
    }
    RAPPORT_CHECK(log->Append("touchpoints", clocks).ok());
  }
  ~Process() { http->Drain(absl::Seconds(1)); }

  const testing::TempFolder folder;
  std::unique_ptr<EventLog> log;
  testing::ProjectionFixture<Retention> retention;
  Metrics metrics;
  config::v1::Config config;
  HttpClient client;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<Projector> projector;
  std::unique_ptr<Service> service;
};

Record MakeLoad(int64_t number) {
  const bool raises = number % kAlertEvery == 0;
  Touchpoint touchpoint = testing::MakeTouchpoint(
      raises ? Touchpoint::kComplaintOpened : Touchpoint::kOrderPlaced,
      raises ? absl::StrCat("angry", number) : absl::StrCat("client", number % kClients),
      absl::StrCat(number), absl::Now());
  if (raises) {
    touchpoint.mutable_complaint_opened()->set_severity(
        touchpoint::v1::COMPLAINT_SEVERITY_CRITICAL);
  }
  return MakeRecord(touchpoint);
}

void MeasureLatency(Process& process, int seconds) {
  Arrivals arrivals;
  HttpClient subscriber;
  HttpCall call{.url = process.http->address() + "/v1/alerts/stream",
                .timeout = absl::InfiniteDuration()};
  call.on_body = [&](absl::string_view piece) {
    arrivals.Take(piece);
    return true;
  };
  subscriber.Send(std::move(call), [](const absl::StatusOr<HttpAnswer>&) {});
  absl::SleepFor(absl::Seconds(1));
  std::map<std::string, absl::Time> accepted;
  const absl::Time begin = absl::Now();
  const int64_t total = int64_t{kPerSecond} * seconds;
  for (int64_t number = 0; number < total;) {
    std::vector<Record> records;
    for (int i = 0; i < kBatch; ++i) records.push_back(MakeLoad(number++));
    RAPPORT_CHECK(process.log->Append("touchpoints", records).ok());
    const absl::Time now = absl::Now();
    for (const Record& record : records) {
      if (record.key.starts_with("angry")) accepted[record.key] = now;
    }
    absl::SleepFor(begin + absl::Seconds(1) * number / kPerSecond - absl::Now());
  }
  const double rate = static_cast<double>(total) / absl::ToDoubleSeconds(absl::Now() - begin);
  while (arrivals.arrived().size() < accepted.size()) absl::SleepFor(absl::Milliseconds(10));
  std::vector<double> millis;
  const std::map<std::string, absl::Time> arrived = arrivals.arrived();
  for (const auto& [client, at] : accepted) {
    millis.push_back(absl::ToDoubleMilliseconds(arrived.at(client) - at));
  }
  std::sort(millis.begin(), millis.end());
  std::printf(
      "touchpoint on disk to its alert on the stream, %.0f touchpoints/s, %zu alerts:\n"
      "  p50 %.1f ms, p99 %.1f ms, greatest %.1f ms\n",
      rate, millis.size(), millis[millis.size() / 2], millis[millis.size() * 99 / 100],
      millis.back());
}

// A process of its own: subscribes `count` times, tells over `out`, and tells again when each has
// got an event.
[[noreturn]] void RunSubscribers(int in, int out, int count) {
  int port = 0;
  RAPPORT_CHECK(::read(in, &port, sizeof port) == sizeof port);
  const int poll = ::epoll_create1(0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "GET /v1/alerts/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    RAPPORT_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    RAPPORT_CHECK(::write(fd, request.data(), request.size()) ==
                  static_cast<ssize_t>(request.size()));
    epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    RAPPORT_CHECK(::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) == 0);
  }
  std::map<int, std::string> got;
  const auto wait_for = [&](absl::string_view what) {
    for (int left = count; left > 0;) {
      epoll_event event;
      if (::epoll_wait(poll, &event, 1, -1) != 1) continue;
      char buffer[8192];
      const ssize_t size = ::read(event.data.fd, buffer, sizeof buffer);
      RAPPORT_CHECK(size > 0, "a subscriber was cut off");
      std::string& text = got[event.data.fd];
      text.append(buffer, static_cast<size_t>(size));
      if (!absl::StrContains(text, what)) continue;
      text.clear();
      --left;
    }
    RAPPORT_CHECK(::write(out, "x", 1) == 1);
  };
  wait_for("id: ");
  wait_for("event: alert");
  ::_exit(0);
}

void MeasureIdle(Process& process, int in, int out, int count) {
  const double before = ResidentMiB();
  const absl::Time begin = absl::Now();
  const int port = process.http->port();
  RAPPORT_CHECK(::write(out, &port, sizeof port) == sizeof port);
  char byte;
  RAPPORT_CHECK(::read(in, &byte, 1) == 1);
  std::printf("%d subscribers: connected in %.1f s, %.1f MiB (%.1f KiB each)\n", count,
              absl::ToDoubleSeconds(absl::Now() - begin), ResidentMiB() - before,
              (ResidentMiB() - before) * 1024 / count);
  constexpr absl::Duration kIdle = absl::Seconds(30);
  const double cpu = CpuSeconds();
  absl::SleepFor(kIdle);
  std::printf("  idle with a heartbeat each 15 s: %.2f %% of a core\n",
              (CpuSeconds() - cpu) / absl::ToDoubleSeconds(kIdle) * 100);
  RAPPORT_CHECK(process.log->Append("touchpoints", {MakeLoad(int64_t{kAlertEvery} << 32)}).ok());
  const absl::Time sent = absl::Now();
  RAPPORT_CHECK(::read(in, &byte, 1) == 1);
  std::printf("  one alert at all of them after %.0f ms\n",
              absl::ToDoubleMilliseconds(absl::Now() - sent));
}

int Run(int seconds, int subscribers) {
  int to_child[2];
  int from_child[2];
  RAPPORT_CHECK(::pipe(to_child) == 0 && ::pipe(from_child) == 0);
  // Before there are threads.
  const pid_t child = ::fork();
  if (child == 0) RunSubscribers(to_child[0], from_child[1], subscribers);
  Process process;
  MeasureLatency(process, seconds);
  MeasureIdle(process, from_child[0], to_child[1], subscribers);
  ::waitpid(child, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  int seconds = 20;
  int subscribers = 10'000;
  const bool read = (argc < 2 || absl::SimpleAtoi(argv[1], &seconds)) &&
                    (argc < 3 || absl::SimpleAtoi(argv[2], &subscribers));
  if (!read || seconds < 1 || subscribers < 1) {
    std::fprintf(stderr, "usage: alerts_bench [SECONDS] [SUBSCRIBERS]\n");
    return 2;
  }
  return rapport::Run(seconds, subscribers);
}
