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

#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/contract_fixture.h"
#include "libs/event_log/contract_subscription_test.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/partitioner.h"

namespace rapport {

using testing::_;
using testing::HasSubstr;
using testing::IsEmpty;

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

}  // namespace rapport
