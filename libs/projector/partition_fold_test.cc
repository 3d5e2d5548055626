#include <algorithm>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/event_log/partitioner.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/stored_state.h"
#include "libs/projector/testing/fixture.h"
#include "libs/projector/testing/toy_projection.h"
#include "tests/support/faulty_log.h"

namespace rapport {
namespace {

using ::testing::AllOf;
using testing::Day;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeTouchpoint;
using testing::PlainFold;
using testing::TempFolder;
using testing::ToyProjection;
using touchpoint::v1::Touchpoint;

// One partition, so that all records are folded by one worker.
class PartitionFoldTest : public ::testing::Test {
 protected:
  PartitionFoldTest() : log_(NewInMemoryEventLog()), fixture_(log_.get()) {
    EXPECT_OK(log_->CreateTopic("touchpoints", 1));
    EXPECT_OK(log_->CreateTopic("alerts", 1));
    Reopen();
  }

  void Reopen(FoldOptions options = {}) {
    worker_.reset();
    auto worker = PartitionWorker::Open(fixture_.env(), folder_ / "p0", options,
                                        PartitionWorker::Effects::kPublish);
    ASSERT_OK(worker);
    worker_ = *std::move(worker);
  }
  void Append(const Touchpoint& touchpoint) { Append(MakeRecord(touchpoint)); }
  void Append(const Record& record) { ASSERT_OK(log_->Append("touchpoints", {record})); }
  void Advance(absl::Time now) { Append(MakeClockRecord(now, Partition(0))); }
  void Call(const std::string& client, const std::string& id, absl::Time at) {
    Append(MakeTouchpoint(Touchpoint::kCallCompleted, client, id, at));
  }
  void Order(const std::string& client, const std::string& id,
             const std::string& order_id = "fine") {
    Touchpoint order = MakeTouchpoint(Touchpoint::kOrderPlaced, client, id, Day(0));
    order.mutable_order_placed()->set_order_id(order_id);
    Append(order);
  }
  void Operate(const char* what, int64_t offset) {
    Touchpoint order =
        MakeTouchpoint(Touchpoint::kDeadLetterRetried, "", absl::StrCat(what, offset), Day(0));
    const auto fill = [&](auto* payload) {
      payload->set_projection("toy");
      payload->set_partition(0);
      payload->set_offset(offset);
      payload->set_reason("test");
    };
    if (absl::string_view(what) == "retry") {
      fill(order.mutable_dead_letter_retried());
    } else {
      fill(order.mutable_dead_letter_skipped());
    }
    Record record = MakeRecord(order);
    record.partition = Partition(0);
    Append(record);
  }
  Offset End() { return log_->GetWatermarks("touchpoints", Partition(0))->end; }
  void FoldAll() {
    ASSERT_OK(worker_->FoldUpTo(End()));
    ASSERT_OK(worker_->Flush());
  }
  state::v1::FoldCounts StateOf(const std::string& client) {
    state::v1::FoldCounts state;
    EXPECT_OK(ProjectionView({worker_->store()}).Get(client, &state));
    return state;
  }
  std::vector<alert::v1::AlertEvent> Alerts() {
    std::vector<alert::v1::AlertEvent> alerts;
    auto reader = log_->OpenReader("alerts", Partition(0), Offset(0));
    const Offset end = log_->GetWatermarks("alerts", Partition(0))->end;
    while ((*reader)->position() < end) {
      const auto records = (*reader)->Read(100, absl::Seconds(5));
      for (const RecordView& record : *records) {
        EXPECT_TRUE(alerts.emplace_back().ParseFromArray(record.value.data(),
                                                         static_cast<int>(record.value.size())));
      }
    }
    return alerts;
  }
  std::vector<state::v1::DeadLetter> DeadLetters() {
    std::vector<state::v1::DeadLetter> letters;
    EXPECT_OK(ProjectionView({worker_->store()}).DeadLetters([&](absl::string_view value) {
      return letters.emplace_back().ParseFromArray(value.data(), static_cast<int>(value.size()));
    }));
    return letters;
  }
  void ExpectDigestIsOfWhatIsStored() {
    EXPECT_EQ(worker_->fold().digest(), *worker_->store()->ComputeDigest());
  }

