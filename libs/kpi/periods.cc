#include "libs/kpi/periods.h"

#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace rapport {
namespace {

constexpr int kMonthsOfQuarter = 3;
constexpr int kMonthsOfYear = 12;
constexpr int kDaysOfWeek = 7;
constexpr int kWeeksOfYear = 52;
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2999;

constexpr std::array<std::pair<absl::string_view, KpiStep>, 5> kSteps = {{
    {"day", KpiStep::kDay},
    {"week", KpiStep::kWeek},
    {"month", KpiStep::kMonth},
    {"quarter", KpiStep::kQuarter},
    {"year", KpiStep::kYear},
}};

absl::CivilMonth MonthIn(int32_t day) { return absl::CivilMonth(CivilDayOf(day)); }
int32_t FirstDay(absl::CivilMonth month) { return DayNumber(absl::CivilDay(month)); }
DayRange Months(absl::CivilMonth first, int count) {
  return {FirstDay(first), FirstDay(first + count)};
}

// The Monday of the first ISO week of a year: that with its 4 January.
int32_t FirstMonday(int64_t year) {
  constexpr int kAlwaysInFirstWeek = 4;
  return WeekOf(DayNumber(absl::CivilDay(year, 1, kAlwaysInFirstWeek)));
}

bool Digits(absl::string_view text, size_t count, int* number) {
  if (text.size() != count) return false;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
  }
  return absl::SimpleAtoi(text, number);
}

// nullopt when it is none.
std::optional<DayRange> Parse(absl::string_view text) {
  int year = 0;
  if (text.size() < 4 || !Digits(text.substr(0, 4), 4, &year)) return std::nullopt;
  if (year < kFirstYear || year > kLastYear) return std::nullopt;
  text.remove_prefix(4);
  if (text.empty()) return Months(absl::CivilMonth(year), kMonthsOfYear);
  if (text.size() < 3 || text[0] != '-') return std::nullopt;
  text.remove_prefix(1);
  int number = 0;
  if (text[0] == 'Q') {
    if (!Digits(text.substr(1), 1, &number) || number < 1 || number > 4) return std::nullopt;
    return Months(absl::CivilMonth(year, 1) + (number - 1) * kMonthsOfQuarter, kMonthsOfQuarter);
  }
  if (text[0] == 'W') {
    if (!Digits(text.substr(1), 2, &number) || number < 1) return std::nullopt;
    const int32_t monday = FirstMonday(year) + (number - 1) * kDaysOfWeek;
    if (monday >= FirstMonday(year + 1)) return std::nullopt;
    return DayRange{monday, monday + kDaysOfWeek};
  }
  if (!Digits(text.substr(0, 2), 2, &number) || number < 1 || number > kMonthsOfYear) {
    return std::nullopt;
  }
  const absl::CivilMonth month(year, number);
  text.remove_prefix(2);
  if (text.empty()) return Months(month, 1);
  int day = 0;
  if (text[0] != '-' || !Digits(text.substr(1), 2, &day)) return std::nullopt;
  const absl::CivilDay civil(year, number, day);
  if (civil.day() != day || civil.month() != number) return std::nullopt;
  return DayRange{DayNumber(civil), DayNumber(civil) + 1};
}

int32_t NextStep(int32_t day, KpiStep step) {
  const absl::CivilMonth month = MonthIn(day);
  switch (step) {
    case KpiStep::kDay:
    case KpiStep::kNone:
      break;
    case KpiStep::kWeek:
      return WeekOf(day) + kDaysOfWeek;
    case KpiStep::kMonth:
      return FirstDay(month + 1);
    case KpiStep::kQuarter:
      return FirstDay(month + kMonthsOfQuarter - (month.month() - 1) % kMonthsOfQuarter);
    case KpiStep::kYear:
      return FirstDay(absl::CivilMonth(month.year() + 1, 1));
  }
  return day + 1;
}

bool IsFirstOfMonth(int32_t day) { return MonthOf(day) == day; }
bool IsMonday(int32_t day) { return WeekOf(day) == day; }

}  // namespace

absl::StatusOr<KpiStep> ParseStep(absl::string_view text) {
  if (text.empty()) return KpiStep::kNone;
  for (const auto& [name, step] : kSteps) {
    if (text == name) return step;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("step is '", text, "'; there are: day, week, month, quarter, year"));
}

std::string StepName(KpiStep step) {
  for (const auto& [name, one] : kSteps) {
    if (one == step) return std::string(name);
  }
  return "";
}

absl::StatusOr<DayRange> ParsePeriod(absl::string_view name, absl::string_view text) {
  const std::optional<DayRange> period = Parse(text);
  if (period) return *period;
  return absl::InvalidArgumentError(absl::StrCat(
      name, " is '", text, "', which is no period; write 2026, 2026-Q2, 2026-05, 2026-W07 or ",
      "2026-05-31"));
}

std::string FormatDay(int32_t day) { return absl::FormatCivilTime(CivilDayOf(day)); }

std::vector<DayRange> StepsOf(const DayRange& period, KpiStep step) {
  std::vector<DayRange> steps;
  if (step == KpiStep::kNone) return steps;
  for (int32_t day = period.from; day < period.to;) {
    const int32_t next = std::min(NextStep(day, step), period.to);
    steps.push_back({day, next});
    day = next;
  }
  return steps;
}

DayRange PeriodBefore(const DayRange& period) {
  if (!IsFirstOfMonth(period.from) || !IsFirstOfMonth(period.to)) {
    return {period.from - period.days(), period.from};
  }
  const auto months = static_cast<int>(MonthIn(period.to) - MonthIn(period.from));
  return {FirstDay(MonthIn(period.from) - months), period.from};
}

DayRange YearBefore(const DayRange& period) {
  const bool weeks = IsMonday(period.from) && IsMonday(period.to) &&
                     !(IsFirstOfMonth(period.from) && IsFirstOfMonth(period.to));
  if (weeks) {
    constexpr int32_t kDays = kWeeksOfYear * kDaysOfWeek;
    return {period.from - kDays, period.to - kDays};
  }
  const auto before = [](int32_t day) {
    const absl::CivilDay civil = CivilDayOf(day);
    return DayNumber(absl::CivilDay(civil.year() - 1, civil.month(), civil.day()));
  };
  return {before(period.from), before(period.to)};
}

}  // namespace rapport
