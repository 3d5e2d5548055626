#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rapport/query/v1/staff.pb.h"

namespace rapport {

// Reads a file of people and units in CSV, with a row of names. A row that names a person says who
// they are: person, name, e_mail, unit, lead (yes or no), roles, extensions, mailboxes, from, left,
// deputy, absent_from, absent_to (the last day). One that names none says what a unit is: unit,
// name, parent, kind, from. Columns may be left out, and stay as they are; what is empty in a
// column that is there is emptied, but for dates, unit, lead and the absence. Several roles,
// extensions and mailboxes stand in one cell, with spaces, "|", ";" or "," between them; dates are
// written 2026-12-01, or as RFC 3339. InvalidArgument: the file or its first row cannot be read.
struct StaffFile {
  // Of the rows that can be read.
  query::v1::StaffOrder order;
  // What is wrong with the others, each with its line.
  std::vector<std::string> problems;
};
absl::StatusOr<StaffFile> ReadStaffFile(const std::string& path);

}  // namespace rapport
