#pragma once

// The contract of event_log.h as tests, run over every implementation.
//
// To run it over an implementation, include this header in exactly one .cc of a test binary that
// links rapport::event_log_contract, and instantiate the suite with a backend:
//
//   INSTANTIATE_TEST_SUITE_P(Kafka, EventLogContractTest,
//                            testing::Values(ContractBackend{
//                                .name = "Kafka", .open = [] { return ConnectToTestBroker(); }}),
//                            ContractBackendName);
//
// What a backend has to give:
//  - `open` returns a log that is ready for CreateTopic; it is called once per test and must not
//    return null. All of them may stand on one broker: each test uses topics and groups of its own.
//  - Records of up to 900 KiB are accepted and one of 8 MiB is refused.
//  - A group settles (joins, leaves, session time-outs) within `patience`: set a short session
//    time-out, since a static member that leaves is only noticed by it.

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
    EXPECT_TRUE(owned.insert(partition).second) << "assigned twice: " << partition;
    assigned.push_back(partition);
    if (const auto it = errors.find(partition); it != errors.end()) return it->second;
    const auto it = starts.find(partition);
    return it == starts.end() ? Offset(0) : it->second;
  }
  void OnRevoked(Partition partition, bool lost) override {
    EXPECT_EQ(owned.erase(partition), 1u) << "revoked, but not owned: " << partition;
    (lost ? lost_partitions : revoked).push_back(partition);
  }

  std::map<Partition, Offset> starts;
  std::map<Partition, absl::Status> errors;
  std::set<Partition> owned;
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
                                          PartitionListener* listener) {
    auto subscription = log().Subscribe(
        topic_, {.group = std::string(group), .member = std::string(member)}, listener);
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

using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_P(EventLogContractTest, ReadsBackEveryByte) {
  CreateTopic(1);
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  std::vector<Record> records = {RecordOf(all_bytes, std::string(1000, '\0') + all_bytes),
                                 RecordOf("k", ""), RecordOf("", "b", Partition(0))};
  records[0].headers = {{"ce_id", all_bytes}, {"empty", ""}, {"ce_id", "again"}};
  records[0].timestamp = absl::FromUnixMillis(1700000000123);
  records[2].timestamp = absl::FromUnixMillis(1600000000001);
  ASSERT_OK(log().Append(topic_, records));

  const auto read = ReadAll(Partition(0), 3);
  ASSERT_EQ(read.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read[i].offset, Offset(static_cast<int64_t>(i)));
    EXPECT_EQ(read[i].key, records[i].key);
    EXPECT_EQ(read[i].value, records[i].value);
    EXPECT_EQ(read[i].headers, records[i].headers);
    EXPECT_EQ(read[i].timestamp, records[i].timestamp);
  }
}

TEST_P(EventLogContractTest, TimestampsHaveMilliseconds) {
  CreateTopic(1);
  Record record = RecordOf("k", "v");
  record.timestamp = absl::FromUnixMillis(1700000000123) + absl::Microseconds(999);
  ASSERT_OK(log().Append(topic_, {&record, 1}));
  const auto read = ReadAll(Partition(0), 1);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].timestamp, absl::FromUnixMillis(1700000000123));
}

TEST_P(EventLogContractTest, KeepsTheOrderAndReturnsPositions) {
  CreateTopic(1);
  std::vector<std::string> appended;
  Offset previous(-1);
  for (int batch = 0; batch < 10; ++batch) {
    std::vector<Record> records;
    for (int i = 0; i < 50; ++i) {
      appended.push_back(absl::StrCat("value ", batch, ".", i));
      records.push_back(RecordOf("k", appended.back()));
    }
    ASSERT_OK_AND_ASSIGN(const auto positions, log().Append(topic_, records));
    ASSERT_EQ(positions.size(), records.size());
    for (const RecordPosition& position : positions) {
      EXPECT_EQ(position.partition, Partition(0));
      EXPECT_LT(previous, position.offset);
      previous = position.offset;
    }
  }
  EXPECT_EQ(Values(ReadAll(Partition(0), appended.size())), appended);
}

