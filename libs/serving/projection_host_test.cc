#include "libs/serving/projection_host.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "libs/base/mutex.h"
#include "libs/base/time.h"
#include "libs/event_log/partitioner.h"
#include "libs/projections/profile/profile.h"
#include "libs/projector/fold_engine.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/projection.pb.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

constexpr char kBase[] = "/v1/projections/profile";

class ProjectionHostTest : public testing::ServingFixture {
 protected:
  void SetUp() override {
    auto host = ProjectionHost::Start(env(), config_.profiles(),
                                      std::make_unique<SpecOf<Profile>>(ProfileSettings{}));
    ASSERT_OK(host);
    host_ = *std::move(host);
    host_->Answer("/clients", {}, [this](const HttpRequest&) -> absl::StatusOr<HttpResponse> {
      RAPPORT_ASSIGN_OR_RETURN(const auto reading, host_->ReadAll());
      RAPPORT_ASSIGN_OR_RETURN(const auto entries,
                               reading.view.List(kClientsByNameIndex, "", 1000));
      return HttpResponse{.body = absl::StrCat(entries.size())};
    });
    host_->Answer(
        "/long", {},
        [this](const HttpRequest&) {
          MutexLock lock(&mutex_);
          while (!may_end_) ends_.Wait(&mutex_);
          return HttpResponse();
        },
        [](const HttpRequest&) { return true; });
    ASSERT_OK(http_->Start());
    while (!host_->Ready().ok()) absl::SleepFor(absl::Milliseconds(2));
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  static Touchpoint Call(int number) {
    return testing::MakeTouchpoint(Touchpoint::kCallCompleted, absl::StrCat("client", number % 20),
                                   absl::StrCat("call", number), testing::Day(number / 50));
  }
  std::string AppendCalls(int first, int count) {
    std::vector<Touchpoint> calls;
    for (int i = 0; i < count; ++i) calls.push_back(Call(first + i));
    return Append(calls);
  }
  // A record that does not parse, of `client`.
  std::string AppendBroken(const std::string& client) {
    return AppendRecords({Record{.key = client, .value = "\xff\xff", .timestamp = absl::Now()}});
  }
  // Waits until the job under way has ended.
  query::v1::Job JobEnds() {
    for (;;) {
      const auto jobs = Read<query::v1::JobList>(absl::StrCat(kBase, "/jobs"));
      if (jobs.jobs(0).has_ended_at()) return jobs.jobs(0);
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  std::unique_ptr<ProjectionHost> host_;
  Mutex mutex_;
  CondVar ends_;
  bool may_end_ ABSL_GUARDED_BY(mutex_) = false;
};

TEST_F(ProjectionHostTest, WhoWaitsForAPositionReadsWhatIsThere) {
  for (int i = 0; i < 20; ++i) {
    const std::string wait = Append({Call(i)});
    EXPECT_EQ(ServingFixture::Call("GET", "/clients?" + wait).body, absl::StrCat(i + 1));
  }
}

TEST_F(ProjectionHostTest, WhoWaitsTooLongIsToldHowFarItIs) {
  config_.mutable_profiles()->set_max_wait_ms(1);
  EXPECT_THAT(Error("/clients?wait_for=0:7", 504),
              HasSubstr("profile is at offset 0 of partition 0, not yet at 8"));
}

TEST_F(ProjectionHostTest, NobodyWaitsForWhatTakesLong) {
  constexpr int kLong = 10;  // more than the server has threads
  std::atomic<int> answered = 0;
  for (int i = 0; i < kLong; ++i) {
    client_.Send({.url = http_->address() + "/long", .timeout = absl::Seconds(100)},
                 [&](const absl::StatusOr<HttpAnswer>& answer) {
                   EXPECT_EQ(answer.ok() ? answer->status : 0, 200);
                   MutexLock lock(&mutex_);
                   ++answered;
                   ends_.SignalAll();
                 });
  }
  HttpClient another;
  for (int i = 0; i < 20; ++i) {
    const auto answer =
        another.Fetch({.url = http_->address() + "/clients", .timeout = absl::Seconds(100)});
    ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 200);
  }
  MutexLock lock(&mutex_);
  EXPECT_EQ(answered, 0);
  may_end_ = true;
  ends_.SignalAll();
  while (answered < kLong) ends_.Wait(&mutex_);
}

TEST_F(ProjectionHostTest, TellsHowItStands) {
  const std::string wait = AppendCalls(0, 100) + "&" + Tick(testing::Day(5));
  const auto status = Read<query::v1::ProjectionStatus>(absl::StrCat(kBase, "?", wait));
  EXPECT_EQ(status.projection(), "profile");
  EXPECT_EQ(status.version(), Profile::kVersion);
  EXPECT_EQ(status.generation(), 1);
  EXPECT_EQ(status.partition_count(), kPartitions);
  ASSERT_THAT(status.partitions(), SizeIs(kPartitions));
  int64_t folded = 0;
  int64_t clients = 0;
  for (const auto& partition : status.partitions()) {
    EXPECT_EQ(partition.position(), partition.end());
    EXPECT_EQ(partition.committed(), partition.end());
    EXPECT_EQ(partition.lag_ms(), 0);
    EXPECT_EQ(FromProto(partition.clock()), testing::Day(5));
    EXPECT_EQ(partition.trouble(), "");
    folded += partition.folded();
    clients += partition.clients();
  }
  EXPECT_EQ(folded, 100);
  EXPECT_EQ(clients, 20);
  ASSERT_THAT(status.watermark().partitions(), SizeIs(kPartitions));
  for (int i = 0; i < kPartitions; ++i) {
    EXPECT_EQ(status.watermark().partitions(i).position(), status.partitions(i).end());
  }
}

TEST_F(ProjectionHostTest, DeadLettersAreListedShownRetriedAndSkipped) {
  std::string wait;
  for (const char* client : {"a", "b", "c", "d"}) wait = AppendBroken(client) + "&" + wait;
  const std::string path = absl::StrCat(kBase, "/dead-letters");
  auto all = Read<query::v1::DeadLetterList>(absl::StrCat(path, "?", wait));
  ASSERT_THAT(all.dead_letters(), SizeIs(4));
  const auto first_page = Read<query::v1::DeadLetterList>(path + "?limit=3");
  ASSERT_THAT(first_page.dead_letters(), SizeIs(3));
  const auto rest = Read<query::v1::DeadLetterList>(
      absl::StrCat(path, "?limit=3&cursor=", first_page.next_cursor()));
  ASSERT_THAT(rest.dead_letters(), SizeIs(1));
  EXPECT_EQ(rest.dead_letters(0).position(), all.dead_letters(3).position());
  EXPECT_EQ(rest.next_cursor(), "");
  const auto of_b = Read<query::v1::DeadLetterList>(path + "?client=b");
  ASSERT_THAT(of_b.dead_letters(), SizeIs(1));

  const std::string position = of_b.dead_letters(0).position();
  const auto shown = Read<query::v1::DeadLetter>(absl::StrCat(path, "/", position));
  EXPECT_EQ(shown.record_key(), "b");
  EXPECT_EQ(shown.record_value(), "\xff\xff");
  EXPECT_FALSE(shown.has_touchpoint());
  EXPECT_EQ(shown.summary().reason(), of_b.dead_letters(0).reason());

  // Retried without being mended, it is there again.
  auto ordered =
      Post<query::v1::DeadLetterOrdered>(absl::StrCat(path, "/", position, "/retry"), "", 202);
  auto now = Read<query::v1::DeadLetterList>(
      absl::StrCat(path, "?client=b&wait_for=", ordered.position()));
  EXPECT_THAT(now.dead_letters(), SizeIs(1));
  ordered = Post<query::v1::DeadLetterOrdered>(absl::StrCat(path, "/", position, "/skip"),
                                               R"({"reason": "cannot be mended"})", 202);
  now = Read<query::v1::DeadLetterList>(
      absl::StrCat(path, "?client=b&wait_for=", ordered.position()));
  EXPECT_THAT(now.dead_letters(), IsEmpty());
  EXPECT_THAT(Error(absl::StrCat(path, "/", position), 404),
              HasSubstr("there is no dead letter of profile at " + position));
}

TEST_F(ProjectionHostTest, WrongOrdersForDeadLettersAreRefused) {
  const std::string path = absl::StrCat(kBase, "/dead-letters");
  Post<query::v1::DeadLetterOrdered>(path + "/0:77/skip", "", 404);
  Post<query::v1::DeadLetterOrdered>(path + "/9:0/skip", "", 400);
  Post<query::v1::DeadLetterOrdered>(path + "/nonsense/retry", "", 400);
  Post<query::v1::DeadLetterOrdered>(path + "/0:0/retry", "{\"reason\":", 400);
  Post<query::v1::DeadLetterOrdered>(path + "/0:0/retry", "{\"why\": \"x\"}", 400);
  EXPECT_THAT(Error(path + "?cursor=AAAA", 400), HasSubstr("cursor"));
}

TEST_F(ProjectionHostTest, IsRebuiltAndVerifiedWhileItFolds) {
  AppendCalls(0, 2000);
  const auto answer = Post<query::v1::JobList>(absl::StrCat(kBase, "/rebuild"),
                                               R"({"records_per_second": 20000})", 202);
  ASSERT_THAT(answer.jobs(), SizeIs(1));
  const query::v1::Job& started = answer.jobs(0);
  EXPECT_EQ(started.job_id(), 1);
  EXPECT_EQ(started.kind(), query::v1::JOB_KIND_REBUILD);
  EXPECT_EQ(started.status(), query::v1::JOB_STATUS_RUNNING);
  // The fold goes on beside it.
  for (int i = 0; i < 10; ++i) {
    const std::string wait = AppendCalls(2000 + 50 * i, 50);
    EXPECT_EQ(ServingFixture::Call("GET", "/clients?" + wait).body, "20");
  }
  const query::v1::Job rebuilt = JobEnds();
  EXPECT_EQ(rebuilt.status(), query::v1::JOB_STATUS_DONE) << rebuilt.DebugString();
  EXPECT_TRUE(rebuilt.equal());
  EXPECT_EQ(rebuilt.generation(), 2);
  EXPECT_EQ(Read<query::v1::ProjectionStatus>(kBase).generation(), 2);
  EXPECT_EQ(ServingFixture::Call("GET", "/clients?" + AppendCalls(2500, 50)).body, "20");

  Post<query::v1::JobList>(absl::StrCat(kBase, "/verify"), "", 202);
  const query::v1::Job verified = JobEnds();
  EXPECT_EQ(verified.status(), query::v1::JOB_STATUS_DONE) << verified.DebugString();
  EXPECT_TRUE(verified.equal());
  ASSERT_THAT(verified.findings(), SizeIs(kPartitions));
  for (const auto& finding : verified.findings()) {
    EXPECT_THAT(finding.live_digest(), SizeIs(32));
    EXPECT_EQ(finding.live_digest(), finding.rebuilt_digest());
    EXPECT_EQ(finding.difference(), "");
  }

  Post<query::v1::JobList>(absl::StrCat(kBase, "/rollback"), "", 202);
  EXPECT_EQ(JobEnds().generation(), 1);
  EXPECT_EQ(ServingFixture::Call("GET", "/clients?" + AppendCalls(2600, 50)).body, "20");
  EXPECT_THAT(Read<query::v1::JobList>(absl::StrCat(kBase, "/jobs")).jobs(), SizeIs(3));
}

TEST_F(ProjectionHostTest, AJobIsPausedGoesOnAndIsCancelledAndIsAlone) {
  AppendCalls(0, 3000);
  Post<query::v1::JobList>(absl::StrCat(kBase, "/jobs/pause"), "", 404);
  // So slow that it does not end by itself.
  Post<query::v1::JobList>(absl::StrCat(kBase, "/verify"), R"({"records_per_second": 1})", 202);
  const HttpAnswer second = ServingFixture::Call("POST", absl::StrCat(kBase, "/rebuild"));
  EXPECT_EQ(second.status, 409);
  EXPECT_THAT(second.body, HasSubstr("a verify of profile (job 1) is under way"));
  EXPECT_EQ(Post<query::v1::JobList>(absl::StrCat(kBase, "/jobs/pause"), "", 200).jobs(0).status(),
            query::v1::JOB_STATUS_PAUSED);
  EXPECT_EQ(Read<query::v1::ProjectionStatus>(kBase).job().status(), query::v1::JOB_STATUS_PAUSED);
  EXPECT_EQ(Post<query::v1::JobList>(absl::StrCat(kBase, "/jobs/resume"), "", 200).jobs(0).status(),
            query::v1::JOB_STATUS_RUNNING);
  Post<query::v1::JobList>(absl::StrCat(kBase, "/jobs/cancel"), "", 200);
  EXPECT_EQ(JobEnds().status(), query::v1::JOB_STATUS_CANCELLED);
  EXPECT_FALSE(Read<query::v1::ProjectionStatus>(kBase).has_job());
  Post<query::v1::JobList>(absl::StrCat(kBase, "/verify"), R"({"records_per_second": -1})", 400);
}

TEST_F(ProjectionHostTest, MetricsTellOfTheFold) {
  const std::string wait = AppendCalls(0, 100);
  Read<query::v1::ProjectionStatus>(absl::StrCat(kBase, "?", wait));
  // They are read every two seconds.
  const auto told = [&] {
    const std::string text = metrics_.Text();
    return absl::StrContains(text, "rapport_clients{partition=\"0\",projection=\"profile\"} ") &&
           absl::StrContains(text, "rapport_commit_seconds_count{projection=\"profile\"}") &&
           !absl::StrContains(text,
                              "rapport_folded_total{partition=\"0\",projection=\"profile\"} 0");
  };
  while (!told()) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_THAT(metrics_.Text(), HasSubstr("rapport_fold_lag_offsets"));
}

}  // namespace
}  // namespace rapport
