#include "services/profiles/client_list.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "libs/base/bytes.h"
#include "libs/base/folded_words.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/serving/owned_list.h"
#include "libs/serving/owner_filter.h"
#include "libs/serving/page.h"
#include "libs/serving/query_values.h"
#include "rapport/state/v1/profile.pb.h"
#include "services/profiles/client_search.h"

namespace rapport {
namespace {

using state::v1::ClientRow;

constexpr size_t kLargestStep = 10'000;
// Rows by name that one request looks at.
constexpr size_t kMostRows = 20'000;
// Rows that are counted.
constexpr int64_t kMostCounted = 100'000;
// Clients that are put into order one by one; where more have the words of q=, the list by name
// has them close together.
constexpr size_t kMostFound = 2'048;

enum class Sort { kName, kLastContact };

struct ListRequest {
  OwnerFilter owners;
  std::vector<std::string> words;  // folded
  std::optional<touchpoint::v1::Segment> segment;
  std::optional<bool> key_account;
  Sort sort = Sort::kName;
  bool count = false;
  PageRequest page;

  bool Passes(const std::string& client_id, const ClientRow& row) const {
    if (segment && row.segment() != *segment) return false;
    if (key_account && row.key_account() != *key_account) return false;
    if (words.empty()) return true;
    std::vector<std::string> its = FoldedWords(row.name());
    for (std::string& word : FoldedWords(client_id)) its.push_back(std::move(word));
    return BeginWith(its, words);
  }
};

// What the places of a list by last contact begin with; behind it stand the moment and the client.
std::string LastContactPrefix() {
  std::string prefix;
  AppendKeyString(&prefix, "last_contact");
  return prefix;
}

absl::StatusOr<ListRequest> ReadListRequest(const ProjectionHost& host,
                                            const HttpRequest& request) {
  ListRequest list;
  RAPPORT_ASSIGN_OR_RETURN(list.owners, OwnerFilter::Of(request, host.env().http->access()));
  list.words = FoldedWords(request.Query("q").value_or(""));
  if (const std::optional<std::string> segment = request.Query("segment")) {
    RAPPORT_ASSIGN_OR_RETURN(const int number,
                             ParseEnum("segment", *segment, *touchpoint::v1::Segment_descriptor()));
    list.segment = static_cast<touchpoint::v1::Segment>(number);
  }
  if (request.Query("key_account")) {
    RAPPORT_ASSIGN_OR_RETURN(list.key_account, QueryFlag(request, "key_account"));
  }
  const std::string sort = request.Query("sort").value_or("name");
  if (sort == "last_contact") {
    list.sort = Sort::kLastContact;
  } else if (sort != "name") {
    return absl::InvalidArgumentError(
        absl::StrCat("sort is '", sort, "'; there are: name, last_contact"));
  }
  RAPPORT_ASSIGN_OR_RETURN(list.count, QueryFlag(request, "count"));
  RAPPORT_ASSIGN_OR_RETURN(
      list.page,
      ReadPageRequest(request, list.sort == Sort::kLastContact ? LastContactPrefix() : ""));
  return list;
}

absl::Status Damaged(const std::string& client_id, absl::string_view list) {
  return absl::DataLossError(
      absl::StrCat("the entry of client ", client_id, " in list ", list, " is damaged"));
}

query::v1::ClientSummary Summarise(const std::string& client_id, const ClientRow& row,
                                   absl::string_view place) {
  query::v1::ClientSummary summary;
  summary.set_client_id(client_id);
  summary.set_name(row.name());
  summary.set_owner_id(row.owner_id());
  summary.set_segment(row.segment());
  summary.set_key_account(row.key_account());
  if (row.has_last_touchpoint_at()) {
    *summary.mutable_last_touchpoint_at() = row.last_touchpoint_at();
  }
  summary.set_cursor(EncodeCursor(place));
  return summary;
}

// The first rows behind the page's beginning, in the order of their places.
class Page {
 public:
  explicit Page(const PageRequest& request) : request_(request) {}

  void Add(std::string place, const std::string& client_id, const ClientRow& row) {
    if (place <= request_.after) return;
    // One more than the page tells whether there is another one.
    const bool full = rows_.size() == request_.limit + 1;
    if (full && place > rows_.rbegin()->first) return;
    rows_.emplace(std::move(place), std::pair(client_id, row));
    if (full) rows_.erase(std::prev(rows_.end()));
  }
  void Tell(query::v1::ClientList* answer) const {
    for (const auto& [place, row] : rows_) {
      if (static_cast<size_t>(answer->clients_size()) == request_.limit) {
        answer->set_next_cursor(answer->clients(answer->clients_size() - 1).cursor());
        return;
      }
      *answer->add_clients() = Summarise(row.first, row.second, place);
    }
  }

