#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "benchmark/benchmark.h"
#include "libs/base/check.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/sources/identifier_index.h"
#include "libs/touchpoint/record.h"

// Look-ups in an index of a million identifiers, folded from a log in memory.

namespace rapport {
namespace {

constexpr int kIdentifiers = 1'000'000;
constexpr int kBatch = 5000;

Identifier PhoneOf(int number) {
  return {.kind = touchpoint::v1::IDENTIFIER_KIND_PHONE,
          .value = absl::StrCat("+4930", 10'000'000 + number)};
}

Record RecordOf(int number) {
  touchpoint::v1::Touchpoint touchpoint = testing::MakeTouchpoint(
      touchpoint::v1::Touchpoint::kIdentifierLinked, absl::StrCat("client-", number),
      absl::StrCat(number), testing::Day(0));
  auto* linked = touchpoint.mutable_identifier_linked();
  linked->set_kind(touchpoint::v1::IDENTIFIER_KIND_PHONE);
  linked->set_value(PhoneOf(number).value);
  linked->clear_stakeholder_id();
  return MakeRecord(touchpoint);
}

class World {
 public:
  World() : log_(NewInMemoryEventLog()), budget_(size_t{256} << 20), resources_({}) {
    for (const char* const topic : {"touchpoints", "alerts"})
      RAPPORT_CHECK(log_->CreateTopic(topic, 4).ok(), topic);
    for (int i = 0; i < kIdentifiers; i += kBatch) {
      std::vector<Record> records;
      for (int k = i; k < i + kBatch; ++k) records.push_back(RecordOf(k));
      RAPPORT_CHECK(log_->Append("touchpoints", records).ok(), "append");
    }
    const absl::Time start = absl::Now();
    auto index = IdentifierIndex::Start(
        log_.get(), {}, &resources_, &budget_,
        {.folder = folder_ / "identity", .group = "identity", .member = "bench", .rules = {}});
    RAPPORT_CHECK(index.ok(), index.status().ToString());
    index_ = *std::move(index);
    RAPPORT_CHECK(index_->Load(absl::Minutes(10)).ok(), "load");
    RAPPORT_CHECK(index_->identifier_count() == kIdentifiers, "count");
    std::cout << kIdentifiers << " identifiers folded and loaded in " << absl::Now() - start << ", "
              << index_->memory_bytes() / kIdentifiers << " bytes each in memory\n";
  }
  const IdentifierIndex& index() const { return *index_; }

 private:
  const testing::TempFolder folder_;
  const std::unique_ptr<EventLog> log_;
  CacheBudget budget_;
  StoreResources resources_;
  std::unique_ptr<IdentifierIndex> index_;
};

const IdentifierIndex& TheIndex() {
  static const World world;
  return world.index();
}

void Look(benchmark::State& state, int first) {
  const IdentifierIndex& index = TheIndex();
  std::vector<Identifier> identifiers;
  for (int i = 0; i < 1 << 16; ++i)
    identifiers.push_back(PhoneOf(first + (i * 7919 + state.thread_index()) % kIdentifiers));
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.Find(identifiers[next++ % identifiers.size()]));
  }
  state.SetItemsProcessed(state.iterations());
}

void LookUpKnown(benchmark::State& state) { Look(state, 0); }
BENCHMARK(LookUpKnown)->Threads(1)->Threads(2)->UseRealTime();

void LookUpUnknown(benchmark::State& state) { Look(state, kIdentifiers); }
BENCHMARK(LookUpUnknown)->Threads(1)->UseRealTime();

}  // namespace
}  // namespace rapport
