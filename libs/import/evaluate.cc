#include "libs/import/evaluate.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr int kMostMonthsLater = 1200;
constexpr int kMostDaysLater = 36525;

absl::StatusOr<std::string> LookUp(const ValuePlan& value, std::string text) {
  for (const auto& lookup : value.lookups) {
    if (text.empty()) break;
    const absl::StatusOr<absl::string_view> found = lookup->Find(text);
    if (absl::IsNotFound(found.status()) && value.known_only) return std::string();
    // NotFound is for files; an unknown key is a row that cannot be used.
    if (!found.ok()) return absl::InvalidArgumentError(found.status().message());
    text = std::string(*found);
  }
  return text;
}

absl::StatusOr<std::string> Plus(const std::string& text, int64_t plus) {
  int64_t number = 0;
  int64_t sum = 0;
  if (!absl::SimpleAtoi(text, &number) || __builtin_add_overflow(number, plus, &sum) || sum < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no whole number to which ", plus, " can be added"));
  }
  return absl::StrFormat("%0*d", static_cast<int>(text.size()), sum);
}

// Nullopt: the text is empty.
absl::StatusOr<std::optional<int>> Distance(const TextPlan& plan, const CsvRow& row, int most,
                                            absl::string_view unit) {
  if (plan.parts.empty()) return 0;
  const std::string text = FillIn(plan, row);
  if (text.empty()) return std::nullopt;
  int distance = 0;
  if (!absl::SimpleAtoi(text, &distance) || distance > most || distance < -most) {
    return absl::InvalidArgumentError(
        absl::StrCat(unit, " '", text, "' is no whole number within -", most, " and ", most));
  }
  return distance;
}

absl::Time Later(absl::Time time, const absl::TimeZone& zone, int months, int days) {
  const absl::TimeZone::CivilInfo from = zone.At(time);
  const absl::CivilMonth month = absl::CivilMonth(from.cs) + months;
  const absl::CivilDay last_of_month = absl::CivilDay(month + 1) - 1;
  const absl::CivilDay day =
      std::min(absl::CivilDay(month) + (from.cs.day() - 1), last_of_month) + days;
  const absl::CivilSecond until(day.year(), day.month(), day.day(), from.cs.hour(),
                                from.cs.minute(), from.cs.second());
  return absl::FromCivil(until, zone) + from.subsecond;
}

}  // namespace

std::string FillIn(const TextPlan& plan, const CsvRow& row) {
  std::string text;
  bool all_empty = plan.has_column;
  for (const TextPlan::Part& part : plan.parts) {
    const absl::string_view piece =
        part.column < 0 ? absl::string_view(part.literal) : row[static_cast<size_t>(part.column)];
    if (part.column >= 0 && !piece.empty()) all_empty = false;
    text.append(piece.data(), piece.size());
  }
  if (all_empty) text.clear();
  return text;
}

bool HaveSameColumns(const TextPlan& plan, const CsvRow& first, const CsvRow& second) {
  return std::all_of(plan.parts.begin(), plan.parts.end(), [&](const TextPlan::Part& part) {
    const auto column = static_cast<size_t>(std::max(part.column, 0));
    return part.column < 0 || first[column] == second[column];
  });
}

absl::StatusOr<std::string> EvaluateText(const ValuePlan& value, const RowGroup& group) {
  if (value.previous_row && group.previous == nullptr) return std::string();
  std::string text = FillIn(value.text, value.previous_row ? *group.previous : group.rows.front());
  if (!value.strip_suffix.empty()) {
    text.resize(absl::StripSuffix(text, value.strip_suffix).size());
  }
  if (!value.lookups.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(text, LookUp(value, std::move(text)));
  }
  if (!value.translations.empty()) {
    const auto it = value.translations.find(text);
    if (it != value.translations.end()) {
      text = it->second;
    } else if (value.translated_only) {
      text.clear();
    }
  }
  if (value.plus == 0 || text.empty()) return text;
  return Plus(text, value.plus);
}

absl::StatusOr<std::optional<absl::Time>> EvaluateTime(const ValuePlan& value,
                                                       const RowGroup& group) {
  const TimePlan& plan = value.time;
  RAPPORT_ASSIGN_OR_RETURN(const std::string text, EvaluateText(value, group));
  if (text.empty()) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(plan.format, text, plan.zone, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no time in the format '", plan.format, "'"));
  }
  const CsvRow& row = group.rows.front();
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int> months,
                           Distance(plan.later_months, row, kMostMonthsLater, "months"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<int> days,
                           Distance(plan.later_days, row, kMostDaysLater, "days"));
  if (!months.has_value() || !days.has_value()) return std::nullopt;
  // An hour that comes twice in a year would not survive the way through the calendar.
  if (*months == 0 && *days == 0) return time;
  return Later(time, plan.zone, *months, *days);
}

}  // namespace rapport
