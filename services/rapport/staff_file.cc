#include "services/rapport/staff_file.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "libs/base/printable.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/import/csv_reader.h"
#include "libs/import/input_file.h"

namespace rapport {
namespace {

using query::v1::StaffOrder;
using query::v1::StaffPersonOrder;
using query::v1::StaffUnitOrder;

constexpr std::array<absl::string_view, 16> kColumns = {
    "person", "name", "e_mail", "unit",        "lead",      "roles",  "extensions", "mailboxes",
    "from",   "left", "deputy", "absent_from", "absent_to", "parent", "kind",       "language"};
// What says something of a person, and nothing of a unit.
constexpr std::array<absl::string_view, 9> kOfPeople = {"e_mail",      "roles",     "extensions",
                                                        "mailboxes",   "left",      "deputy",
                                                        "absent_from", "absent_to", "language"};
constexpr size_t kMostProblems = 50;

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  absl::StatusOr<StaffFile> Read() {
    RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<InputFile> file, InputFile::Open(path_));
    RAPPORT_RETURN_IF_ERROR(file->ReadAsText(""));
    CsvReader reader(std::move(file), ',');
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<std::string> names, ReadColumnNames(path_, &reader));
    RAPPORT_RETURN_IF_ERROR(TakeNames(names));
    while (true) {
      const absl::StatusOr<bool> next = reader.Next(&row_);
      if (!next.ok() && !absl::IsInvalidArgument(next.status())) return next.status();
      if (next.ok() && !*next) break;
      if (!next.ok()) {
        Wrong(std::string(next.status().message()));
      } else if (row_.size() > columns_.size() && !row_.EmptyFrom(columns_.size())) {
        Wrong(absl::StrCat("has ", row_.size(), " fields, and there are ", columns_.size(),
                           " columns"));
      } else {
        TakeRow();
      }
    }
    return StaffFile{.order = std::move(order_), .problems = std::move(problems_)};
  }

 private:
  void Wrong(const std::string& what) {
    if (problems_.size() < kMostProblems) {
      problems_.push_back(absl::StrCat("line ", row_.line(), ": ", what));
    }
  }

  absl::Status TakeNames(const std::vector<std::string>& names) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string name = absl::AsciiStrToLower(names[i]);
      if (std::find(kColumns.begin(), kColumns.end(), name) == kColumns.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat(path_, ": line 1: column '", Printable(names[i]),
                         "' is not known; there are: ", absl::StrJoin(kColumns, ", ")));
      }
      if (!columns_.emplace(name, i).second) {
        return absl::InvalidArgumentError(
            absl::StrCat(path_, ": line 1: column '", name, "' stands there twice"));
      }
    }
    if (columns_.contains("person") || columns_.contains("unit")) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": line 1: there is neither a column 'person' nor 'unit'"));
  }

  bool Has(absl::string_view column) const { return columns_.find(column) != columns_.end(); }
  std::string Cell(absl::string_view column) const {
    const auto place = columns_.find(column);
    if (place == columns_.end() || place->second >= row_.size()) return "";
    return std::string(absl::StripAsciiWhitespace(row_[place->second]));
  }
  static std::vector<std::string> Split(const std::string& cell) {
    return absl::StrSplit(cell, absl::ByAnyChar(" |;,\t"), absl::SkipEmpty());
  }

  // A day, whose end is meant where `end` says so, or a moment.
  std::optional<absl::Time> Moment(absl::string_view column, bool end = false) {
    const std::string cell = Cell(column);
    if (cell.empty()) return std::nullopt;
    absl::CivilDay day;
    if (cell.size() == 10 && absl::ParseCivilTime(cell, &day)) {
      return absl::FromCivil(end ? day + 1 : day, absl::UTCTimeZone());
    }
    absl::Time time;
    std::string error;
    if (absl::ParseTime(absl::RFC3339_full, cell, &time, &error)) return time;
    Wrong(absl::StrCat(column, " is '", Printable(cell), "'; write 2026-12-01"));
    return std::nullopt;
  }

  void TakeRow() {
    if (!Cell("person").empty()) return TakePerson();
    if (!Cell("roles").empty())
      return Wrong("roles are granted to nobody: the row names no person");
    for (const absl::string_view column : kOfPeople) {
      if (!Cell(column).empty()) {
        return Wrong(absl::StrCat("has ", column, ", and names no person"));
      }
    }
    if (Cell("unit").empty()) return Wrong("names neither a person nor a unit");
    TakeUnit();
  }

  void TakeUnit() {
    StaffUnitOrder& unit = *order_.add_units();
    unit.set_line(row_.line());
    unit.set_unit_id(Cell("unit"));
    if (!Cell("name").empty()) unit.set_name(Cell("name"));
    if (!Cell("kind").empty()) unit.set_kind(Cell("kind"));
    if (Has("parent")) unit.set_parent_unit_id(Cell("parent"));
    if (const auto from = Moment("from")) ToProto(*from, unit.mutable_from_at());
  }

  void TakePerson() {
    StaffPersonOrder& person = *order_.add_people();
    person.set_line(row_.line());
    person.set_person_id(Cell("person"));
    if (Has("name")) person.set_name(Cell("name"));
    if (Has("e_mail")) person.set_e_mail(Cell("e_mail"));
    if (Has("language")) person.set_language(absl::AsciiStrToLower(Cell("language")));
    if (!Cell("unit").empty()) person.set_unit_id(Cell("unit"));
    TakeLead(&person);
    const auto list = [&](const char* column,
                          google::protobuf::RepeatedPtrField<std::string>* out) {
      if (!Has(column)) return;
      const std::vector<std::string> values = Split(Cell(column));
      out->Assign(values.begin(), values.end());
      if (values.empty()) person.add_cleared_fields(column);
    };
    list("roles", person.mutable_roles());
    list("extensions", person.mutable_extensions());
    list("mailboxes", person.mutable_mailboxes());
    if (const auto from = Moment("from")) ToProto(*from, person.mutable_from_at());
    if (const auto left = Moment("left")) ToProto(*left, person.mutable_left_at());
    for (const char* const column : {"parent", "kind"}) {
      if (!Cell(column).empty()) Wrong(absl::StrCat("has ", column, ", which is of units alone"));
    }
    TakeAbsence(&person);
  }

  void TakeLead(StaffPersonOrder* person) {
    const std::string lead = absl::AsciiStrToLower(Cell("lead"));
    if (lead.empty()) return;
    if (lead == "yes" || lead == "true" || lead == "1") {
      person->set_leads(true);
    } else if (lead == "no" || lead == "false" || lead == "0") {
      person->set_leads(false);
    } else {
      Wrong(absl::StrCat("lead is '", Printable(lead), "'; it is yes or no"));
    }
  }

  void TakeAbsence(StaffPersonOrder* person) {
    const std::optional<absl::Time> from = Moment("absent_from");
    const std::optional<absl::Time> to = Moment("absent_to", /*end=*/true);
    if (!from && !to && Cell("deputy").empty()) return;
    if (!from || !to) return Wrong("an absence needs absent_from and absent_to");
    query::v1::StaffAbsence& absence = *person->add_absences();
    absence.set_deputy_id(Cell("deputy"));
    ToProto(*from, absence.mutable_from_at());
    ToProto(*to, absence.mutable_to_at());
  }

  const std::string path_;
  std::map<std::string, size_t, std::less<>> columns_;
  CsvRow row_;
  StaffOrder order_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<StaffFile> ReadStaffFile(const std::string& path) { return Reader(path).Read(); }

}  // namespace rapport
