#include "services/profiles/commitment_answer.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/projections/profile/commitments.h"
#include "libs/projections/profile/profile.h"
#include "libs/serving/owned_list.h"
#include "libs/serving/query_values.h"
#include "rapport/state/v1/profile.pb.h"

namespace rapport {
namespace {

using query::v1::CommitmentCounts;
using query::v1::CommitmentList;
using query::v1::CommitmentState;
using query::v1::LedgerCommitment;
using Entry = ProjectionView::IndexEntry;

constexpr size_t kMostCounted = 20'000;
constexpr size_t kReadAtOnce = 1000;

// One entry, understood.
struct Item {
  CommitmentKey key;
  CommitmentState state = query::v1::COMMITMENT_STATE_UNSPECIFIED;
  state::v1::CommitmentRow row;
};

absl::Status Damaged(const Entry& entry) {
  return absl::DataLossError(absl::StrCat("an entry of client ", entry.client_id, " in list ",
                                          kCommitmentsIndex, " is damaged"));
}

class Ledger {
 public:
  Ledger(const ProjectionView& view, absl::Time clock, const CommitmentQuery& query)
      : view_(view), clock_(clock), query_(query) {}

  absl::StatusOr<CommitmentList> Read() {
    if (query_.client) RAPPORT_RETURN_IF_ERROR(FindClient());
    if (query_.promiser && !query_.client) AppendKeyString(&prefix_, *query_.promiser);
    RAPPORT_RETURN_IF_ERROR(Count());
    RAPPORT_RETURN_IF_ERROR(ReadPage());
    return std::move(list_);
  }

 private:
  // A client's promises are few: its entries are made of its state, as the projection makes them.
  absl::Status FindClient() {
    state::v1::ProfileState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, view_.Get(*query_.client, &state));
    if (!found) return absl::OkStatus();
    IndexWriter index;
    index.Reset(*query_.client);
    IndexCommitments(state, index);
    std::string list;
    AppendKeyString(&list, kCommitmentsIndex);
    const size_t client_bytes = query_.client->size() + sizeof(uint32_t);
    for (const IndexWriter::Entry& entry : index.entries()) {
      if (!absl::StartsWith(entry.key, list)) continue;
      const std::string place = entry.key.substr(list.size());
      of_client_.push_back({.sort_key = place.substr(0, place.size() - client_bytes),
                            .client_id = *query_.client,
                            .value = entry.value,
                            .place = place});
    }
    std::sort(of_client_.begin(), of_client_.end(),
              [](const Entry& a, const Entry& b) { return a.place < b.place; });
    return absl::OkStatus();
  }

  // The next entries behind `after`.
  absl::StatusOr<std::vector<Entry>> Next(const std::string& after) const {
    if (query_.client) {
      std::vector<Entry> behind;
      for (const Entry& entry : of_client_) {
        if (entry.place > after) behind.push_back(entry);
      }
      return behind;
    }
    const ProjectionView::Range range{.prefix = prefix_, .after = after};
    if (query_.promiser) return view_.List(kCommitmentsByPromiserIndex, range, kReadAtOnce);
    const OwnedList list = {.all = kCommitmentsIndex,
                            .by_owner = kCommitmentsByOwnerIndex,
                            .owner_of = [](const Entry& entry) -> std::optional<std::string> {
                              state::v1::CommitmentRow row;
                              if (!row.ParseFromString(entry.value)) return std::nullopt;
                              return row.owner_id();
                            }};
    return ListOwned(view_, list, query_.owners, range, kReadAtOnce);
  }

  // nullopt when it is not meant.
  absl::StatusOr<std::optional<Item>> Understand(const Entry& entry) const {
    absl::string_view sort_key = entry.sort_key;
    sort_key.remove_prefix(std::min(sort_key.size(), prefix_.size()));
    std::optional<CommitmentKey> key = ReadCommitmentKey(sort_key);
    Item item;
    if (!key || !item.row.ParseFromString(entry.value)) return Damaged(entry);
    if (!query_.owners.Has(item.row.owner_id())) return std::optional<Item>();
    const bool promised = !query_.promiser || *query_.promiser == item.row.promised_by_agent_id();
    if (!promised) return std::optional<Item>();
    if (key->at < query_.from || (key->at >= query_.to && query_.to != absl::InfiniteFuture())) {
      return std::optional<Item>();
    }
    item.state = StateOf(*key, clock_);
    item.key = *std::move(key);
    return std::optional<Item>(std::move(item));
  }

  static void Add(const Item& item, CommitmentCounts* counts) {
    switch (item.state) {
      case query::v1::COMMITMENT_STATE_OPEN:
        return counts->set_open(counts->open() + 1);
      case query::v1::COMMITMENT_STATE_DUE:
        return counts->set_due(counts->due() + 1);
      case query::v1::COMMITMENT_STATE_OVERDUE:
        return counts->set_overdue(counts->overdue() + 1);
      case query::v1::COMMITMENT_STATE_KEPT:
        return counts->set_kept(counts->kept() + 1);
      case query::v1::COMMITMENT_STATE_LATE:
        return counts->set_late(counts->late() + 1);
      case query::v1::COMMITMENT_STATE_BROKEN:
        return counts->set_broken(counts->broken() + 1);
      case query::v1::COMMITMENT_STATE_MOVED:
        return item.key.kind == CommitmentClass::kMovedWithConsent
                   ? counts->set_moved_with_consent(counts->moved_with_consent() + 1)
                   : counts->set_moved_without_consent(counts->moved_without_consent() + 1);
      default:
        return;
    }
  }

