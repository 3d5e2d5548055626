#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "libs/kpi/figures.h"
#include "libs/projections/kpi/kpi.h"
#include "rapport/query/v1/kpi.pb.h"

// What open deals are worth by the month of their expected close, how good that was earlier, and
// why it moved; and what became of deals by the month of their opening. All follows from the
// courses of deals, as known now; what a forecast of an earlier moment is reckoned with was known
// by that moment's events alone, chances too.

namespace rapport {

// How many decided deals the set chance of a stage weighs as much as. With as many of the firm's
// own, both count alike.
inline constexpr int kPriorDeals = 20;

// What the firm's own deals teach of the chance to win from each stage on.
struct StageChances {
  struct Stage {
    int permille = 0;  // what is used
    int set_permille = 0;
    int64_t decided = 0;
    int64_t won = 0;
  };
  // By the number of touchpoint.v1.DealStage; those of open stages are used.
  std::array<Stage, 8> stages;
};
// From all deals that were decided by `at`.
StageChances LearnChances(const query::v1::KpiDeals& deals, absl::Time at);

struct ForecastRequest {
  // Whose deals: those whose client the scope's people owned at the moment. Chances are learned
  // from all deals.
  FigureScope scope;
  absl::Time at;
  // Earlier than `at`: what the forecast moved from.
  std::optional<absl::Time> since;
  // Days of the expected close; deals that are overdue or undated then count apart, and are no part
  // of the total. nullopt: all deals are.
  std::optional<DayRange> closing;
};
// Settings and watermark are left out.
query::v1::KpiForecast Forecast(const query::v1::KpiDeals& deals, const ForecastRequest& request,
                                const KpiSettings& settings);

struct CohortRequest {
  // Whose deals: those whose client the scope's people owned on the day of the opening.
  FigureScope scope;
  // Whole months of opening.
  DayRange opened;
  // Up to when the deals are followed.
  absl::Time until;
};
// Settings and watermark are left out.
query::v1::KpiCohorts Cohorts(const query::v1::KpiDeals& deals, const CohortRequest& request,
                              const KpiSettings& settings);

}  // namespace rapport