  TempFolder folder_;
  std::unique_ptr<EventLog> log_;
  testing::ProjectionFixture<ToyProjection> fixture_;
  std::unique_ptr<PartitionWorker> worker_;
};

TEST_F(PartitionFoldTest, FoldsCommitsAndGoesOnWhereItStood) {
  Order("a", "1");
  Order("b", "2");
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 1);
  Order("a", "3");
  Reopen();
  EXPECT_EQ(worker_->fold().position(), Offset(2));
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 2);
  EXPECT_EQ(StateOf("b").records(), 1);
  EXPECT_EQ(worker_->fold().counts().clients(), 2);
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, WhatIsNotCommittedIsFoldedAgain) {
  Order("a", "1");
  FoldAll();
  Order("a", "2");
  ASSERT_OK(worker_->FoldUpTo(End()));
  Reopen();  // the worker died before its commit
  EXPECT_EQ(worker_->fold().position(), Offset(1));
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 2);
}

TEST_F(PartitionFoldTest, ATouchpointCountsOncePerClientHoweverLateItComesAgain) {
  Order("a", "1");
  Order("a", "1");  // within one commit
  FoldAll();
  Reopen();
  Order("a", "1");  // in a later one
  Order("b", "1");  // another client: a merge writes it again
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 1);
  EXPECT_EQ(StateOf("b").records(), 1);
  EXPECT_EQ(worker_->fold().counts().duplicates(), 2);
}

TEST_F(PartitionFoldTest, TimersFireInOrderOfDueTimeAndClient) {
  Advance(Day(0));
  Call("b", "1", Day(1));
  Call("a", "2", Day(1));
  Call("c", "3", Day(0) + absl::Hours(1));
  Advance(Day(0) + absl::Hours(2) - absl::Microseconds(1));
  FoldAll();
  EXPECT_THAT(Alerts(), IsEmpty());
  Reopen();
  Advance(Day(3));
  FoldAll();
  std::vector<std::string> clients;
  for (const auto& alert : Alerts()) clients.push_back(alert.client_id());
  EXPECT_THAT(clients, ElementsAre("c", "a", "b"));
  EXPECT_EQ(StateOf("a").timers(), 1);
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, AWakeInThePastWaitsForTheNextClock) {
  Advance(Day(10));
  Call("a", "1", Day(1));
  Advance(Day(10));  // not later: nothing happens
  FoldAll();
  EXPECT_EQ(StateOf("a").timers(), 0);
  Advance(Day(10) + absl::Minutes(1));
  FoldAll();
  EXPECT_EQ(StateOf("a").timers(), 1);
}

TEST_F(PartitionFoldTest, AManyTimersClockMayBeCutOffInTheMiddle) {
  constexpr int kClients = 300;
  for (int i = 0; i < kClients; ++i) Call(absl::StrCat("client", i), absl::StrCat(i), Day(1));
  FoldAll();
  // Timers are taken in chunks and committed when they are many; cut off right after one of the
  // commits. Every timer marks its client dirty, so that a tiny limit commits after each chunk.
  Advance(Day(2));
  Reopen({.commit_bytes = 1});
  const Offset before = worker_->fold().position();
  FoldAll();
  EXPECT_EQ(worker_->fold().position(), before + 1);
  EXPECT_EQ(worker_->fold().counts().timers(), kClients);
  EXPECT_EQ(Alerts().size(), static_cast<size_t>(kClients));
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, AnEffectIsPublishedOnceWhateverDies) {
  Append(MakeTouchpoint(Touchpoint::kComplaintOpened, "a", "1", Day(0)));
  FoldAll();
  ASSERT_EQ(Alerts().size(), 1u);
  // Dies after the append to the alerts log, before the commit that would have remembered it.
  Append(MakeTouchpoint(Touchpoint::kComplaintOpened, "a", "2", Day(0)));
  ASSERT_OK(worker_->FoldUpTo(End()));
  ASSERT_OK(worker_->fold().Commit());
  ASSERT_OK(worker_->CommitIfDue(absl::Now(), false));
  ASSERT_EQ(Alerts().size(), 2u);
  Reopen();
  FoldAll();
  // A fold of the whole log from nothing, as after the loss of the state.
  worker_.reset();
  std::filesystem::remove_all(folder_ / "p0");
  Reopen();
  FoldAll();
  const std::vector<alert::v1::AlertEvent> alerts = Alerts();
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_NE(alerts[0].effect_id(), alerts[1].effect_id());
  EXPECT_EQ(alerts[0].projection(), "toy");
  EXPECT_EQ(alerts[0].cause().offset(), 0);
  EXPECT_EQ(alerts[1].cause().offset(), 1);
}

