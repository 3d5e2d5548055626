#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projections/retention/settings.h"
#include "libs/projector/projection_view.h"
#include "rapport/query/v1/call_list.pb.h"

namespace rapport {

// The first `limit` clients of an owner to be called at `now`; none while the log has no clock.
// `watermark` is left empty. Looks at those who bring most first, and at no more of them once
// nobody who is left could have a place. DataLoss: a state is damaged.
absl::StatusOr<query::v1::CallList> ReadCallList(const ProjectionView& view,
                                                 absl::string_view owner_id,
                                                 const RetentionSettings& settings, absl::Time now,
                                                 size_t limit);

}  // namespace rapport
