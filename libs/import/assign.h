#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "libs/import/csv_reader.h"
#include "libs/import/mapping.h"

namespace rapport {

// The rows that a value is made of.
struct RowGroup {
  absl::Span<const CsvRow> rows;
  // After an error: which of them it was.
  size_t bad_row = 0;
};

// The value as text: put together, cut and translated. Only for text values. Empty when the value
// is left out.
std::string EvaluateText(const ValuePlan& value, const RowGroup& group);

// A text as a time in the file's format. InvalidArgument naming both.
absl::StatusOr<absl::Time> ParseTimeText(const std::string& text, const FormatPlan& format);

// Sets the field of `root` to the value made of the group. InvalidArgument or OutOfRange, beginning
// with the field's path.
absl::Status Assign(const AssignmentPlan& assignment, const FormatPlan& format, RowGroup* group,
                    google::protobuf::Message* root);

// Adds an element to the repeated field for each row of the group.
absl::Status AddRowList(const RowListPlan& list, const FormatPlan& format, RowGroup* group,
                        google::protobuf::Message* root);

}  // namespace rapport
