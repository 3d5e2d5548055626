#pragma once

// What the tests of the contract stand on; contract_test.h tells how to run them.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/partitioner.h"

namespace rapport {

struct ContractBackend {
  std::string name;
  std::function<std::unique_ptr<EventLog>()> open;
  // How long a test waits for something that must happen.
  absl::Duration patience = absl::Seconds(60);
};

inline std::string ContractBackendName(const testing::TestParamInfo<ContractBackend>& info) {
  return info.param.name;
}
inline void PrintTo(const ContractBackend& backend, std::ostream* out) { *out << backend.name; }

// A record as read, with bytes of its own.
struct OwnedRecord {
  Offset offset;
  absl::Time timestamp;
  std::string key;
  std::string value;
  std::vector<Header> headers;
};

inline OwnedRecord Own(const RecordView& view, const HeaderDecoder& decoder) {
  return {view.offset, view.timestamp, std::string(view.key), std::string(view.value),
          decoder.Headers(view)};
}

inline std::vector<std::string> Values(const std::vector<OwnedRecord>& records) {
  std::vector<std::string> values;
  for (const OwnedRecord& record : records) values.push_back(record.value);
  return values;
}

inline Record RecordOf(absl::string_view key, absl::string_view value,
                       std::optional<Partition> partition = std::nullopt) {
  Record record;
  record.key = std::string(key);
  record.value = std::string(value);
  record.timestamp = absl::FromUnixMillis(1700000000000);
  record.partition = partition;
  return record;
}

// Keeps what a subscription was told, and answers OnAssigned with `starts` (0 by default).
class RecordingListener : public PartitionListener {
 public:
  absl::StatusOr<Offset> OnAssigned(Partition partition) override {
    const bool is_new = owned.insert(partition).second;
    // Asked again after a failure only; a position past the end is one.
    EXPECT_TRUE(is_new || failed.contains(partition) || starts.contains(partition))
        << "assigned twice: " << partition;
    if (is_new) assigned.push_back(partition);
    if (const auto it = errors.find(partition); it != errors.end()) {
      failed.insert(partition);
      return it->second;
    }
    failed.erase(partition);
    const auto it = starts.find(partition);
    return it == starts.end() ? Offset(0) : it->second;
  }
  void OnRevoked(Partition partition, bool lost) override {
    EXPECT_EQ(owned.erase(partition), 1u) << "revoked, but not owned: " << partition;
    (lost ? lost_partitions : revoked).push_back(partition);
  }

  std::map<Partition, Offset> starts;
  std::map<Partition, absl::Status> errors;
  std::set<Partition> owned, failed;
  std::vector<Partition> assigned, revoked, lost_partitions;
};

class EventLogContractTest : public testing::TestWithParam<ContractBackend> {
 protected:
  EventLogContractTest()
      : log_(GetParam().open()),
        topic_(UniqueName("topic")),
        deadline_(std::chrono::steady_clock::now() +
                  absl::ToChronoNanoseconds(GetParam().patience)) {}

  // Not used before on this broker, by this or any other run.
  static std::string UniqueName(absl::string_view what) {
    static std::atomic<int> count = 0;
    return absl::StrCat("contract-", what, "-", getpid(), "-", absl::ToUnixMicros(absl::Now()), "-",
                        ++count);
  }

  EventLog& log() { return *log_; }
  bool TimeLeft() const { return std::chrono::steady_clock::now() < deadline_; }

  void CreateTopic(int partitions) { ASSERT_OK(log().CreateTopic(topic_, partitions)); }

  // Reads until there are `count` records.
  std::vector<OwnedRecord> ReadSome(LogReader& reader, size_t count) {
    std::vector<OwnedRecord> records;
    while (records.size() < count && TimeLeft()) {
      const auto batch = reader.Read(count - records.size(), absl::Milliseconds(200));
      EXPECT_OK(batch);
      if (!batch.ok()) break;
      EXPECT_LE(batch->size(), count - records.size());
      for (const RecordView& view : *batch) records.push_back(Own(view, reader));
    }
    EXPECT_EQ(records.size(), count);
    return records;
  }

  std::vector<OwnedRecord> ReadAll(Partition partition, size_t count) {
    auto reader = log().OpenReader(topic_, partition, Offset(0));
    EXPECT_OK(reader);
    if (!reader.ok()) return {};
    return ReadSome(**reader, count);
  }

  // Polls `subscriptions` in turn until `done`; what came is appended to `records`.
  void PollUntil(const std::vector<Subscription*>& subscriptions, const std::function<bool()>& done,
                 std::map<Partition, std::vector<OwnedRecord>>* records = nullptr) {
    while (!done()) {
      ASSERT_TRUE(TimeLeft()) << "it did not happen in time";
      for (Subscription* subscription : subscriptions) {
        const auto batch = subscription->Poll(1000, absl::Milliseconds(20));
        ASSERT_OK(batch);
        for (const RecordView& view : batch->records) {
          if (records != nullptr) (*records)[batch->partition].push_back(Own(view, *subscription));
        }
      }
    }
  }

  std::unique_ptr<Subscription> Subscribe(absl::string_view group, absl::string_view member,
                                          PartitionListener* listener,
                                          absl::string_view address = "") {
    auto subscription = log().Subscribe(topic_,
                                        {.group = std::string(group),
                                         .member = std::string(member),
                                         .address = std::string(address)},
                                        listener);
    EXPECT_OK(subscription);
    return subscription.ok() ? *std::move(subscription) : nullptr;
  }

  // What reading from `from` ends with, be it noticed at opening or at reading.
  absl::Status ReadingStatus(Offset from) {
    auto reader = log().OpenReader(topic_, Partition(0), from);
    if (!reader.ok()) return reader.status();
    while (TimeLeft()) {
      const auto batch = (*reader)->Read(1, absl::Milliseconds(200));
      if (!batch.ok()) return batch.status();
      if (!batch->empty()) return absl::OkStatus();
    }
    return absl::DeadlineExceededError("neither record nor error");
  }

  std::unique_ptr<EventLog> log_;
  const std::string topic_;
  const std::chrono::steady_clock::time_point deadline_;
};

}  // namespace rapport
