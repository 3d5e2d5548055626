#include "libs/import/columns.h"

#include <fnmatch.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"

namespace rapport {

absl::StatusOr<int> ColumnOf(const MappingFile& mapping, const std::vector<std::string>& columns,
                             absl::string_view name, const google::protobuf::Message& where,
                             absl::string_view field) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) return static_cast<int>(i);
  }
  return mapping.ErrorAt(where, field,
                         absl::StrCat("column '", name, "' is not in the file, which has ",
                                      absl::StrJoin(columns, ", ")));
}

absl::StatusOr<ConditionPlan> CompileCondition(const MappingFile& mapping,
                                               const std::vector<std::string>& columns,
                                               const config::v1::Condition& condition) {
  RAPPORT_ASSIGN_OR_RETURN(const int column,
                           ColumnOf(mapping, columns, condition.column(), condition, "column"));
  return ConditionPlan{column, condition.like(), condition.negated(), condition.previous_row()};
}

bool Holds(const ConditionPlan& condition, const CsvRow* row) {
  if (row == nullptr) return condition.negated;
  const std::string value((*row)[static_cast<size_t>(condition.column)]);
  const bool like = fnmatch(condition.pattern.c_str(), value.c_str(), FNM_EXTMATCH) == 0;
  return like != condition.negated;
}

}  // namespace rapport
