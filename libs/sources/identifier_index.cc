#include "libs/sources/identifier_index.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/bytes.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/projector/stored_state.h"
#include "libs/projector/touchpoint_peek.h"
#include "rapport/state/v1/store.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

namespace rapport {
namespace {

using state::v1::ClaimRow;
using touchpoint::v1::Touchpoint;

// Merges of merges are followed so far; a longer chain is a circle.
constexpr size_t kLongestChain = 64;
// Clients of a shared identifier that are told.
constexpr size_t kMostListed = 20;

// Tag of former_client_ids on the wire.
constexpr char kFormerTag[] = "\x8a\x01";
static_assert(Touchpoint::kFormerClientIdsFieldNumber == 17);

// Whether a touchpoint can change what the projection knows of its client; true more often than it
// does.
bool MayChange(const RecordView& record) {
  switch (PeekPayload(record.value)) {
    case Touchpoint::kCallCompleted:
    case Touchpoint::kEmailExchanged:
      return IsProvisional(record.key) || absl::StrContains(record.value, kFormerTag);
    case Touchpoint::kClientRegistered:
    case Touchpoint::kStakeholderAdded:
    case Touchpoint::kStakeholderChanged:
    case Touchpoint::kStakeholderLeft:
    case Touchpoint::kIdentifierLinked:
    case Touchpoint::kIdentifierUnlinked:
    case Touchpoint::kClientsMerged:
    case Touchpoint::kClientsSplit:
    case Touchpoint::kHistoryReopened:
    case Touchpoint::kHistoryClosed:
    // A dead letter may be of any client that waits behind it.
    case Touchpoint::kDeadLetterRetried:
    case Touchpoint::kDeadLetterSkipped:
      return true;
    default:
      return false;
  }
}

// Adds the clients who go on under another and whose own history is forgotten.
absl::Status ReadRetold(const StateStore& store,
                        absl::flat_hash_map<std::string, std::string>* absorbed) {
  const std::string begin = kRetoldClientPrefix;
  std::string end = begin;
  ++end.back();
  return store.Scan(Family::kMeta, begin, end, [&](absl::string_view key, absl::string_view value) {
    key.remove_prefix(begin.size());
    std::string client;
    state::v1::RetoldClient retold;
    if (ConsumeKeyString(&key, &client) &&
        retold.ParseFromArray(value.data(), static_cast<int>(value.size())) &&
        !retold.absorbed_into_client_id().empty()) {
      (*absorbed)[client] = retold.absorbed_into_client_id();
    }
    return true;
  });
}

std::string SortKeyOf(absl::string_view key) {
  std::string sort_key;
  AppendKeyString(&sort_key, key);
  return sort_key;
}

}  // namespace

IdentifierIndex::IdentifierIndex(EventLog* log, const LogTopics& topics, Options options)
    : options_(std::move(options)),
      topic_(topics.touchpoints),
      spec_(IdentitySettings{options_.rules.forms}),
      log_(log, topics.touchpoints,
           [this](Partition partition, absl::Span<const RecordView> records) {
             Observe(partition, records);
           }) {}

IdentifierIndex::~IdentifierIndex() {
  // Its last commits still call Refresh, which reads projector_.
  if (projector_ != nullptr) projector_->Stop();
}

absl::StatusOr<std::unique_ptr<IdentifierIndex>> IdentifierIndex::Start(EventLog* log,
                                                                        const LogTopics& topics,
                                                                        StoreResources* resources,
                                                                        CacheBudget* budget,
                                                                        const Options& options) {
  auto index = std::unique_ptr<IdentifierIndex>(new IdentifierIndex(log, topics, options));
  const ProjectionEnv env = {.log = &index->log_,
                             .topics = topics,
                             .spec = &index->spec_,
                             .resources = resources,
                             .budget = budget};
  RAPPORT_RETURN_IF_ERROR(BringUpToDate(env, options.folder, {}));
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log->PartitionCount(topics.touchpoints));
  Projector::Options projector = {.folder = options.folder,
                                  .group = options.group,
                                  .member = options.member,
                                  .least_partitions = partitions,
                                  .fold = options.fold};
  projector.on_commit = [raw = index.get()](Partition partition, absl::Duration) {
    raw->Refresh(partition);
  };
  RAPPORT_ASSIGN_OR_RETURN(index->projector_, Projector::Start(env, projector));
  return index;
}

