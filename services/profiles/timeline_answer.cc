#include "services/profiles/timeline_answer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "libs/base/event_id.h"
#include "libs/base/folded_words.h"
#include "libs/base/status.h"
#include "libs/projections/profile/profile.h"
#include "libs/projector/touchpoint_peek.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;
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

// Rows that one request looks at.
constexpr size_t kMostRows = 5'000;

struct TimelineRequest {
  std::string from;
  std::string to;  // exclusive; empty: no limit
  // Of each of these what is wanted; empty: all.
  std::set<int> channels;
  std::set<int> kinds;
  std::set<int> directions;
  std::set<std::string> stakeholders;
  std::vector<std::string> words;  // folded
  bool details = false;
  PageRequest page;
};

absl::StatusOr<TimelineRequest> ReadTimelineRequest(const HttpRequest& request) {
  TimelineRequest timeline;
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> from, QueryTime(request, "from"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> to, QueryTime(request, "to"));
  if (from) timeline.from = TimelineSortKeyAt(*from);
  if (to) timeline.to = TimelineSortKeyAt(*to);
  RAPPORT_ASSIGN_OR_RETURN(timeline.channels,
                           QueryEnums(request, "channel", *touchpoint::v1::Channel_descriptor()));
  RAPPORT_ASSIGN_OR_RETURN(
      timeline.directions,
      QueryEnums(request, "direction", *touchpoint::v1::Direction_descriptor()));
  for (const std::string& kind : QueryAll(request, "kind")) {
    RAPPORT_ASSIGN_OR_RETURN(const Touchpoint::PayloadCase number, ParseKind("kind", kind));
    timeline.kinds.insert(number);
  }
  const std::vector<std::string> people = QueryAll(request, "stakeholder");
  timeline.stakeholders.insert(people.begin(), people.end());
  timeline.words = FoldedWords(request.Query("q").value_or(""));
  RAPPORT_ASSIGN_OR_RETURN(timeline.details, QueryFlag(request, "details"));
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

// Calls `visit` with each text in a message and the name of its field.
void VisitTexts(
    const pb::Message& message,
    const std::function<void(const std::string& name, const std::string& text)>& visit) {
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  std::string scratch;
  for (const pb::FieldDescriptor* field : fields) {
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      if (field->type() == pb::FieldDescriptor::TYPE_STRING) {
        visit(field->name(),
              field->is_repeated()
                  ? reflection.GetRepeatedStringReference(message, field, i, &scratch)
                  : reflection.GetStringReference(message, field, &scratch));
      } else if (field->type() == pb::FieldDescriptor::TYPE_MESSAGE) {
        VisitTexts(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                        : reflection.GetMessage(message, field),
                   visit);
      }
    }
  }
}

// Whether it is one of those asked for; the kind has been looked at.
bool IsWanted(const Touchpoint& touchpoint, const TimelineRequest& timeline) {
  if (!timeline.channels.empty() && !timeline.channels.contains(touchpoint.channel())) return false;
  if (!timeline.directions.empty() && !timeline.directions.contains(touchpoint.direction())) {
    return false;
  }
  if (timeline.stakeholders.empty() && timeline.words.empty()) return true;
  bool with = timeline.stakeholders.empty();
  for (const std::string& id : touchpoint.stakeholder_ids())
    with |= timeline.stakeholders.contains(id);
  std::vector<std::string> words;
  const auto add = [&words](absl::string_view text) {
    for (std::string& word : FoldedWords(text)) words.push_back(std::move(word));
  };
  const pb::Reflection& reflection = *touchpoint.GetReflection();
  const pb::FieldDescriptor* payload = reflection.GetOneofFieldDescriptor(
      touchpoint, Touchpoint::descriptor()->FindOneofByName("payload"));
  if (payload != nullptr) {
    VisitTexts(reflection.GetMessage(touchpoint, payload),
               [&](const std::string& name, const std::string& text) {
                 with |= name == "stakeholder_id" && timeline.stakeholders.contains(text);
                 if (!timeline.words.empty()) add(text);
               });
  }
  if (!with || timeline.words.empty()) return with;
  add(SummaryLine(touchpoint));
  return BeginWith(words, timeline.words);
}

// The touchpoint of a row if it is a line that is wanted; false when the row is damaged.
bool ReadIfWanted(absl::string_view row, const TimelineRequest& timeline,
                  std::optional<Touchpoint>* touchpoint) {
  touchpoint->reset();
  if (!IsTimelineLine(row)) return true;
  if (!timeline.kinds.empty() && !timeline.kinds.contains(PeekPayload(row))) return true;
  touchpoint->emplace();
  if (!(*touchpoint)->ParseFromArray(row.data(), static_cast<int>(row.size()))) return false;
  if (!IsWanted(**touchpoint, timeline)) touchpoint->reset();
  return true;
}

}  // namespace

bool FiltersTimeline(const HttpRequest& request) {
  for (const char* filter : {"channel", "kind", "direction", "stakeholder", "q"}) {
    if (request.Query(filter)) return true;
  }
  return false;
}

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
  size_t looked_at = 0;
  std::string last;  // of the rows looked at
  std::optional<Touchpoint> touchpoint;
  if (timeline.to.empty() || timeline.from < timeline.to) {
    RAPPORT_RETURN_IF_ERROR(view.RowsBack(
        client_id, timeline.from, timeline.to, [&](absl::string_view key, absl::string_view value) {
          if (looked_at++ == kMostRows) {
            answer.set_next_cursor(EncodeCursor(Complement(last)));
            return false;
          }
          readable = ReadIfWanted(value, timeline, &touchpoint);
          if (!readable) return false;
          if (!touchpoint.has_value()) {
            last = std::string(key);
            return true;
          }
          // One more tells that there is another page.
          if (static_cast<size_t>(answer.touchpoints_size()) == timeline.page.limit) {
            answer.set_next_cursor(EncodeCursor(Complement(last)));
            return false;
          }
          last = std::string(key);
          query::v1::TimelineEntry& entry = *answer.add_touchpoints();
          entry = TimelineEntryOf(*touchpoint);
          entry.set_cursor(EncodeCursor(Complement(key)));
          if (timeline.details) *entry.mutable_touchpoint() = *std::move(touchpoint);
          return true;
        }));
  }
  if (!readable) return Damaged(client_id);
  return answer;
}

}  // namespace rapport