TEST_P(EventLogContractTest, TheKeyChoosesThePartition) {
  CreateTopic(5);
  std::vector<Record> records;
  for (int i = 0; i < 200; ++i) {
    records.push_back(RecordOf(absl::StrCat("client ", i), absl::StrCat(i)));
  }
  ASSERT_OK_AND_ASSIGN(const auto positions, log().Append(topic_, records));
  ASSERT_EQ(positions.size(), records.size());
  std::map<Partition, std::map<Offset, std::string>> expected;
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(positions[i].partition, PartitionOf(records[i].key, 5));
    expected[positions[i].partition][positions[i].offset] = records[i].value;
  }
  ASSERT_EQ(expected.size(), 5u);
  for (const auto& [partition, by_offset] : expected) {
    for (const OwnedRecord& record : ReadAll(partition, by_offset.size())) {
      EXPECT_EQ(by_offset.at(record.offset), record.value);
    }
  }
}

TEST_P(EventLogContractTest, ARecordMayNameItsPartition) {
  CreateTopic(3);
  const std::vector<Record> records = {RecordOf("", "clock 2", Partition(2)),
                                       RecordOf("", "clock 0", Partition(0)),
                                       RecordOf("key", "keyed", Partition(2))};
  ASSERT_OK_AND_ASSIGN(const auto positions, log().Append(topic_, records));
  EXPECT_EQ(positions,
            (std::vector<RecordPosition>{
                {Partition(2), Offset(0)}, {Partition(0), Offset(0)}, {Partition(2), Offset(1)}}));
  EXPECT_EQ(Values(ReadAll(Partition(2), 2)), (std::vector<std::string>{"clock 2", "keyed"}));
  EXPECT_EQ(Values(ReadAll(Partition(0), 1)), std::vector<std::string>{"clock 0"});
}

TEST_P(EventLogContractTest, NothingToAppendIsFine) {
  CreateTopic(1);
  ASSERT_OK_AND_ASSIGN(const auto positions, log().Append(topic_, {}));
  EXPECT_THAT(positions, IsEmpty());
}

TEST_P(EventLogContractTest, ARecordOverTheLimitIsRefusedWithItsWholeBatch) {
  CreateTopic(1);
  const std::vector<Record> records = {RecordOf("k", "small"),
                                       RecordOf("k", std::string(8 << 20, 'x'))};
  EXPECT_THAT(log().Append(topic_, records),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("8388609 bytes")));
  EXPECT_THAT(log().GetWatermarks(topic_, Partition(0)).value(),
              (Watermarks{Offset(0), Offset(0)}));
}

TEST_P(EventLogContractTest, ALargeRecordGoesThrough) {
  CreateTopic(1);
  std::string value(900 << 10, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * i >> 7);
  const std::vector<Record> records = {RecordOf("k", "before"), RecordOf("k", value),
                                       RecordOf("k", "after")};
  ASSERT_OK(log().Append(topic_, records));
  EXPECT_EQ(Values(ReadAll(Partition(0), 3)), (std::vector<std::string>{"before", value, "after"}));
}

TEST_P(EventLogContractTest, ABatchMayBeLargerThanAFetch) {
  CreateTopic(1);
  std::vector<Record> records;
  std::vector<std::string> values;
  for (int i = 0; i < 4000; ++i) {
    values.push_back(absl::StrCat(i, std::string(2048, static_cast<char>('a' + i % 26))));
    records.push_back(RecordOf("k", values.back()));
  }
  ASSERT_OK(log().Append(topic_, records));
  EXPECT_TRUE(Values(ReadAll(Partition(0), values.size())) == values);
}