void IdentifierIndex::Observe(Partition partition, absl::Span<const RecordView> records) {
  MutexLock lock(&mutex_);
  if (!observing_) return;
  std::deque<Touched>& touched = touched_[partition];
  for (const RecordView& record : records) {
    if (!MayChange(record)) continue;
    touched.push_back({record.offset, std::string(record.key)});
  }
}

absl::Status IdentifierIndex::Load(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  RAPPORT_RETURN_IF_ERROR(projector_->CatchUp(timeout));
  {
    MutexLock lock(&mutex_);
    observing_ = true;
  }
  // What was polled before records were observed is committed once this is over.
  RAPPORT_RETURN_IF_ERROR(projector_->CatchUp(deadline - absl::Now()));
  const ProjectionView view = View();
  RAPPORT_RETURN_IF_ERROR(LoadFrom(view));
  {
    MutexLock lock(&mutex_);
    loaded_ = true;
  }
  for (int i = 0; i < projector_->partition_count(); ++i) Refresh(Partition(i));
  return absl::OkStatus();
}

absl::Status IdentifierIndex::LoadFrom(const ProjectionView& view) {
  MutexLock lock(&mutex_);
  RAPPORT_RETURN_IF_ERROR(Fill(view, &table_));
  for (const IdentifierTable::Key& key : table_.SharedKeys()) NoteMeetings(key);
  return absl::OkStatus();
}

absl::Status IdentifierIndex::Fill(const ProjectionView& view, IdentifierTable* table) const {
  struct Loaded {
    bool registered = false;
    std::vector<IdentifierTable::Claim> claims;
  };
  // One client after the other would be a read of the store each; the lists come in one stretch.
  absl::flat_hash_map<std::string, Loaded> clients;
  absl::flat_hash_map<std::string, std::string> absorbed;
  RAPPORT_RETURN_IF_ERROR(
      view.Scan(kClientsByIdentifierIndex, {}, [&](const ProjectionView::IndexEntry& entry) {
        absl::string_view rest = entry.sort_key;
        std::string key;
        ClaimRow row;
        if (!ConsumeKeyString(&rest, &key) || !row.ParseFromString(entry.value)) return true;
        Loaded& loaded = clients[entry.client_id];
        loaded.registered = row.registered();
        loaded.claims.push_back({table->KeyFor(key), row.former_client_ids_size() > 0});
        return true;
      }));
  RAPPORT_RETURN_IF_ERROR(
      view.Scan(kAbsorbedIndex, {}, [&](const ProjectionView::IndexEntry& entry) {
        absl::string_view rest = entry.sort_key;
        ConsumeKeyString(&rest, &absorbed[entry.client_id]);
        return true;
      }));
  for (const auto& [partition, store] : projector_->Stores()) {
    RAPPORT_RETURN_IF_ERROR(ReadRetold(*store, &absorbed));
  }
  for (const auto& [client, survivor] : absorbed) clients[client];
  for (const auto& [client, loaded] : clients) {
    const auto survivor = absorbed.find(client);
    table->Put(client, IsProvisional(client) && !loaded.registered,
               survivor == absorbed.end() ? "" : survivor->second, loaded.claims);
  }
  return absl::OkStatus();
}

