#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "libs/base/strong_type.h"
#include "libs/event_log/embedded/block.h"
#include "libs/event_log/embedded/group.h"
#include "rocksdb/db.h"

namespace rapport::embedded {

// One partition. Its blocks are the rows of a column family of its own: keys only ever rise in it,
// so that compaction moves files instead of rewriting them.
struct PartitionLog {
  Partition id;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  // The offset that the next record gets; what is before is on disk and may be read. Written by the
  // appender, under the topic's mutex.
  std::atomic<int64_t> end{0};

  // The rest belongs to the appender.
  std::optional<int64_t> latest_ms;
  BlockBuilder builder;
};

struct Topic {
  std::string name;
  std::deque<PartitionLog> partitions;

  Mutex mutex;
  // Records were appended, or a group changed.
  CondVar changed;
  std::map<std::string, Group> groups ABSL_GUARDED_BY(mutex);

  // Null when there is no such partition.
  PartitionLog* Find(Partition partition) {
    const auto index = static_cast<size_t>(partition.value());
    return partition.value() >= 0 && index < partitions.size() ? &partitions[index] : nullptr;
  }
  // "topic touchpoints, partition 3".
  std::string Place(Partition partition) const {
    return absl::StrCat("topic ", name, ", partition ", partition.value());
  }
  absl::Status NoSuchPartition(Partition partition) const {
    return absl::InvalidArgumentError(absl::StrCat("topic ", name, " has ", partitions.size(),
                                                   " partitions; there is no partition ",
                                                   partition.value()));
  }
};

}  // namespace rapport::embedded