TEST_P(EventLogContractTest, ConcurrentAppendersKeepTheirOwnOrder) {
  constexpr int kThreads = 4, kBatches = 20, kBatchSize = 25;
  CreateTopic(2);
  std::vector<std::thread> threads;
  std::vector<std::vector<RecordPosition>> positions(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int batch = 0; batch < kBatches; ++batch) {
        std::vector<Record> records;
        for (int i = 0; i < kBatchSize; ++i) {
          records.push_back(
              RecordOf("", absl::StrCat(thread, " ", batch * kBatchSize + i), Partition(i % 2)));
        }
        const auto appended = log().Append(topic_, records);
        ASSERT_OK(appended);
        positions[thread].insert(positions[thread].end(), appended->begin(), appended->end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::map<std::pair<Partition, Offset>, std::string> expected;
  for (int thread = 0; thread < kThreads; ++thread) {
    ASSERT_EQ(positions[thread].size(), static_cast<size_t>(kBatches * kBatchSize));
    std::map<Partition, Offset> last;
    for (size_t i = 0; i < positions[thread].size(); ++i) {
      const auto& [partition, offset] = positions[thread][i];
      if (last.contains(partition)) {
        EXPECT_LT(last[partition], offset);
      }
      last[partition] = offset;
      EXPECT_TRUE(
          expected.emplace(std::pair(partition, offset), absl::StrCat(thread, " ", i)).second)
          << "two records at " << partition << "/" << offset;
    }
  }
  size_t read = 0;
  for (const Partition partition : {Partition(0), Partition(1)}) {
    ASSERT_OK_AND_ASSIGN(const Watermarks marks, log().GetWatermarks(topic_, partition));
    for (const OwnedRecord& record : ReadAll(partition, static_cast<size_t>(marks.end.value()))) {
      const auto it = expected.find({partition, record.offset});
      ASSERT_NE(it, expected.end());
      EXPECT_EQ(it->second, record.value);
      ++read;
    }
  }
  EXPECT_EQ(read, expected.size());
}

TEST_P(EventLogContractTest, AReaderStopsAtMaxRecordsAndGoesOn) {
  CreateTopic(1);
  std::vector<Record> records;
  for (int i = 0; i < 10; ++i) records.push_back(RecordOf("k", absl::StrCat(i)));
  ASSERT_OK(log().Append(topic_, records));
  ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, Partition(0), Offset(2)));
  EXPECT_EQ(reader->position(), Offset(2));
  EXPECT_EQ(Values(ReadSome(*reader, 3)), (std::vector<std::string>{"2", "3", "4"}));
  EXPECT_EQ(reader->position(), Offset(5));
  EXPECT_EQ(Values(ReadSome(*reader, 5)), (std::vector<std::string>{"5", "6", "7", "8", "9"}));
  EXPECT_EQ(reader->position(), Offset(10));
  ASSERT_OK_AND_ASSIGN(const auto none, reader->Read(10, absl::Milliseconds(50)));
  EXPECT_THAT(none, IsEmpty());
  EXPECT_EQ(reader->position(), Offset(10));
}

TEST_P(EventLogContractTest, AWaitingReaderWakesUp) {
  CreateTopic(1);
  ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, Partition(0), Offset(0)));
  ASSERT_OK_AND_ASSIGN(const auto none, reader->Read(10, absl::Milliseconds(100)));
  EXPECT_THAT(none, IsEmpty());
  for (int i = 0; i < 3; ++i) {
    std::thread appender([&] {
      const Record record = RecordOf("k", absl::StrCat("wake ", i));
      EXPECT_OK(log().Append(topic_, {&record, 1}));
    });
    // One call: it has to wait for the record rather than come back without it.
    const auto batch = reader->Read(10, GetParam().patience);
    appender.join();
    ASSERT_OK(batch);
    ASSERT_EQ(batch->size(), 1u);
    EXPECT_EQ((*batch)[0].value, absl::StrCat("wake ", i));
  }
}

