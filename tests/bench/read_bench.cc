// How long GET /v1/clients/{id} takes while the same process folds, and the agenda of one of 500
// relationship managers: requests leave at fixed times whether or not the ones before were answered
// (an open loop), and the time counts from when they should have left. Arguments: clients, requests
// per second, touchpoints per second, seconds.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/base/mutex.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/testing/fixture.h"
#include "libs/service/config.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/service.h"
#include "services/profiles/profiles.h"
#include "tests/bench/workload.h"

namespace rapport::bench {
namespace {

using touchpoint::v1::Touchpoint;

constexpr int kPartitions = 4;
// Enough that none waits for another one's answer.
constexpr int64_t kConnections = 32;
constexpr char kTouchpoints[] = "touchpoints";
constexpr int64_t kOwners = 500;
// What a request asks for.
using Path = std::function<std::string(testing::Random*)>;

struct BenchOptions {
  int64_t clients = 1'000'000;
  int64_t requests_per_second = 2'000;
  int64_t touchpoints_per_second = 10'000;
  int64_t seconds = 20;
};

// In milliseconds: what so great a share of the rising `times` stays within.
double At(const std::vector<absl::Duration>& times, double share) {
  const auto index = static_cast<size_t>(share * static_cast<double>(times.size() - 1));
  return absl::ToDoubleMilliseconds(times[index]);
}

// Times of the requests of one run.
class Times {
 public:
  void Add(absl::Duration time, bool ok) {
    MutexLock lock(&mutex_);
    times_.push_back(time);
    failed_ += ok ? 0 : 1;
  }
  // `cpu`: of the process, during the run.
  void Print(const char* what, double requests_per_second, double touchpoints_per_second,
             absl::Duration cpu) {
    MutexLock lock(&mutex_);
    std::sort(times_.begin(), times_.end());
    fmt::print(
        "{}: {:.0f} requests/s, {:.0f} touchpoints/s folded: p50 {:.2f} ms, p99 {:.2f} ms, "
        "p99.9 {:.2f} ms, longest {:.2f} ms, {} failed; {:.0f} us of processor time per request\n",
        what, requests_per_second, touchpoints_per_second, At(times_, 0.5), At(times_, 0.99),
        At(times_, 0.999), At(times_, 1), failed_,
        absl::ToDoubleMicroseconds(cpu) / static_cast<double>(times_.size()));
  }

 private:
  Mutex mutex_;
  std::vector<absl::Duration> times_ ABSL_GUARDED_BY(mutex_);
  int64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A sleep is late by some 60 microseconds, which the times of the requests then contain.
void WaitUntil(absl::Time moment) { absl::SleepFor(moment - absl::Now()); }

// Processor time of this process so far: the server, the fold and the client of the bench.
absl::Duration ProcessorTime() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

// Appends touchpoints of random clients at a fixed rate until it is told to stop.
class Writer {
 public:
  Writer(EventLog* log, const BenchOptions& options, const char* run) : log_(log) {
    testing::Random random(2);
    const int64_t batches = options.seconds * kBatchesPerSecond;
    for (int64_t batch = 0; batch < batches; ++batch) {
      std::vector<Record>& records = batches_.emplace_back();
      for (int64_t i = 0; i < options.touchpoints_per_second / kBatchesPerSecond; ++i) {
        records.push_back(MakeRecord(testing::MakeTouchpoint(
            Touchpoint::kOrderPlaced, ClientName(random.Below(options.clients)),
            absl::StrCat(run, "/", batch, "/", i), absl::Now())));
      }
    }
  }
  void Run() {
    const absl::Time start = absl::Now();
    for (size_t batch = 0; batch < batches_.size(); ++batch) {
      WaitUntil(start + absl::Seconds(1) * static_cast<int64_t>(batch) / kBatchesPerSecond);
      const auto appended = log_->Append(kTouchpoints, batches_[batch]);
      RAPPORT_CHECK(appended.ok(), appended.status().ToString());
    }
  }

 private:
  static constexpr int64_t kBatchesPerSecond = 100;

  EventLog* const log_;
  std::vector<std::vector<Record>> batches_;
};

int64_t Folded(HttpClient& client, const HttpServer& server) {
  const auto metrics =
      client.Fetch({.url = absl::StrCat(server.address(), "/v1/projections/profile")});
  RAPPORT_CHECK(metrics.ok() && metrics->status == 200, "no status");
  int64_t folded = 0;
  constexpr absl::string_view kField = "\"folded\":\"";
  for (size_t at = metrics->body.find(kField.data()); at != std::string::npos;
       at = metrics->body.find(kField.data(), at + 1)) {
    folded += std::atoll(metrics->body.c_str() + at + kField.size());
  }
  return folded;
}

// One kept connection to the server: as little work as a client can do, so that the machine is the
// server's.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    RAPPORT_CHECK(
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "connecting");
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Whether the answer is 200; it has been read to its end.
  bool Get(const std::string& path) {
    const std::string request = absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    if (::send(socket_, request.data(), request.size(), 0) < 0) return false;
    answer_.clear();
    size_t wanted = std::string::npos;
    while (answer_.size() < wanted) {
      char piece[16384];
      const ssize_t size = ::recv(socket_, piece, sizeof piece, 0);
      if (size <= 0) return false;
      answer_.append(piece, static_cast<size_t>(size));
      if (wanted == std::string::npos) wanted = AnswerSize();
    }
    return absl::StartsWith(answer_, "HTTP/1.1 200");
  }

