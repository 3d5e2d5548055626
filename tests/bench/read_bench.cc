// How long GET /v1/clients/{id} takes while the same process folds: requests leave at fixed times
// whether or not the ones before were answered (an open loop), and the time counts from when they
// should have left. Arguments: clients, requests per second, touchpoints per second, seconds.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
constexpr char kTouchpoints[] = "touchpoints";

struct BenchOptions {
  int64_t clients = 1'000'000;
  int64_t requests_per_second = 2'000;
  int64_t touchpoints_per_second = 10'000;
  int64_t seconds = 20;
};

// Times of the requests of one run.
class Times {
 public:
  void Add(absl::Duration time, bool ok) {
    MutexLock lock(&mutex_);
    times_.push_back(time);
    failed_ += ok ? 0 : 1;
    done_.SignalAll();
  }
  void WaitFor(size_t count) {
    MutexLock lock(&mutex_);
    while (times_.size() < count) done_.Wait(&mutex_);
  }
  void Print(const char* what, double requests_per_second, double touchpoints_per_second) {
    MutexLock lock(&mutex_);
    std::sort(times_.begin(), times_.end());
    const auto at = [&](double share) {
      const auto index = static_cast<size_t>(share * static_cast<double>(times_.size() - 1));
      return absl::ToDoubleMilliseconds(times_[index]);
    };
    fmt::print(
        "{}: {:.0f} requests/s, {:.0f} touchpoints/s folded: p50 {:.2f} ms, p99 {:.2f} ms, "
        "p99.9 {:.2f} ms, longest {:.2f} ms, {} failed\n",
        what, requests_per_second, touchpoints_per_second, at(0.5), at(0.99), at(0.999), at(1),
        failed_);
  }

 private:
  Mutex mutex_;
  CondVar done_;
  std::vector<absl::Duration> times_ ABSL_GUARDED_BY(mutex_);
  int64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Sleeps to a moment; the last stretch is spun, since a sleep may be late by half a millisecond.
void WaitUntil(absl::Time moment) {
  const absl::Duration spin = absl::Microseconds(200);
  if (moment - absl::Now() > spin) absl::SleepFor(moment - absl::Now() - spin);
  while (absl::Now() < moment) std::this_thread::yield();
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

void Measure(const char* what, const BenchOptions& options, HttpClient& client,
             const HttpServer& server, EventLog* log) {
  std::unique_ptr<Writer> writer;
  if (log != nullptr) writer = std::make_unique<Writer>(log, options, what);
  const int64_t folded_before = Folded(client, server);
  std::thread writing([&] {
    if (writer != nullptr) writer->Run();
  });
  testing::Random random(3);
  Times times;
  const int64_t count = options.seconds * options.requests_per_second;
  const absl::Time start = absl::Now();
  for (int64_t i = 0; i < count; ++i) {
    const absl::Time due = start + absl::Seconds(1) * i / options.requests_per_second;
    WaitUntil(due);
    client.Send({.url = absl::StrCat(server.address(), "/v1/clients/",
                                     ClientName(random.Below(options.clients)))},
                [&times, due](const absl::StatusOr<HttpAnswer>& answer) {
                  times.Add(absl::Now() - due, answer.ok() && answer->status == 200);
                });
  }
  times.WaitFor(static_cast<size_t>(count));
  const double took = absl::ToDoubleSeconds(absl::Now() - start);
  writing.join();
  const int64_t folded = Folded(client, server) - folded_before;
  times.Print(what, static_cast<double>(count) / took, static_cast<double>(folded) / took);
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
  AppendWorkload(
      {.clients = options.clients, .touchpoints = options.clients * 2, .partitions = kPartitions},
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
  Measure("warming up", warm, client, **server, nullptr);
  Measure("reads alone", options, client, **server, nullptr);
  Measure("reads beside the fold", options, client, **server, log->get());
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
