#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/mutex.h"
#include "libs/event_log/event_log.h"
#include "libs/projections/testing/random_history.h"

namespace rapport::testing {

// Chances in percent, for each call.
struct LogFaults {
  // Append: Unavailable and nothing written; all written and yet Unavailable; or some first records
  // written and then Unavailable.
  int append_before = 0;
  int append_after = 0;
  int append_in_part = 0;
  // LogReader::Read: Unavailable; or fewer records than there are.
  int read_fails = 0;
  int read_short = 0;
  // OpenReader and GetWatermarks: Unavailable.
  int look_fails = 0;
};

// Wraps a log and lets calls fail, by chance but the same for the same seed and calls. Thread-safe.
class FaultyLog : public EventLog {
 public:
  FaultyLog(EventLog* log, uint64_t seed) : log_(log), random_(seed) {}

  // Another log in its place, as after a restoration. Nobody has a reader open.
  void set_log(EventLog* log) { log_ = log; }

  void set_faults(const LogFaults& faults) {
    MutexLock lock(&mutex_);
    faults_ = faults;
  }
  // From now on every call fails with Unavailable, until the log is back.
  void set_away(bool away) {
    MutexLock lock(&mutex_);
    away_ = away;
  }
  // Readers find damage (DataLoss) at this offset of every partition of `topic`; nullopt ends it.
  void set_damage(const std::string& topic, std::optional<Offset> offset) {
    MutexLock lock(&mutex_);
    damage_.erase(topic);
    if (offset) damage_[topic] = *offset;
  }
  // What stands before this offset of every partition of `topic` is gone, as after retention.
  void set_begin(const std::string& topic, Offset offset) {
    MutexLock lock(&mutex_);
    begin_[topic] = offset;
  }
  int64_t faults_so_far() const {
    MutexLock lock(&mutex_);
    return injected_;
  }

  absl::Status CreateTopic(absl::string_view topic, int partitions) override {
    return log_.load()->CreateTopic(topic, partitions);
  }
  absl::StatusOr<int> PartitionCount(absl::string_view topic) override {
    return log_.load()->PartitionCount(topic);
  }

  absl::StatusOr<std::vector<RecordPosition>> Append(absl::string_view topic,
                                                     absl::Span<const Record> records) override {
    size_t written = records.size();
    bool fails = false;
    {
      MutexLock lock(&mutex_);
      if (Happens(faults_.append_before)) return Unavailable("appending");
      if (Happens(faults_.append_after)) fails = true;
      if (!records.empty() && Happens(faults_.append_in_part)) {
        fails = true;
        written = static_cast<size_t>(random_.Below(static_cast<int64_t>(records.size())));
      }
    }
    absl::StatusOr<std::vector<RecordPosition>> positions =
        log_.load()->Append(topic, records.subspan(0, written));
    if (fails) return Unavailable("appending, of unknown outcome");
    return positions;
  }

  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(absl::string_view topic,
                                                        Partition partition, Offset from) override {
    if (Look()) return Unavailable("opening a reader");
    absl::StatusOr<std::unique_ptr<LogReader>> reader =
        log_.load()->OpenReader(topic, partition, from);
    if (!reader.ok()) return reader.status();
    return std::make_unique<Reader>(this, std::string(topic), *std::move(reader));
  }
  absl::StatusOr<std::unique_ptr<rapport::Subscription>> Subscribe(
      absl::string_view topic, const SubscribeOptions& options,
      PartitionListener* listener) override {
    absl::StatusOr<std::unique_ptr<rapport::Subscription>> subscription =
        log_.load()->Subscribe(topic, options, listener);
    if (!subscription.ok()) return subscription.status();
    return std::make_unique<Subscription>(this, *std::move(subscription));
  }
  absl::StatusOr<std::vector<GroupMember>> GroupMembers(absl::string_view topic,
                                                        absl::string_view group) override {
    return log_.load()->GroupMembers(topic, group);
  }
  absl::StatusOr<Watermarks> GetWatermarks(absl::string_view topic, Partition partition) override {
    if (Look()) return Unavailable("looking for the end");
    absl::StatusOr<Watermarks> marks = log_.load()->GetWatermarks(topic, partition);
    MutexLock lock(&mutex_);
    const auto begin = begin_.find(std::string(topic));
    if (marks.ok() && begin != begin_.end()) {
      marks->begin = std::min(std::max(marks->begin, begin->second), marks->end);
    }
    return marks;
  }
  absl::StatusOr<Offset> OffsetForTime(absl::string_view topic, Partition partition,
                                       absl::Time time) override {
    if (Look()) return Unavailable("looking for a time");
    return log_.load()->OffsetForTime(topic, partition, time);
  }

