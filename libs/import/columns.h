#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "libs/import/csv_reader.h"
#include "libs/import/mapping_file.h"

// What a mapping says of the columns of a CSV file.

namespace rapport {

// Number of the column of that name, from 0; "Name#2" is the second of the name, where none is
// called just that. InvalidArgument at the line of `field` in `where`: there is none, or several.
absl::StatusOr<int> ColumnOf(const MappingFile& mapping, const std::vector<std::string>& columns,
                             absl::string_view name, const google::protobuf::Message& where,
                             absl::string_view field);

struct ConditionPlan {
  int column = 0;
  std::string pattern;
  bool literal = false;  // the pattern stands for nothing but itself
  bool negated = false;
  bool previous_row = false;
};

// Errors as ColumnOf.
absl::StatusOr<ConditionPlan> CompileCondition(const MappingFile& mapping,
                                               const std::vector<std::string>& columns,
                                               const config::v1::Condition& condition);

// `row`: the one that the condition looks at; null when there is none.
bool Holds(const ConditionPlan& condition, const CsvRow* row);

}  // namespace rapport