  absl::Status Count() {
    std::map<std::string, CommitmentCounts> groups;
    size_t seen = 0;
    std::string after;
    for (bool more = true; more;) {
      RAPPORT_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Next(after));
      more = entries.size() == kReadAtOnce;
      for (const Entry& entry : entries) {
        RAPPORT_ASSIGN_OR_RETURN(const std::optional<Item> item, Understand(entry));
        if (++seen > kMostCounted) {
          list_.mutable_counts()->set_more(true);
          more = false;
          break;
        }
        if (!item) continue;
        Add(*item, list_.mutable_counts());
        Add(*item,
            &groups[query_.by_promiser ? item->row.promised_by_agent_id() : item->row.owner_id()]);
      }
      if (!entries.empty()) after = entries.back().place;
    }
    for (auto& [person, counts] : groups) {
      counts.set_person_id(person);
      counts.set_more(list_.counts().more());
      *list_.add_groups() = std::move(counts);
    }
    return absl::OkStatus();
  }

  bool IsWanted(CommitmentState state) const {
    // Moved ones stand under their present state, too.
    if (query_.state == query::v1::COMMITMENT_STATE_UNSPECIFIED) {
      return state != query::v1::COMMITMENT_STATE_MOVED;
    }
    return state == query_.state;
  }

  absl::Status ReadPage() {
    std::string after = query_.page.after;
    for (bool more = true; more;) {
      RAPPORT_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Next(after));
      more = entries.size() == kReadAtOnce;
      for (const Entry& entry : entries) {
        RAPPORT_ASSIGN_OR_RETURN(const std::optional<Item> item, Understand(entry));
        if (!item || !IsWanted(item->state)) continue;
        if (static_cast<size_t>(list_.commitments_size()) == query_.page.limit) {
          list_.set_next_cursor(list_.commitments().rbegin()->cursor());
          return absl::OkStatus();
        }
        RAPPORT_RETURN_IF_ERROR(AddRow(entry, *item));
      }
      if (!entries.empty()) after = entries.back().place;
    }
    return absl::OkStatus();
  }

  absl::Status AddRow(const Entry& entry, const Item& item) {
    state::v1::ProfileState state;
    RAPPORT_ASSIGN_OR_RETURN(const bool found, view_.Get(entry.client_id, &state));
    if (!found) return absl::OkStatus();
    for (const auto& stored : state.commitments()) {
      if (stored.commitment_id() != item.key.commitment_id) continue;
      LedgerCommitment& row = *list_.add_commitments();
      row.set_commitment_id(stored.commitment_id());
      row.set_state(StateOf(stored, clock_));
      row.set_client_id(entry.client_id);
      row.set_client_name(state.details().name().text());
      row.set_owner_id(OwnerOf(state));
      row.set_promised_by_agent_id(stored.promised_by_agent_id());
      row.set_statement(stored.statement());
      if (stored.has_made()) *row.mutable_made_at() = stored.made().occurred_at();
      if (stored.has_due_at()) *row.mutable_due_at() = stored.due_at();
      if (!IsOpen(stored)) *row.mutable_ended_at() = stored.ended().occurred_at();
      if (stored.has_moved()) *row.mutable_moved_at() = stored.moved().occurred_at();
      row.set_moved_with_consent(stored.moved_with_consent());
      row.set_segment(state.details().segment().segment());
      row.set_key_account(state.details().key_account().flag());
      row.set_cursor(EncodeCursor(entry.place));
    }
    return absl::OkStatus();
  }

  const ProjectionView& view_;
  const absl::Time clock_;
  const CommitmentQuery& query_;
  std::vector<Entry> of_client_;
  std::string prefix_;  // of all places that are read
  CommitmentList list_;
};

absl::StatusOr<CommitmentQuery> ReadQuery(const ProjectionHost& host, const HttpRequest& request) {
  CommitmentQuery query;
  RAPPORT_ASSIGN_OR_RETURN(query.owners, OwnerFilter::Of(request, host.env().http->access()));
  query.promiser = request.Query("promiser");
  query.client = request.Query("client");
  if (const auto state = request.Query("state")) {
    RAPPORT_ASSIGN_OR_RETURN(const int number,
                             ParseEnum("state", *state, *query::v1::CommitmentState_descriptor()));
    query.state = static_cast<CommitmentState>(number);
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> from, QueryTime(request, "from"));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<absl::Time> to, QueryTime(request, "to"));
  query.from = from.value_or(absl::InfinitePast());
  query.to = to.value_or(absl::InfiniteFuture());
  if (query.from >= query.to) {
    return absl::InvalidArgumentError("to: is not after from; give a later time");
  }
  const std::string by = request.Query("by").value_or("owner");
  if (by != "owner" && by != "promiser") {
    return absl::InvalidArgumentError(absl::StrCat("by is '", by, "'; there are: owner, promiser"));
  }
  query.by_promiser = by == "promiser";
  std::string prefix;
  if (query.promiser && !query.client) AppendKeyString(&prefix, *query.promiser);
  RAPPORT_ASSIGN_OR_RETURN(query.page, ReadPageRequest(request, prefix));
  return query;
}

}  // namespace

absl::StatusOr<CommitmentList> ReadCommitments(const ProjectionView& view, absl::Time clock,
                                               const CommitmentQuery& query) {
  return Ledger(view, clock, query).Read();
}

absl::StatusOr<CommitmentList> AnswerCommitments(const ProjectionHost& host,
                                                 const HttpRequest& request) {
  RAPPORT_ASSIGN_OR_RETURN(const CommitmentQuery query, ReadQuery(host, request));
  RAPPORT_ASSIGN_OR_RETURN(ProjectionHost::Reading reading, host.ReadAll());
  RAPPORT_ASSIGN_OR_RETURN(CommitmentList list,
                           ReadCommitments(reading.view, reading.clock, query));
  *list.mutable_watermark() = std::move(reading.watermark);
  return list;
}

}  // namespace rapport
