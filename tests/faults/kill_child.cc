// The process that kill_test kills: opens the data folder, appends without end, and reports.
//   kill_child DATA SEED ROUND

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "libs/base/check.h"
#include "tests/faults/host.h"
#include "tests/faults/kill_history.h"

namespace rapport::testing {
namespace {

constexpr size_t kBatch = 20;

void Report(KillReport::What what, int appender = 0, size_t count = 0) {
  const KillReport report = {what, appender, static_cast<int64_t>(count)};
  RAPPORT_CHECK(::write(kReportPipe, &report, sizeof report) == sizeof report);
}

[[noreturn]] void Append(const EmbeddedHost& host, uint64_t seed, int round, int appender) {
  const std::vector<touchpoint::v1::Touchpoint> history = KillHistory(seed, round, appender);
  std::vector<Record> records;
  for (size_t i = 0; i < history.size(); ++i) {
    AddRecords(history[i], host.partition_count(), &records);
    if (records.size() < kBatch && i + 1 < history.size()) continue;
    const auto positions = host.log().Append(host.topics().touchpoints, records);
    RAPPORT_CHECK(positions.ok(), positions.status().ToString());
    records.clear();
    Report(KillReport::kAppended, appender, i + 1);
  }
  // The parent counts reports.
  for (;;) {
    absl::SleepFor(absl::Milliseconds(5));
    Report(KillReport::kAppended, appender, history.size());
  }
}

void ReportServing(const EmbeddedHost& host) {
  for (const char* name : {Retention::kName, Profile::kName, DealPipeline::kName, Kpi::kName}) {
    while (!host.View(name).ok()) absl::SleepFor(absl::Milliseconds(1));
  }
  Report(KillReport::kServing);
}

void Run(const char* data, uint64_t seed, int round) {
  const auto host = EmbeddedHost::Open(HostOptions(data));
  RAPPORT_CHECK(host.ok(), host.status().ToString());
  Report(KillReport::kOpen);
  std::vector<std::thread> appenders;
  for (int i = 0; i < kAppenders; ++i) {
    appenders.emplace_back([&, i] { Append(**host, seed, round, i); });
  }
  ReportServing(**host);
  for (std::thread& appender : appenders) appender.join();
}

}  // namespace
}  // namespace rapport::testing

int main(int argc, char** argv) {
  uint64_t seed = 0;
  int round = 0;
  RAPPORT_CHECK(argc == 4 && absl::SimpleAtoi(argv[2], &seed) && absl::SimpleAtoi(argv[3], &round));
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  rapport::testing::Run(argv[1], seed, round);
}
