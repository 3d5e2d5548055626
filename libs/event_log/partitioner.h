#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "libs/base/strong_type.h"

namespace rapport {

// MurmurHash2 with Kafka's seed 0x9747b28c, as org.apache.kafka.common.utils.Utils.murmur2.
uint32_t Murmur2(absl::string_view key);

// The partition of `key`: (murmur2 & 0x7fffffff) mod `partitions`, as Kafka's default partitioner
// and librdkafka's `murmur2_random` do.
Partition PartitionOf(absl::string_view key, int partitions);

// Where the touchpoints of a client stand; those of no client (an empty id), such as plans, in 0.
Partition PartitionOfClient(absl::string_view client_id, int partitions);

}  // namespace rapport
