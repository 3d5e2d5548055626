#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message_lite.h"
#include "libs/event_log/event_log.h"
#include "libs/state_store/state_store.h"

namespace rapport {

// How far a store is: all records before `position` are in it, and no other.
struct StoredPosition {
  Partition partition;
  Offset position;
  absl::Time clock = absl::InfinitePast();
};

// Reads what a projection has committed, over the partitions that this process has. Thread-safe;
// keeps the stores open as long as it lives, so it should not live long.
class ProjectionView {
 public:
  // All partitions of the topic: one store per partition, in their order; none may be null.
  explicit ProjectionView(const std::vector<std::shared_ptr<StateStore>>& stores);
  // Some of the topic's `partition_count`; none may be null.
  ProjectionView(int partition_count, std::map<Partition, std::shared_ptr<StateStore>> stores)
      : partition_count_(partition_count), stores_(std::move(stores)) {}

  // One for each partition that is here, in their order.
  std::vector<ProjectionView> EachPartition() const;

  // Where each partition is, in their order; read before anything else, it is at most what the
  // rest is read from.
  absl::StatusOr<std::vector<StoredPosition>> Positions() const;
  // Of the client's partition. Unavailable when it is not here.
  absl::StatusOr<StoredPosition> PositionFor(absl::string_view client) const;

  // The client's state into `state`; false when there is none. Unavailable when the client's
  // partition is not here.
  absl::StatusOr<bool> Get(absl::string_view client, google::protobuf::MessageLite* state) const;
  // What was folded of touchpoints that belong to no client: the state of the client "" in
  // partition 0. Otherwise as Get.
  absl::StatusOr<bool> GetOfNoClient(google::protobuf::MessageLite* state) const;
  // The client under whom this one goes on since they were merged; empty when it stands alone.
  // Unavailable as above.
  absl::StatusOr<std::string> AbsorbedInto(absl::string_view client) const;

  // An entry of a list, as IndexWriter::Add made it.
  struct IndexEntry {
    std::string sort_key;
    std::string client_id;
    std::string value;
    // Sort key and client as they stand in the store: bytes that order the entries of a list.
    std::string place;
  };
  struct Range {
    // Entries whose sort key begins with this.
    std::string prefix;
    // Only those whose place is greater than this, which begins with `prefix`; empty: all.
    std::string after;
    // Only those whose place is less than this; empty: all.
    std::string before;
  };
  // The first `limit` entries of list `index` in a range, in the order of their places.
  absl::StatusOr<std::vector<IndexEntry>> List(absl::string_view index, const Range& range,
                                               size_t limit) const;
  // The first `limit` entries of list `index` whose sort key begins with `sort_prefix`.
  absl::StatusOr<std::vector<IndexEntry>> List(absl::string_view index,
                                               absl::string_view sort_prefix, size_t limit) const {
    return List(index, Range{.prefix = std::string(sort_prefix)}, limit);
  }
  // How many entries there are in a range; stops at `most`.
  absl::StatusOr<size_t> Count(absl::string_view index, const Range& range, size_t most) const;
  // Calls `visit` with the entries in a range, partition by partition, until it returns false.
  absl::Status Scan(absl::string_view index, const Range& range,
                    const std::function<bool(IndexEntry entry)>& visit) const;

  // Calls `visit` with the sums whose keys begin with `prefix`, partition by partition, in the
  // order of their keys, until it returns false. A key that several partitions have comes once for
  // each.
  absl::Status Sums(absl::string_view prefix,
                    const std::function<bool(absl::string_view key, int64_t sum)>& visit) const;

  // Calls `visit` with the client's rows from <= sort key < to (an empty `to` has no limit), in
  // order, until it returns false.
  absl::Status Rows(
      absl::string_view client, absl::string_view from, absl::string_view to,
      const std::function<bool(absl::string_view sort_key, absl::string_view value)>& visit) const;
  // The same rows, the last one first: it reads no more of them than are visited.
  absl::Status RowsBack(
      absl::string_view client, absl::string_view from, absl::string_view to,
      const std::function<bool(absl::string_view sort_key, absl::string_view value)>& visit) const;

  // Calls `visit` with each stored dead letter behind `after`, in the order of partition and
  // offset, until it returns false.
  absl::Status DeadLetters(const std::function<bool(absl::string_view value)>& visit,
                           const RecordPosition& after = {Partition(0), Offset(-1)}) const;
  // The dead letter of one place, as stored; nullopt when there is none. Unavailable when the
  // partition is not here.
  absl::StatusOr<std::optional<std::string>> DeadLetterAt(const RecordPosition& position) const;

 private:
  // Keys of the entries in a range of a list: from `begin` to before `end`, each with the list's
  // name before its place.
  struct IndexRange {
    size_t list_size;
    std::string begin;
    std::string end;
  };
  static IndexRange RangeOfIndex(absl::string_view index, const Range& range);
  absl::StatusOr<const StateStore*> StoreOf(Partition partition) const;
  absl::StatusOr<const StateStore*> StoreFor(absl::string_view client) const;
  static absl::StatusOr<bool> GetFrom(const StateStore& store, absl::string_view client,
                                      google::protobuf::MessageLite* state);
  // Where rows of the client stand.
  struct RowRange {
    size_t prefix_size;
    std::string begin;
    std::string end;
  };
  static RowRange RangeOf(absl::string_view client, absl::string_view from, absl::string_view to);

  int partition_count_;
  std::map<Partition, std::shared_ptr<StateStore>> stores_;
};

}  // namespace rapport