absl::StatusOr<VerifyResult> IdentifierIndex::Verify(const std::string& scratch_folder,
                                                     const RebuildOptions& options) {
  RAPPORT_RETURN_IF_ERROR(Ready());
  RAPPORT_ASSIGN_OR_RETURN(VerifyResult result,
                           rapport::Verify(*projector_, scratch_folder, options));
  std::string different;
  // The table is compared with what is stored while nothing is committed.
  RAPPORT_RETURN_IF_ERROR(
      projector_->WhilePaused([&](Projector::Workers*, Generations*) -> absl::Status {
        RAPPORT_ASSIGN_OR_RETURN(different, CompareTable());
        return absl::OkStatus();
      }));
  if (different.empty()) return result;
  const Partition partition = PartitionOf(different, projector_->partition_count());
  for (VerifyResult::PartitionResult& verified : result.partitions) {
    if (verified.partition != partition) continue;
    verified.in_memory = absl::StrCat("what is known of client '", different, "' in memory");
  }
  return result;
}

absl::StatusOr<std::string> IdentifierIndex::CompareTable() {
  for (int i = 0; i < projector_->partition_count(); ++i) Refresh(Partition(i));
  std::optional<IdentifierTable> stored;
  {
    MutexLock lock(&mutex_);
    stored.emplace(table_.seed());
  }
  RAPPORT_RETURN_IF_ERROR(Fill(View(), &*stored));
  MutexLock lock(&mutex_);
  return table_.FirstDifference(*stored);
}

void IdentifierIndex::Refresh(Partition partition) {
  {
    // The projector is there once it is loaded.
    MutexLock lock(&mutex_);
    if (!loaded_) return;
  }
  const std::shared_ptr<StateStore> store = projector_->StoreOf(partition);
  if (store == nullptr) return;
  const ProjectionView view(projector_->partition_count(), {{partition, store}});
  const auto positions = view.Positions();
  if (!positions.ok()) return;
  MutexLock lock(&mutex_);
  std::deque<Touched>& touched = touched_[partition];
  std::set<std::string> clients;
  while (!touched.empty() && touched.front().offset < positions->front().position) {
    clients.insert(std::move(touched.front().client_id));
    touched.pop_front();
  }
  for (const std::string& client : clients) {
    if (const absl::Status status = RefreshClient(view, client); !status.ok()) {
      Log(LogLevel::kWarning, absl::StrCat("identifiers of ", client, ": ", status.message()));
    }
  }
}

absl::Status IdentifierIndex::RefreshClient(const ProjectionView& view,
                                            const std::string& client_id) {
  state::v1::IdentityState state;
  RAPPORT_RETURN_IF_ERROR(view.Get(client_id, &state).status());
  std::string survivor = state.absorbed().survivor_client_id();
  if (survivor.empty()) {
    // Once its history has been told under the survivor, nothing of its own is left.
    RAPPORT_ASSIGN_OR_RETURN(survivor, view.AbsorbedInto(client_id));
  }
  std::vector<IdentifierTable::Claim> claims;
  for (const auto& [key, row] : ClaimsOf(state))
    claims.push_back({table_.KeyFor(key), row.former_client_ids_size() > 0});
  table_.Put(client_id, IsProvisional(client_id) && !state.registered(), survivor, claims);
  for (const IdentifierTable::Claim& claim : claims) NoteMeetings(claim.key);
  return absl::OkStatus();
}

void IdentifierIndex::NoteMeetings(const IdentifierTable::Key& key) {
  std::vector<IdentifierTable::Claimant> claimants;
  table_.Find(key, &claimants);
  if (claimants.size() < 2 ||
      claimants.size() > static_cast<size_t>(options_.rules.shared_by_clients) + kMostListed) {
    return;
  }
  for (const IdentifierTable::Claimant& claimant : claimants) {
    if (!claimant.provisional || !claimant.survivor.empty()) continue;
    meetings_.insert(std::string(claimant.client_id));
    met_.SignalAll();
  }
}

std::vector<std::string> IdentifierIndex::AwaitMeetings(absl::Duration wait) {
  MutexLock lock(&mutex_);
  if (meetings_.empty()) met_.WaitFor(&mutex_, wait);
  std::vector<std::string> clients(meetings_.begin(), meetings_.end());
  meetings_.clear();
  return clients;
}

absl::Status IdentifierIndex::CatchUp(absl::Duration timeout) {
  RAPPORT_RETURN_IF_ERROR(projector_->CatchUp(timeout));
  for (int i = 0; i < projector_->partition_count(); ++i) Refresh(Partition(i));
  return absl::OkStatus();
}

