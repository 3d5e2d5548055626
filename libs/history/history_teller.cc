#include "libs/history/history_teller.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/history/merge_orders.h"
#include "libs/history/touchpoint_path.h"
#include "libs/projector/touchpoint_peek.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"

namespace rapport {
namespace {

using state::v1::ClientMerge;
using touchpoint::v1::Touchpoint;

constexpr char kSource[] = "rapport/history";
constexpr size_t kRecordsPerAppend = 1000;
constexpr absl::Duration kNoteEvery = absl::Seconds(10);

// A mark of a retelling. Its event id is made of what it marks, so that doing it once more changes
// nothing.
Touchpoint MakeMark(const std::string& client, const std::string& retelling_id,
                    absl::string_view what, absl::Time now) {
  Touchpoint mark;
  mark.set_client_id(client);
  mark.set_source(kSource);
  mark.set_source_event_id(
      absl::StrCat(what, "/", absl::BytesToHexString(MakeEventId(client, retelling_id).view())));
  mark.set_event_id(std::string(MakeEventId(kSource, mark.source_event_id()).view()));
  ToProto(now, mark.mutable_occurred_at());
  ToProto(now, mark.mutable_recorded_at());
  return mark;
}

bool IsOrder(int payload) {
  return payload == Touchpoint::kClientsMerged || payload == Touchpoint::kClientsSplit ||
         payload == Touchpoint::kTouchpointCorrected;
}

bool IsMark(int payload) {
  return payload == Touchpoint::kHistoryReopened || payload == Touchpoint::kHistoryClosed;
}

}  // namespace

HistoryTeller::HistoryTeller(EventLog* log, Options options)
    : log_(*log),
      options_(std::move(options)),
      ledger_(log, options_.notes_topic),
      books_(log, options_.topics.touchpoints) {}

absl::StatusOr<std::unique_ptr<HistoryTeller>> HistoryTeller::TakeOver(EventLog* log,
                                                                       Options options) {
  auto teller = std::unique_ptr<HistoryTeller>(new HistoryTeller(log, std::move(options)));
  const std::string& topic = teller->options_.topics.touchpoints;
  RAPPORT_RETURN_IF_ERROR(teller->ledger_.Refresh());
  RAPPORT_ASSIGN_OR_RETURN(const int partitions, log->PartitionCount(topic));
  for (int i = 0; i < partitions; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log->GetWatermarks(topic, Partition(i)));
    Follower& follower = teller->followers_[Partition(i)];
    follower.noted = teller->ledger_.PositionOf(Partition(i));
    follower.next = std::max(follower.noted, marks.begin);
    follower.taken_over = marks.end;
    RAPPORT_ASSIGN_OR_RETURN(follower.reader, log->OpenReader(topic, Partition(i), follower.next));
  }
  return teller;
}

absl::StatusOr<int64_t> HistoryTeller::Step() {
  int64_t records = 0;
  for (auto& [partition, follower] : followers_) {
    RAPPORT_ASSIGN_OR_RETURN(const int64_t looked_at, StepPartition(partition, follower));
    records += looked_at;
  }
  return records;
}

absl::StatusOr<int64_t> HistoryTeller::StepPartition(Partition partition, Follower& follower) {
  int64_t records = 0;
  RAPPORT_ASSIGN_OR_RETURN(const std::vector<Order> orders, ReadOrders(follower, &records));
  RAPPORT_RETURN_IF_ERROR(CarryOut(partition, follower, orders));
  follower.next = follower.reader->position();
  const bool due = follower.next > follower.noted && options_.now() - noted_at_ >= kNoteEvery;
  // At once where something was done: only the last of it is done twice.
  if (!orders.empty() || due) RAPPORT_RETURN_IF_ERROR(Note(partition, follower));
  return records;
}

