#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "libs/organisation/organisation.h"

// 100,000 people in 10,000 units: how fast a look-up is, and what the table takes in memory.

namespace rapport {
namespace {

constexpr int kPeople = 100'000;
constexpr int kUnits = 10'000;

const Organisation& Firm() {
  static const Organisation* const firm = [] {
    google::protobuf::RepeatedPtrField<organisation::v1::Change> changes;
    for (int i = 0; i < kUnits; ++i) {
      organisation::v1::UnitSet& unit = *changes.Add()->mutable_unit_set();
      unit.set_unit_id(absl::StrCat("unit-", i));
      if (i > 0) unit.set_parent_unit_id(absl::StrCat("unit-", i / 10));
    }
    for (int i = 0; i < kPeople; ++i) {
      organisation::v1::PersonSet& person = *changes.Add()->mutable_person_set();
      person.set_person_id(absl::StrCat("person-", i));
      person.set_name(absl::StrCat("Name of ", i));
      person.set_e_mail(absl::StrCat("person-", i, "@firm.example"));
      person.add_extensions(absl::StrCat(i));
      person.add_roles(organisation::v1::ROLE_RELATIONSHIP_MANAGER);
      organisation::v1::PersonPlaced& placed = *changes.Add()->mutable_person_placed();
      placed.set_person_id(person.person_id());
      placed.set_unit_id(absl::StrCat("unit-", i % kUnits));
      if (i < kUnits) {
        organisation::v1::LeadSet& lead = *changes.Add()->mutable_lead_set();
        lead.set_unit_id(absl::StrCat("unit-", i));
        lead.set_person_id(person.person_id());
      }
    }
    auto* const made = new Organisation();
    if (!made->Apply(changes).empty()) std::abort();
    std::printf("%d people and %d units take %.1f MiB\n", kPeople, kUnits,
                static_cast<double>(made->MemoryBytes()) / (1 << 20));
    return made;
  }();
  return *firm;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (int i = 0; i < kPeople; i += 7) names.push_back(absl::StrCat("person-", i));
  return names;
}

void BM_UnitOf(benchmark::State& state) {
  const Organisation& firm = Firm();
  const std::vector<std::string> names = Names();
  const absl::Time at = absl::UnixEpoch() + absl::Hours(24 * 365 * 50);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(firm.UnitOf(names[i++ % names.size()], at));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_UnitOf);

void BM_PortfoliosOf(benchmark::State& state) {
  const Organisation& firm = Firm();
  const std::vector<std::string> names = Names();
  const absl::Time at = absl::UnixEpoch() + absl::Hours(24 * 365 * 50);
  size_t i = names.size() / 2;
  for (auto _ : state) {
    benchmark::DoNotOptimize(firm.PortfoliosOf(names[i++ % names.size()], at));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PortfoliosOf);

void BM_Copy(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Organisation(Firm()));
}
BENCHMARK(BM_Copy)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rapport
