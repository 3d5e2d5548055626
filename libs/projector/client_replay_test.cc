#include "libs/projector/client_replay.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"
#include "libs/projector/testing/toy_projection.h"
#include "libs/projector/touchpoint_peek.h"

namespace rapport {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::ToyProjection;
using touchpoint::v1::Touchpoint;

class ClientReplayTest : public ::testing::Test {
 protected:
  ClientReplayTest() : log_(*OpenEmbeddedLog({.folder = folder_ / "log"})) {
    EXPECT_OK(log_->CreateTopic("touchpoints", 1));
    EXPECT_OK(log_->CreateTopic("alerts", 1));
  }

  // A history with late touchpoints, duplicates, a clock, and records that cannot be folded.
  void AppendHistory() {
    const std::vector<Touchpoint> history =
        testing::RandomHistory({.seed = 11, .client_count = 40, .touchpoint_count = 1500});
    std::vector<Record> records;
    int number = 0;
    for (const Touchpoint& touchpoint : history) {
      if (touchpoint.has_clock_advanced()) {
        records.push_back(
            MakeClockRecord(FromProto(touchpoint.clock_advanced().now()), Partition(0)));
        continue;
      }
      records.push_back(MakeRecord(touchpoint));
      const std::string& client = touchpoint.client_id();
      if (++number % 90 == 0) records.push_back({.key = client, .value = "garbage \xff"});
      if (number % 200 == 0) {
        // Valid but for its name: what the client does next has to wait.
        Touchpoint reopened = testing::MakeTouchpoint(Touchpoint::kHistoryReopened, client,
                                                      absl::StrCat("m", number), testing::Day(0));
        reopened.mutable_history_reopened()->clear_retelling_id();
        records.push_back(MakeRecord(reopened));
        held_back_.push_back(static_cast<int64_t>(records.size()) - 1);
      }
      if (number % 450 == 0) {
        Touchpoint skip = testing::MakeTouchpoint(Touchpoint::kDeadLetterSkipped, "",
                                                  absl::StrCat("s", number), testing::Day(0));
        skip.mutable_dead_letter_skipped()->set_projection("toy");
        skip.mutable_dead_letter_skipped()->set_partition(0);
        skip.mutable_dead_letter_skipped()->set_offset(held_back_.front());
        records.push_back(MakeRecord(skip));
        held_back_.erase(held_back_.begin());
      }
    }
    for (Record& record : records) record.partition = Partition(0);
    ASSERT_OK(log_->Append("touchpoints", records));
  }
  Offset End() { return log_->GetWatermarks("touchpoints", Partition(0))->end; }

