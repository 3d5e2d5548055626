#include "libs/projector/rebuild.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include "libs/event_log/partitioner.h"
#include "libs/projector/embedded_host.h"
#include "libs/projector/testing/live.h"

namespace rapport {
namespace {

using testing::Day;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::ToyProjection;

constexpr absl::Duration kPatience = absl::Seconds(60);

class RebuildTest : public testing::LiveFixture {
 protected:
  // A live projector that has folded some history.
  std::unique_ptr<Projector> StartWithHistory() {
    Append(400);
    std::unique_ptr<Projector> projector = Start();
    EXPECT_OK(projector->CatchUp(kPatience));
    return projector;
  }
  // Writes a state that does not follow from the log.
  void Tamper(Projector& projector, const std::string& client) {
    ASSERT_OK(projector.WhilePaused([&](Projector::Workers* workers, Generations*) {
      StateStore& store = *workers->at(PartitionOf(client, kPartitions))->store();
      auto commit = store.NewCommit();
      commit->Put(Family::kState, client, "tampered with");
      return store.Write(std::move(commit));
    }));
  }
};

TEST_F(RebuildTest, TheNewGenerationFollowsIsComparedAndTakesOver) {
  const auto projector = StartWithHistory();
  const int kept_to_itself = ToyProjection::kept_to_itself;
  RebuildOptions options;
  options.batch_records = 50;
  // The log grows meanwhile.
  bool appended = false;
  options.progress = [&](const RebuildProgress&) {
    if (!std::exchange(appended, true)) Append(60);
  };
  ASSERT_OK_AND_ASSIGN(const RebuildResult result, Rebuild(*projector, options));
  EXPECT_TRUE(appended);
  EXPECT_EQ(result.generation, 2);
  EXPECT_EQ(projector->generation(), 2);
  EXPECT_EQ(result.records, 400 + kPartitions);
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_GT(ToyProjection::kept_to_itself, kept_to_itself);
  ASSERT_OK(projector->CatchUp(kPatience));
  ExpectExact(*projector);
  Append(60);
  ASSERT_OK(projector->CatchUp(kPatience));
  ExpectExact(*projector);
}

TEST_F(RebuildTest, RollbackServesTheOneBeforeWhichCatchesUp) {
  const auto projector = StartWithHistory();
  ASSERT_OK(Rebuild(*projector, {}).status());
  Append(60);
  ASSERT_OK(projector->CatchUp(kPatience));
  ASSERT_OK(Rollback(*projector));
  EXPECT_EQ(projector->generation(), 1);
  // With no record that comes after.
  ASSERT_OK(projector->CatchUp(kPatience));
  ExpectExact(*projector);
  // What was rolled back is not taken for an unfinished rebuild.
  ASSERT_OK_AND_ASSIGN(const RebuildResult result, Rebuild(*projector, {}));
  EXPECT_EQ(result.generation, 3);
  ExpectExact(*projector);
}

TEST_F(RebuildTest, ARebuildThatWasStoppedIsGoneOnWith) {
  const auto projector = StartWithHistory();
  RebuildControl control;
  std::vector<int64_t> told;
  RebuildOptions options;
  options.batch_records = 20;
  options.checkpoint_records = 1;
  options.control = &control;
  options.progress = [&](const RebuildProgress& progress) {
    told.push_back(progress.records);
    if (progress.records == 20) control.Cancel();
  };
  EXPECT_THAT(Rebuild(*projector, options),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("the next one goes on from here")));
  // Read, and folded.
  EXPECT_THAT(told, ElementsAre(10, 20));
  EXPECT_EQ(projector->generation(), 1);
  options.control = nullptr;
  ASSERT_OK_AND_ASSIGN(const RebuildResult result, Rebuild(*projector, options));
  EXPECT_EQ(told[2], 30);
  EXPECT_EQ(told.back(), 400 + kPartitions);
  EXPECT_EQ(result.generation, 2);
  EXPECT_THAT(result.findings, IsEmpty());
  ExpectExact(*projector);
}

TEST_F(RebuildTest, ItIsHeldBackByARateAndByAPause) {
  const auto projector = StartWithHistory();
  RebuildOptions options;
  options.batch_records = 20;
  options.records_per_second = 2000;
  ASSERT_OK_AND_ASSIGN(const RebuildResult slow, Rebuild(*projector, options));
  EXPECT_GE(slow.took, absl::Seconds(400.0 / 2000));

  RebuildControl control;
  control.Pause();
  std::atomic<int64_t> records = 0;
  options.records_per_second = 0;
  options.control = &control;
  options.progress = [&](const RebuildProgress& progress) { records = progress.records; };
  std::thread resume([&] {
    while (records == 0) std::this_thread::yield();
    EXPECT_EQ(records, 10);
    EXPECT_EQ(projector->generation(), 2);
    control.Resume();
  });
  ASSERT_OK_AND_ASSIGN(const RebuildResult paused, Rebuild(*projector, options));
  resume.join();
  EXPECT_EQ(paused.generation, 3);
  EXPECT_EQ(records, 400 + kPartitions);
}

TEST_F(RebuildTest, OtherSettingsNeedARebuildOffline) {
  StartWithHistory().reset();
  const testing::ProjectionFixture<ToyProjection> other(&log_, false, {"other"});
  const Projector::Options options = OptionsOf("one");
  EXPECT_THAT(Projector::Start(other.env(), options),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("rebuild toy")));
  ASSERT_OK_AND_ASSIGN(const RebuildResult result,
                       RebuildOffline(other.env(), folder_ / "toy", {}));
  EXPECT_EQ(result.generation, 2);
  EXPECT_EQ(result.records, 400 + kPartitions);
  EXPECT_FALSE(result.comparable);
  ASSERT_OK_AND_ASSIGN(const auto projector, Projector::Start(other.env(), options));
  ASSERT_OK(projector->CatchUp(kPatience));
  ExpectExact(*projector);
}

