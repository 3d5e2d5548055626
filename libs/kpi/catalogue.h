#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/projections/kpi/measures.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/touchpoint/v1/sales.pb.h"

// Every KPI that there is, as data: what it is called, and of which sums (measures.h) it is made.

namespace rapport {

// What stands in the `sub` of a measure.
enum class SubShape : uint8_t { kNone, kCurrency, kCurrencyAndNumber, kNumber, kText };
SubShape ShapeOf(Measure measure);
// Whether it is money, and no count.
bool IsAmount(Measure measure);
// The currency of what is told by currency; "" of all else.
absl::string_view CurrencyOf(Measure measure, absl::string_view sub);
// The number in a `sub` that has one (stage, category, kind, reason, month, bucket); else 0.
int32_t NumberOf(Measure measure, absl::string_view sub);

// Of what days a term is the sum, for a period from s to before e.
enum class TermTime : uint8_t {
  kFlow,      // of the period
  kPrevious,  // of the period before of the same length
  kAtStart,   // of all days before s
  kAtEnd,     // of all days before e
  kHolders,   // owners who had a client on any day of the period; `measure` is kPortfolio
};

inline constexpr int32_t kAnyNumber = -1;

// One sum with its sign.
struct KpiTerm {
  Measure measure;
  TermTime time = TermTime::kFlow;
  int sign = 1;
  // Only what has this number in `sub`, such as a complaint's category.
  int32_t only = kAnyNumber;
};

// How value follows from terms.
enum class KpiShape : uint8_t {
  kRatio,     // numerator / denominator x scale
  kPerDays,   // numerator / denominator x days of the period
  kQuantile,  // of the buckets of the numerator's measure: the median, or as an aside the 90th
              // percentile
  kVelocity,  // open deals x share won x amount of a won one / days to win it; money per day
  kTopShare,  // what the top fifth of clients has of a calendar year's revenue
};

// A further figure beside a KPI.
struct KpiAsideSpec {
  absl::string_view name;
  KpiShape shape = KpiShape::kRatio;
  std::vector<KpiTerm> numerator;
  std::vector<KpiTerm> denominator;  // none: 1
  int64_t scale = 1;
  double quantile = 0.5;
};

// A KPI.
struct KpiSpec {
  absl::string_view code;  // in requests; of those with a number: Kpi's name in lower case
  touchpoint::v1::Kpi kpi = touchpoint::v1::KPI_UNSPECIFIED;
  absl::string_view name;
  absl::string_view formula;
  absl::string_view group;  // "clients", "sales", "pipeline", "service", "relations", "money"
  query::v1::KpiUnit unit = query::v1::KPI_UNIT_COUNT;
  query::v1::KpiDirection better = query::v1::KPI_DIRECTION_UP;
  absl::string_view moved_by = "person";  // "person", "unit" or "firm"
  // What its parts can be told by beside whose they are: "stage", "category", ...; "" is none.
  absl::string_view detail;
  KpiShape shape = KpiShape::kRatio;
  std::vector<KpiTerm> numerator;
  std::vector<KpiTerm> denominator;  // none: `constant`
  int64_t constant = 1;
  int64_t scale = 1;  // of the value: 100 for percent, 1000 for milliseconds of seconds
  // On how many things it rests; none: the denominator, or of plain counts the numerator.
  std::vector<KpiTerm> weight;
  std::vector<KpiAsideSpec> asides;
  int settles_after_days = 0;
  bool by_agent = false;

  // Whether it is told for each currency apart.
  bool is_money() const;
  // Whether numerator and denominator of parts add up to those of the whole.
  bool adds_up() const { return shape == KpiShape::kRatio || shape == KpiShape::kPerDays; }
  // Bound of the error of a value, in permille.
  int error_permille() const { return shape == KpiShape::kQuantile ? 16 : 0; }
  // All measures that it is made of, asides too, each once, in the order of their numbers.
  std::vector<Measure> measures() const;
  // All terms, asides too.
  std::vector<KpiTerm> terms() const;
};

// All KPIs, in the order in which they are shown.
const std::vector<KpiSpec>& AllKpis();
// NotFound, naming the nearest, when there is none of this code.
absl::StatusOr<const KpiSpec*> FindKpi(absl::string_view code);
// nullptr for KPI_UNSPECIFIED.
const KpiSpec* FindKpi(touchpoint::v1::Kpi kpi);
// How it is told to readers.
query::v1::KpiDefinition ToDefinition(const KpiSpec& spec);

// What a number is called where it is a detail: "price" of a loss reason, "2026-05" of a month.
std::string DetailName(absl::string_view detail, Measure measure, absl::string_view sub);

}  // namespace rapport
