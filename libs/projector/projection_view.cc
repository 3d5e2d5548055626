#include "libs/projector/projection_view.h"

#include <algorithm>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/projector/stored_state.h"
#include "rapport/state/v1/store.pb.h"

namespace rapport {
namespace {

// As PartitionFold writes it.
constexpr char kMetaKey[] = "meta";

// The smallest key above all that begin with `prefix`; "" when there is none.
std::string AfterPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

std::string OffsetKey(Offset offset) {
  std::string key;
  AppendOrdered64(&key, offset.value());
  return key;
}

absl::StatusOr<StoredPosition> ReadPosition(Partition partition, const StateStore& store) {
  StoredPosition position{.partition = partition, .position = Offset(0)};
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                           store.Get(Family::kMeta, kMetaKey));
  if (!bytes) return position;
  state::v1::PartitionMeta meta;
  if (!meta.ParseFromString(*bytes)) {
    return absl::DataLossError("the position record of the state does not parse");
  }
  position.position = Offset(meta.position());
  if (meta.has_clock()) position.clock = FromProto(meta.clock());
  return position;
}

}  // namespace

ProjectionView::ProjectionView(const std::vector<std::shared_ptr<StateStore>>& stores)
    : partition_count_(static_cast<int>(stores.size())) {
  for (int i = 0; i < partition_count_; ++i) {
    stores_[Partition(i)] = stores[static_cast<size_t>(i)];
  }
}

std::vector<ProjectionView> ProjectionView::EachPartition() const {
  std::vector<ProjectionView> each;
  for (const auto& [partition, store] : stores_) {
    each.push_back(ProjectionView(partition_count_, {{partition, store}}));
  }
  return each;
}

absl::StatusOr<const StateStore*> ProjectionView::StoreOf(Partition partition) const {
  const auto it = stores_.find(partition);
  if (it != stores_.end()) return it->second.get();
  return absl::UnavailableError(
      absl::StrCat("partition ", partition.value(), " is not folded by this process"));
}

absl::StatusOr<const StateStore*> ProjectionView::StoreFor(absl::string_view client) const {
  return StoreOf(PartitionOfClient(client, partition_count_));
}

absl::StatusOr<std::vector<StoredPosition>> ProjectionView::Positions() const {
  std::vector<StoredPosition> positions;
  for (const auto& [partition, store] : stores_) {
    RAPPORT_ASSIGN_OR_RETURN(const StoredPosition position, ReadPosition(partition, *store));
    positions.push_back(position);
  }
  return positions;
}

absl::StatusOr<StoredPosition> ProjectionView::PositionFor(absl::string_view client) const {
  const Partition partition = PartitionOfClient(client, partition_count_);
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreOf(partition));
  return ReadPosition(partition, *store);
}

absl::StatusOr<bool> ProjectionView::GetFrom(const StateStore& store, absl::string_view client,
                                             google::protobuf::MessageLite* state) {
  std::string bytes;
  RAPPORT_ASSIGN_OR_RETURN(const bool found, store.Get(Family::kState, client, &bytes));
  if (!found) return false;
  int64_t timer = 0;
  int64_t wake = 0;
  RAPPORT_RETURN_IF_ERROR(DecodeStoredState(bytes, &timer, &wake, state));
  return true;
}

absl::StatusOr<bool> ProjectionView::Get(absl::string_view client,
                                         google::protobuf::MessageLite* state) const {
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreFor(client));
  return GetFrom(*store, client, state);
}

absl::StatusOr<bool> ProjectionView::GetOfNoClient(google::protobuf::MessageLite* state) const {
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreOf(Partition(0)));
  return GetFrom(*store, "", state);
}

absl::StatusOr<std::string> ProjectionView::AbsorbedInto(absl::string_view client) const {
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreFor(client));
  RAPPORT_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                           store->Get(Family::kMeta, RetoldClientKey(client)));
  state::v1::RetoldClient retold;
  if (bytes && !retold.ParseFromString(*bytes)) {
    return absl::DataLossError("what is stored of a retold client does not parse");
  }
  return retold.absorbed_into_client_id();
}

ProjectionView::IndexRange ProjectionView::RangeOfIndex(absl::string_view index,
                                                        const Range& range) {
  std::string list;
  AppendKeyString(&list, index);
  // The smallest key above `after` is the one with a zero byte behind it.
  std::string begin = range.after.empty()
                          ? absl::StrCat(list, range.prefix)
                          : absl::StrCat(list, range.after, absl::string_view("\0", 1));
  std::string end = AfterPrefix(absl::StrCat(list, range.prefix));
  if (!range.before.empty()) end = std::min(end, absl::StrCat(list, range.before));
  return {.list_size = list.size(), .begin = std::move(begin), .end = std::move(end)};
}

absl::StatusOr<size_t> ProjectionView::Count(absl::string_view index, const Range& range,
                                             size_t most) const {
  const IndexRange keys = RangeOfIndex(index, range);
  size_t count = 0;
  for (const auto& [partition, store] : stores_) {
    if (count == most) break;
    RAPPORT_RETURN_IF_ERROR(
        store->Scan(Family::kIndex, keys.begin, keys.end,
                    [&](absl::string_view, absl::string_view) { return ++count < most; }));
  }
  return count;
}

