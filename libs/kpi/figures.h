#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/kpi/catalogue.h"
#include "libs/kpi/periods.h"
#include "libs/kpi/rates.h"
#include "libs/kpi/sums.h"
#include "rapport/query/v1/kpi.pb.h"

// Figures from sums. A request becomes a plan, the plan asks one question of sums, and all of its
// answers follow from that one table: a total is the sum of its steps, and of its parts.

namespace rapport {

// On which days whose sums count.
using KpiMembers = std::map<std::string, std::vector<DayRange>>;

// Whose figures.
struct FigureScope {
  std::string scope = "firm";  // "owner", "team", "branch", "firm", "mine"
  std::string id;
  std::string name;
  // Everybody, on all days; else `members` alone.
  bool everybody = true;
  KpiMembers members;
};

enum class KpiCompare : uint8_t { kNone, kPrevious, kYear };

struct FigureRequest {
  std::vector<const KpiSpec*> kpis;
  FigureScope scope;
  // By who did it, instead of whose clients they were on the day. All KPIs must have by_agent.
  bool by_agent = false;
  DayRange period;
  KpiStep step = KpiStep::kNone;
  KpiCompare compare = KpiCompare::kNone;
  std::optional<uint8_t> segment;
  // As it was known at the end of this day, beside as it is known now.
  std::optional<int32_t> as_reported_on;
  // Money of this currency alone.
  std::string currency;
  // Sums of each person apart: for breakdowns by person or unit, and for the waterfall of units.
  bool each_person = false;
  // Days at which sums are to be cut, too, such as those on which people change units.
  std::vector<int32_t> further_bounds;
  // Only the part of one client is told.
  bool one_client = false;
  // Its sums are read, too, and told by nothing: by them it is known whether there is somebody.
  const KpiSpec* looked_up = nullptr;
  // What `kpis` points to, where it is none of AllKpis().
  std::shared_ptr<const KpiSpec> kept_alive;
};

// What figures are reckoned with.
struct FigureEnv {
  KpiSettings settings;
  std::string time_zone = "UTC";  // as it was configured
  KpiRates rates;
  // The time of the log; days behind it are not read.
  absl::Time clock = absl::InfinitePast();
};

// One part of a figure: only what passes all of these.
struct FigurePart {
  std::optional<std::string> who;
  std::optional<uint8_t> segment;
  // Only this detail, as DetailName calls it.
  std::optional<std::string> detail;
  // On which days whose sums count, in place of the scope's; null: the scope's.
  const KpiMembers* members = nullptr;
};

// A figure as numbers.
struct Figure {
  bool has_numbers = false;  // numerator and denominator: not of quantiles
  Amounts numerator;
  Amounts denominator;
  std::optional<double> value;
  std::optional<double> reported_value;
  int64_t weight = 0;
  std::vector<std::pair<std::string, double>> asides;
};

class FigurePlan {
 public:
  FigurePlan(FigureRequest request, FigureEnv env);

  const FigureRequest& request() const { return request_; }
  const FigureEnv& env() const { return env_; }
  const SumQuestion& question() const { return question_; }
  // The day behind the last one that is read.
  int32_t end() const { return end_; }

  // Whether what somebody did or had on a day belongs to the scope.
  bool Counts(const std::string& who, int32_t day) const;

  // Series of all KPIs, with steps, comparison and what was reported; watermark is left out.
  // FailedPrecondition: a rate is missing.
  absl::StatusOr<query::v1::KpiValues> Values(const SumTable& table) const;
  // How clients came and went; watermark is left out. The request asks for KpiWaterfall's measures.
  query::v1::KpiWaterfall Waterfall(const SumTable& table) const;

  // One KPI over the whole period or some of its days. `currency` is that of the series, "" for
  // what is no money.
  absl::StatusOr<Figure> FigureOf(const SumTable& table, const KpiSpec& spec,
                                  const std::string& currency, const DayRange& days,
                                  const FigurePart& part) const;
  // The same as a message; figures of days that have not begun have no numbers.
  absl::StatusOr<query::v1::KpiFigure> ToldFigure(const SumTable& table, const KpiSpec& spec,
                                                  const std::string& currency, const DayRange& days,
                                                  const FigurePart& part) const;
  // A KPI's series in one currency.
  absl::StatusOr<query::v1::KpiSeries> SeriesOf(const SumTable& table, const KpiSpec& spec,
                                                const std::string& currency) const;
  // Currencies in which the table has something of a KPI: the reporting one, those that are there,
  // or "" of what is no money or when there is nothing.
  std::vector<std::string> CurrenciesOf(const SumTable& table, const KpiSpec& spec) const;
  // Details that the table has of a KPI, in their order; with no detail of its own: none.
  std::set<std::string> DetailsOf(const SumTable& table, const KpiSpec& spec) const;

  query::v1::KpiSettingsUsed SettingsUsed() const;

 private:
  class Reader;
  DayRange Cut(const DayRange& days) const;
  static DayRange Before(const DayRange& cut, const DayRange& whole);
  DayRange ComparedTo(const DayRange& days) const;

  FigureRequest request_;
  FigureEnv env_;
  int32_t end_ = 0;
  SumQuestion question_;
};

// A KPI as the waterfall reads it: its terms are those of kClients and what changes them.
const KpiSpec& WaterfallSpec();

}  // namespace rapport