  const testing::TempFolder folder_;
  const std::unique_ptr<EventLog> log_;
  std::vector<int64_t> held_back_;
};

TEST_F(ClientReplayTest, MakesWhatAFoldInTheOrderOfTheLogMakes) {
  AppendHistory();
  // So small that records wait in a file.
  const testing::ProjectionFixture<ToyProjection> toy(log_.get(), false, {}, size_t{1} << 16);
  ASSERT_OK_AND_ASSIGN(const auto live, PartitionWorker::Open(toy.env(), folder_ / "live", {},
                                                              PartitionWorker::Effects::kHold));
  ASSERT_OK(live->FoldUpTo(End()));
  ASSERT_OK(live->Flush());
  const state::v1::FoldCounts& counts = live->fold().counts();
  // It is a history in which something happens.
  EXPECT_GT(counts.effects(), 100);
  EXPECT_GT(counts.timers(), 20);
  EXPECT_GT(counts.duplicates(), 20);
  EXPECT_GT(counts.dead_letters(), 60);

  for (const int64_t stretch : {1, 300, 100'000}) {
    SCOPED_TRACE(stretch);
    RebuildOptions options;
    options.batch_records = 200;
    options.checkpoint_records = stretch;
    ASSERT_OK_AND_ASSIGN(
        const Projector::Workers built,
        BuildAside(
            toy.env(), [&](Partition) { return folder_ / absl::StrCat("built", stretch); },
            {{Partition(0), End()}}, options));
    const PartitionFold& fold = built.begin()->second->fold();
    EXPECT_EQ(fold.position(), End());
    EXPECT_EQ(fold.clock(), live->fold().clock());
    EXPECT_EQ(fold.counts().ShortDebugString(), counts.ShortDebugString());
    EXPECT_EQ(fold.digest(), live->fold().digest());
    EXPECT_EQ(fold.digest(), *built.begin()->second->store()->ComputeDigest());
    ASSERT_THAT(fold.outbox(), SizeIs(live->fold().outbox().size()));
    ASSERT_THAT(fold.outbox(), Not(IsEmpty()));
    for (size_t i = 0; i < fold.outbox().size(); ++i) {
      ASSERT_EQ(fold.outbox()[i].place, live->fold().outbox()[i].place);
      ASSERT_EQ(fold.outbox()[i].event, live->fold().outbox()[i].event);
    }
  }
}

TEST_F(ClientReplayTest, AGapInTheLogStopsIt) {
  const testing::ProjectionFixture<ToyProjection> toy(log_.get());
  ASSERT_OK_AND_ASSIGN(const auto worker, PartitionWorker::Open(toy.env(), folder_ / "p0", {},
                                                                PartitionWorker::Effects::kHold));
  ClientReplay replay(&worker->fold(), folder_.path(), 1 << 20);
  const std::string value =
      testing::MakeTouchpoint(Touchpoint::kOrderPlaced, "a", "1", testing::Day(0))
          .SerializeAsString();
  const RecordView first = {.offset = Offset(0), .key = "a", .value = value};
  const RecordView third = {.offset = Offset(2), .key = "a", .value = value};
  ASSERT_OK_AND_ASSIGN(const size_t taken, replay.Add({first}));
  EXPECT_EQ(taken, 1u);
  EXPECT_THAT(replay.Add({third}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::HasSubstr("goes on at offset 2 where 1 was expected")));
}

TEST(RecordBucketsTest, GroupsByClientInMemoryAndInAFile) {
  const testing::TempFolder folder;
  for (const size_t memory : {size_t{0}, size_t{1} << 30}) {
    RecordBuckets buckets(folder.path(), memory);
    constexpr int kRecords = 20'000;
    const std::string value(1000, 'v');
    for (int i = 0; i < kRecords; ++i) {
      const std::string client = absl::StrCat("client", i % 7);
      // The key is not always the client.
      ASSERT_OK(buckets.Add(client, {.offset = Offset(i),
                                     .timestamp = testing::Day(i),
                                     .key = i % 2 == 0 ? client : "other",
                                     .value = value}));
    }
    // It has no name.
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    std::map<std::string, int> counts;
    for (size_t bucket = 0; bucket < RecordBuckets::kCount; ++bucket) {
      ASSERT_OK(buckets.Take(
          bucket, [&](const std::string& client, absl::Span<const RecordView> records) {
            EXPECT_EQ(RecordBuckets::BucketOf(client), bucket);
            EXPECT_EQ(counts[client], 0);
            counts[client] = static_cast<int>(records.size());
            for (size_t i = 0; i < records.size(); ++i) {
              const auto number = static_cast<int>(records[i].offset.value());
              EXPECT_EQ(absl::StrCat("client", number % 7), client);
              EXPECT_EQ(records[i].key, number % 2 == 0 ? client : "other");
              EXPECT_EQ(records[i].value, value);
              EXPECT_EQ(records[i].timestamp, testing::Day(number));
              EXPECT_EQ(records[i].offset, records[0].offset + static_cast<int64_t>(7 * i));
            }
            return absl::OkStatus();
          }));
    }
    int total = 0;
    for (const auto& [client, count] : counts) total += count;
    EXPECT_THAT(counts, SizeIs(7));
    EXPECT_EQ(total, kRecords);
  }
}

TEST(RecordBucketsTest, AFolderThatIsNotThereIsNamed) {
  RecordBuckets buckets("/nowhere", 0);
  const std::string value(size_t{1} << 20, 'v');
  EXPECT_THAT(buckets.Add("a", {.key = "a", .value = value}),
              StatusIs(absl::StatusCode::kUnavailable,
                       "making a temporary file in /nowhere: No "
                       "such file or directory"));
}

TEST(PeekClientTest, AgreesWithTheParser) {
  testing::Random random(5);
  for (uint64_t i = 0; i < 2000; ++i) {
    const Touchpoint touchpoint =
        testing::RandomTouchpoint(absl::StrCat("client", i), testing::Day(0), i, &random);
    const std::string bytes = touchpoint.SerializeAsString();
    EXPECT_EQ(PeekClient(bytes), touchpoint.client_id()) << touchpoint.ShortDebugString();
    EXPECT_EQ(PeekPayload(bytes), touchpoint.payload_case());
  }
  // Of the header, though behind the payload.
  Touchpoint call =
      testing::MakeTouchpoint(Touchpoint::kCallCompleted, "client", "1", testing::Day(1));
  call.add_stakeholder_ids("anna");
  call.add_former_client_ids("other");
  call.add_contradictions()->set_other_client_id("another");
  EXPECT_EQ(PeekPayload(call.SerializeAsString()), call.payload_case());
  EXPECT_EQ(PeekClient(testing::Clock(testing::Day(1)).SerializeAsString()), std::nullopt);
  Touchpoint order;
  order.mutable_dead_letter_retried();
  EXPECT_EQ(PeekClient(order.SerializeAsString()), std::nullopt);
  order.mutable_dead_letter_skipped();
  EXPECT_EQ(PeekClient(order.SerializeAsString()), std::nullopt);
  order.mutable_history_reopened();
  EXPECT_EQ(PeekClient(order.SerializeAsString()), std::nullopt);
  order.mutable_history_closed();
  EXPECT_EQ(PeekClient(order.SerializeAsString()), std::nullopt);
}

TEST(TouchpointParserTest, LeavesNothingOfTheOneBefore) {
  testing::Random random(6);
  TouchpointParser parser;
  for (uint64_t i = 0; i < 3000; ++i) {
    const Touchpoint touchpoint =
        testing::RandomTouchpoint(absl::StrCat("client", i), testing::Day(0), i, &random);
    ASSERT_OK(parser.Parse(touchpoint.SerializeAsString()));
    ASSERT_EQ(parser.touchpoint().SerializeAsString(), touchpoint.SerializeAsString());
    if (i % 100 == 0) {
      EXPECT_THAT(
          parser.Parse("garbage \xff"),
          StatusIs(absl::StatusCode::kDataLoss, "the 9 bytes of the record are no touchpoint"));
    }
  }
}

TEST(PeekClientTest, LeavesOddBytesToTheParser) {
  EXPECT_EQ(PeekClient(""), "");
  // The last of two counts.
  EXPECT_EQ(PeekClient("\x12\x01"
                       "a\x12\x01"
                       "b"),
            "b");
  const std::vector<std::string> odds = {"\x12",     std::string("\x12\x05") + "a",
                                         "\x13",     std::string(11, '\xff'),
                                         "\x0d\x01", "\x09\x01"};
  for (const std::string& odd : odds) {
    EXPECT_EQ(PeekClient(odd), std::nullopt) << odd;
    EXPECT_EQ(PeekPayload(odd), 0) << odd;
  }
}

}  // namespace
}  // namespace rapport
