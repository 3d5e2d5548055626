#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/projector/projection_view.h"
#include "libs/service/http.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {

// The client's touchpoints that happened at `until` or before, of those with `event_ids` (16 bytes
// each; empty: all), the earliest first.
absl::StatusOr<std::vector<touchpoint::v1::Touchpoint>> TouchpointsOf(
    const ProjectionView& view, const std::string& client_id, std::optional<absl::Time> until,
    const std::set<std::string>& event_ids = {});

// Whether a row of the projection is a line of the timeline. All are, but that a mail was found in
// one of our mailboxes: the mail itself is there.
bool IsTimelineLine(absl::string_view row);

// GET /v1/clients/{id}/timeline from a view: from= <= when < to=, of the channels in channel=, the
// newest first. `watermark` is left out.
absl::StatusOr<query::v1::Timeline> ReadTimeline(const ProjectionView& view,
                                                 const std::string& client_id,
                                                 const HttpRequest& request);

}  // namespace rapport
