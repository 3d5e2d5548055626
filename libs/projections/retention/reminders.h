#pragma once

#include "absl/time/time.h"
#include "libs/projections/projection.h"
#include "libs/projections/retention/settings.h"
#include "rapport/state/v1/retention.pb.h"

// Tells of what we owe a client before it falls due: promises, and answers to complaints. Each at
// two moments (RetentionSettings::remind_before, remind_hour), once, and not when it was done
// meanwhile, nor of a moment at which it had not been promised yet.

namespace rapport {

inline constexpr char kCommitmentDueRule[] = "commitment_due";
inline constexpr char kComplaintDueRule[] = "complaint_due";

// Tells what there is to tell at `at`, and brings output.wake forward to the next such moment.
void Remind(const FoldContext& context, const RetentionSettings& settings, absl::Time at,
            state::v1::RetentionState* state, FoldOutput* output);

// The clock had been ahead, and the true time is `at`: reminders of later moments were none.
void RewindReminders(absl::Time at, state::v1::RetentionState* state);

}  // namespace rapport