absl::StatusOr<std::vector<HistoryTeller::Order>> HistoryTeller::ReadOrders(Follower& follower,
                                                                            int64_t* records) {
  std::vector<Order> orders;
  absl::flat_hash_set<std::string> absorbed_here;
  const auto take = [&](const RecordView& record) {
    const int payload = PeekPayload(record.value);
    if (payload == 0 || IsMark(payload)) return;
    const std::string client(record.key);
    const bool is_order = IsOrder(payload);
    if (!is_order && !absorbed_here.contains(client) && ledger_.AbsorbedBy(client) == nullptr) {
      return;
    }
    Order order{record.offset, {}};
    const auto size = static_cast<int>(record.value.size());
    // What does not parse is a dead letter of each projection.
    if (!order.touchpoint.ParseFromArray(record.value.data(), size)) return;
    if (order.touchpoint.client_id() != client) return;
    if (order.touchpoint.has_clients_merged()) absorbed_here.insert(client);
    orders.push_back(std::move(order));
  };
  // A read gives what was appended at once, which may be one record. All that waits is looked at,
  // since a client's history is told once for all of it.
  for (size_t looked_at = 0; looked_at < options_.batch_records;) {
    RAPPORT_ASSIGN_OR_RETURN(
        const absl::Span<const RecordView> read,
        follower.reader->Read(options_.batch_records - looked_at, absl::ZeroDuration()));
    if (read.empty()) break;
    for (const RecordView& record : read) take(record);
    looked_at += read.size();
    *records += static_cast<int64_t>(read.size());
  }
  return orders;
}

std::set<std::string> HistoryTeller::ClientsOf(const Follower& follower,
                                               const std::vector<Order>& orders) const {
  std::set<std::string> clients;
  const auto add = [&](const std::string& client) {
    for (std::string& one : ledger_.PathOf(client)) clients.insert(std::move(one));
  };
  for (const Order& order : orders) {
    const Touchpoint& touchpoint = order.touchpoint;
    const bool forwards = !IsOrder(touchpoint.payload_case());
    if (forwards && order.offset >= follower.taken_over) continue;
    add(touchpoint.client_id());
    if (touchpoint.has_clients_merged()) add(touchpoint.clients_merged().survivor_client_id());
    if (touchpoint.has_touchpoint_corrected()) {
      // Corrections may stand under any of them.
      for (std::string& one : ledger_.AbsorbedUnder(ledger_.RootOf(touchpoint.client_id()))) {
        clients.insert(std::move(one));
      }
    }
  }
  return clients;
}

absl::Status HistoryTeller::CarryOut(Partition partition, const Follower& follower,
                                     const std::vector<Order>& orders) {
  if (orders.empty()) return absl::OkStatus();
  RAPPORT_RETURN_IF_ERROR(books_.Update(ClientsOf(follower, orders)));
  WaitingCorrections waiting;
  for (const Order& order : orders) {
    const std::string& client = order.touchpoint.client_id();
    absl::Status status;
    switch (order.touchpoint.payload_case()) {
      case Touchpoint::kClientsMerged:
        status = CorrectWaiting("", waiting);
        if (status.ok()) status = Merge(order);
        break;
      case Touchpoint::kClientsSplit:
        status = CorrectWaiting("", waiting);
        if (status.ok()) status = Split(order);
        break;
      case Touchpoint::kTouchpointCorrected:
        if (!Touchpoint().ParseFromString(order.touchpoint.touchpoint_corrected().correction())) {
          Log(LogLevel::kWarning,
              absl::StrCat("a correction of client '", client, "' holds no touchpoint"));
          break;
        }
        waiting.try_emplace(client, CorrectionRun{client, order.offset, order.offset})
            .first->second.last = order.offset;
        break;
      default:
        status = CorrectWaiting(ledger_.RootOf(client), waiting);
        if (status.ok()) status = Forward(follower, order);
    }
    RAPPORT_RETURN_IF_ERROR(
        Annotate(status, absl::StrCat("the record at offset ", order.offset.value(),
                                      " of partition ", partition.value())));
  }
  RAPPORT_RETURN_IF_ERROR(Annotate(CorrectWaiting("", waiting),
                                   absl::StrCat("corrections of partition ", partition.value())));
  books_.Clear();
  return absl::OkStatus();
}

