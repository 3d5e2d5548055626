#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "libs/state_store/state_store.h"

namespace rapport {

// The first entry in which two stores differ, in the order of kDigestFamilies and of their keys.
struct Difference {
  Family family = Family::kState;
  std::string key;
  // nullopt: the entry is missing on that side.
  std::optional<std::string> left;
  std::optional<std::string> right;
};

// nullopt when the stores hold the same.
absl::StatusOr<std::optional<Difference>> FirstDifference(const StateStore& left,
                                                          const StateStore& right);

// "state of client '12583'": what an entry is, for people.
std::string DescribeEntry(Family family, absl::string_view key);

}  // namespace rapport