absl::Status IdentifierIndex::Ready() const {
  {
    MutexLock lock(&mutex_);
    if (!loaded_) return absl::UnavailableError("the identifiers are being loaded");
  }
  if (const absl::Status reading = projector_->ReadingTrouble(); !absl::IsUnavailable(reading)) {
    RAPPORT_RETURN_IF_ERROR(Annotate(reading, "identity cannot read the log"));
  }
  const size_t open = projector_->Stores().size();
  if (open == static_cast<size_t>(projector_->partition_count())) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "identity: ", open, " of ", projector_->partition_count(), " partitions are open"));
}

ProjectionView IdentifierIndex::View() const {
  return ProjectionView(projector_->partition_count(), projector_->Stores());
}

KnownClient IdentifierIndex::FollowLocked(absl::string_view client_id) const {
  KnownClient known;
  IdentifierTable::Claimant at;
  const absl::string_view asked = client_id;
  while (table_.FindClient(client_id, &at)) {
    known.provisional = at.provisional;
    if (at.survivor.empty()) break;
    if (known.former_client_ids.size() == kLongestChain) {
      // One of its merges is going to be refused; until then nobody goes on.
      known.former_client_ids.clear();
      client_id = asked;
      break;
    }
    known.former_client_ids.emplace_back(client_id);
    client_id = at.survivor;
  }
  known.client_id = std::string(client_id);
  if (!table_.FindClient(client_id, &at)) known.provisional = IsProvisional(client_id);
  return known;
}

KnownClient IdentifierIndex::Follow(const std::string& client_id) const {
  MutexLock lock(&mutex_);
  return FollowLocked(client_id);
}

std::vector<IdentifierIndex::Reached> IdentifierIndex::Reach(
    const std::string& identifier_key) const {
  std::vector<Reached> reached;
  std::vector<IdentifierTable::Claimant> claimants;
  MutexLock lock(&mutex_);
  table_.Find(table_.KeyFor(identifier_key), &claimants);
  for (const IdentifierTable::Claimant& claimant : claimants) {
    Reached one{.claimant = std::string(claimant.client_id), .of_former = claimant.of_former};
    if (claimant.survivor.empty()) {
      one.client = {.client_id = one.claimant, .provisional = claimant.provisional};
    } else {
      one.client = FollowLocked(claimant.client_id);
    }
    const auto same = std::find_if(reached.begin(), reached.end(), [&](const Reached& other) {
      return other.client.client_id == one.client.client_id;
    });
    if (same == reached.end()) {
      reached.push_back(std::move(one));
    } else if (one.client.former_client_ids.size() < same->client.former_client_ids.size()) {
      *same = std::move(one);
    }
  }
  std::sort(reached.begin(), reached.end(), [](const Reached& a, const Reached& b) {
    if (a.client.provisional != b.client.provisional) return b.client.provisional;
    return a.client.client_id < b.client.client_id;
  });
  return reached;
}

void IdentifierIndex::Complete(const Identifier& identifier, bool latest_first,
                               std::vector<Reached>* reached) const {
  const bool of_former = std::any_of(reached->begin(), reached->end(),
                                     [](const Reached& one) { return one.of_former; });
  if (!latest_first && !of_former) return;
  const auto claims = Claims(identifier);
  if (!claims.ok()) return;
  std::map<std::string, ClaimRow> rows(claims->begin(), claims->end());
  for (Reached& one : *reached) {
    const auto& former = rows[one.claimant].former_client_ids();
    one.client.former_client_ids.insert(one.client.former_client_ids.begin(), former.begin(),
                                        former.end());
  }
  if (!latest_first) return;
  std::stable_sort(reached->begin(), reached->end(), [&](const Reached& a, const Reached& b) {
    if (a.client.provisional != b.client.provisional) return b.client.provisional;
    return FromProto(rows[a.claimant].claimed_at()) > FromProto(rows[b.claimant].claimed_at());
  });
}

