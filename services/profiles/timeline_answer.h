#pragma once

#include <array>
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

// What GET /v1/clients/{id}/timeline takes besides wait_for=.
inline constexpr std::array<absl::string_view, 10> kTimelineParameters = {
    "from", "to", "channel", "kind", "direction", "stakeholder", "q", "details", "cursor", "limit"};
// Whether rows have to be read to tell whether they are wanted.
bool FiltersTimeline(const HttpRequest& request);

// GET /v1/clients/{id}/timeline from a view: from= <= when < to=, the newest first; of the channels
// in channel=, the kinds in kind=, the directions in direction=, with one of the people in
// stakeholder=, and with all words of q=. At most 5,000 rows are looked at, so a page may have
// fewer lines than `limit`, or none, and a next one. `watermark` is left out.
absl::StatusOr<query::v1::Timeline> ReadTimeline(const ProjectionView& view,
                                                 const std::string& client_id,
                                                 const HttpRequest& request);

}  // namespace rapport
