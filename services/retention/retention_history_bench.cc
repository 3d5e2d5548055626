#include <string>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "libs/projections/testing/random_history.h"
#include "services/retention/retention_history.h"

// What the history of a client's score costs, and how large its answer is: so many touchpoints, and
// a day each of a period that ends with them.

namespace rapport {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

void BM_History(benchmark::State& state) {
  testing::HistoryOptions options{.seed = 7, .client_count = 1};
  options.touchpoint_count = static_cast<int>(state.range(0));
  options.tick = absl::ZeroDuration();
  const absl::Duration all = state.range(1) * kDay;
  options.length = all;
  const std::vector<touchpoint::v1::Touchpoint> touchpoints = testing::RandomHistory(options);
  const std::string client = touchpoints.front().client_id();
  const RetentionPeriod period = {.from = options.start, .to = options.start + all};
  query::v1::RetentionHistory history;
  for (auto _ : state) history = FoldRetentionHistory(client, touchpoints, {}, period);
  state.counters["days"] = history.days_size();
  state.counters["marks"] = history.marks_size();
  state.counters["bytes"] = static_cast<double>(history.ByteSizeLong());
}
BENCHMARK(BM_History)
    ->ArgNames({"touchpoints", "days"})
    ->Args({1000, 365})
    ->Args({1000, 1096})
    ->Args({10000, 1096})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rapport
