#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "libs/projections/models/silence.h"
#include "libs/risk_model/silence_fit.h"
#include "libs/risk_model/testing/generated_clients.h"

// What it takes to fit a model of silence to the clients of two years, told in whole days.

namespace rapport::risk_model {
namespace {

constexpr int kClients = 1'000'000;
constexpr int kDays = 730;

void BM_Fit(benchmark::State& state) {
  const auto model = static_cast<models::SilenceModel>(state.range(0));
  static const auto* const clients = new std::vector<ClientHistory>(GenerateClients(
      models::SilenceModel::kMbgNbd, models::kMbgCdnow, kClients, kDays, /*seed=*/3));
  const SilenceFitSettings settings = {.threads = static_cast<int>(state.range(1))};
  for (auto _ : state) {
    const absl::StatusOr<SilenceFit> fit = FitSilence(model, *clients, settings);
    if (!fit.ok()) {
      state.SkipWithError(std::string(fit.status().message()).c_str());
      return;
    }
    state.counters["groups"] = static_cast<double>(fit->groups);
    state.counters["evaluations"] = fit->evaluations;
  }
  state.SetItemsProcessed(state.iterations() * kClients);
}
BENCHMARK(BM_Fit)
    ->ArgNames({"mbg", "threads"})
    ->ArgsProduct({{static_cast<int>(models::SilenceModel::kBgNbd),
                    static_cast<int>(models::SilenceModel::kMbgNbd)},
                   {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_MbgExpectedDays(benchmark::State& state) {
  const models::Repeats repeats = {static_cast<double>(state.range(0)), 30};
  for (auto _ : state) {
    benchmark::DoNotOptimize(models::MbgExpectedDays(models::kMbgCdnow, repeats, 39, 39));
  }
}
BENCHMARK(BM_MbgExpectedDays)->ArgName("repeats")->Arg(0)->Arg(5)->Arg(100);

}  // namespace
}  // namespace rapport::risk_model
