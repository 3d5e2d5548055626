#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/event_log/event_log.h"

namespace rocksdb {
class Cache;
class WriteBufferManager;
}  // namespace rocksdb

namespace rapport {

struct EmbeddedLogOptions {
  // Created when missing. One process at a time. With in_memory, only a name in messages.
  std::string folder = {};
  // Keeps everything in memory and forgets it at the end: for tests.
  bool in_memory = false;
  // Bytes of a record's key, value and headers.
  size_t max_record_bytes = (1 << 20) + (64 << 10);
  // What the process's databases share; the log's own small ones when unset.
  std::shared_ptr<rocksdb::Cache> block_cache = nullptr;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers = nullptr;
};

// Opens the log of one process: topics in a folder, on disk (fsync) before Append returns, whatever
// happens to the process. The log must outlive its readers and subscriptions.
//
// FailedPrecondition: another process has the folder open, or it holds something else or a newer
// format. DataLoss: what is there is damaged. Unavailable: the disk is full.
//
// Beyond the contract of EventLog: Append writes all records or none; after Unavailable the same
// log goes on as soon as there is room. Members of a group are subscriptions of this process, and
// one that does not poll keeps its partitions. Records of one Read or Poll come from one stored
// block, so that fewer than asked for does not mean the end.
absl::StatusOr<std::unique_ptr<EventLog>> OpenEmbeddedLog(const EmbeddedLogOptions& options);

// An empty log in memory.
std::unique_ptr<EventLog> NewInMemoryEventLog();

}  // namespace rapport
