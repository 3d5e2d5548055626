#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/projection.h"
#include "libs/projections/retention/settings.h"
#include "rapport/query/v1/call_list.pb.h"
#include "rapport/state/v1/retention.pb.h"

// Whom to call first: those by whose call the most can be averted, which is the expected loss now
// less the expected loss after an answered call, by the same model.

namespace rapport {

// The client's entry of kByOwnerAndValueIndex. What it brings is rounded up to one of eight steps
// between two powers of two, so that an order seldom moves the entry.
void IndexCallList(const state::v1::RetentionState& state, IndexWriter& index);
// At least what the client brings in a year, from the sort key of an entry; minor units.
int64_t ValueCeiling(absl::string_view sort_key);

// Whether the client is to be called at `now`: not who has been spoken to or met on that day (UTC)
// or is to be met on it, whose alert is snoozed, or who has asked to be erased.
bool IsToBeCalled(const state::v1::RetentionState& state, absl::Time now);

// How much a call can avert, in minor units; 0 when nothing is known of what the client brings.
int64_t AvertableLoss(const state::v1::RetentionState& state, const RetentionSettings& settings,
                      absl::Time now);

// The row of a client, without `cursor`.
query::v1::CallListRow CallListRowOf(absl::string_view client_id,
                                     const state::v1::RetentionState& state,
                                     const RetentionSettings& settings, absl::Time now);

}  // namespace rapport
