#include "benchmark/benchmark.h"
#include "libs/identity/identifier.h"

namespace rapport {
namespace {

void NormalizeNationalPhone(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(NormalizePhone("030 1234567", {}));
}
BENCHMARK(NormalizeNationalPhone);

void NormalizeCallerId(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(NormalizePhone("\"Anna\" <+49301234567>", {}));
}
BENCHMARK(NormalizeCallerId);

void NormalizeMailbox(benchmark::State& state) {
  const EMailRules rules;
  for (auto _ : state) {
    benchmark::DoNotOptimize(NormalizeEmail("\"Keller, Anna\" <Anna@Example.com>", rules));
  }
}
BENCHMARK(NormalizeMailbox);

void MakeProvisionalClientId(benchmark::State& state) {
  const Identifier identifier = {touchpoint::v1::IDENTIFIER_KIND_PHONE, "+49301234567", ""};
  for (auto _ : state) benchmark::DoNotOptimize(ProvisionalClientId(identifier));
}
BENCHMARK(MakeProvisionalClientId);

}  // namespace
}  // namespace rapport