 private:
  const PageRequest& request_;
  std::map<std::string, std::pair<std::string, ClientRow>> rows_;
};

// Calls `visit` with the client and the row of each entry of the list by owner, until it returns
// false.
absl::Status ScanOwned(const ProjectionView& view, const OwnerFilter& owners,
                       const std::function<bool(const std::string&, const ClientRow&)>& visit) {
  std::vector<std::string> prefixes;
  for (const std::string& owner : owners.owners()) AppendKeyString(&prefixes.emplace_back(), owner);
  if (owners.everybody()) prefixes.emplace_back();
  ClientRow row;
  bool goes_on = true;
  std::string damaged;
  for (const std::string& prefix : prefixes) {
    RAPPORT_RETURN_IF_ERROR(view.Scan(
        kClientsByOwnerIndex, {.prefix = prefix}, [&](const ProjectionView::IndexEntry& entry) {
          if (!row.ParseFromString(entry.value)) damaged = entry.client_id;
          return goes_on = damaged.empty() && visit(entry.client_id, row);
        }));
    if (!damaged.empty()) return Damaged(damaged, kClientsByOwnerIndex);
    if (!goes_on) break;
  }
  return absl::OkStatus();
}

absl::Status Count(const ProjectionView& view, const ListRequest& list,
                   query::v1::ClientList* answer) {
  int64_t looked_at = 0;
  int64_t count = 0;
  RAPPORT_RETURN_IF_ERROR(
      ScanOwned(view, list.owners, [&](const std::string& client_id, const ClientRow& row) {
        if (looked_at++ == kMostCounted) {
          answer->set_count_is_least(true);
          return false;
        }
        if (list.Passes(client_id, row)) ++count;
        return true;
      }));
  answer->set_count(count);
  return absl::OkStatus();
}

absl::Status ListByLastContact(const ProjectionView& view, const ListRequest& list,
                               query::v1::ClientList* answer) {
  const std::string prefix = LastContactPrefix();
  Page page(list.page);
  RAPPORT_RETURN_IF_ERROR(
      ScanOwned(view, list.owners, [&](const std::string& client_id, const ClientRow& row) {
        if (!list.Passes(client_id, row)) return true;
        std::string place = prefix;
        AppendOrdered64(&place, absl::ToUnixMicros(FromProto(row.last_touchpoint_at())));
        AppendKeyString(&place, client_id);
        page.Add(std::move(place), client_id, row);
        return true;
      }));
  page.Tell(answer);
  return absl::OkStatus();
}

// The place that the client has in the list by name.
std::string PlaceByName(const std::string& client_id, const ClientRow& row) {
  std::string place = NameSortKey(row.name());
  place += client_id;
  AppendBig32(&place, static_cast<uint32_t>(client_id.size()));
  return place;
}

absl::Status ListFound(const ProjectionView& view, const ListRequest& list,
                       const std::vector<std::string>& client_ids, query::v1::ClientList* answer) {
  Page page(list.page);
  state::v1::ProfileState state;
  for (const std::string& client_id : client_ids) {
    RAPPORT_ASSIGN_OR_RETURN(const bool found, view.Get(client_id, &state));
    if (!found) continue;
    const ClientRow row = RowOf(state);
    if (!list.owners.Has(row.owner_id()) || !list.Passes(client_id, row)) continue;
    page.Add(PlaceByName(client_id, row), client_id, row);
  }
  page.Tell(answer);
  return absl::OkStatus();
}

absl::Status ListByName(const ProjectionView& view, const ListRequest& list,
                        query::v1::ClientList* answer) {
  const OwnedList by_name = {
      .all = kClientsByNameIndex,
      .by_owner = kClientsByOwnerIndex,
      .owner_of = [](const ProjectionView::IndexEntry& entry) -> std::optional<std::string> {
        ClientRow row;
        if (!row.ParseFromString(entry.value)) return std::nullopt;
        return row.owner_id();
      }};
  ProjectionView::Range range{.after = list.page.after};
  // One more than the page tells whether there is another one.
  size_t step = list.page.limit + 1;
  for (size_t looked_at = 0; looked_at < kMostRows;) {
    RAPPORT_ASSIGN_OR_RETURN(const std::vector<ProjectionView::IndexEntry> entries,
                             ListOwned(view, by_name, list.owners, range, step));
    for (const ProjectionView::IndexEntry& entry : entries) {
      ClientRow row;
      if (!row.ParseFromString(entry.value)) return Damaged(entry.client_id, by_name.all);
      if (!list.Passes(entry.client_id, row)) continue;
      if (static_cast<size_t>(answer->clients_size()) == list.page.limit) {
        answer->set_next_cursor(answer->clients(answer->clients_size() - 1).cursor());
        return absl::OkStatus();
      }
      if (!row.has_last_touchpoint_at()) {
        state::v1::ProfileState state;
        RAPPORT_ASSIGN_OR_RETURN(const bool found, view.Get(entry.client_id, &state));
        if (found) *row.mutable_last_touchpoint_at() = state.last_touchpoint_at();
      }
      *answer->add_clients() = Summarise(entry.client_id, row, entry.place);
    }
    if (entries.size() < step) return absl::OkStatus();
    range.after = entries.back().place;
    looked_at += entries.size();
    // Where few pass, larger steps have to find them.
    step = std::min(step * 2, kLargestStep);
  }
  answer->set_next_cursor(EncodeCursor(range.after));
  return absl::OkStatus();
}

}  // namespace

bool ReadsManyClients(const HttpRequest& request) {
  for (const char* parameter : {"segment", "key_account", "q", "sort", "count"}) {
    if (request.Query(parameter)) return true;
  }
  return false;
}

absl::StatusOr<query::v1::ClientList> ListClients(const ProjectionHost& host,
                                                  const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const ListRequest list, ReadListRequest(host, request));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  query::v1::ClientList answer;
  WordMatches found;
  if (list.sort == Sort::kName && !list.words.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(
        found, FindByWords(reading.view, list.owners, list.words, kMostFound + 1, kMostFound));
  }
  if (list.sort == Sort::kLastContact) {
    RAPPORT_RETURN_IF_ERROR(ListByLastContact(reading.view, list, &answer));
  } else if (found.complete) {
    RAPPORT_RETURN_IF_ERROR(ListFound(reading.view, list, found.client_ids, &answer));
  } else {
    RAPPORT_RETURN_IF_ERROR(ListByName(reading.view, list, &answer));
  }
  if (list.count) RAPPORT_RETURN_IF_ERROR(Count(reading.view, list, &answer));
  *answer.mutable_watermark() = std::move(reading.watermark);
  return answer;
}

}  // namespace rapport
