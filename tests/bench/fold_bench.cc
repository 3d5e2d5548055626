// Live fold and rebuild of `retention`, or of `kpi` with its sums, over the embedded log, each
// beside a ceiling measured in the same run:
//   live     ceiling: read, parse, get, put (the bare loop without a cache, duplicates, timers)
//   rebuild  ceiling: read and parse
// Arguments: clients, touchpoints (default 500,000 and 4,000,000), `kpi` for that projection,
// `rebuild` for that alone. All on one thread; RocksDB's flushes and compactions run beside it.
//
// The touchpoints are four months of clients who get in touch twice a month, with orders for the
// most part, under a clock that ticks each hour.
// The live fold is measured over the last fifth of them, after as many to warm its cache.

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/fold_engine.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"
#include "libs/touchpoint/validate.h"
#include "tests/bench/workload.h"

namespace rapport::bench {
namespace {

constexpr char kTopic[] = "touchpoints";
constexpr size_t kBatch = 4096;
constexpr size_t kCacheBytes = size_t{512} << 20;

// Wall and own processor time since the start.
class Clock {
 public:
  double Wall() const { return absl::ToDoubleSeconds(absl::Now() - wall_); }
  double Processor() const { return ThreadSeconds() - processor_; }

 private:
  static double ThreadSeconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  const absl::Time wall_ = absl::Now();
  const double processor_ = ThreadSeconds();
};

struct Rate {
  double wall = 0;
  double processor = 0;
};

Rate RateOf(int64_t events, const Clock& clock) {
  return {static_cast<double>(events) / clock.Wall(),
          static_cast<double>(events) / clock.Processor()};
}

void Print(const char* what, Rate rate, Rate ceiling, const char* ceiling_name) {
  fmt::print("{:<34}{:>11.0f}/s wall {:>11.0f}/s core   {:>5.2f} x {}\n", what, rate.wall,
             rate.processor, rate.processor / ceiling.processor, ceiling_name);
  std::fflush(stdout);
}

template <class Visit>
void ReadLog(EventLog& log, Offset from, Offset to, const Visit& visit) {
  auto reader = *log.OpenReader(kTopic, Partition(0), from);
  while (reader->position() < to) {
    absl::Span<const RecordView> records = *reader->Read(kBatch, absl::Seconds(5));
    while (!records.empty() && records.back().offset >= to) records.remove_suffix(1);
    visit(records);
  }
}

Rate ReadAndParse(EventLog& log, Offset end) {
  touchpoint::v1::Touchpoint touchpoint;
  int64_t parsed = 0;
  const Clock clock;
  ReadLog(log, Offset(0), end, [&](absl::Span<const RecordView> records) {
    for (const RecordView& record : records) {
      parsed +=
          touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()));
    }
  });
  return RateOf(parsed, clock);
}

// What a consumer without any of our machinery does for each event. `first`: each client has been
// there by then.
Rate BareLoop(EventLog& log, Offset first, Offset from, Offset end, const std::string& folder) {
  StoreResources resources({.memory_bytes = size_t{128} << 20});
  auto store = *StateStore::Open(folder, &resources);
  const auto run = [&](Offset begin, Offset until) {
    touchpoint::v1::Touchpoint touchpoint;
    std::string state;
    int64_t count = 0;
    ReadLog(log, begin, until, [&](absl::Span<const RecordView> records) {
      auto commit = store->NewCommit();
      for (const RecordView& record : records) {
        const absl::Status parsed = ParseTouchpoint(record.value, &touchpoint);
        RAPPORT_CHECK(parsed.ok(), parsed.ToString(), touchpoint.ShortDebugString());
        if (touchpoint.client_id().empty()) continue;
        RAPPORT_CHECK(store->Get(Family::kState, touchpoint.client_id(), &state).ok());
        state.resize(200);
        ++state[static_cast<size_t>(count++ % 200)];
        commit->Put(Family::kState, touchpoint.client_id(), state);
      }
      RAPPORT_CHECK(store->Write(std::move(commit)).ok());
    });
    return count;
  };
  run(Offset(0), std::min(first, from));
  const Clock clock;
  return RateOf(run(from, end), clock);
}

double MeanStateBytes(const StateStore& store) {
  size_t bytes = 0;
  size_t clients = 0;
  RAPPORT_CHECK(store
                    .Scan(Family::kState, "", "",
                          [&](absl::string_view, absl::string_view value) {
                            bytes += value.size();
                            ++clients;
                            return true;
                          })
                    .ok());
  return static_cast<double>(bytes) / static_cast<double>(std::max<size_t>(1, clients));
}

