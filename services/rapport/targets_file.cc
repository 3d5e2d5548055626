#include "services/rapport/targets_file.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "libs/base/money.h"
#include "libs/base/printable.h"
#include "libs/base/status.h"
#include "libs/import/csv_reader.h"
#include "libs/import/input_file.h"
#include "libs/kpi/catalogue.h"

namespace rapport {
namespace {

constexpr std::array<absl::string_view, 8> kTargetColumns = {"kpi",  "scope", "id",    "period",
                                                             "from", "to",    "value", "currency"};
constexpr size_t kMostTargetProblems = 50;

using TargetColumns = std::map<std::string, size_t, std::less<>>;

absl::StatusOr<TargetColumns> ReadTargetColumns(const std::string& path,
                                                const std::vector<std::string>& names) {
  TargetColumns columns;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name = absl::AsciiStrToLower(names[i]);
    const auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": line 1: column '", Printable(names[i]), "' ", what));
    };
    if (std::find(kTargetColumns.begin(), kTargetColumns.end(), name) == kTargetColumns.end()) {
      return wrong(absl::StrCat("is not known; there are: ", absl::StrJoin(kTargetColumns, ", ")));
    }
    if (!columns.emplace(name, i).second) return wrong("stands there twice");
  }
  for (const char* const needed : {"kpi", "scope", "value"}) {
    if (columns.find(needed) != columns.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": line 1: there is no column '", needed, "'"));
  }
  return columns;
}

// A value as people write it, in the unit of the API.
absl::StatusOr<double> ReadTargetValue(const query::v1::Target& target, const std::string& text) {
  const absl::StatusOr<const KpiSpec*> kpi = FindKpi(target.kpi());
  const query::v1::KpiUnit unit = kpi.ok() ? (*kpi)->unit : query::v1::KPI_UNIT_COUNT;
  if (unit == query::v1::KPI_UNIT_MONEY || unit == query::v1::KPI_UNIT_MONEY_PER_DAY) {
    RAPPORT_ASSIGN_OR_RETURN(const Money money, ParseMoney(text, target.currency_code()));
    return static_cast<double>(money.minor_units);
  }
  absl::Duration duration;
  if (unit == query::v1::KPI_UNIT_MILLISECONDS && absl::ParseDuration(text, &duration)) {
    return absl::ToDoubleMilliseconds(duration);
  }
  double value = 0;
  if (absl::SimpleAtod(text, &value) && unit != query::v1::KPI_UNIT_MILLISECONDS) return value;
  return absl::InvalidArgumentError(absl::StrCat("value is '", Printable(text), "'; write ",
                                                 unit == query::v1::KPI_UNIT_MILLISECONDS
                                                     ? "a time, such as 4h or 90s"
                                                     : "a number, such as 95"));
}

}  // namespace

absl::StatusOr<TargetsFile> ReadTargetsFile(const std::string& path) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<InputFile> file, InputFile::Open(path));
  RAPPORT_RETURN_IF_ERROR(file->ReadAsText(""));
  CsvReader reader(std::move(file), ',');
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> names, ReadColumnNames(path, &reader));
  RAPPORT_ASSIGN_OR_RETURN(const TargetColumns columns, ReadTargetColumns(path, names));
  TargetsFile targets;
  CsvRow row;
  const auto wrong = [&](absl::string_view what) {
    if (targets.problems.size() < kMostTargetProblems) {
      targets.problems.push_back(absl::StrCat("line ", row.line(), ": ", what));
    }
  };
  while (true) {
    const absl::StatusOr<bool> next = reader.Next(&row);
    if (!next.ok() && !absl::IsInvalidArgument(next.status())) return next.status();
    if (next.ok() && !*next) return targets;
    if (!next.ok()) {
      wrong(next.status().message());
      continue;
    }
    if (row.size() > names.size() && !row.EmptyFrom(names.size())) {
      wrong(absl::StrCat("has ", row.size(), " fields, and there are ", names.size(), " columns"));
      continue;
    }
    const auto cell = [&](absl::string_view column) -> std::string {
      const auto place = columns.find(column);
      if (place == columns.end() || place->second >= row.size()) return "";
      return std::string(absl::StripAsciiWhitespace(row[place->second]));
    };
    query::v1::Target target;
    target.set_line(row.line());
    target.set_kpi(cell("kpi"));
    target.set_scope(cell("scope"));
    target.set_scope_id(cell("id"));
    target.set_period(cell("period"));
    target.set_from(cell("from"));
    target.set_to(cell("to"));
    target.set_currency_code(cell("currency"));
    const absl::StatusOr<double> value = ReadTargetValue(target, cell("value"));
    if (!value.ok()) {
      wrong(value.status().message());
      continue;
    }
    target.set_value(*value);
    *targets.order.add_targets() = std::move(target);
  }
}

}  // namespace rapport
