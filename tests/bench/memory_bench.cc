// Peak memory of a process with the live state of many clients and a rebuild beside it, against the
// configured cap. Arguments: clients (default 1,000,000), cap in MiB (default 1024).

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "libs/base/check.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/embedded_host.h"
#include "libs/projector/fold_engine.h"
#include "libs/projector/testing/fixture.h"
#include "tests/bench/workload.h"

namespace rapport::bench {
namespace {

// Kilobytes of the line `name` in /proc/self/status.
int64_t StatusKilobytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kilobytes = -1;
  while (status >> word) {
    if (word == name) status >> kilobytes;
  }
  return kilobytes;
}

void Must(const absl::Status& status) { RAPPORT_CHECK(status.ok(), status.ToString()); }

void Run(int64_t clients, int64_t cap_mib) {
  const testing::TempFolder folder;
  EmbeddedHost::Options options;
  options.data = folder.path();
  options.memory_bytes = static_cast<size_t>(cap_mib) << 20;
  options.projections.push_back(std::make_unique<SpecOf<Retention>>(Retention::Settings{}));
  auto host = EmbeddedHost::Open(std::move(options));
  Must(host.status());
  AppendWorkload({.clients = clients, .touchpoints = clients * 2, .partitions = 4}, (*host)->log(),
                 (*host)->topics().touchpoints);
  Must((*host)->CatchUp());
  const int64_t live = StatusKilobytes("VmHWM:");
  auto rebuilt = Rebuild(**(*host)->Find(Retention::kName), RebuildOptions{});
  Must(rebuilt.status());
  RAPPORT_CHECK(rebuilt->findings.empty(), "live and rebuilt differ");
  const int64_t both = StatusKilobytes("VmHWM:");
  fmt::print(
      "{} clients, cap {} MiB: peak resident {:.0f} MiB live, {:.0f} MiB with a rebuild beside "
      "it ({:.2f} x cap)\n",
      clients, cap_mib, static_cast<double>(live) / 1024, static_cast<double>(both) / 1024,
      static_cast<double>(both) / 1024 / static_cast<double>(cap_mib));
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int64_t clients = 1'000'000;
  int64_t cap_mib = 1024;
  if ((argc > 1 && !absl::SimpleAtoi(argv[1], &clients)) ||
      (argc > 2 && !absl::SimpleAtoi(argv[2], &cap_mib))) {
    fmt::print(stderr, "usage: memory_bench [CLIENTS [CAP_MIB]]\n");
    return 2;
  }
  rapport::bench::Run(clients, cap_mib);
  return 0;
}
