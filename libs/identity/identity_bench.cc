#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "libs/identity/identifier.h"

namespace rapport {
namespace {

// More numbers than are remembered.
void NormalizeNationalPhone(benchmark::State& state) {
  std::vector<std::string> numbers;
  for (int i = 0; i < 20'000; ++i) numbers.push_back(absl::StrCat("030 ", 1'000'000 + i));
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(NormalizePhone(numbers[next++ % numbers.size()], {}));
  }
}
BENCHMARK(NormalizeNationalPhone);

void NormalizeSamePhone(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(NormalizePhone("030 1234567", {}));
}
BENCHMARK(NormalizeSamePhone);

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
