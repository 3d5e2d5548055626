#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "libs/projections/retention/settings.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/query/v1/retention.pb.h"
#include "rapport/state/v1/retention.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// By which scores alerts are raised, graded and cleared.
query::v1::AlertThresholds ThresholdsOf(const RetentionSettings& settings);

// The client's risk at `now`, put for readers; the touchpoints behind the reasons have ids alone,
// and `watermark` is left out.
query::v1::Retention ToRetention(const std::string& client_id,
                                 const state::v1::RetentionState& state,
                                 const RetentionSettings& settings, absl::Time now);

// A reason without the touchpoints behind it.
query::v1::RetentionReason ToReason(const alert::v1::Reason& told);

// Ids (16 bytes each) of all touchpoints behind the reasons.
std::vector<std::string> TouchpointsBehind(const query::v1::Retention& retention);
// Tells of those among `touchpoints` that stand behind a reason.
void FillTouchpoints(
    const google::protobuf::RepeatedPtrField<touchpoint::v1::Touchpoint>& touchpoints,
    query::v1::Retention* retention);

// An entry of the list of clients at risk; `cursor` is left out. `state`: null when it is gone.
query::v1::AtRiskClient ToAtRisk(const std::string& client_id, const state::v1::AtRiskRow& row,
                                 const state::v1::RetentionState* state,
                                 const RetentionSettings& settings, absl::Time now);

}  // namespace rapport
