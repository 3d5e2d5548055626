#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/event_log/attempts.h"
#include "libs/event_log/embedded/cursor.h"
#include "libs/event_log/embedded/topic.h"
#include "libs/event_log/event_log.h"
#include "rocksdb/db.h"

namespace rapport::embedded {

// Counts the readers that still need the database.
class UseCount {
 public:
  explicit UseCount(std::atomic<int>* count) : count_(count) { ++*count_; }
  ~UseCount() { --*count_; }
  UseCount(const UseCount&) = delete;
  UseCount& operator=(const UseCount&) = delete;

 private:
  std::atomic<int>* const count_;
};

class EmbeddedReader : public LogReader {
 public:
  EmbeddedReader(rocksdb::DB* db, Topic* topic, PartitionLog* partition, Offset from,
                 std::atomic<int>* uses)
      : use_(uses), topic_(topic), cursor_(db, topic, partition, from) {}

  absl::StatusOr<absl::Span<const RecordView>> Read(size_t max_records,
                                                    absl::Duration wait) override;
  Offset position() const override { return cursor_.position(); }
  std::vector<Header> Headers(const RecordView& record) const override {
    return DecodeHeaders(record);
  }

 private:
  const UseCount use_;
  Topic* const topic_;
  Cursor cursor_;
};

class EmbeddedSubscription : public Subscription {
 public:
  EmbeddedSubscription(rocksdb::DB* db, Topic* topic, const SubscribeOptions& options,
                       PartitionListener* listener, std::atomic<int>* uses);
  // Leaves the group without telling the listener, which may be gone.
  ~EmbeddedSubscription() override;

  absl::StatusOr<PartitionRecords> Poll(size_t max_records, absl::Duration wait) override;
  absl::Status Pause(Partition partition) override { return SetPaused(partition, true); }
  absl::Status Resume(Partition partition) override { return SetPaused(partition, false); }
  // One process has no dashboard of positions beside its own.
  void ReportPosition(Partition partition, Offset next) override {}
  absl::Status Close() override;
  absl::Status Trouble() const override;
  std::vector<Header> Headers(const RecordView& record) const override {
    return DecodeHeaders(record);
  }

 private:
  struct Owned {
    // Unset until the listener has said where to start, and after a failure.
    std::optional<Cursor> cursor;
    bool paused = false;
    Attempts attempts;

    bool Ready() const { return !paused && cursor.has_value() && cursor->Ready(); }
  };
  using OwnedMap = std::map<Partition, Owned>;

  // Lets go of partitions that another member shall have, and takes those that are ours.
  absl::Status Rebalance();
  absl::Status Expelled();
  // Has the listener say where to read, where it has not and its time has come.
  absl::Status StartReading();
  absl::Status Start(Partition partition, Owned& owned);
  // When StartReading has something to do.
  absl::Time NextAttempt() const;
  // The next partition in turn with something to read, or end().
  OwnedMap::iterator NextReady();
  // Something to read, or a change in the group.
  bool HasWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(topic_->mutex);
  absl::Status SetPaused(Partition partition, bool paused);
  void Leave();

  const UseCount use_;
  rocksdb::DB* const db_;
  Topic* const topic_;
  const SubscribeOptions options_;
  PartitionListener* const listener_;
  Group* group_ = nullptr;
  MemberId member_;
  bool closed_ = false;
  absl::Status expelled_;
  OwnedMap owned_;
  // The partition that was read last: the others come first.
  Partition last_read_{-1};
};

}  // namespace rapport::embedded
