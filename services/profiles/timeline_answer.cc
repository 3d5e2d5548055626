#include "services/profiles/timeline_answer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/event_id.h"
#include "libs/base/status.h"
#include "libs/projections/profile/profile.h"
#include "libs/projector/touchpoint_peek.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

absl::Status Damaged(const std::string& client_id) {
  return absl::DataLossError(
      absl::StrCat("a row of client ", client_id, " is damaged; rebuild the projection profile"));
}

// The place of a row in a list whose first is the newest: the complement of its key, so that
// cursors are ordered as the rows are. Its own inverse.
std::string Complement(absl::string_view key) {
  std::string inverse(key);
  for (char& c : inverse) c = static_cast<char>(~c);
  return inverse;
}

struct TimelineRequest {
  std::string from;
  std::string to;  // exclusive; empty: no limit
  std::set<int> channels;
  PageRequest page;
};

absl::StatusOr<TimelineRequest> ReadTimelineRequest(const HttpRequest& request) {
  TimelineRequest timeline;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> from, QueryTime(request, "from"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> to, QueryTime(request, "to"));
  if (from) timeline.from = TimelineSortKeyAt(*from);
  if (to) timeline.to = TimelineSortKeyAt(*to);
  for (const std::string& channel : QueryAll(request, "channel")) {
    RAPPORT_ASSIGN_OR_RETURN(const int number,
                             ParseEnum("channel", channel, *touchpoint::v1::Channel_descriptor()));
    timeline.channels.insert(number);
  }
  RAPPORT_ASSIGN_OR_RETURN(timeline.page, ReadPageRequest(request, ""));
  if (timeline.page.after.empty()) return timeline;
  const std::string key = Complement(timeline.page.after);
  if (key.size() != sizeof(int64_t) + EventId::kSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("cursor is '", *request.Query("cursor"), "', which is not of a timeline"));
  }
  if (timeline.to.empty() || key < timeline.to) timeline.to = key;
  return timeline;
}

}  // namespace

bool IsTimelineLine(absl::string_view row) {
  return PeekPayload(row) != Touchpoint::kEmailDelivered;
}

absl::StatusOr<std::vector<Touchpoint>> TouchpointsOf(const ProjectionView& view,
                                                      const std::string& client_id,
                                                      std::optional<absl::Time> until,
                                                      const std::set<std::string>& event_ids) {
  std::vector<Touchpoint> touchpoints;
  bool readable = true;
  const std::string to = until ? TimelineSortKeyAt(*until + absl::Nanoseconds(1)) : "";
  RAPPORT_RETURN_IF_ERROR(
      view.Rows(client_id, "", to, [&](absl::string_view key, absl::string_view value) {
        const absl::string_view id = key.substr(std::min(key.size(), sizeof(int64_t)));
        if (!event_ids.empty() && event_ids.count(std::string(id)) == 0) return true;
        return readable = touchpoints.emplace_back().ParseFromArray(value.data(),
                                                                    static_cast<int>(value.size()));
      }));
  if (!readable) return Damaged(client_id);
  return touchpoints;
}

absl::StatusOr<query::v1::Timeline> ReadTimeline(const ProjectionView& view,
                                                 const std::string& client_id,
                                                 const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const TimelineRequest timeline, ReadTimelineRequest(request));
  query::v1::Timeline answer;
  answer.set_client_id(client_id);
  bool readable = true;
  bool more = false;
  Touchpoint touchpoint;
  if (timeline.to.empty() || timeline.from < timeline.to) {
    RAPPORT_RETURN_IF_ERROR(view.RowsBack(
        client_id, timeline.from, timeline.to, [&](absl::string_view key, absl::string_view value) {
          if (!IsTimelineLine(value)) return true;
          readable = touchpoint.ParseFromArray(value.data(), static_cast<int>(value.size()));
          if (!readable) return false;
          if (!timeline.channels.empty() && !timeline.channels.contains(touchpoint.channel())) {
            return true;
          }
          // One more tells that there is another page.
          more = static_cast<size_t>(answer.touchpoints_size()) == timeline.page.limit;
          if (more) return false;
          query::v1::TimelineEntry& entry = *answer.add_touchpoints();
          entry = TimelineEntryOf(touchpoint);
          entry.set_cursor(EncodeCursor(Complement(key)));
          return true;
        }));
  }
  if (!readable) return Damaged(client_id);
  if (more) answer.set_next_cursor(answer.touchpoints(answer.touchpoints_size() - 1).cursor());
  return answer;
}

}  // namespace rapport
