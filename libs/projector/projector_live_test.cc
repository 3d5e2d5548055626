#include <set>

#include "absl/time/clock.h"
#include "libs/event_log/partitioner.h"
#include "libs/projector/testing/live.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kPatience = absl::Seconds(60);

class ProjectorTest : public testing::LiveFixture {
 protected:
  // Polls until `done`; what the group gives to whom takes a moment.
  static void Until(const std::function<bool()>& done) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!done()) {
      ASSERT_LT(absl::Now(), deadline) << "it did not happen in time";
      absl::SleepFor(absl::Milliseconds(2));
    }
  }
  static std::set<int> Owned(const Projector& projector) {
    std::set<int> owned;
    const auto status = projector.Status();
    EXPECT_OK(status);
    for (const PartitionStatus& partition : *status) {
      if (partition.trouble.ok()) owned.insert(partition.partition.value());
    }
    return owned;
  }
};

TEST_F(ProjectorTest, CatchesUpAndFollows) {
  Append(500);
  const auto projector = Start();
  int64_t told = 0;
  ASSERT_OK(projector->CatchUp(kPatience, [&](const std::vector<PartitionStatus>& status) {
    told = 0;
    for (const PartitionStatus& partition : status) told += partition.committed.value();
  }));
  EXPECT_EQ(told, 500 + kPartitions);
  ExpectExact(*projector);
  for (int i = 0; i < 5; ++i) {
    Append(30);
    ASSERT_OK(projector->CatchUp(kPatience));
    ExpectExact(*projector);
  }
  ASSERT_OK_AND_ASSIGN(const auto status, projector->Status());
  ASSERT_EQ(status.size(), static_cast<size_t>(kPartitions));
  for (const PartitionStatus& partition : status) {
    EXPECT_OK(partition.trouble);
    EXPECT_EQ(partition.position, partition.end);
    EXPECT_EQ(partition.clock, testing::Day(appended_ / 20));
    EXPECT_EQ(partition.digest, *projector->StoreOf(partition.partition)->ComputeDigest());
  }
}

TEST_F(ProjectorTest, GoesOnWhereItStoodWhenItIsStartedAgain) {
  Append(300);
  ASSERT_OK(Start()->CatchUp(kPatience));
  Append(100);
  const auto projector = Start();
  ASSERT_OK(projector->CatchUp(kPatience));
  ExpectExact(*projector);
}

TEST_F(ProjectorTest, MembersShareThePartitionsAndOneTakesOverTheOther) {
  toy_options_.least_partitions = 1;
  Append(200);
  const auto one = Start("one");
  ASSERT_OK(one->CatchUp(kPatience));
  auto two = Start("two");
  Until([&] { return Owned(*two).size() == 1 && Owned(*one).size() == 2; });
  Append(200);
  ASSERT_OK(one->CatchUp(kPatience));
  ASSERT_OK(two->CatchUp(kPatience));
  for (int i = 0; i < kPartitions; ++i) {
    const bool first = one->StoreOf(Partition(i)) != nullptr;
    EXPECT_NE(first, two->StoreOf(Partition(i)) != nullptr);
    ExpectExact(Partition(i), *(first ? one : two)->StoreOf(Partition(i)));
  }
  ASSERT_OK(one->WhilePaused([](Projector::Workers* workers, Generations*) {
    EXPECT_THAT(*workers, SizeIs(2));
    return absl::OkStatus();
  }));
  two.reset();
  Until([&] { return Owned(*one).size() == 3; });
  Append(100);
  ASSERT_OK(one->CatchUp(kPatience));
  ExpectExact(*one);
}

TEST_F(ProjectorTest, TroubleIsShownWhileTheLogIsAwayAndEndsWithIt) {
  Append(200);
  const auto projector = Start();
  ASSERT_OK(projector->CatchUp(kPatience));
  // Only the publishing fails, so that what is folded is not committed as published.
  log_.set_faults({.append_before = 100, .look_fails = 100});
  Append(50);
  Until([&] {
    log_.set_faults({.append_before = 100});
    const auto status = projector->Status();
    log_.set_faults({.append_before = 100, .look_fails = 100});
    return status.ok() && std::any_of(status->begin(), status->end(), [](const auto& partition) {
             return absl::IsUnavailable(partition.trouble);
           });
  });
  log_.set_faults({});
  // No record comes that would make up for what was polled before.
  Until([&] { return projector->CatchUp(kPatience).ok(); });
  ExpectExact(*projector);
  EXPECT_THAT(Owned(*projector), UnorderedElementsAre(0, 1, 2));
}

TEST_F(ProjectorTest, ALogThatComesAndGoesDoesNotShowInTheState) {
  const auto projector = Start();
  for (int i = 0; i < 20; ++i) {
    log_.set_faults({.append_before = 20,
                     .append_after = 20,
                     .append_in_part = 20,
                     .read_fails = 20,
                     .read_short = 50,
                     .look_fails = 5});
    const auto faults = log_.faults_so_far();
    Append(20);
    Until([&] { return log_.faults_so_far() > faults; });
    if (i % 5 == 0) {
      log_.set_faults({});
      Until([&] { return projector->CatchUp(kPatience).ok(); });
    }
  }
  log_.set_faults({});
  Until([&] { return projector->CatchUp(kPatience).ok(); });
  ExpectExact(*projector);
  EXPECT_GT(log_.faults_so_far(), 0);
}

