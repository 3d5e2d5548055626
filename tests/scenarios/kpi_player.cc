#include "tests/scenarios/kpi_player.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "libs/base/time.h"
#include "libs/kpi/catalogue.h"
#include "libs/kpi/figures.h"

namespace rapport {
namespace {

using tests::v1::ExpectedKpi;

// The sums of a plain fold, single days added up.
class PlainSums final : public SumSource {
 public:
  explicit PlainSums(std::map<std::string, int64_t> sums) : sums_(std::move(sums)) {}

  absl::StatusOr<SumTable> Read(const SumQuestion& question) const override {
    SumTable table(question.slots());
    for (const auto& [bytes, sum] : sums_) {
      const TallyKey key = *DecodeTallyKey(bytes);
      if (key.grain != TallyGrain::kDay || key.scope != question.scope) continue;
      if (question.segment && key.segment != *question.segment) continue;
      if (question.scope != TallyScope::kFirm && !question.everybody &&
          std::find(question.who.begin(), question.who.end(), key.who) == question.who.end()) {
        continue;
      }
      if (!std::binary_search(question.measures.begin(), question.measures.end(), key.measure)) {
        continue;
      }
      const std::optional<size_t> slot = question.SlotOf(key.measure, key.first_day);
      if (!slot) continue;
      const bool in_time = key.known == 0 || key.known <= question.known_by;
      table.Add({key.measure, key.who, key.segment, key.sub}, *slot,
                {.all = sum, .reported = in_time ? sum : 0});
    }
    if (question.holders) AddHolders(question, &table);
    return table;
  }

 private:
  // Who had a client on any day of a stretch.
  void AddHolders(const SumQuestion& question, SumTable* table) const {
    std::map<std::string, std::map<int32_t, int64_t>> changes;
    for (const auto& [bytes, sum] : sums_) {
      const TallyKey key = *DecodeTallyKey(bytes);
      if (key.measure == Measure::kPortfolio && key.grain == TallyGrain::kDay &&
          key.scope == TallyScope::kOwner) {
        changes[key.who][key.first_day] += sum;
      }
    }
    for (const auto& [who, days] : changes) {
      for (size_t i = 0; i + 1 < question.bounds.size(); ++i) {
        for (int32_t day = question.bounds[i]; day < question.bounds[i + 1]; ++day) {
          int64_t held = 0;
          for (const auto& [changed, amount] : days) held += changed <= day ? amount : 0;
          if (held > 0) table->AddHolder(who, i + 1, /*reported=*/false);
        }
      }
    }
  }

  const std::map<std::string, int64_t> sums_;
};

int32_t DayOf(const google::protobuf::Timestamp& at) {
  return DayNumber(absl::ToCivilDay(FromProto(at), absl::UTCTimeZone()));
}

}  // namespace

void CheckKpi(const ExpectedKpi& expected, const testing::PlainFold<Kpi>& fold) {
  SCOPED_TRACE(expected.ShortDebugString());
  const absl::StatusOr<const KpiSpec*> spec = FindKpi(expected.code());
  ASSERT_TRUE(spec.ok()) << spec.status();
  FigureRequest request;
  request.kpis = {*spec};
  request.period = {DayOf(expected.from()), DayOf(expected.to())};
  request.by_agent = !expected.agent().empty();
  const std::string& who = request.by_agent ? expected.agent() : expected.owner();
  if (!who.empty()) {
    request.scope = {.scope = "owner", .id = who, .everybody = false};
    request.scope.members[who] = {{-1'000'000, 1'000'000}};
  }
  if (expected.has_as_reported_on()) request.as_reported_on = DayOf(expected.as_reported_on());
  const FigurePlan plan(request, {.clock = fold.now()});
  const absl::StatusOr<SumTable> table = PlainSums(fold.Sums()).Read(plan.question());
  ASSERT_TRUE(table.ok()) << table.status();
  const absl::StatusOr<query::v1::KpiSeries> series =
      plan.SeriesOf(*table, **spec, expected.currency());
  ASSERT_TRUE(series.ok()) << series.status();
  const query::v1::KpiFigure& figure = series->total();
  if (expected.none()) {
    EXPECT_FALSE(figure.has_value()) << figure.ShortDebugString();
  }
  if (expected.has_value()) {
    EXPECT_TRUE(figure.has_value()) << figure.ShortDebugString();
    EXPECT_NEAR(figure.value(), expected.value(), 0.00005) << figure.ShortDebugString();
  }
  if (expected.has_reported()) {
    EXPECT_NEAR(figure.reported().value(), expected.reported(), 0.00005)
        << figure.ShortDebugString();
  }
  for (const auto& [name, value] : expected.asides()) {
    const auto aside = std::find_if(
        figure.asides().begin(), figure.asides().end(),
        [&label = name](const query::v1::KpiAside& one) { return one.name() == label; });
    ASSERT_NE(aside, figure.asides().end()) << name << " is missing: " << figure.DebugString();
    EXPECT_NEAR(aside->value(), value, 0.00005) << name;
  }
}

}  // namespace rapport
