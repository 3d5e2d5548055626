#include "libs/event_log/embedded/appender.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/log.h"
#include "libs/base/status.h"
#include "libs/event_log/embedded/storage.h"

namespace rapport::embedded {
namespace {

// Large enough to compress well and to cost a reader little per record, small enough for the CPU's
// cache and for a look-up of one record.
constexpr size_t kBlockBytes = 64 << 10;
// A larger group would let its first appender wait longer without sparing much.
constexpr size_t kGroupBytes = 8 << 20;
// Sizes within a record and its headers, and what a small batch needs beside records.
constexpr size_t kRecordOverhead = 24;
constexpr size_t kBatchOverhead = 256;

}  // namespace

absl::StatusOr<std::vector<RecordPosition>> Appender::Append(
    Topic* topic, absl::Span<const Record> records, absl::Span<PartitionLog* const> partitions,
    size_t bytes) {
  Request request = {.topic = topic, .records = records, .partitions = partitions, .bytes = bytes};
  request.positions.reserve(records.size());

  std::vector<Request*> group;
  {
    MutexLock lock(&mutex_);
    queue_.push_back(&request);
    while (!request.done && queue_.front() != &request) request.wake.Wait(&mutex_);
    if (!request.done) group = Gather();
  }
  if (!group.empty()) {
    const absl::Status status = WriteGroup(group);
    MutexLock lock(&mutex_);
    for (Request* member : group) {
      member->status = status;
      member->done = true;
      queue_.pop_front();
      if (member != &request) member->wake.Signal();
    }
    if (!queue_.empty()) queue_.front()->wake.Signal();
  }
  if (!request.status.ok()) return request.status;
  return std::move(request.positions);
}

std::vector<Appender::Request*> Appender::Gather() {
  std::vector<Request*> group;
  size_t bytes = 0;
  for (Request* request : queue_) {
    if (!group.empty() && bytes + request->bytes > kGroupBytes) break;
    group.push_back(request);
    bytes += request->bytes;
  }
  return group;
}

absl::Status Appender::WriteGroup(const std::vector<Request*>& group) {
  advances_.clear();
  // With what stands between the records, so that the batch does not grow bit by bit.
  size_t bytes = 0;
  for (const Request* request : group) {
    bytes += request->bytes + kRecordOverhead * request->records.size();
  }
  rocksdb::WriteBatch batch(bytes + kBatchOverhead);
  for (Request* request : group) Add(request, &batch);
  for (auto& [partition, advance] : advances_) FinishBlock(partition, &batch);
  RAPPORT_RETURN_IF_ERROR(Commit(&batch));

  for (auto& [partition, advance] : advances_) partition->latest_ms = advance.latest_ms;
  std::set<Topic*> topics;
  for (Request* request : group) topics.insert(request->topic);
  for (Topic* topic : topics) {
    MutexLock lock(&topic->mutex);
    for (PartitionLog& partition : topic->partitions) {
      const auto it = advances_.find(&partition);
      if (it != advances_.end()) partition.end.store(it->second.end, std::memory_order_release);
    }
    topic->changed.SignalAll();
  }
  return absl::OkStatus();
}

void Appender::Add(Request* request, rocksdb::WriteBatch* batch) {
  for (size_t i = 0; i < request->records.size(); ++i) {
    PartitionLog* const partition = request->partitions[i];
    Advance& advance =
        advances_
            .try_emplace(partition, Advance{partition->end.load(std::memory_order_relaxed),
                                            partition->latest_ms})
            .first->second;
    partition->builder.Add(request->records[i]);
    request->positions.push_back({partition->id, Offset(advance.end++)});
    if (partition->builder.bytes() >= kBlockBytes) FinishBlock(partition, batch);
  }
}

void Appender::FinishBlock(PartitionLog* partition, rocksdb::WriteBatch* batch) {
  BlockBuilder& builder = partition->builder;
  if (builder.empty()) return;
  Advance& advance = advances_.at(partition);
  const std::string key = BlockKey(Offset(advance.end - builder.count()));
  const std::string header = builder.Header(advance.latest_ms);
  const rocksdb::Slice key_slice(key);
  const std::array<rocksdb::Slice, 2> parts = {rocksdb::Slice(header), ToSlice(builder.records())};
  batch->Put(partition->family, rocksdb::SliceParts(&key_slice, 1),
             rocksdb::SliceParts(parts.data(), static_cast<int>(parts.size())));
  advance.latest_ms =
      std::max(builder.latest_ms(), advance.latest_ms.value_or(builder.latest_ms()));
  builder.Clear();
}

absl::Status Appender::Commit(rocksdb::WriteBatch* batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = WriteOrResume(db_, [&] { return db_->Write(options, batch); });
  if (status.ok()) {
    if (std::exchange(failing_, false)) {
      Log(LogLevel::kInfo, absl::StrCat("the log in ", folder_, " takes appends again"));
    }
    return absl::OkStatus();
  }
  const absl::Status error = FromRocks(status, absl::StrCat("appending to the log in ", folder_));
  if (!std::exchange(failing_, true)) Log(LogLevel::kError, error.message());
  return error;
}

}  // namespace rapport::embedded
