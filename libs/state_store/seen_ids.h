#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/base/internal/unaligned_access.h"
#include "absl/container/flat_hash_set.h"
#include "libs/base/event_id.h"

namespace rapport {

// Ids are uniform hashes already: eight of their bytes are a hash.
struct SeenIdHash {
  size_t operator()(const EventId& id) const {
    return absl::base_internal::UnalignedLoad64(id.bytes.data());
  }
};
using SeenIdSet = absl::flat_hash_set<EventId, SeenIdHash>;

// The ids of `set` in byte order.
inline std::vector<EventId> SortedIds(const SeenIdSet& set) {
  std::vector<EventId> ids(set.begin(), set.end());
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace rapport
