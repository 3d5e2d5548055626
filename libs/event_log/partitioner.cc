#include "libs/event_log/partitioner.h"

#include "absl/base/internal/endian.h"
#include "libs/base/check.h"

namespace rapport {

uint32_t Murmur2(absl::string_view key) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;

  uint32_t hash = kSeed ^ static_cast<uint32_t>(key.size());
  while (key.size() >= 4) {
    uint32_t k = absl::little_endian::Load32(key.data());
    k *= kMultiplier;
    k ^= k >> kShift;
    k *= kMultiplier;
    hash *= kMultiplier;
    hash ^= k;
    key.remove_prefix(4);
  }
  if (!key.empty()) {
    for (size_t i = key.size(); i-- > 0;) {
      hash ^= static_cast<uint32_t>(static_cast<uint8_t>(key[i])) << (8 * i);
    }
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

Partition PartitionOf(absl::string_view key, int partitions) {
  RAPPORT_CHECK(partitions > 0, "a topic of ", partitions, " partitions");
  return Partition(static_cast<int32_t>((Murmur2(key) & 0x7fffffff) % partitions));
}

Partition PartitionOfClient(absl::string_view client_id, int partitions) {
  return client_id.empty() ? Partition(0) : PartitionOf(client_id, partitions);
}

}  // namespace rapport
