#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "rapport/query/v1/bonus.pb.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/touchpoint/v1/sales.pb.h"

// The firm's bonus schemes, as their file has them once it was read and found sound. Amounts are
// minor units of the scheme's currency; shares, weights and points are exact (millionths).

namespace rapport {

// What a scheme has to know of a KPI.
struct BonusKpi {
  query::v1::KpiUnit unit = query::v1::KPI_UNIT_UNSPECIFIED;
  query::v1::KpiDirection better = query::v1::KPI_DIRECTION_UNSPECIFIED;
  // Whether one person can move it.
  bool person_moves = true;
};
// NotFound, naming what there is, for a KPI that does not exist.
using BonusKpiFinder = std::function<absl::StatusOr<BonusKpi>(absl::string_view code)>;

enum class BonusPeriod { kMonth, kQuarter, kYear };
// "month", "quarter", "year".
absl::string_view BonusPeriodName(BonusPeriod period);
int MonthsOf(BonusPeriod period);

// A decimal number of at most 6 digits behind the point.
struct Millionths {
  int64_t value = 0;
  std::string text;  // as it was written
};

struct ThresholdRule {
  std::string kpi;
  int64_t bonus = 0;
};
struct PercentageRule {
  std::string kpi;
  Millionths percent;
  bool beyond_plan = false;
};
struct MatrixRow {
  std::string kpi;
  Millionths weight;
  std::optional<Millionths> least_percent;
  std::optional<Millionths> most_percent;
};
struct MatrixRule {
  int64_t bonus = 0;
  std::vector<MatrixRow> rows;
};
struct StagePointsRule {
  std::vector<std::pair<touchpoint::v1::DealStage, int>> points;
  int64_t per_point = 0;
};
struct ContestRule {
  std::string kpi;
  std::vector<int64_t> prizes;
};

struct BonusRule {
  std::string name;
  std::variant<ThresholdRule, PercentageRule, MatrixRule, StagePointsRule, ContestRule> pays;
  std::optional<int64_t> floor;
  std::optional<int64_t> cap;
};

struct BonusScheme {
  std::string name;
  absl::CivilDay from;
  std::optional<absl::CivilDay> to;
  std::vector<std::string> people;
  std::vector<std::string> units;
  BonusPeriod period = BonusPeriod::kMonth;
  std::string currency;
  std::optional<int64_t> base;
  std::vector<BonusRule> rules;
  std::optional<int64_t> floor;
  std::optional<int64_t> cap;
  // What is questionable about it, cliffs included.
  std::vector<query::v1::BonusWarning> warnings;
};

class BonusSchemes {
 public:
  // There are none.
  BonusSchemes() = default;
  // `name` is the file's, for messages. InvalidArgument: all that is wrong with it, each with the
  // scheme and the rule where it stands, and with what would be right.
  static absl::StatusOr<BonusSchemes> Parse(absl::string_view name, const std::string& text,
                                            const BonusKpiFinder& find_kpi);
  // The same of a file. NotFound, FailedPrecondition: it cannot be read.
  static absl::StatusOr<BonusSchemes> Load(const std::string& path, const BonusKpiFinder& find_kpi);

  const std::vector<BonusScheme>& all() const { return schemes_; }
  // The same schemes as if each held for ever, for trying them on the past.
  BonusSchemes AtAllTimes() const;

  // The scheme by which a person is paid for the period that begins on `first`; `units` are those
  // that the person belonged to then, with those above. A scheme that names the person goes before
  // one that names a unit, and of two such the one that holds since later. nullptr: there is none.
  const BonusScheme* Find(absl::string_view person, const std::vector<std::string>& units,
                          BonusPeriod period, absl::CivilDay first) const;

 private:
  std::vector<BonusScheme> schemes_;
};

}  // namespace rapport
