#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/import/csv_reader.h"
#include "libs/import/mapping.h"

namespace rapport {

// The rows that a value is made of.
struct RowGroup {
  absl::Span<const CsvRow> rows;
  // The one before the first of them in their group; null when there is none.
  const CsvRow* previous = nullptr;
  // After an error: which of them it was.
  size_t bad_row = 0;
};

// The text with the row's values in it.
std::string FillIn(const TextPlan& plan, const CsvRow& row);

// Whether the text takes the same values of both rows.
bool HaveSameColumns(const TextPlan& plan, const CsvRow& first, const CsvRow& second);

// The value as text: put together, cut, looked up, translated and increased. Only for text values.
// Empty when the value is left out. InvalidArgument: a lookup, or `plus`.
absl::StatusOr<std::string> EvaluateText(const ValuePlan& value, const RowGroup& group);

// The value as a time; nullopt when it is left out. InvalidArgument naming the text and what it
// should have been.
absl::StatusOr<std::optional<absl::Time>> EvaluateTime(const ValuePlan& value,
                                                       const RowGroup& group);

}  // namespace rapport