TEST_F(PartitionFoldTest, WhatTheAlertsLogHasDeletedIsNotSentAgain) {
  testing::FaultyLog forgetful(log_.get(), 1);
  testing::ProjectionFixture<ToyProjection> fixture(&forgetful);
  const auto reopen = [&](const char* folder) {
    worker_.reset();
    auto worker = PartitionWorker::Open(fixture.env(), folder_ / folder, {},
                                        PartitionWorker::Effects::kPublish);
    ASSERT_OK(worker);
    worker_ = *std::move(worker);
    FoldAll();
  };
  const auto complain = [&](const char* id, int day) {
    Append(MakeTouchpoint(Touchpoint::kComplaintOpened, "a", id, Day(day)));
  };
  ASSERT_NO_FATAL_FAILURE(reopen("first"));
  for (const char* id : {"1", "2", "3"}) complain(id, 0);
  FoldAll();
  ASSERT_EQ(Alerts().size(), 3u);
  // All of them are older than the log of alerts keeps them, and the state is lost.
  forgetful.set_begin("alerts", Offset(3));
  ASSERT_NO_FATAL_FAILURE(reopen("second"));
  EXPECT_EQ(Alerts().size(), 3u);
  // What comes now is sent.
  complain("4", 9);
  FoldAll();
  ASSERT_EQ(Alerts().size(), 4u);
  EXPECT_EQ(Alerts().back().cause().offset(), 3);
  // So it is where the last one is left, of which nothing is sent twice either.
  ASSERT_NO_FATAL_FAILURE(reopen("third"));
  EXPECT_EQ(Alerts().size(), 4u);
}

TEST_F(PartitionFoldTest, ATouchpointInAPartitionThatIsNotItsOwnSaysWhereItBelongs) {
  constexpr int kPartitions = 8;
  std::string ours = "a", others = "b";
  while (PartitionOf(ours, kPartitions) != Partition(0)) ours += "a";
  while (PartitionOf(others, kPartitions) == Partition(0)) others += "b";
  Reopen({.partition_count = kPartitions});
  Order(ours, "1");
  Order(others, "2");
  Order(ours, "3");
  FoldAll();
  EXPECT_EQ(StateOf(ours).records(), 2);
  EXPECT_EQ(worker_->fold().counts().clients(), 1);
  EXPECT_EQ(worker_->fold().counts().dead_letters(), 1);
  const std::vector<state::v1::DeadLetter> letters = DeadLetters();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].client_id(), others);
  EXPECT_THAT(
      letters[0].reason(),
      AllOf(HasSubstr(absl::StrCat("belongs in partition ",
                                   PartitionOf(others, kPartitions).value(), ", and stands in 0")),
            HasSubstr("partitioner=murmur2_random")));
  // Its id is not seen: written where it belongs, it counts there.
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, WhatHappenedLongAfterItWasWrittenIsADeadLetter) {
  const auto order = [&](const char* id, absl::Time occurred) {
    Touchpoint touchpoint = MakeTouchpoint(Touchpoint::kOrderPlaced, "a", id, occurred);
    touchpoint.mutable_order_placed()->set_order_id("fine");
    Record record = MakeRecord(touchpoint);
    record.timestamp = Day(0);
    Append(record);
  };
  order("1", Day(1));
  order("2", Day(1) + absl::Seconds(1));
  order("3", Day(-400));
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 2);
  const std::vector<state::v1::DeadLetter> letters = DeadLetters();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].offset(), 1);
  EXPECT_THAT(letters[0].reason(),
              AllOf(HasSubstr("occurred_at is 2023-11-15T22:13:21"),
                    HasSubstr("the record was written at 2023-11-14T22:13:20"), HasSubstr("24h")));
}

