#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/organisation/organisation.h"
#include "rapport/organisation/v1/organisation.pb.h"
#include "rapport/query/v1/staff.pb.h"

// What people write about the organisation (a file's rows, an order over HTTP) as changes of it.

namespace rapport {

struct StaffProblem {
  int64_t line = 0;  // of the file; 0: none
  std::string what;
};

// What an order comes to, by what holds now: no change for what holds already.
struct StaffPlan {
  std::vector<organisation::v1::Change> changes;
  std::vector<query::v1::StaffStep> steps;  // one for each change, in the same order
  // All that is wrong with it, in the order of the lines; where there is any, nothing is to be
  // done.
  std::vector<StaffProblem> problems;
};
StaffPlan PlanStaff(const Organisation& organisation, const query::v1::StaffOrder& order,
                    absl::Time now);

// "line 4: there is no unit 'x'; line 9: ...".
std::string TextOf(const std::vector<StaffProblem>& problems);

// The changes as records of the log, each small enough for one; what depends on each other comes in
// order. `recorded_by` and `now` as in OrganisationRecord; `seed` makes the ids.
std::vector<organisation::v1::OrganisationRecord> ToRecords(
    const std::vector<organisation::v1::Change>& changes, const std::string& recorded_by,
    const std::string& reason, absl::Time now, const std::string& seed);

// As of a date, for readers.
query::v1::StaffMember ToMember(const Organisation& organisation, const StaffPerson& person,
                                absl::Time at);
query::v1::StaffUnitView ToUnitView(const Organisation& organisation, const StaffUnit& unit,
                                    absl::Time at);

}  // namespace rapport
