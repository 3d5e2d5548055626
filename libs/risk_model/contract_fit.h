#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/projections/models/contract.h"

namespace rapport::risk_model {

// Clients with contracts of like history: those that left at renewal `renewals` (1, 2, ...), or
// those that are there after so many (0, 1, ...) and whose next one is still to come.
struct ContractGroup {
  int renewals = 0;
  bool left = false;
  int64_t clients = 0;
};

// The groups of one cohort, by how many of it were there at the beginning and after each renewal.
// `survivors` never rises.
std::vector<ContractGroup> GroupsOfCohort(absl::Span<const int64_t> survivors);

struct ContractFitSettings {
  int64_t least_left = 20;
};

struct ContractFit {
  models::ContractParameters parameters;
  double log_likelihood = 0;
  int64_t clients = 0;
  int64_t left = 0;
  // The data leave a parameter open, as where clients do not differ. For people, why; empty
  // otherwise.
  bool degenerate = false;
  std::string explanation;
};

// The parameters of sBG under which the histories are the likeliest; groups of cohorts of several
// ages may be given together.
//
// InvalidArgument: a group that cannot be. FailedPrecondition: too few clients left, or all at the
// first renewal, which tells nothing of how clients differ.
absl::StatusOr<ContractFit> FitContract(absl::Span<const ContractGroup> groups,
                                        const ContractFitSettings& settings = {});

}  // namespace rapport::risk_model