absl::Status HistoryTeller::Merge(const Order& order) {
  const std::string& client = order.touchpoint.client_id();
  ClientMerge merge = MergeOf(order.touchpoint);
  if (ledger_.Find(merge.merge_id()) != nullptr) return absl::OkStatus();
  const std::string& absorbed = merge.absorbed_client_id();
  const std::string& survivor = merge.survivor_client_id();
  if (absorbed != client) {
    merge.set_refusal("it stands under another client than the absorbed one");
  } else if (absorbed == survivor) {
    merge.set_refusal(absl::StrCat("client '", absorbed, "' cannot be merged into itself"));
  } else if (const ClientMerge* by = ledger_.AbsorbedBy(absorbed)) {
    merge.set_refusal(absl::StrCat("client '", absorbed, "' goes on under '",
                                   by->survivor_client_id(), "' already"));
  } else if (ledger_.RootOf(survivor) == absorbed) {
    merge.set_refusal(
        absl::StrCat("client '", survivor, "' goes on under '", absorbed, "' itself"));
    RAPPORT_RETURN_IF_ERROR(TakeBack(merge));
  }
  if (!merge.refusal().empty()) {
    Log(LogLevel::kWarning, absl::StrCat("merge ", merge.merge_id(), ": ", merge.refusal()));
    merge.set_state(state::v1::MERGE_STATE_REFUSED);
    Change(merge);
    return absl::OkStatus();
  }
  RAPPORT_RETURN_IF_ERROR(CarryOutMerge(merge));
  merge.set_state(state::v1::MERGE_STATE_DONE);
  Change(merge);
  return CorrectAfterMerge(merge);
}

absl::Status HistoryTeller::TakeBack(const ClientMerge& refused) {
  const std::string& client = refused.absorbed_client_id();
  // Later than the merge, so that it holds.
  const absl::Time at =
      std::max(options_.now(), FromProto(refused.decided_at()) + absl::Nanoseconds(1));
  Touchpoint split = MakeMark(client, refused.merge_id(), "refused", at);
  split.mutable_clients_split()->set_separated_client_id(client);
  split.mutable_clients_split()->set_survivor_client_id(refused.survivor_client_id());
  split.mutable_clients_split()->set_merge_id(refused.merge_id());
  return Append(options_.topics.touchpoints, {MakeRecord(split)});
}

absl::Status HistoryTeller::CarryOutMerge(ClientMerge& merge) {
  const std::string& absorbed = merge.absorbed_client_id();
  const std::vector<std::string> path = ledger_.PathOf(merge.survivor_client_id());
  const std::string& root = path.back();
  RAPPORT_RETURN_IF_ERROR(books_.Update({absorbed, root}));
  Touchpoints history = books_.Of(absorbed).History();
  merge.set_touchpoints(static_cast<int64_t>(history.size()));
  if (!books_.Of(root).IsClosed(merge.merge_id())) {
    for (Touchpoint& touchpoint : history) MoveUp(path, &touchpoint);
    RAPPORT_RETURN_IF_ERROR(Reopen(root, merge.merge_id(), /*forgets=*/false));
    RAPPORT_RETURN_IF_ERROR(TellAndClose(root, merge.merge_id(), history));
  }
  // What comes under it from here on is forwarded.
  if (books_.Of(absorbed).IsClosed(merge.merge_id())) return absl::OkStatus();
  RAPPORT_RETURN_IF_ERROR(
      Reopen(absorbed, merge.merge_id(), /*forgets=*/true, merge.survivor_client_id()));
  return TellAndClose(absorbed, merge.merge_id(), {});
}