template <Projection P>
Digest RunLive(EventLog& log, Offset first, Offset end,
               const testing::ProjectionFixture<P>& fixture, const testing::TempFolder& folder) {
  const Offset warm(end.value() / 5 * 4);
  const Rate bare = BareLoop(log, first, warm, end, folder / "bare");
  fmt::print("{:<34}{:>11.0f}/s wall {:>11.0f}/s core\n", "ceiling: read, parse, get, put",
             bare.wall, bare.processor);
  // What comes before is folded the fast way, and its alerts are published.
  RAPPORT_CHECK(BuildAside(
                    fixture.env(), [&](Partition) { return folder / "live"; },
                    {{Partition(0), Offset(end.value() / 5 * 3)}}, RebuildOptions{})
                    .ok());
  auto live = *PartitionWorker::Open(fixture.env(), folder / "live", {},
                                     PartitionWorker::Effects::kPublish);
  RAPPORT_CHECK(live->FoldUpTo(warm).ok());
  RAPPORT_CHECK(live->Flush().ok());
  const int64_t alerts = live->fold().counts().effects();
  const int64_t timers = live->fold().counts().timers();
  const Clock clock;
  const absl::Status status = live->FoldUpTo(end);
  RAPPORT_CHECK(status.ok(), status.ToString());
  RAPPORT_CHECK(live->Flush().ok());
  Print("live fold", RateOf(end - warm, clock), bare, "get-put loop");
  fmt::print("  {} records, alerts {}, timers {}, state {:.1f} MB on disk, cache {:.0f} MB\n",
             end - warm, live->fold().counts().effects() - alerts,
             live->fold().counts().timers() - timers,
             static_cast<double>(live->store()->DiskBytes()) / 1e6,
             static_cast<double>(fixture.env().budget->used()) / 1e6);
  return live->fold().digest();
}

template <Projection P>
void Run(int64_t clients, int64_t touchpoints, bool live_too) {
  const testing::TempFolder folder;
  auto log = *OpenEmbeddedLog({.folder = folder / "log"});
  RAPPORT_CHECK(log->CreateTopic(kTopic, 1).ok());
  RAPPORT_CHECK(log->CreateTopic("alerts", 1).ok());
  const double bytes =
      AppendWorkload({.clients = clients, .touchpoints = touchpoints, .owners = 500}, *log, kTopic);
  const Offset end = log->GetWatermarks(kTopic, Partition(0))->end;
  fmt::print("{} clients, {} touchpoints of {:.0f} bytes, one partition\n", clients, touchpoints,
             bytes);

  const Rate parse = ReadAndParse(*log, end);
  fmt::print("{:<34}{:>11.0f}/s wall {:>11.0f}/s core\n", "ceiling: read, parse", parse.wall,
             parse.processor);
  testing::ProjectionFixture<P> fixture(log.get(), false, {}, kCacheBytes);
  std::optional<Digest> digest;
  if (live_too) digest = RunLive(*log, Offset(clients + clients / 10), end, fixture, folder);
  for (int run = 0; run < 2; ++run) {
    const Clock clock;
    auto built = BuildAside(
        fixture.env(), [&](Partition) { return folder / absl::StrCat("rebuilt", run); },
        {{Partition(0), end}}, RebuildOptions{});
    RAPPORT_CHECK(built.ok(), built.status().ToString());
    Print("rebuild", RateOf(end.value(), clock), parse, "read, parse");
    const Digest rebuilt = built->begin()->second->fold().digest();
    RAPPORT_CHECK(rebuilt == digest.value_or(rebuilt), "live and rebuilt differ");
    const StateStore& store = *built->begin()->second->store();
    fmt::print("  {:.1f} MB on disk, {:.0f} bytes of state a client\n",
               static_cast<double>(store.DiskBytes()) / 1e6, MeanStateBytes(store));
  }
}
}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int64_t clients = 500'000;
  int64_t touchpoints = 4'000'000;
  if ((argc > 1 && !absl::SimpleAtoi(argv[1], &clients)) ||
      (argc > 2 && !absl::SimpleAtoi(argv[2], &touchpoints))) {
    fmt::print(stderr, "usage: fold_bench [CLIENTS [TOUCHPOINTS [kpi] [rebuild]]]\n");
    return 2;
  }
  const auto asked = [&](absl::string_view word) {
    return std::any_of(argv + std::min(argc, 3), argv + argc,
                       [&](const char* argument) { return word == argument; });
  };
  const auto run =
      asked("kpi") ? rapport::bench::Run<rapport::Kpi> : rapport::bench::Run<rapport::Retention>;
  run(clients, touchpoints, !asked("rebuild"));
  return 0;
}