 private:
  // Of header and body together; npos while the header is not complete.
  size_t AnswerSize() const {
    constexpr absl::string_view kLength = "content-length: ";
    const size_t header = answer_.find("\r\n\r\n");
    if (header == std::string::npos) return header;
    const std::string lower = absl::AsciiStrToLower(answer_.substr(0, header));
    const size_t length = lower.find(kLength.data());
    RAPPORT_CHECK(length != std::string::npos, lower);
    return header + 4 + std::strtoull(lower.c_str() + length + kLength.size(), nullptr, 10);
  }

  const int socket_;
  std::string answer_;
};

// Sends every request whose number is `first` modulo kConnections.
void SendRequests(const BenchOptions& options, const Path& path, int64_t first, int port,
                  absl::Time start, Times* times) {
  Connection connection(port);
  testing::Random random(static_cast<uint64_t>(first) + 3);
  const int64_t count = options.seconds * options.requests_per_second;
  for (int64_t i = first; i < count; i += kConnections) {
    const absl::Time due = start + absl::Seconds(1) * i / options.requests_per_second;
    WaitUntil(due);
    const bool ok = connection.Get(path(&random));
    times->Add(absl::Now() - due, ok);
  }
}

void Measure(const char* what, const BenchOptions& options, const Path& path, HttpClient& client,
             const HttpServer& server, EventLog* log) {
  std::unique_ptr<Writer> writer;
  if (log != nullptr) writer = std::make_unique<Writer>(log, options, what);
  const int64_t folded_before = Folded(client, server);
  Times times;
  const absl::Time start = absl::Now();
  const absl::Duration cpu_before = ProcessorTime();
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < kConnections; ++i) {
    threads.emplace_back([&, i] { SendRequests(options, path, i, server.port(), start, &times); });
  }
  if (writer != nullptr) threads.emplace_back([&] { writer->Run(); });
  for (std::thread& thread : threads) thread.join();
  const double took = absl::ToDoubleSeconds(absl::Now() - start);
  const absl::Duration cpu = ProcessorTime() - cpu_before;
  const int64_t folded = Folded(client, server) - folded_before;
  const auto count = static_cast<double>(options.seconds * options.requests_per_second);
  times.Print(what, count / took, static_cast<double>(folded) / took, cpu);
}

void Run(const BenchOptions& options) {
  const testing::TempFolder folder;
  StoreResources resources({.memory_bytes = size_t{256} << 20});
  CacheBudget budget(size_t{512} << 20);
  auto log = OpenEmbeddedLog({.folder = folder / "log"});
  RAPPORT_CHECK(log.ok(), log.status().ToString());
  for (const char* topic : {kTouchpoints, "alerts", "rejected"}) {
    RAPPORT_CHECK((*log)->CreateTopic(topic, kPartitions).ok(), topic);
  }
  AppendWorkload({.clients = options.clients,
                  .touchpoints = options.clients * 2,
                  .partitions = kPartitions,
                  .owners = kOwners},
                 **log, kTouchpoints);

  auto config = ParseConfig("", "bench", {.overrides = {"data_folder=" + folder.path()}});
  RAPPORT_CHECK(config.ok(), config.status().ToString());
  Metrics metrics;
  auto server = HttpServer::Create({}, &metrics);
  RAPPORT_CHECK(server.ok(), server.status().ToString());
  HttpClient client;
  auto service = StartProfiles({.config = &*config,
                                .instance = "1",
                                .all_in_one = true,
                                .log = log->get(),
                                .metrics = &metrics,
                                .http = server->get(),
                                .http_client = &client,
                                .resources = &resources,
                                .budget = &budget});
  RAPPORT_CHECK(service.ok(), service.status().ToString());
  RAPPORT_CHECK((*server)->Start().ok(), "the server does not start");
  const absl::Time loading = absl::Now();
  while (!(*service)->Ready().ok()) absl::SleepFor(absl::Milliseconds(100));
  fmt::print("{} clients loaded in {:.1f} s\n", options.clients,
             absl::ToDoubleSeconds(absl::Now() - loading));

  BenchOptions warm = options;
  warm.seconds = 2;
  const Path one_client = [&](testing::Random* random) {
    return absl::StrCat("/v1/clients/", ClientName(random->Below(options.clients)));
  };
  const Path agenda = [](testing::Random* random) {
    return absl::StrCat("/v1/agenda?owner=", OwnerName(random->Below(kOwners)), "&limit=20");
  };
  Measure("warming up", warm, one_client, client, **server, nullptr);
  Measure("reads alone", options, one_client, client, **server, nullptr);
  Measure("reads beside the fold", options, one_client, client, **server, log->get());
  BenchOptions managers = options;
  managers.requests_per_second = std::max<int64_t>(1, options.requests_per_second / 20);
  Measure("agenda alone", managers, agenda, client, **server, nullptr);
  Measure("agenda beside the fold", managers, agenda, client, **server, log->get());
  (*server)->Drain(absl::Seconds(5));
  service->reset();
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  rapport::bench::BenchOptions options;
  int64_t* const given[] = {&options.clients, &options.requests_per_second,
                            &options.touchpoints_per_second, &options.seconds};
  for (int i = 1; i < argc && i <= 4; ++i) *given[i - 1] = std::atoll(argv[i]);
  rapport::bench::Run(options);
}