// Of a touchpoint that both have, readers keep the survivor's, which is not corrected when the
// correction was written while its client was not known to be the survivor: one whose history is
// being told anew is not found by its number.
absl::Status HistoryTeller::CorrectAfterMerge(const ClientMerge& merge) {
  const std::string& absorbed = merge.absorbed_client_id();
  const std::string root = ledger_.RootOf(absorbed);
  const std::string retelling = merge.merge_id() + "/corrected";
  std::vector<std::string> owners = ledger_.AbsorbedUnder(absorbed);
  owners.push_back(absorbed);
  std::set<std::string> clients(owners.begin(), owners.end());
  clients.insert(root);
  RAPPORT_RETURN_IF_ERROR(books_.Update(clients));
  if (books_.Of(root).IsClosed(retelling)) return absl::OkStatus();
  absl::flat_hash_set<std::string> told;
  for (const Touchpoint& one : books_.Of(root).History()) told.insert(one.event_id());
  // The newest of each.
  std::map<std::string, ClientBook::Correction> newest;
  for (const std::string& owner : owners) {
    for (const auto& [event_id, corrections] : books_.Of(owner).corrections()) {
      if (!told.contains(event_id)) continue;
      for (const ClientBook::Correction& correction : corrections) {
        const auto [it, added] = newest.try_emplace(event_id, correction);
        if (!added && correction.revision() > it->second.revision()) it->second = correction;
      }
    }
  }
  std::vector<ClientBook::Correction> corrections;
  for (auto& [event_id, correction] : newest) corrections.push_back(std::move(correction));
  return TellCorrected(root, retelling, corrections);
}

absl::Status HistoryTeller::Split(const Order& order) {
  const std::string& merge_id = order.touchpoint.clients_split().merge_id();
  const ClientMerge* known = ledger_.Find(merge_id);
  if (known == nullptr || known->state() != state::v1::MERGE_STATE_DONE ||
      known->absorbed_client_id() != order.touchpoint.client_id()) {
    Log(LogLevel::kInfo, absl::StrCat("there is no merge '", merge_id, "' of client '",
                                      order.touchpoint.client_id(), "' to be taken back"));
    return absl::OkStatus();
  }
  ClientMerge merge = *known;
  const std::string& absorbed = merge.absorbed_client_id();
  const std::string& survivor = merge.survivor_client_id();
  const std::string root = ledger_.RootOf(survivor);
  const std::string retelling = merge_id + "/split";
  RAPPORT_RETURN_IF_ERROR(books_.Update({absorbed, root}));
  // First the one who comes back: as long as it is not told to its end, the other has it all.
  if (!books_.Of(absorbed).IsClosed(retelling)) {
    RAPPORT_RETURN_IF_ERROR(Reopen(absorbed, retelling, /*forgets=*/true));
    // Now all is there that came before its mark, and is forgotten by it.
    RAPPORT_RETURN_IF_ERROR(books_.Update({absorbed, root}));
    Touchpoints history;
    std::set<std::string> ids;
    for (Touchpoint& touchpoint : books_.Of(root).History()) {
      if (!MoveDown(absorbed, survivor, &touchpoint)) continue;
      ids.insert(touchpoint.event_id());
      history.push_back(std::move(touchpoint));
    }
    for (Touchpoint& touchpoint : books_.Of(absorbed).History()) {
      if (ids.count(touchpoint.event_id()) == 0) history.push_back(std::move(touchpoint));
    }
    RAPPORT_RETURN_IF_ERROR(TellAndClose(absorbed, retelling, history));
  }
  if (!books_.Of(root).IsClosed(retelling)) {
    RAPPORT_RETURN_IF_ERROR(Reopen(root, retelling, /*forgets=*/true));
    RAPPORT_RETURN_IF_ERROR(books_.Update({root}));
    Touchpoints history = books_.Of(root).History();
    std::erase_if(history,
                  [&](Touchpoint touchpoint) { return MoveDown(absorbed, survivor, &touchpoint); });
    RAPPORT_RETURN_IF_ERROR(TellAndClose(root, retelling, history));
  }
  merge.set_state(state::v1::MERGE_STATE_SPLIT);
  Change(merge);
  return absl::OkStatus();
}