TEST_P(EventLogContractTest, ReadersAreIndependent) {
  CreateTopic(1);
  std::vector<Record> records;
  for (int i = 0; i < 6; ++i) records.push_back(RecordOf("k", absl::StrCat(i)));
  ASSERT_OK(log().Append(topic_, records));
  ASSERT_OK_AND_ASSIGN(const auto first, log().OpenReader(topic_, Partition(0), Offset(0)));
  ASSERT_OK_AND_ASSIGN(const auto second, log().OpenReader(topic_, Partition(0), Offset(4)));
  EXPECT_EQ(Values(ReadSome(*first, 2)), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(Values(ReadSome(*second, 2)), (std::vector<std::string>{"4", "5"}));
  EXPECT_EQ(Values(ReadSome(*first, 2)), (std::vector<std::string>{"2", "3"}));
}

TEST_P(EventLogContractTest, ReadsWhileAppending) {
  constexpr int kRecords = 2000;
  CreateTopic(1);
  std::thread appender([&] {
    for (int i = 0; i < kRecords; i += 40) {
      std::vector<Record> records;
      for (int j = i; j < i + 40; ++j) records.push_back(RecordOf("k", absl::StrCat(j)));
      ASSERT_OK(log().Append(topic_, records));
    }
  });
  const auto read = ReadAll(Partition(0), kRecords);
  appender.join();
  for (size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i].value, absl::StrCat(i));
}

TEST_P(EventLogContractTest, APositionOutsideTheLogIsAnError) {
  CreateTopic(1);
  const Record record = RecordOf("k", "only");
  ASSERT_OK(log().Append(topic_, {&record, 1}));
  EXPECT_THAT(ReadingStatus(Offset(7)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("7")));
  EXPECT_THAT(ReadingStatus(Offset(-1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
  EXPECT_OK(ReadingStatus(Offset(0)));
}

TEST_P(EventLogContractTest, AnUnknownTopicIsNotFound) {
  const auto not_found = StatusIs(absl::StatusCode::kNotFound, HasSubstr(topic_));
  const Record record = RecordOf("k", "v");
  RecordingListener listener;
  EXPECT_THAT(log().PartitionCount(topic_), not_found);
  EXPECT_THAT(log().Append(topic_, {&record, 1}), not_found);
  EXPECT_THAT(log().OpenReader(topic_, Partition(0), Offset(0)), not_found);
  EXPECT_THAT(log().Subscribe(topic_, {.group = "g", .member = "m"}, &listener), not_found);
  EXPECT_THAT(log().GetWatermarks(topic_, Partition(0)), not_found);
  EXPECT_THAT(log().OffsetForTime(topic_, Partition(0), absl::UnixEpoch()), not_found);
}

TEST_P(EventLogContractTest, AnUnknownPartitionIsInvalid) {
  CreateTopic(2);
  for (const Partition partition : {Partition(2), Partition(-1)}) {
    const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr(absl::StrCat("partition ", partition.value())));
    const std::vector<Record> records = {RecordOf("k", "good", Partition(0)),
                                         RecordOf("k", "bad", partition)};
    EXPECT_THAT(log().Append(topic_, records), invalid);
    EXPECT_THAT(log().OpenReader(topic_, partition, Offset(0)), invalid);
    EXPECT_THAT(log().GetWatermarks(topic_, partition), invalid);
    EXPECT_THAT(log().OffsetForTime(topic_, partition, absl::UnixEpoch()), invalid);
  }
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(0)).value(), (Watermarks{Offset(0), Offset(0)}));
}

