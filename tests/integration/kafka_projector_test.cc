// The projections over three real brokers: killed with SIGKILL again and again while records come
// in and a broker dies, they end up with the state and the alerts of an independent fold over the
// log, each alert sent once, and with the digests that the embedded log gives.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"
#include "tests/faults/history.h"
#include "tests/integration/kafka_host.h"
#include "tests/support/fold_oracle.h"
#include "tests/support/kafka_cluster.h"

namespace rapport::testing {
namespace {

using ::testing::IsEmpty;

constexpr char kPrefix[] = "firm.";
constexpr int kKills = 12;

// A child that runs the projections, and the pipe on which it tells that they have caught up.
class Child {
 public:
  Child(const std::string& servers, const std::string& data) {
    int ends[2];
    RAPPORT_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    pid_ = ::fork();
    RAPPORT_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(RAPPORT_KAFKA_CHILD, "kafka_projector_child", servers.c_str(), kPrefix, data.c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(pipe_);
  }
  // Waits for `count` signs of life, then `then` longer.
  void Live(int count, absl::Duration then) {
    char byte;
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(::read(pipe_, &byte, 1), 1) << "the child ended by itself";
    }
    pollfd none = {.fd = -1, .events = 0, .revents = 0};
    ::poll(&none, 1, static_cast<int>(absl::ToInt64Milliseconds(then)));
  }

 private:
  pid_t pid_;
  int pipe_;
};

std::vector<touchpoint::v1::Touchpoint> History(int round) {
  HistoryOptions options;
  options.seed = 77 + static_cast<uint64_t>(round);
  options.client_count = 60;
  options.touchpoint_count = 250;
  options.start += round * absl::Hours(24 * 10);
  options.length = absl::Hours(24 * 30);
  options.silence = absl::ZeroDuration();
  std::vector<touchpoint::v1::Touchpoint> history =
      NumberedHistory(options, static_cast<uint64_t>(round));
  // Kafka takes no record of 1970.
  for (touchpoint::v1::Touchpoint& touchpoint : history) {
    *touchpoint.mutable_recorded_at() = touchpoint.occurred_at();
  }
  return history;
}

template <Projection P>
void ExpectExact(Projector& projector, EventLog& log) {
  for (int i = 0; i < kPartitions; ++i) {
    SCOPED_TRACE(absl::StrCat(P::kName, " partition ", i));
    const FoldOracle<P> oracle(log, "touchpoints", Partition(i));
    const auto store = projector.StoreOf(Partition(i));
    ASSERT_NE(store, nullptr);
    EXPECT_THAT(oracle.CompareStore(*store), IsEmpty());
    EXPECT_THAT(oracle.CompareAlerts(log, "alerts"), IsEmpty());
  }
}

// The same records in an embedded log.
std::unique_ptr<EventLog> CopyToEmbedded(EventLog& log) {
  std::unique_ptr<EventLog> copy = NewInMemoryEventLog();
  EXPECT_OK(copy->CreateTopic("touchpoints", kPartitions));
  EXPECT_OK(copy->CreateTopic("alerts", kPartitions));
  for (int i = 0; i < kPartitions; ++i) {
    std::vector<Record> records;
    ForEachRecord(log, "touchpoints", Partition(i), [&](const RecordView& record) {
      records.push_back({.key = std::string(record.key),
                         .value = std::string(record.value),
                         .timestamp = record.timestamp,
                         .partition = Partition(i)});
    });
    EXPECT_OK(copy->Append("touchpoints", records));
  }
  return copy;
}

TEST(KafkaProjectorTest, IsExactAfterKillsOfProjectorsAndBrokers) {
  ASSERT_OK_AND_ASSIGN(const auto cluster, KafkaCluster::Start(3));
  ASSERT_OK_AND_ASSIGN(const auto log, ConnectToKafka(cluster->bootstrap_servers(), kPrefix));
  ASSERT_OK(log->CreateTopic("touchpoints", kPartitions));
  ASSERT_OK(log->CreateTopic("alerts", kPartitions));
  const TempFolder data;

  Random random(5);
  for (int round = 0; round < kKills; ++round) {
    SCOPED_TRACE(absl::StrCat("kill ", round));
    Child child(cluster->bootstrap_servers(), data.path());
    ASSERT_OK(AppendAll(*log, "touchpoints", kPartitions, History(round)));
    if (round == kKills / 3) cluster->Kill(1);
    if (round == kKills * 2 / 3) {
      ASSERT_OK(cluster->Restart(1));
    }
    ASSERT_NO_FATAL_FAILURE(
        child.Live(static_cast<int>(random.Below(2)), absl::Milliseconds(random.Below(1500))));
  }

  ASSERT_OK_AND_ASSIGN(const auto host, KafkaHost::Start(log.get(), data.path()));
  ASSERT_OK(host->CatchUp());
  ExpectExact<Retention>(host->projector(0), *log);
  ExpectExact<Profile>(host->projector(1), *log);
  ExpectExact<DealPipeline>(host->projector(2), *log);

  // live = rebuilt = embedded
  ASSERT_OK_AND_ASSIGN(const RebuildResult rebuilt, Rebuild(host->projector(0), {}));
  EXPECT_THAT(rebuilt.findings, IsEmpty());
  const std::unique_ptr<EventLog> embedded = CopyToEmbedded(*log);
  const ProjectionFixture<Retention> fixture(embedded.get(), /*in_memory=*/true);
  ASSERT_OK_AND_ASSIGN(const Targets targets, TargetsAtEnd(*embedded, "touchpoints"));
  ASSERT_OK_AND_ASSIGN(
      const Projector::Workers built,
      BuildAside(fixture.env(),
                 [](Partition partition) { return absl::StrCat("/p", partition.value()); }, targets,
                 {}));
  ASSERT_OK_AND_ASSIGN(const auto status, host->projector(0).Status());
  ASSERT_EQ(status.size(), static_cast<size_t>(kPartitions));
  int64_t effects = 0;
  for (const PartitionStatus& partition : status) {
    EXPECT_EQ(partition.digest, built.at(partition.partition)->fold().digest())
        << "partition " << partition.partition;
    effects += partition.counts.effects();
  }
  EXPECT_GT(effects, 20) << "too few alerts to test anything";
}

}  // namespace
}  // namespace rapport::testing