TEST_F(ProjectorTest, DamageOfTheLogLeavesTheStateAlone) {
  Append(300);
  ASSERT_OK_AND_ASSIGN(
      auto worker, PartitionWorker::Open(toy_.env(), folder_ / "p0", {.partition = Partition(0)},
                                         PartitionWorker::Effects::kHold));
  log_.set_damage("touchpoints", Offset(40));
  EXPECT_THAT(worker->FoldUpTo(Offset(60)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("reading the log: offset 40 (injected)")));
  EXPECT_EQ(worker->fold().position(), Offset(40));
}

// What NotifyAt told, once it did.
class Told {
 public:
  std::function<void(absl::Status)> Callback() {
    return [this](absl::Status status) {
      MutexLock lock(&mutex_);
      EXPECT_FALSE(status_) << "told twice";
      status_ = std::move(status);
      changed_.SignalAll();
    };
  }
  absl::Status Wait() {
    MutexLock lock(&mutex_);
    while (!status_) changed_.Wait(&mutex_);
    return *status_;
  }
  bool told() {
    MutexLock lock(&mutex_);
    return status_.has_value();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::optional<absl::Status> status_;
};

TEST_F(ProjectorTest, WhoWaitsForAPositionIsToldOnceItIsCommitted) {
  // Nothing else would commit within the test.
  toy_options_.fold.commit_interval = absl::Hours(1);
  toy_options_.fold.quiet_interval = absl::Hours(1);
  const auto projector = Start();
  Append(20);
  for (int i = 0; i < kPartitions; ++i) {
    ASSERT_OK_AND_ASSIGN(const Watermarks marks,
                         real_log_->GetWatermarks("touchpoints", Partition(i)));
    Told told;
    // The group may not have given the partition out yet.
    Until([&] { return Owned(*projector).count(i) > 0; });
    projector->NotifyAt(Partition(i), marks.end, absl::Now() + kPatience, told.Callback());
    ASSERT_OK(told.Wait());
    const ProjectionView view(kPartitions, projector->Stores());
    ASSERT_OK_AND_ASSIGN(const auto positions, view.Positions());
    EXPECT_EQ(positions[static_cast<size_t>(i)].position, marks.end);
    // At once, when it is there already.
    Told again;
    projector->NotifyAt(Partition(i), marks.end, absl::InfinitePast(), again.Callback());
    EXPECT_TRUE(again.told());
  }
}

TEST_F(ProjectorTest, WhatCameLastIsCommittedOnceTheLogIsQuiet) {
  // Nothing else would commit within the test.
  toy_options_.fold.commit_interval = absl::Hours(1);
  const auto projector = Start();
  // Following closely, however slow this machine is.
  Record record = MakeRecord(testing::MakeTouchpoint(touchpoint::v1::Touchpoint::kOrderPlaced, "c",
                                                     "late", absl::Now() + absl::Hours(1)));
  record.timestamp = absl::Now() + absl::Hours(1);
  ASSERT_OK_AND_ASSIGN(const auto positions, real_log_->Append("touchpoints", {record}));
  Until([&] {
    const auto status = projector->Status();
    return status.ok() && std::any_of(status->begin(), status->end(), [&](const auto& partition) {
             return partition.partition == positions[0].partition &&
                    partition.committed > positions[0].offset;
           });
  });
}

TEST_F(ProjectorTest, WhoWaitsInVainIsToldWhy) {
  Told late;
  Told stopped;
  {
    const auto projector = Start();
    Until([&] { return Owned(*projector).size() == kPartitions; });
    Told elsewhere;
    projector->NotifyAt(Partition(kPartitions), Offset(1), absl::InfiniteFuture(),
                        elsewhere.Callback());
    EXPECT_THAT(elsewhere.Wait(), StatusIs(absl::StatusCode::kNotFound,
                                           "partition 3 of toy is not folded by this process"));
    projector->NotifyAt(Partition(0), Offset(5), absl::InfinitePast(), late.Callback());
    EXPECT_THAT(late.Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      "toy is at offset 0 of partition 0, not yet at 5"));
    projector->NotifyAt(Partition(0), Offset(5), absl::InfiniteFuture(), stopped.Callback());
  }
  EXPECT_THAT(stopped.Wait(), StatusIs(absl::StatusCode::kUnavailable,
                                       "partition 0 of toy went to another process"));
}

TEST_F(ProjectorTest, AViewOfSomePartitionsSaysWhichOnesItLacks) {
  const auto projector = Start();
  Append(60);
  ASSERT_OK(projector->CatchUp(kPatience));
  std::map<Partition, std::shared_ptr<StateStore>> stores = projector->Stores();
  const Partition gone = PartitionOf("client1", kPartitions);
  stores.erase(gone);
  const ProjectionView view(kPartitions, stores);
  state::v1::DeadLetter unused;
  EXPECT_THAT(view.Get("client1", &unused),
              StatusIs(absl::StatusCode::kUnavailable,
                       absl::StrCat("partition ", gone.value(), " is not folded by this process")));
  ASSERT_OK_AND_ASSIGN(const auto positions, view.Positions());
  EXPECT_EQ(positions.size(), static_cast<size_t>(kPartitions - 1));
}

TEST_F(ProjectorTest, TopicsMustHaveAsManyPartitions) {
  ASSERT_OK(log_.CreateTopic("few", 1));
  ProjectionEnv env = toy_.env();
  env.topics.alerts = "few";
  EXPECT_THAT(Projector::Start(env, {.folder = folder_ / "toy", .group = "g", .member = "m"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("few has 1 partitions and topic touchpoints has 3")));
}

}  // namespace
}  // namespace rapport
