#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/kpi/sums.h"

// Periods of the firm's calendar and their steps.

namespace rapport {

enum class KpiStep : uint8_t { kNone, kDay, kWeek, kMonth, kQuarter, kYear };
// "day", "week", "month", "quarter", "year", "" for none. InvalidArgument for others.
absl::StatusOr<KpiStep> ParseStep(absl::string_view text);
std::string StepName(KpiStep step);

// The days of "2026", "2026-Q2", "2026-05", "2026-W07" (ISO) or "2026-05-31". InvalidArgument names
// the parameter and tells how to write one.
absl::StatusOr<DayRange> ParsePeriod(absl::string_view name, absl::string_view text);
// "2026-05-31".
std::string FormatDay(int32_t day);

// The period cut at the beginnings of the calendar's days, ISO weeks, months, quarters or years;
// the first and the last one may be shorter. kNone: none.
std::vector<DayRange> StepsOf(const DayRange& period, KpiStep step);

// The time before of the same length: as many months when it is of whole ones, else as many days.
DayRange PeriodBefore(const DayRange& period);
// The same a year before; of whole ISO weeks, 52 weeks before.
DayRange YearBefore(const DayRange& period);

}  // namespace rapport