absl::Status HistoryTeller::CorrectWaiting(const std::string& root, WaitingCorrections& waiting) {
  for (auto it = waiting.begin(); it != waiting.end();) {
    if (!root.empty() && ledger_.RootOf(it->first) != root) {
      ++it;
      continue;
    }
    RAPPORT_RETURN_IF_ERROR(Correct(it->second));
    it = waiting.erase(it);
  }
  return absl::OkStatus();
}

// One that was begun and not told to its end is told anew with all that waits by then, under
// another id: to readers the begun one is as if it had not been.
absl::Status HistoryTeller::Correct(CorrectionRun run) {
  const std::string root = ledger_.RootOf(run.client);
  RAPPORT_RETURN_IF_ERROR(books_.Update({run.client, root}));
  run.first = std::max(run.first, books_.Of(root).CorrectedUpTo(run.client));
  if (run.first > run.last) return absl::OkStatus();
  return TellCorrected(root, run.RetellingId(),
                       books_.Of(run.client).CorrectionsIn(run.first, run.last));
}

absl::Status HistoryTeller::TellCorrected(const std::string& root, const std::string& retelling_id,
                                          const std::vector<ClientBook::Correction>& corrections) {
  if (corrections.empty()) return absl::OkStatus();
  // Other corrections stand under whom it belonged to at the time, or was taken to belong to.
  std::set<std::string> owners = {root};
  for (std::string& one : ledger_.AbsorbedUnder(root)) owners.insert(std::move(one));
  for (const ClientBook::Correction& one : corrections) owners.insert(one.order.client_id());
  Touchpoints history = books_.Of(root).History();
  for (const Touchpoint& one : history) {
    owners.insert(one.former_client_ids().begin(), one.former_client_ids().end());
  }
  RAPPORT_RETURN_IF_ERROR(books_.Update(owners));
  if (!PutCorrections(corrections, root, owners, &history) &&
      books_.Of(root).open_retelling() != retelling_id) {
    return absl::OkStatus();
  }
  RAPPORT_RETURN_IF_ERROR(Reopen(root, retelling_id, /*forgets=*/true));
  // Now all is there that came before its mark, and is forgotten by it.
  RAPPORT_RETURN_IF_ERROR(books_.Update({root}));
  history = books_.Of(root).History();
  PutCorrections(corrections, root, owners, &history);
  return TellAndClose(root, retelling_id, history);
}

bool HistoryTeller::PutCorrections(const std::vector<ClientBook::Correction>& corrections,
                                   const std::string& root, const std::set<std::string>& owners,
                                   Touchpoints* history) const {
  absl::flat_hash_map<std::string, size_t> places;
  for (size_t i = 0; i < history->size(); ++i) places.try_emplace((*history)[i].event_id(), i);
  bool changes = false;
  std::set<size_t> withdrawn;
  for (const ClientBook::Correction& one : corrections) {
    const Touchpoint& order = one.order;
    const std::string& client = order.client_id();
    // The book has none that does not parse.
    Touchpoint correction;
    correction.ParseFromString(order.touchpoint_corrected().correction());
    int64_t newest = one.revision();
    for (const std::string& owner : owners) {
      const Offset end = owner == client ? one.offset : Offset(std::numeric_limits<int64_t>::max());
      newest = books_.Of(owner).NewestRevision(correction.event_id(), end, newest);
    }
    if (newest > one.revision()) continue;
    if (order.touchpoint_corrected().withdrawn()) {
      if (const auto place = places.find(correction.event_id()); place != places.end()) {
        withdrawn.insert(place->second);
        changes = true;
      }
      continue;
    }
    const auto [place, added] = places.try_emplace(correction.event_id(), history->size());
    const Touchpoint* const told = added ? nullptr : &(*history)[place->second];
    correction.set_client_id(root);
    correction.clear_former_client_ids();
    if (told != nullptr) {
      *correction.mutable_former_client_ids() = told->former_client_ids();
    } else {
      const std::vector<std::string> path = ledger_.PathOf(client);
      for (size_t i = 0; i + 1 < path.size(); ++i) correction.add_former_client_ids(path[i]);
    }
    // Whom else the contact named is told beside the correction, or by what it takes the place of.
    if (correction.contradictions().empty()) {
      const bool told_anew = order.contradictions_size() > 0 || told == nullptr;
      *correction.mutable_contradictions() =
          told_anew ? order.contradictions() : told->contradictions();
    }
    if (told == nullptr) {
      history->push_back(std::move(correction));
    } else if (told->SerializeAsString() == correction.SerializeAsString()) {
      continue;
    } else {
      (*history)[place->second] = std::move(correction);
    }
    changes = true;
  }
  // From the back, so that the places of the others stay true.
  for (auto place = withdrawn.rbegin(); place != withdrawn.rend(); ++place) {
    history->erase(history->begin() + static_cast<std::ptrdiff_t>(*place));
  }
  return changes;
}

