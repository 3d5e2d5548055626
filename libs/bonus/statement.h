#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/bonus/scheme.h"
#include "rapport/query/v1/bonus.pb.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/touchpoint/v1/common.pb.h"
#include "rapport/touchpoint/v1/sales.pb.h"

namespace rapport {

// A figure for pay: exact, in the unit in which its plan is set (touchpoint.v1.Kpi: counts, minor
// units, permille, milliseconds, thousandths).
struct BonusFigure {
  struct Ratio {
    int64_t numerator = 0;
    int64_t denominator = 1;  // above 0
  };
  // As known now, and as it was reported; nullopt: there is none.
  std::optional<Ratio> known;
  std::optional<Ratio> reported;
  // Absent, or 0: no plan is set.
  std::optional<int64_t> plan;
  // For readers.
  query::v1::KpiFigure shown;
  query::v1::KpiUnit unit = query::v1::KPI_UNIT_UNSPECIFIED;
  query::v1::KpiDirection better = query::v1::KPI_DIRECTION_UNSPECIFIED;
  // Path and query of the touchpoints behind it.
  std::string touchpoints;
};

// The figures of one period.
class BonusFigures {
 public:
  virtual ~BonusFigures() = default;
  // Money in `currency` alone.
  virtual absl::StatusOr<BonusFigure> Of(const std::string& person, const std::string& kpi,
                                         const std::string& currency) = 0;
  // How many of the person's deals came to a stage.
  virtual absl::StatusOr<BonusFigure> Reached(const std::string& person,
                                              touchpoint::v1::DealStage stage) = 0;
  // Of what segment most of a person's clients are; unspecified: they have none.
  virtual absl::StatusOr<touchpoint::v1::Segment> MainSegment(const std::string& person) = 0;
};

// What the scheme pays a person for the period of `figures`. `people`: all who are paid by it then,
// the person among them; a contest is between them. Leaves to the caller who and when it is about:
// person_name, from, to, until, settled, settings and watermark. A line is rounded to the minor
// unit, half of one away from zero; the sum is of rounded lines.
absl::StatusOr<query::v1::BonusStatement> ReckonBonus(const BonusScheme& scheme,
                                                      const std::string& person,
                                                      const std::vector<std::string>& people,
                                                      BonusFigures& figures);

// fact / plan x 100 with at most 4 decimals; nullopt without a fact or a plan. Of what is good when
// low it is told only whether the plan is kept: 100 or 0.
std::optional<double> AttainmentPercent(const std::optional<BonusFigure::Ratio>& fact,
                                        const std::optional<int64_t>& plan,
                                        query::v1::KpiDirection better);
// Whether the fact is as good as the plan, or better; false without a fact or a plan.
bool IsAttained(const std::optional<BonusFigure::Ratio>& fact, const std::optional<int64_t>& plan,
                query::v1::KpiDirection better);

}  // namespace rapport