TEST_F(PartitionFoldTest, ABadRecordBecomesADeadLetterAndTheRestGoesOn) {
  Order("a", "1");
  Append(Record{.key = "a", .value = "garbage \xff", .timestamp = Day(0)});
  Append(Record{.key = "a", .value = "", .timestamp = Day(0)});
  Order("a", "2", "impossible");
  Order("a", "3");
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 2);
  const std::vector<state::v1::DeadLetter> letters = DeadLetters();
  ASSERT_EQ(letters.size(), 3u);
  EXPECT_EQ(letters[0].offset(), 1);
  EXPECT_EQ(letters[0].record_value(), "garbage \xff");
  EXPECT_EQ(letters[0].client_id(), "a");
  EXPECT_EQ(letters[2].offset(), 3);
  EXPECT_THAT(letters[2].reason(), HasSubstr("order_placed.order_id: impossible"));
  EXPECT_EQ(worker_->fold().counts().dead_letters(), 3);
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, ADeadLetterIsRetriedOrSkippedByATouchpoint) {
  Order("a", "1", "impossible");
  Append(Record{.key = "a", .value = "garbage", .timestamp = Day(0)});
  FoldAll();
  Operate("skip", 1);
  Operate("retry", 0);  // as impossible as before: stays, in its place
  Operate("skip", 77);  // none there
  FoldAll();
  const std::vector<state::v1::DeadLetter> letters = DeadLetters();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].offset(), 0);
  EXPECT_EQ(worker_->fold().counts().dead_letters(), 1);
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, TouchpointsWaitBehindARetellingThatCannotBeFolded) {
  // Without what it is called.
  Touchpoint reopened = MakeTouchpoint(Touchpoint::kHistoryReopened, "a", "reopened", Day(0));
  reopened.mutable_history_reopened()->clear_retelling_id();
  Append(reopened);
  Order("a", "1");
  Order("b", "2");
  Order("a", "3");
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 0);
  EXPECT_EQ(StateOf("b").records(), 1);
  ASSERT_EQ(DeadLetters().size(), 3u);
  EXPECT_EQ(DeadLetters()[1].reason(), "waits behind offset 0");
  Reopen();
  Operate("retry", 0);
  FoldAll();
  EXPECT_EQ(DeadLetters().size(), 3u);
  Operate("skip", 0);
  FoldAll();
  EXPECT_EQ(StateOf("a").records(), 2);
  EXPECT_THAT(DeadLetters(), IsEmpty());
  ExpectDigestIsOfWhatIsStored();
}

TEST_F(PartitionFoldTest, AGapInTheOffsetsStopsThePartition) {
  Order("a", "1");
  FoldAll();
  const RecordView later{.offset = Offset(5), .timestamp = Day(0), .key = "a", .value = ""};
  EXPECT_THAT(worker_->fold().Fold({later}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("goes on at offset 5 where 1 was expected")));
  // What transactions leave is no record, so that none is missing.
  RecordView explained = later;
  explained.passed_over = 4;
  EXPECT_OK(worker_->fold().Fold({explained}));
  worker_->fold().PassOver(Offset(8));
  EXPECT_EQ(worker_->fold().position(), Offset(8));
  ASSERT_OK(worker_->Flush());
  EXPECT_EQ(worker_->fold().committed_position(), Offset(8));
}

