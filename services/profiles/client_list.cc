#include "services/profiles/client_list.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/projections/profile/profile.h"
#include "libs/serving/owned_list.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"
#include "rapport/state/v1/profile.pb.h"

namespace rapport {
namespace {

constexpr size_t kLargestStep = 10'000;

struct ListRequest {
  OwnerFilter owners;
  std::string prefix;  // of the sort keys
  std::optional<touchpoint::v1::Segment> segment;
  PageRequest page;
};

// What the keys of names that begin with `text` begin with.
std::string NamePrefix(const std::string& text) {
  constexpr size_t kTerminator = 2;
  std::string key;
  AppendKeyString(&key, absl::AsciiStrToLower(text));
  key.resize(key.size() - kTerminator);
  return key;
}

absl::StatusOr<ListRequest> ReadListRequest(const ProjectionHost& host,
                                            const HttpRequest& request) {
  ListRequest list;
  RAPPORT_ASSIGN_OR_RETURN(list.owners, OwnerFilter::Of(request, host.env().http->access()));
  if (const std::optional<std::string> name = request.Query("q")) list.prefix = NamePrefix(*name);
  if (const std::optional<std::string> segment = request.Query("segment")) {
    RAPPORT_ASSIGN_OR_RETURN(const int number,
                             ParseEnum("segment", *segment, *touchpoint::v1::Segment_descriptor()));
    list.segment = static_cast<touchpoint::v1::Segment>(number);
  }
  RAPPORT_ASSIGN_OR_RETURN(list.page, ReadPageRequest(request, list.prefix));
  return list;
}

absl::StatusOr<query::v1::ClientSummary> Summarise(const ProjectionView& view,
                                                   const ProjectionView::IndexEntry& entry,
                                                   const state::v1::ClientRow& row) {
  query::v1::ClientSummary summary;
  summary.set_client_id(entry.client_id);
  summary.set_name(row.name());
  summary.set_owner_id(row.owner_id());
  summary.set_segment(row.segment());
  summary.set_key_account(row.key_account());
  summary.set_cursor(EncodeCursor(entry.place));
  if (row.has_last_touchpoint_at()) {
    *summary.mutable_last_touchpoint_at() = row.last_touchpoint_at();
    return summary;
  }
  state::v1::ProfileState state;
  RAPPORT_ASSIGN_OR_RETURN(const bool found, view.Get(entry.client_id, &state));
  if (found) *summary.mutable_last_touchpoint_at() = state.last_touchpoint_at();
  return summary;
}

}  // namespace

absl::StatusOr<query::v1::ClientList> ListClients(const ProjectionHost& host,
                                                  const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const ListRequest list, ReadListRequest(host, request));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  query::v1::ClientList answer;
  const OwnedList by_name = {
      .all = kClientsByNameIndex,
      .by_owner = kClientsByOwnerIndex,
      .owner_of = [](const ProjectionView::IndexEntry& entry) -> std::optional<std::string> {
        state::v1::ClientRow row;
        if (!row.ParseFromString(entry.value)) return std::nullopt;
        return row.owner_id();
      }};
  ProjectionView::Range range{.prefix = list.prefix, .after = list.page.after};
  // One more than the page tells whether there is another one.
  size_t step = list.page.limit + 1;
  for (bool done = false; !done;) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<ProjectionView::IndexEntry> entries,
                             ListOwned(reading.view, by_name, list.owners, range, step));
    done = entries.size() < step;
    for (const ProjectionView::IndexEntry& entry : entries) {
      state::v1::ClientRow row;
      if (!row.ParseFromString(entry.value)) {
        return absl::DataLossError(absl::StrCat("the entry of client ", entry.client_id,
                                                " in list ", by_name.all, " is damaged"));
      }
      if (list.segment && row.segment() != *list.segment) continue;
      if (static_cast<size_t>(answer.clients_size()) == list.page.limit) {
        answer.set_next_cursor(answer.clients(answer.clients_size() - 1).cursor());
        done = true;
        break;
      }
      RAPPORT_ASSIGN_OR_RETURN(*answer.add_clients(), Summarise(reading.view, entry, row));
    }
    if (!entries.empty()) range.after = entries.back().place;
    // Where few pass, larger steps have to find them.
    step = std::min(step * 2, kLargestStep);
  }
  *answer.mutable_watermark() = std::move(reading.watermark);
  return answer;
}

}  // namespace rapport