absl::Status ProjectionView::Scan(absl::string_view index, const Range& range,
                                  const std::function<bool(IndexEntry entry)>& visit) const {
  const IndexRange keys = RangeOfIndex(index, range);
  for (const auto& [partition, store] : stores_) {
    bool goes_on = true;
    bool damaged = false;
    const auto take = [&](absl::string_view key, absl::string_view value) {
      const absl::string_view place = key.substr(keys.list_size);
      const size_t client_size = place.size() < 4 ? 0 : ReadBig32(place.data() + place.size() - 4);
      if (place.size() < 4 + client_size) return !(damaged = true);
      const size_t sort_size = place.size() - 4 - client_size;
      return goes_on = visit({std::string(place.substr(0, sort_size)),
                              std::string(place.substr(sort_size, client_size)), std::string(value),
                              std::string(place)});
    };
    RAPPORT_RETURN_IF_ERROR(store->Scan(Family::kIndex, keys.begin, keys.end, take));
    if (damaged)
      return absl::DataLossError(absl::StrCat("an entry of list ", index, " is damaged"));
    if (!goes_on) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ProjectionView::IndexEntry>> ProjectionView::List(
    absl::string_view index, const Range& range, size_t limit) const {
  std::vector<IndexEntry> entries;
  for (const ProjectionView& one : EachPartition()) {
    size_t taken = 0;
    RAPPORT_RETURN_IF_ERROR(one.Scan(index, range, [&](IndexEntry entry) {
      if (taken == limit) return false;
      entries.push_back(std::move(entry));
      return ++taken < limit;
    }));
  }
  // Those of one partition are in order.
  if (stores_.size() > 1) {
    std::sort(entries.begin(), entries.end(),
              [](const IndexEntry& a, const IndexEntry& b) { return a.place < b.place; });
  }
  if (entries.size() > limit) entries.resize(limit);
  return entries;
}

ProjectionView::RowRange ProjectionView::RangeOf(absl::string_view client, absl::string_view from,
                                                 absl::string_view to) {
  std::string prefix;
  AppendKeyString(&prefix, client);
  return {.prefix_size = prefix.size(),
          .begin = absl::StrCat(prefix, from),
          .end = to.empty() ? AfterPrefix(prefix) : absl::StrCat(prefix, to)};
}

absl::Status ProjectionView::Sums(
    absl::string_view prefix,
    const std::function<bool(absl::string_view key, int64_t sum)>& visit) const {
  bool readable = true;
  bool more = true;
  for (const auto& [partition, store] : stores_) {
    RAPPORT_RETURN_IF_ERROR(store->Scan(Family::kTallies, prefix, AfterPrefix(std::string(prefix)),
                                        [&](absl::string_view key, absl::string_view value) {
                                          readable = value.size() == sizeof(int64_t);
                                          more =
                                              readable && visit(key, ReadOrdered64(value.data()));
                                          return more;
                                        }));
    if (!readable) return absl::DataLossError("a stored sum is not 8 bytes");
    if (!more) break;
  }
  return absl::OkStatus();
}

absl::Status ProjectionView::Rows(
    absl::string_view client, absl::string_view from, absl::string_view to,
    const std::function<bool(absl::string_view, absl::string_view)>& visit) const {
  const RowRange range = RangeOf(client, from, to);
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreFor(client));
  return store->Scan(Family::kRows, range.begin, range.end,
                     [&](absl::string_view key, absl::string_view value) {
                       return visit(key.substr(range.prefix_size), value);
                     });
}

absl::Status ProjectionView::RowsBack(
    absl::string_view client, absl::string_view from, absl::string_view to,
    const std::function<bool(absl::string_view, absl::string_view)>& visit) const {
  const RowRange range = RangeOf(client, from, to);
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreFor(client));
  return store->ScanBack(Family::kRows, range.begin, range.end,
                         [&](absl::string_view key, absl::string_view value) {
                           return visit(key.substr(range.prefix_size), value);
                         });
}

absl::Status ProjectionView::DeadLetters(const std::function<bool(absl::string_view)>& visit,
                                         const RecordPosition& after) const {
  for (const auto& [partition, store] : stores_) {
    if (partition < after.partition) continue;
    const std::string begin =
        partition == after.partition ? OffsetKey(after.offset + 1) : std::string();
    bool goes_on = true;
    RAPPORT_RETURN_IF_ERROR(store->Scan(
        Family::kDeadLetters, begin, "",
        [&](absl::string_view, absl::string_view value) { return goes_on = visit(value); }));
    if (!goes_on) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> ProjectionView::DeadLetterAt(
    const RecordPosition& position) const {
  RAPPORT_ASSIGN_OR_RETURN(const StateStore* store, StoreOf(position.partition));
  return store->Get(Family::kDeadLetters, OffsetKey(position.offset));
}

}  // namespace rapport