absl::Status HistoryTeller::Forward(const Follower& follower, const Order& order) {
  const std::vector<std::string> path = ledger_.PathOf(order.touchpoint.client_id());
  if (path.size() == 1) return absl::OkStatus();
  if (order.offset < follower.taken_over) {
    // The one before may have done so, and the merge may have been taken back since.
    RAPPORT_RETURN_IF_ERROR(books_.Update({path.back()}));
    if (books_.Of(path.back()).EverHad(order.touchpoint.event_id())) return absl::OkStatus();
  }
  Touchpoint moved = order.touchpoint;
  MoveUp({path.begin() + 1, path.end()}, &moved);
  return Append(options_.topics.touchpoints, {MakeRecord(moved)});
}

absl::Status HistoryTeller::Reopen(const std::string& client, const std::string& retelling_id,
                                   bool forgets, const std::string& absorbed_into) {
  Touchpoint mark = MakeMark(client, retelling_id, "reopened", options_.now());
  mark.mutable_history_reopened()->set_retelling_id(retelling_id);
  mark.mutable_history_reopened()->set_forgets(forgets);
  mark.mutable_history_reopened()->set_absorbed_into_client_id(absorbed_into);
  return Append(options_.topics.touchpoints, {MakeRecord(mark)});
}

absl::Status HistoryTeller::TellAndClose(const std::string& client, const std::string& retelling_id,
                                         const Touchpoints& history) {
  std::vector<Record> records;
  for (const Touchpoint& touchpoint : history) {
    records.push_back(MakeRecord(touchpoint));
    if (records.size() < kRecordsPerAppend) continue;
    RAPPORT_RETURN_IF_ERROR(Append(options_.topics.touchpoints, records));
    records.clear();
  }
  Touchpoint mark = MakeMark(client, retelling_id, "closed", options_.now());
  mark.mutable_history_closed()->set_retelling_id(retelling_id);
  records.push_back(MakeRecord(mark));
  return Append(options_.topics.touchpoints, records);
}

absl::Status HistoryTeller::Append(absl::string_view topic, const std::vector<Record>& records) {
  if (!options_.leads()) {
    return absl::AbortedError("another process tells the histories of clients now");
  }
  return log_.Append(topic, records).status();
}

void HistoryTeller::Change(const ClientMerge& merge) {
  state::v1::HistoryNote note;
  *note.add_merges() = merge;
  ToProto(options_.now(), note.mutable_merges(0)->mutable_changed_at());
  ledger_.Take(note);
  changed_[merge.merge_id()] = note.merges(0);
}

absl::Status HistoryTeller::Note(Partition partition, Follower& follower) {
  state::v1::HistoryNote note;
  state::v1::HistoryPosition* position = note.add_positions();
  position->set_partition(partition.value());
  position->set_offset(follower.next.value());
  for (const auto& [merge_id, merge] : changed_) *note.add_merges() = merge;
  RAPPORT_RETURN_IF_ERROR(Append(options_.notes_topic, {{.value = note.SerializeAsString(),
                                                         .timestamp = options_.now(),
                                                         .partition = Partition(0)}}));
  follower.noted = follower.next;
  changed_.clear();
  noted_at_ = options_.now();
  return absl::OkStatus();
}

}  // namespace rapport