TEST_P(EventLogContractTest, ATopicIsCreatedOnce) {
  ASSERT_OK(log().CreateTopic(topic_, 3));
  EXPECT_OK(log().CreateTopic(topic_, 3));
  EXPECT_EQ(log().PartitionCount(topic_).value(), 3);
  EXPECT_THAT(log().CreateTopic(topic_, 4),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(topic_)));
  EXPECT_EQ(log().PartitionCount(topic_).value(), 3);
  EXPECT_THAT(log().CreateTopic(UniqueName("none"), 0),
              StatusIs(absl::StatusCode::kInvalidArgument, _));
  EXPECT_THAT(log().CreateTopic("no/slash or space", 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no/slash or space")));
}

TEST_P(EventLogContractTest, WatermarksFollowTheAppends) {
  CreateTopic(2);
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(1)).value(), (Watermarks{Offset(0), Offset(0)}));
  const std::vector<Record> records(3, RecordOf("", "v", Partition(1)));
  ASSERT_OK(log().Append(topic_, records));
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(1)).value(), (Watermarks{Offset(0), Offset(3)}));
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(0)).value(), (Watermarks{Offset(0), Offset(0)}));
}

TEST_P(EventLogContractTest, FindsTheOffsetForATime) {
  CreateTopic(1);
  const auto at = [](int64_t i) { return absl::FromUnixMillis(1700000000000 + i); };
  EXPECT_EQ(log().OffsetForTime(topic_, Partition(0), at(0)).value(), Offset(0));
  for (int batch = 0; batch < 10; ++batch) {
    std::vector<Record> records;
    for (int i = 0; i < 10; ++i) {
      records.push_back(RecordOf("k", "v"));
      records.back().timestamp = at((batch * 10 + i) * 100);
    }
    ASSERT_OK(log().Append(topic_, records));
  }
  const auto offset = [&](absl::Time time) {
    return log().OffsetForTime(topic_, Partition(0), time).value();
  };
  EXPECT_EQ(offset(absl::UnixEpoch()), Offset(0));
  for (int i = 0; i < 100; i += 7) {
    EXPECT_EQ(offset(at(i * 100)), Offset(i));
    EXPECT_EQ(offset(at(i * 100 - 1)), Offset(i));
    EXPECT_EQ(offset(at(i * 100 - 99)), Offset(i));
  }
  EXPECT_EQ(offset(at(9900)), Offset(99));
  EXPECT_EQ(offset(at(9901)), Offset(100));
}

TEST_P(EventLogContractTest, ASubscriptionStartsWhereItsListenerSays) {
  CreateTopic(2);
  std::vector<Record> records;
  for (int i = 0; i < 5; ++i) {
    records.push_back(RecordOf("", absl::StrCat("a", i), Partition(0)));
    records.push_back(RecordOf("", absl::StrCat("b", i), Partition(1)));
    records.back().headers = {{"n", absl::StrCat(i)}};
  }
  ASSERT_OK(log().Append(topic_, records));
  const std::string group = UniqueName("group");
  for (int round = 0; round < 2; ++round) {
    RecordingListener listener;
    listener.starts = {{Partition(0), Offset(3)}, {Partition(1), Offset(4)}};
    const auto subscription = Subscribe(group, "member", &listener);
    ASSERT_NE(subscription, nullptr);
    std::map<Partition, std::vector<OwnedRecord>> read;
    PollUntil(
        {subscription.get()},
        [&] { return read[Partition(0)].size() + read[Partition(1)].size() == 3; }, &read);
    EXPECT_THAT(Values(read[Partition(0)]), ElementsAre("a3", "a4"));
    EXPECT_THAT(Values(read[Partition(1)]), ElementsAre("b4"));
    ASSERT_EQ(read[Partition(1)].size(), 1u);
    EXPECT_THAT(read[Partition(1)][0].headers, ElementsAre(Header{"n", "4"}));
    // A reported position is for dashboards: the next round starts where the listener says again.
    subscription->ReportPosition(Partition(0), Offset(5));
    subscription->ReportPosition(Partition(1), Offset(5));
    ASSERT_OK(subscription->Close());
    EXPECT_THAT(listener.revoked, UnorderedElementsAre(Partition(0), Partition(1)));
    EXPECT_THAT(listener.lost_partitions, IsEmpty());
  }
}

