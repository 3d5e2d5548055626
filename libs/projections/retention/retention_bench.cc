#include "libs/projections/retention/retention.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "libs/base/time.h"
#include "libs/projections/testing/random_history.h"

// What the projection itself costs for a usual touchpoint: an order, a mail or a call of one of
// many clients who are served as they should be.

namespace rapport {
namespace {

constexpr int kClients = 20000;
constexpr int kPerClient = 20;
constexpr absl::Duration kGap = absl::Hours(24 * 6);

std::vector<touchpoint::v1::Touchpoint> UsualTouchpoints() {
  const absl::Time start = absl::FromUnixSeconds(1735689600);
  std::vector<touchpoint::v1::Touchpoint> touchpoints;
  testing::Random random(7);
  uint64_t number = 0;
  for (int turn = 0; turn < kPerClient; ++turn) {
    for (int client = 0; client < kClients; ++client) {
      auto& touchpoint = touchpoints.emplace_back();
      touchpoint.set_client_id(absl::StrCat("client-", client));
      touchpoint.set_event_id(testing::EventIdOf(++number));
      ToProto(start + turn * kGap + absl::Seconds(client), touchpoint.mutable_occurred_at());
      const int64_t kind = random.Below(3);
      if (kind == 0) touchpoint.mutable_order_placed()->set_order_id(absl::StrCat("O-", number));
      if (kind == 1) {
        touchpoint.set_direction(random.Chance(50) ? touchpoint::v1::DIRECTION_INBOUND
                                                   : touchpoint::v1::DIRECTION_OUTBOUND);
        touchpoint.mutable_email_exchanged()->set_thread_id(absl::StrCat("t", random.Below(5)));
      }
      if (kind == 2)
        touchpoint.mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
    }
  }
  return touchpoints;
}

struct Client {
  state::v1::RetentionState state;
  absl::Time wake = absl::InfiniteFuture();
};

// Folds all touchpoints once; with `clock`, each as it happens.
void FoldAll(const std::vector<touchpoint::v1::Touchpoint>& touchpoints, bool clock,
             std::vector<Client>* clients) {
  const RetentionSettings settings;
  FoldOutput output;
  clients->assign(kClients, {});
  for (size_t i = 0; i < touchpoints.size(); ++i) {
    Client& client = (*clients)[i % kClients];
    FoldContext context = {touchpoints[i].client_id()};
    if (clock) context.now = FromProto(touchpoints[i].occurred_at()) - absl::Seconds(30);
    output.Clear();
    output.wake = client.wake;
    if (!Retention::Apply(context, touchpoints[i], settings, client.state, output).ok()) return;
    client.wake = output.wake;
  }
}

void BM_Apply(benchmark::State& state) {
  const auto touchpoints = UsualTouchpoints();
  std::vector<Client> clients;
  for (auto _ : state) FoldAll(touchpoints, state.range(0) != 0, &clients);
  int64_t bytes = 0;
  for (const Client& client : clients) bytes += static_cast<int64_t>(client.state.ByteSizeLong());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(touchpoints.size()));
  state.counters["state_bytes"] = static_cast<double>(bytes) / kClients;
}
BENCHMARK(BM_Apply)->ArgName("clock")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_ParseState(benchmark::State& state) {
  std::vector<Client> clients;
  FoldAll(UsualTouchpoints(), true, &clients);
  std::vector<std::string> stored;
  for (const Client& client : clients) stored.push_back(client.state.SerializeAsString());
  state::v1::RetentionState parsed;
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(parsed.ParseFromString(stored[i]));
    if (++i == stored.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseState);

void BM_SerializeState(benchmark::State& state) {
  std::vector<Client> clients;
  FoldAll(UsualTouchpoints(), true, &clients);
  std::string stored;
  size_t i = 0;
  for (auto _ : state) {
    stored.clear();
    benchmark::DoNotOptimize(clients[i].state.AppendToString(&stored));
    if (++i == clients.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SerializeState);

}  // namespace
}  // namespace rapport
