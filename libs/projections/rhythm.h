#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rapport/state/v1/common.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// The distinct days on which something happened: what the models of libs/projections/models need.
// Exact for every order of arrival, and small: one to three bytes for each week with a happening,
// so at most about 110 bytes for a year.

namespace rapport {

inline constexpr int64_t kSecondsPerDay = 86400;

// Day number of a moment: UTC days since 1970-01-01.
int32_t DayOf(int64_t unix_seconds);

// Adds the touchpoint's day, and keeps the latest touchpoint.
void AddToRhythm(const touchpoint::v1::Touchpoint& touchpoint, state::v1::Rhythm* rhythm);

// Takes a day out, as if nothing had happened on it; whether it was there. Of the latest touchpoint
// nothing is known any more when it was the last day: LastEventId is empty then.
bool RemoveFromRhythm(int32_t day, state::v1::Rhythm* rhythm);

// The latest `most` days, latest first.
std::vector<int32_t> LatestDays(const state::v1::Rhythm& rhythm, size_t most);

// Distinct days after the first: x of the models. 0 also for an empty rhythm.
inline int RepeatDays(const state::v1::Rhythm& rhythm) {
  return rhythm.day_count() > 0 ? rhythm.day_count() - 1 : 0;
}

// Mean number of days between two of its days; 0 when there are fewer than two.
inline double MeanGapDays(const state::v1::Rhythm& rhythm) {
  const int x = RepeatDays(rhythm);
  return x == 0 ? 0 : static_cast<double>(rhythm.last_day() - rhythm.first_day()) / x;
}

// event_id of the latest touchpoint, 16 bytes; empty when it is not known.
std::string LastEventId(const state::v1::Rhythm& rhythm);

}  // namespace rapport