 private:
  class Reader : public LogReader {
   public:
    Reader(FaultyLog* faulty, std::string topic, std::unique_ptr<LogReader> reader)
        : faulty_(*faulty), topic_(std::move(topic)), reader_(std::move(reader)) {}
    absl::StatusOr<absl::Span<const RecordView>> Read(size_t max_records,
                                                      absl::Duration wait) override {
      if (absl::Status status = faulty_.BeforeRead(topic_, position(), &max_records);
          !status.ok()) {
        return status;
      }
      return reader_->Read(max_records, wait);
    }
    Offset position() const override { return reader_->position(); }
    std::vector<Header> Headers(const RecordView& record) const override {
      return reader_->Headers(record);
    }

   private:
    FaultyLog& faulty_;
    const std::string topic_;
    const std::unique_ptr<LogReader> reader_;
  };

  class Subscription : public rapport::Subscription {
   public:
    Subscription(FaultyLog* faulty, std::unique_ptr<rapport::Subscription> subscription)
        : faulty_(*faulty), subscription_(std::move(subscription)) {}
    absl::StatusOr<PartitionRecords> Poll(size_t max_records, absl::Duration wait) override {
      if (absl::Status status = faulty_.BeforePoll(&max_records); !status.ok()) return status;
      return subscription_->Poll(max_records, wait);
    }
    absl::Status Pause(Partition partition) override { return subscription_->Pause(partition); }
    absl::Status Resume(Partition partition) override { return subscription_->Resume(partition); }
    void ReportPosition(Partition partition, Offset next) override {
      subscription_->ReportPosition(partition, next);
    }
    absl::Status Trouble() const override { return subscription_->Trouble(); }
    absl::Status Close() override { return subscription_->Close(); }
    std::vector<Header> Headers(const RecordView& record) const override {
      return subscription_->Headers(record);
    }

   private:
    FaultyLog& faulty_;
    const std::unique_ptr<rapport::Subscription> subscription_;
  };

  static absl::Status Unavailable(absl::string_view what) {
    return absl::UnavailableError(absl::StrCat("the log is away (injected): ", what));
  }
  bool Happens(int percent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!away_ && !random_.Chance(percent)) return false;
    ++injected_;
    return true;
  }
  bool Look() {
    MutexLock lock(&mutex_);
    return Happens(faults_.look_fails);
  }
  absl::Status BeforePoll(size_t* max_records) {
    MutexLock lock(&mutex_);
    if (Happens(faults_.read_fails)) return Unavailable("reading");
    if (Happens(faults_.read_short)) {
      *max_records = static_cast<size_t>(1 + random_.Below(static_cast<int64_t>(*max_records)));
    }
    return absl::OkStatus();
  }
  absl::Status BeforeRead(const std::string& topic, Offset position, size_t* max_records) {
    if (absl::Status status = BeforePoll(max_records); !status.ok()) return status;
    MutexLock lock(&mutex_);
    const auto damage = damage_.find(topic);
    if (damage == damage_.end() || position > damage->second) return absl::OkStatus();
    if (position == damage->second) {
      return absl::DataLossError(absl::StrCat("offset ", position.value(), " (injected)"));
    }
    *max_records = std::min(*max_records, static_cast<size_t>(damage->second - position));
    return absl::OkStatus();
  }

  std::atomic<EventLog*> log_;
  mutable Mutex mutex_;
  Random random_ ABSL_GUARDED_BY(mutex_);
  LogFaults faults_ ABSL_GUARDED_BY(mutex_);
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, Offset> damage_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Offset> begin_ ABSL_GUARDED_BY(mutex_);
  int64_t injected_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rapport::testing