TEST_F(PartitionFoldTest, AStateOfOtherSettingsIsRefused) {
  Order("a", "1");
  FoldAll();
  worker_.reset();
  const testing::ProjectionFixture<ToyProjection> other(log_.get(), false, {"other"});
  EXPECT_THAT(
      PartitionWorker::Open(other.env(), folder_ / "p0", {}, PartitionWorker::Effects::kPublish),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("rebuild the projection")));
}

TEST_F(PartitionFoldTest, ListsFollowTheState) {
  Order("a", "1");
  Order("b", "2");
  Order("b", "3");
  FoldAll();
  Order("a", "4");
  Order("a", "5");
  FoldAll();
  const ProjectionView view({worker_->store()});
  ASSERT_OK_AND_ASSIGN(const auto entries, view.List("busy", "", 10));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].client_id, "b");
  EXPECT_EQ(entries[0].value, "2");
  EXPECT_EQ(entries[1].client_id, "a");
  EXPECT_EQ(entries[1].value, "3");
  ASSERT_OK_AND_ASSIGN(const auto first, view.List("busy", "", 1));
  EXPECT_EQ(first.size(), 1u);
  ASSERT_OK_AND_ASSIGN(const auto none, view.List("bus", "", 10));
  EXPECT_THAT(none, IsEmpty());
}

// The cache far smaller than the states, bulk loading, and any batch size: the same state, equal to
// that of the simplest fold.
TEST_F(PartitionFoldTest, MemoryBatchesAndBulkLoadingDoNotShowInTheState) {
  PlainFold<ToyProjection> plain;
  std::vector<Record> records;
  for (int i = 0; i < 3000; ++i) {
    const std::string client = absl::StrCat("client", (i * 7919) % 401);
    const auto kind = i % 5 == 0   ? Touchpoint::kCallCompleted
                      : i % 7 == 0 ? Touchpoint::kComplaintOpened
                                   : Touchpoint::kOrderPlaced;
    const Touchpoint touchpoint =
        MakeTouchpoint(kind, client, absl::StrCat(i % 2900), Day(i / 100));
    records.push_back(MakeRecord(touchpoint));
    plain.Fold(touchpoint);
    if (i % 100 != 99) continue;
    records.push_back(MakeClockRecord(Day(i / 100), Partition(0)));
    plain.AdvanceTo(Day(i / 100));
    ASSERT_OK(log_->Append("touchpoints", records));
    records.clear();
  }
  FoldAll();
  const Digest expected = worker_->fold().digest();
  EXPECT_EQ(worker_->fold().counts().clients(), static_cast<int64_t>(plain.states().size()));
  for (const auto& [client, state] : plain.states()) {
    EXPECT_EQ(StateOf(client).SerializeAsString(), state.SerializeAsString()) << client;
  }
  EXPECT_EQ(Alerts().size(), plain.effects().size());

  int run = 0;
  for (const bool bulk : {false, true}) {
    for (const size_t cache_bytes : {size_t{1}, size_t{100'000}, size_t{64} << 20}) {
      testing::ProjectionFixture<ToyProjection> fixture(log_.get(), /*in_memory=*/true, {},
                                                        cache_bytes);
      ASSERT_OK_AND_ASSIGN(
          auto worker, PartitionWorker::Open(fixture.env(), folder_ / absl::StrCat("run", run++),
                                             {.commit_bytes = 3000, .bulk = bulk},
                                             PartitionWorker::Effects::kHold));
      ASSERT_OK_AND_ASSIGN(auto reader, log_->OpenReader("touchpoints", Partition(0), Offset(0)));
      while (worker->fold().position() < End()) {
        ASSERT_OK_AND_ASSIGN(const auto read, reader->Read(97, absl::Seconds(5)));
        ASSERT_OK(worker->fold().Fold(read));
        ASSERT_OK(worker->CommitIfDue(absl::Now(), true));
      }
      ASSERT_OK(worker->Flush());
      EXPECT_EQ(worker->fold().digest(), expected) << bulk << " " << cache_bytes;
      EXPECT_EQ(*worker->store()->ComputeDigest(), expected);
    }
  }
  EXPECT_EQ(Alerts().size(), plain.effects().size());
}

}  // namespace
}  // namespace rapport
