#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/bonus/statement.h"
#include "libs/kpi/catalogue.h"
#include "libs/kpi/figures.h"
#include "libs/kpi/sums.h"
#include "rapport/query/v1/kpi.pb.h"
#include "rapport/state/v1/kpi.pb.h"
#include "rapport/touchpoint/v1/sales.pb.h"

// Plans: what is planned of a KPI, for whom and for which days; and how far a figure is.

namespace rapport {

struct Plan {
  const KpiSpec* kpi = nullptr;
  std::string scope;     // "owner", "team", "branch", "firm"
  std::string scope_id;  // empty for the firm
  DayRange days;
  // As TargetSet has it: minor units, permille, milliseconds, thousandths, counts. 0: no plan.
  int64_t value = 0;
  std::string currency;  // of money
  std::string set_by;
  google::protobuf::Timestamp set_at;

  // Whether it is for the same: only the value is another.
  bool IsForSame(const Plan& other) const {
    return kpi == other.kpi && scope == other.scope && scope_id == other.scope_id &&
           days == other.days;
  }
};

class PlanBook {
 public:
  // There are none.
  PlanBook() = default;
  // Those that the projection has of no client. Plans for KPIs that this version does not know are
  // left out.
  PlanBook(const state::v1::KpiState& state, absl::TimeZone zone);
  // Those of an answer to GET /v1/targets.
  explicit PlanBook(const query::v1::Targets& targets);

  const std::vector<Plan>& all() const { return plans_; }
  // Of exactly these days; nullptr: none, or a plan of 0. Money in another currency than `currency`
  // is no plan for it.
  const Plan* Find(const KpiSpec& kpi, absl::string_view scope, absl::string_view scope_id,
                   const DayRange& days, absl::string_view currency) const;
  // The same, of whatever currency and value.
  const Plan* FindSame(const Plan& plan) const;

 private:
  std::vector<Plan> plans_;
};

// How many of TargetSet's units one unit of the KPI has: 10 for percent, since plans are permille.
int64_t PlanScale(const KpiSpec& kpi);
query::v1::Target ToTarget(const Plan& plan);

// A plan that somebody ordered. Whether its scope exists is not looked at. InvalidArgument, naming
// the field and the value, for a KPI that does not exist or cannot be planned for such a scope, a
// period that is none, a value that is none, a currency too many or too few.
absl::StatusOr<Plan> ReadTarget(const query::v1::Target& order);
// What is written to the log for it; periods begin and end at midnights of the firm's zone.
touchpoint::v1::TargetSet ToTargetSet(const Plan& plan, absl::TimeZone zone);

// A figure as plans and pay reckon with it, as known now or as reported; nullopt: there is none.
std::optional<BonusFigure::Ratio> FactOf(const KpiSpec& kpi, const query::v1::KpiFigure& figure);
std::optional<BonusFigure::Ratio> ReportedFactOf(const KpiSpec& kpi,
                                                 const query::v1::KpiFigure& figure);

// The plan beside a figure. `now`: up to when the figure was counted; sums are then told where they
// should be by now: the part of the period that is over, and that of its days from Monday to
// Friday.
query::v1::KpiPlan ToPlan(const Plan& plan, const query::v1::KpiFigure& figure, absl::Time now,
                          absl::TimeZone zone);
// Puts the plans into all figures that have one, those before and of the year before too.
void AddPlans(const PlanBook& book, absl::TimeZone zone, query::v1::KpiValues* values);
// The same of a breakdown: of the figure itself, and of rows that are people or units.
void AddPlans(const PlanBook& book, const FigurePlan& figures, query::v1::KpiBreakdown* breakdown);

}  // namespace rapport
