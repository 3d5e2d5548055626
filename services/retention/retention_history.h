#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/projections/retention/settings.h"
#include "rapport/query/v1/retention.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

struct RetentionPeriod {
  absl::Time from;
  absl::Time to;  // before `from`: the log has not come that far, and there are no days
};

// What is asked for by from= and to= while the log's clock is at `clock`: without `to`, and at the
// latest, until the clock; without `from` 183 days, and at most 1,096. InvalidArgument: `from` is
// behind `to`, or too far from it.
absl::StatusOr<RetentionPeriod> RetentionPeriodOf(std::optional<absl::Time> from,
                                                  std::optional<absl::Time> to, absl::Time clock);

// The score and its reasons at the end of each day (UTC) of the period, the last one at its end,
// from the day of the client's first touchpoint on, and what happened to its alert meanwhile: one
// fold of `touchpoints`, which are all of the client's until then. `watermark` is left out.
query::v1::RetentionHistory FoldRetentionHistory(
    const std::string& client_id, std::vector<touchpoint::v1::Touchpoint> touchpoints,
    const RetentionSettings& settings, const RetentionPeriod& period);

}  // namespace rapport