Identification IdentifierIndex::Find(const Identifier& identifier) const {
  const std::string key = KeyOf(identifier);
  Identification found;
  {
    // Nearly always it is nobody's, or one client's that was never merged.
    IdentifierTable::Claimant first;
    MutexLock lock(&mutex_);
    found.client_count = table_.FindFirst(table_.KeyFor(key), &first);
    if (found.client_count == 0) return found;
    if (found.client_count == 1 && first.survivor.empty() && !first.of_former) {
      found.standing = Standing::kOne;
      found.clients.push_back(
          {.client_id = std::string(first.client_id), .provisional = first.provisional});
      return found;
    }
  }
  std::vector<Reached> reached = Reach(key);
  found.client_count = reached.size();
  if (reached.empty()) return found;
  const auto registered = std::count_if(reached.begin(), reached.end(),
                                        [](const Reached& one) { return !one.client.provisional; });
  const bool shared = reached.size() >= static_cast<size_t>(options_.rules.shared_by_clients);
  found.standing = shared           ? Standing::kShared
                   : registered > 1 ? Standing::kContradiction
                                    : Standing::kOne;
  if (shared && reached.size() > kMostListed) reached.resize(kMostListed);
  Complete(identifier, found.standing == Standing::kContradiction, &reached);
  for (Reached& one : reached) found.clients.push_back(std::move(one.client));
  return found;
}

absl::StatusOr<std::vector<std::pair<std::string, ClaimRow>>> IdentifierIndex::Claims(
    const Identifier& identifier) const {
  std::vector<std::pair<std::string, ClaimRow>> claims;
  const ProjectionView view = View();
  RAPPORT_RETURN_IF_ERROR(view.Scan(
      kClientsByIdentifierIndex, {.prefix = SortKeyOf(KeyOf(identifier))},
      [&](const ProjectionView::IndexEntry& entry) {
        claims.emplace_back(entry.client_id, ClaimRow()).second.ParseFromString(entry.value);
        return true;
      }));
  return claims;
}

std::vector<std::pair<IdentifierTable::Key, std::string>> IdentifierIndex::SharedWithClient()
    const {
  std::vector<std::pair<IdentifierTable::Key, std::string>> shared;
  std::vector<IdentifierTable::Claimant> claimants;
  MutexLock lock(&mutex_);
  for (const IdentifierTable::Key& key : table_.SharedKeys()) {
    claimants.clear();
    table_.Find(key, &claimants);
    shared.emplace_back(key, claimants.front().client_id);
  }
  return shared;
}

absl::StatusOr<std::vector<Identifier>> IdentifierIndex::Contradictions(
    size_t limit, const std::function<bool(const Identification& found)>& counts) const {
  std::vector<Identifier> found;
  const ProjectionView view = View();
  for (const auto& [key, client] : SharedWithClient()) {
    if (found.size() == limit) break;
    // The table has hashes alone: the text stands in the client's state.
    state::v1::IdentityState state;
    RAPPORT_RETURN_IF_ERROR(view.Get(client, &state).status());
    for (const auto& [text, row] : ClaimsOf(state)) {
      {
        MutexLock lock(&mutex_);
        if (table_.KeyFor(text) != key) continue;
      }
      RAPPORT_ASSIGN_OR_RETURN(Identifier identifier, ParseKey(text));
      const Identification named = Find(identifier);
      if (named.standing == Standing::kContradiction && counts(named)) {
        found.push_back(std::move(identifier));
      }
    }
  }
  return found;
}

absl::Status IdentifierIndex::EachMetContradiction(
    const std::function<void(const std::string& client_id, const state::v1::MetContradiction& met)>&
        visit) const {
  state::v1::MetContradiction met;
  bool damaged = false;
  RAPPORT_RETURN_IF_ERROR(
      View().Scan(kContradictionsIndex, {}, [&](const ProjectionView::IndexEntry& entry) {
        if (!met.ParseFromString(entry.value)) return !(damaged = true);
        visit(entry.client_id, met);
        return true;
      }));
  return damaged ? absl::DataLossError("a stored contradiction of identities does not parse")
                 : absl::OkStatus();
}