TEST_P(EventLogContractTest, ASubscriptionFollowsTheAppends) {
  CreateTopic(3);
  RecordingListener listener;
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  std::map<Partition, std::vector<OwnedRecord>> read;
  size_t appended = 0;
  const auto count = [&] {
    size_t sum = 0;
    for (const auto& [partition, records] : read) sum += records.size();
    return sum;
  };
  for (int round = 0; round < 5; ++round) {
    std::vector<Record> records;
    for (int i = 0; i < 30; ++i) {
      records.push_back(RecordOf("", absl::StrCat(round * 10 + i / 3), Partition(i % 3)));
    }
    ASSERT_OK(log().Append(topic_, records));
    appended += records.size();
    PollUntil(
        {subscription.get()}, [&] { return count() == appended; }, &read);
  }
  for (const auto& [partition, records] : read) {
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i].value, absl::StrCat(i));
      EXPECT_EQ(records[i].offset, Offset(static_cast<int64_t>(i)));
    }
  }
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, GroupsDoNotShare) {
  CreateTopic(1);
  const Record record = RecordOf("k", "v");
  ASSERT_OK(log().Append(topic_, {&record, 1}));
  RecordingListener listeners[2];
  for (RecordingListener& listener : listeners) {
    const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
    ASSERT_NE(subscription, nullptr);
    std::map<Partition, std::vector<OwnedRecord>> read;
    PollUntil(
        {subscription.get()}, [&] { return read[Partition(0)].size() == 1; }, &read);
    ASSERT_OK(subscription->Close());
  }
}

TEST_P(EventLogContractTest, MembersShareThePartitionsAndTakeOver) {
  CreateTopic(4);
  const std::string group = UniqueName("group");
  RecordingListener first, second;
  const auto one = Subscribe(group, "one", &first);
  ASSERT_NE(one, nullptr);
  PollUntil({one.get()}, [&] { return first.owned.size() == 4; });

  const auto two = Subscribe(group, "two", &second);
  ASSERT_NE(two, nullptr);
  PollUntil({one.get(), two.get()}, [&] {
    for (const Partition partition : second.owned) EXPECT_FALSE(first.owned.contains(partition));
    return first.owned.size() == 2 && second.owned.size() == 2;
  });
  // Only what moved was revoked.
  EXPECT_EQ(first.revoked.size(), 2u);
  EXPECT_EQ(first.assigned.size(), 4u);
  EXPECT_THAT(second.revoked, IsEmpty());

  std::vector<Record> records;
  for (int i = 0; i < 4; ++i) records.push_back(RecordOf("", "v", Partition(i)));
  ASSERT_OK(log().Append(topic_, records));
  std::map<Partition, std::vector<OwnedRecord>> read_by_one, read_by_two;
  PollUntil(
      {one.get()}, [&] { return read_by_one.size() == 2; }, &read_by_one);
  PollUntil(
      {two.get()}, [&] { return read_by_two.size() == 2; }, &read_by_two);
  for (const auto& [partition, owned] : read_by_one) EXPECT_FALSE(read_by_two.contains(partition));

  ASSERT_OK(one->Close());
  EXPECT_THAT(first.owned, IsEmpty());
  PollUntil({two.get()}, [&] { return second.owned.size() == 4; });
  EXPECT_THAT(second.revoked, IsEmpty());
  ASSERT_OK(two->Close());
}

