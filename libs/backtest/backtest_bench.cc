#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "libs/backtest/report.h"
#include "libs/base/time.h"
#include "libs/projections/testing/random_history.h"

// A year of a million touchpoints under a set of rules: orders, calls and mails of clients of whom
// one in five falls silent, and complaints.

namespace rapport::backtest {
namespace {

constexpr int kClients = 20000;
constexpr int kPerClient = 50;
constexpr absl::Duration kGap = absl::Hours(24 * 7);

History MakeHistory() {
  const absl::Time start = absl::FromUnixSeconds(1735689600);
  History history;
  testing::Random random(11);
  uint64_t number = 0;
  touchpoint::v1::Touchpoint touchpoint;
  for (int turn = 0; turn < kPerClient; ++turn) {
    for (int client = 0; client < kClients; ++client) {
      const int64_t kind = random.Below(100);
      if (client % 5 == 0 && turn > client % kPerClient) continue;
      touchpoint.Clear();
      touchpoint.set_client_id(absl::StrCat("client-", client));
      touchpoint.set_owner_id(absl::StrCat("rm-", client % 50));
      touchpoint.set_event_id(testing::EventIdOf(++number));
      ToProto(start + turn * kGap + absl::Seconds(client), touchpoint.mutable_occurred_at());
      if (kind < 50) {
        auto* order = touchpoint.mutable_order_placed();
        order->set_order_id(absl::StrCat("O-", number));
        order->set_line_count(static_cast<int>(1 + kind));
        order->mutable_amount()->set_minor_units(1000 * (1 + kind));
        order->mutable_amount()->set_currency_code("GBP");
      } else if (kind < 98) {
        touchpoint.mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
      } else {
        touchpoint.mutable_complaint_opened()->set_complaint_id(absl::StrCat("C-", number));
      }
      history.Add(touchpoint);
    }
  }
  return history;
}

void BM_JudgeRules(benchmark::State& state) {
  const History history = MakeHistory();
  const Span span = {.from = history.first(), .to = history.last()};
  int64_t alerts = 0;
  for (auto _ : state) {
    const auto report = JudgeRules(history, RetentionSettings(), span);
    if (!report.ok()) return state.SkipWithError(report.status().ToString().c_str());
    alerts = report->alerts;
  }
  state.SetItemsProcessed(state.iterations() * history.touchpoints());
  state.counters["touchpoints"] = static_cast<double>(history.touchpoints());
  state.counters["alerts"] = static_cast<double>(alerts);
}
BENCHMARK(BM_JudgeRules)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rapport::backtest