TEST_F(RebuildTest, TheEmbeddedHostRebuildsByItselfWhenSettingsChange) {
  const auto open = [&](const char* settings, int64_t* rebuilt) {
    EmbeddedHost::Options options;
    options.data = folder_ / "data";
    options.partitions = kPartitions;
    options.projections.push_back(
        std::make_unique<SpecOf<ToyProjection>>(ToyProjection::Settings{settings}));
    options.rebuild_progress = [=](const std::string& projection, const RebuildProgress& progress) {
      EXPECT_EQ(projection, "toy");
      *rebuilt = progress.records;
    };
    auto host = EmbeddedHost::Open(std::move(options));
    EXPECT_OK(host);
    return *std::move(host);
  };
  int64_t rebuilt = 0;
  const auto alerts = [&](const EmbeddedHost& host) {
    int64_t count = 0;
    for (int i = 0; i < kPartitions; ++i) {
      count += host.log().GetWatermarks("alerts", Partition(i))->end.value();
    }
    return count;
  };
  int64_t sent = 0;
  {
    const auto host = open("default", &rebuilt);
    ASSERT_OK(host->log().Append(
        "touchpoints", {MakeRecord(testing::MakeTouchpoint(
                           touchpoint::v1::Touchpoint::kComplaintOpened, "a", "1", Day(0)))}));
    ASSERT_OK(host->CatchUp());
    sent = alerts(*host);
  }
  EXPECT_EQ(rebuilt, 0);
  EXPECT_EQ(sent, 1);
  const auto host = open("other", &rebuilt);
  EXPECT_EQ(rebuilt, 1);
  ASSERT_OK(host->CatchUp());
  EXPECT_EQ((*host->Find("toy"))->generation(), 2);
  state::v1::FoldCounts state;
  ASSERT_OK_AND_ASSIGN(const ProjectionView view, host->View("toy"));
  EXPECT_TRUE(*view.Get("a", &state));
  EXPECT_EQ(alerts(*host), sent);
  EXPECT_THAT(host->Find("tax"), StatusIs(absl::StatusCode::kNotFound,
                                          HasSubstr("no projection 'tax'; there are: toy")));
}

TEST_F(RebuildTest, VerifyProvesAndNamesTheFirstDifference) {
  const auto projector = StartWithHistory();
  ASSERT_OK_AND_ASSIGN(const VerifyResult good, Verify(*projector, folder_ / "scratch", {}));
  EXPECT_TRUE(good.equal());
  EXPECT_EQ(good.records, 400 + kPartitions);
  EXPECT_THAT(good.partitions, SizeIs(kPartitions));

  Tamper(*projector, "client7");
  // While the log grows, though not for that client, whose state would be written anew.
  RebuildOptions options;
  options.progress = [this, once = false](const RebuildProgress&) mutable {
    if (!std::exchange(once, true)) Append(5);
  };
  ASSERT_OK_AND_ASSIGN(const VerifyResult bad, Verify(*projector, folder_ / "scratch", options));
  EXPECT_FALSE(bad.equal());
  for (const VerifyResult::PartitionResult& partition : bad.partitions) {
    EXPECT_EQ(partition.live, partition.rebuilt);
    if (partition.partition != PartitionOf("client7", kPartitions)) {
      EXPECT_TRUE(partition.equal());
      continue;
    }
    EXPECT_NE(partition.stored, partition.live);
    ASSERT_TRUE(partition.difference.has_value());
    EXPECT_EQ(DescribeEntry(partition.difference->family, partition.difference->key),
              "state of client 'client7'");
    EXPECT_EQ(partition.difference->left, "tampered with");
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "scratch"));
}

TEST_F(RebuildTest, AStateAsOfATime) {
  Append(400);
  ASSERT_OK_AND_ASSIGN(const Targets targets, TargetsAtTime(log_, "touchpoints", Day(10)));
  ASSERT_OK_AND_ASSIGN(const Projector::Workers workers,
                       BuildAside(toy_.env(),
                                  [&](Partition partition) {
                                    return folder_ / absl::StrCat("past", partition.value());
                                  },
                                  targets, {}));
  int64_t records = 0;
  for (const auto& [partition, worker] : workers) {
    EXPECT_EQ(worker->fold().position(), targets.at(partition));
    records += worker->fold().position().value();
  }
  // 20 a day, from day 0 on.
  EXPECT_EQ(records, 200);
  EXPECT_THAT(TargetsAtEnd(log_, "nothing"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing")));
}

}  // namespace
}  // namespace rapport
