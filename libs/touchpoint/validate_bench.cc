#include <string>

#include "benchmark/benchmark.h"
#include "libs/touchpoint/samples.h"
#include "libs/touchpoint/validate.h"

// What checking costs beside parsing, for each record of a fold.

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

void BM_Parse(benchmark::State& state) {
  const std::string bytes =
      SampleTouchpoint(static_cast<Touchpoint::PayloadCase>(state.range(0))).SerializeAsString();
  Touchpoint touchpoint;
  for (auto _ : state) benchmark::DoNotOptimize(touchpoint.ParseFromString(bytes));
}

void BM_ParseAndCheck(benchmark::State& state) {
  const std::string bytes =
      SampleTouchpoint(static_cast<Touchpoint::PayloadCase>(state.range(0))).SerializeAsString();
  Touchpoint touchpoint;
  for (auto _ : state) benchmark::DoNotOptimize(ParseTouchpoint(bytes, &touchpoint));
}

void BM_Check(benchmark::State& state) {
  const Touchpoint& touchpoint =
      SampleTouchpoint(static_cast<Touchpoint::PayloadCase>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(CheckTouchpoint(touchpoint));
}

void BM_Validate(benchmark::State& state) {
  const Touchpoint& touchpoint =
      SampleTouchpoint(static_cast<Touchpoint::PayloadCase>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(ValidateTouchpoint(touchpoint));
}

void Kinds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("kind");
  for (const auto kind : {Touchpoint::kCallCompleted, Touchpoint::kEmailExchanged,
                          Touchpoint::kOrderPlaced, Touchpoint::kPortalUsed}) {
    benchmark->Arg(kind);
  }
}

BENCHMARK(BM_Parse)->Apply(Kinds);
BENCHMARK(BM_ParseAndCheck)->Apply(Kinds);
BENCHMARK(BM_Check)->Apply(Kinds);
BENCHMARK(BM_Validate)->Apply(Kinds);

}  // namespace
}  // namespace rapport
