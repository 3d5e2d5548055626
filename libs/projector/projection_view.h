#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"
#include "libs/state_store/state_store.h"

namespace rapport {

// Reads what a projection has committed, over all its partitions. Thread-safe; keeps the stores
// open as long as it lives.
class ProjectionView {
 public:
  // One store per partition, in their order; none may be null.
  explicit ProjectionView(std::vector<std::shared_ptr<StateStore>> stores)
      : stores_(std::move(stores)) {}

  // The client's state into `state`; false when there is none.
  absl::StatusOr<bool> Get(absl::string_view client, google::protobuf::MessageLite* state) const;

  // An entry of a list, as IndexWriter::Add made it.
  struct IndexEntry {
    std::string sort_key;
    std::string client_id;
    std::string value;
  };
  // The first `limit` entries of list `index` whose sort key begins with `sort_prefix`, in the
  // order of sort key and client.
  absl::StatusOr<std::vector<IndexEntry>> List(absl::string_view index,
                                               absl::string_view sort_prefix, size_t limit) const;

  // Calls `visit` with the client's rows from <= sort key < to (an empty `to` has no limit), in
  // order, until it returns false.
  absl::Status Rows(
      absl::string_view client, absl::string_view from, absl::string_view to,
      const std::function<bool(absl::string_view sort_key, absl::string_view value)>& visit) const;

  // Calls `visit` with each stored dead letter, partition by partition.
  absl::Status DeadLetters(const std::function<bool(absl::string_view value)>& visit) const;

 private:
  const StateStore& StoreFor(absl::string_view client) const;

  const std::vector<std::shared_ptr<StateStore>> stores_;
};

}  // namespace rapport