TEST_P(EventLogContractTest, ARestartedMemberKeepsItsPartitions) {
  CreateTopic(4);
  const std::string group = UniqueName("group");
  RecordingListener first, second;
  auto one = Subscribe(group, "one", &first);
  const auto two = Subscribe(group, "two", &second);
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  PollUntil({one.get(), two.get()},
            [&] { return first.owned.size() == 2 && second.owned.size() == 2; });
  const std::set<Partition> before = first.owned;
  const std::set<Partition> others = second.owned;

  ASSERT_OK(one->Close());
  one.reset();
  RecordingListener restarted;
  one = Subscribe(group, "one", &restarted);
  ASSERT_NE(one, nullptr);
  PollUntil({one.get(), two.get()},
            [&] { return restarted.owned.size() == 2 && second.owned.size() == 2; });
  EXPECT_EQ(restarted.owned, before);
  EXPECT_EQ(second.owned, others);
  ASSERT_OK(one->Close());
  ASSERT_OK(two->Close());
}

TEST_P(EventLogContractTest, APausedPartitionWaitsForItsResume) {
  CreateTopic(2);
  RecordingListener listener;
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  PollUntil({subscription.get()}, [&] { return listener.owned.size() == 2; });
  ASSERT_OK(subscription->Pause(Partition(0)));

  std::vector<Record> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(RecordOf("", absl::StrCat(i), Partition(i % 2)));
  }
  ASSERT_OK(log().Append(topic_, records));
  std::map<Partition, std::vector<OwnedRecord>> read;
  PollUntil(
      {subscription.get()}, [&] { return read[Partition(1)].size() == 5; }, &read);
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto none, subscription->Poll(100, absl::Milliseconds(20)));
    EXPECT_THAT(none.records, IsEmpty());
  }
  EXPECT_THAT(read[Partition(0)], IsEmpty());
  EXPECT_EQ(listener.owned.size(), 2u);

  ASSERT_OK(subscription->Resume(Partition(0)));
  PollUntil(
      {subscription.get()}, [&] { return read[Partition(0)].size() == 5; }, &read);
  EXPECT_THAT(Values(read[Partition(0)]), ElementsAre("0", "2", "4", "6", "8"));
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, APartitionThatIsNotOwnedCannotBePaused) {
  CreateTopic(1);
  RecordingListener listener;
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  PollUntil({subscription.get()}, [&] { return listener.owned.size() == 1; });
  const auto not_owned = StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("partition 5"));
  EXPECT_THAT(subscription->Pause(Partition(5)), not_owned);
  EXPECT_THAT(subscription->Resume(Partition(5)), not_owned);
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, AListenersErrorLeavesItsPartitionUnread) {
  CreateTopic(2);
  const std::vector<Record> records = {RecordOf("", "zero", Partition(0)),
                                       RecordOf("", "one", Partition(1))};
  ASSERT_OK(log().Append(topic_, records));
  RecordingListener listener;
  listener.errors[Partition(0)] = absl::FailedPreconditionError("the state is damaged");
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  bool told = false;
  std::vector<std::string> values;
  while (TimeLeft() && !(told && !values.empty())) {
    const auto batch = subscription->Poll(10, absl::Milliseconds(100));
    if (!batch.ok()) {
      EXPECT_FALSE(told) << "told twice";
      EXPECT_THAT(batch, StatusIs(absl::StatusCode::kFailedPrecondition,
                                  HasSubstr("the state is damaged")));
      told = true;
      continue;
    }
    for (const RecordView& view : batch->records) {
      EXPECT_EQ(batch->partition, Partition(1));
      values.push_back(std::string(view.value));
    }
  }
  EXPECT_TRUE(told);
  EXPECT_THAT(values, ElementsAre("one"));
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto none, subscription->Poll(10, absl::Milliseconds(20)));
    EXPECT_THAT(none.records, IsEmpty());
  }
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, ASubscriptionPastTheEndIsAnError) {
  CreateTopic(1);
  RecordingListener listener;
  listener.starts[Partition(0)] = Offset(7);
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  absl::Status status;
  while (status.ok() && TimeLeft()) {
    status = subscription->Poll(10, absl::Milliseconds(100)).status();
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("7")));
  ASSERT_OK(subscription->Close());
}

}  // namespace rapport
