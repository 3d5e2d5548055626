#include "libs/import/columns.h"

#include <fnmatch.h>

#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

std::vector<int> ColumnsCalled(const std::vector<std::string>& columns, absl::string_view name) {
  std::vector<int> found;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) found.push_back(static_cast<int>(i));
  }
  return found;
}

}  // namespace

absl::StatusOr<int> ColumnOf(const MappingFile& mapping, const std::vector<std::string>& columns,
                             absl::string_view name, const google::protobuf::Message& where,
                             absl::string_view field) {
  const std::vector<int> found = ColumnsCalled(columns, name);
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return mapping.ErrorAt(
        where, field,
        absl::StrCat("the file has ", found.size(), " columns '", name, "'; say '", name,
                     "#1' for the first, which is column ", found[0] + 1, " of all, '", name,
                     "#2' for the second, which is column ", found[1] + 1));
  }
  const size_t mark = name.rfind('#');
  size_t nth = 0;
  if (mark != absl::string_view::npos && absl::SimpleAtoi(name.substr(mark + 1), &nth)) {
    const std::vector<int> alike = ColumnsCalled(columns, name.substr(0, mark));
    if (nth >= 1 && nth <= alike.size()) return alike[nth - 1];
  }
  return mapping.ErrorAt(
      where, field,
      absl::StrCat("column '", name, "' is not in the file, which has ",
                   absl::StrJoin(columns, ", "),
                   columns.size() == 1 ? " (are delimiter and encoding right?)" : ""));
}

absl::StatusOr<ConditionPlan> CompileCondition(const MappingFile& mapping,
                                               const std::vector<std::string>& columns,
                                               const config::v1::Condition& condition) {
  RAPPORT_ASSIGN_OR_RETURN(const int column,
                           ColumnOf(mapping, columns, condition.column(), condition, "column"));
  const bool literal = condition.like().find_first_of("*?[@+!\\(") == std::string::npos;
  return ConditionPlan{column, condition.like(), literal, condition.negated(),
                       condition.previous_row()};
}

bool Holds(const ConditionPlan& condition, const CsvRow* row) {
  if (row == nullptr) return condition.negated;
  const absl::string_view value = (*row)[static_cast<size_t>(condition.column)];
  const bool like = condition.literal ? value == condition.pattern
                                      : fnmatch(condition.pattern.c_str(),
                                                std::string(value).c_str(), FNM_EXTMATCH) == 0;
  return like != condition.negated;
}

}  // namespace rapport