absl::Status IdentifierIndex::EachDistinctPair(
    const std::function<void(const std::string& client_id, const std::string& other_client_id)>&
        visit) const {
  bool damaged = false;
  RAPPORT_RETURN_IF_ERROR(
      View().Scan(kDistinctIndex, {}, [&](const ProjectionView::IndexEntry& entry) {
        absl::string_view key = entry.sort_key;
        std::string other;
        if (!ConsumeKeyString(&key, &other)) return !(damaged = true);
        visit(entry.client_id, other);
        return true;
      }));
  return damaged ? absl::DataLossError("a stored pair of distinct clients does not parse")
                 : absl::OkStatus();
}

absl::StatusOr<bool> IdentifierIndex::AreDistinct(const std::string& client_id,
                                                  const std::string& other_client_id) const {
  const ProjectionView view = View();
  state::v1::IdentityState state;
  for (const auto& [one, other] :
       {std::tie(client_id, other_client_id), std::tie(other_client_id, client_id)}) {
    RAPPORT_RETURN_IF_ERROR(view.Get(one, &state).status());
    const auto& distinct = state.distinct_clients();
    if (std::any_of(distinct.begin(), distinct.end(),
                    [&id = other](const auto& it) { return it.other_client_id() == id; })) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<std::vector<ClientJoin>> IdentifierIndex::JoinsOf(
    const std::string& client_id) const {
  std::vector<ClientJoin> joins;
  state::v1::IdentityState state;
  const ProjectionView view = View();
  RAPPORT_RETURN_IF_ERROR(view.Get(client_id, &state).status());
  if (!IsProvisional(client_id) || state.registered() ||
      !state.absorbed().survivor_client_id().empty()) {
    return joins;
  }
  std::set<std::string> registered;
  for (const auto& [key, own] : ClaimsOf(state)) {
    RAPPORT_ASSIGN_OR_RETURN(const Identifier identifier, ParseKey(key));
    const Identification found = Find(identifier);
    if (found.standing == Standing::kContradiction) return std::vector<ClientJoin>();
    if (found.standing != Standing::kOne) continue;
    const KnownClient& first = found.clients.front();
    if (!first.provisional) registered.insert(first.client_id);
    if (first.client_id == client_id) continue;
    RAPPORT_ASSIGN_OR_RETURN(const bool distinct, AreDistinct(client_id, first.client_id));
    if (distinct) continue;
    RAPPORT_ASSIGN_OR_RETURN(const auto claims, Claims(identifier));
    absl::Time since = FromProto(own.claimed_at());
    for (const auto& [claimant, row] : claims) {
      if (claimant == first.client_id) since = std::max(since, FromProto(row.claimed_at()));
    }
    joins.push_back({client_id, first.client_id, identifier, since});
  }
  if (registered.size() > 1) return std::vector<ClientJoin>();
  // One at a time; a registered client goes before another provisional one.
  std::stable_sort(joins.begin(), joins.end(), [&](const ClientJoin& a, const ClientJoin& b) {
    return registered.count(a.survivor_client_id) > registered.count(b.survivor_client_id);
  });
  if (joins.size() > 1) joins.resize(1);
  return joins;
}

absl::StatusOr<bool> IdentifierIndex::WasRetold(const std::string& client_id) const {
  const Partition partition = PartitionOf(client_id, projector_->partition_count());
  const std::shared_ptr<StateStore> store = projector_->StoreOf(partition);
  if (store == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("identity: partition ", partition.value(), " is not open"));
  }
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> retold,
                           store->Get(Family::kMeta, RetoldClientKey(client_id)));
  return retold.has_value();
}

size_t IdentifierIndex::identifier_count() const {
  MutexLock lock(&mutex_);
  return table_.identifier_count();
}

size_t IdentifierIndex::memory_bytes() const {
  MutexLock lock(&mutex_);
  return table_.memory_bytes();
}

}  // namespace rapport
