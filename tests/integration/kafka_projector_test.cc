// The projections over three real brokers: killed with SIGKILL again and again while records come
// in and a broker dies, they end up with the state and the alerts of an independent fold over the
// log, each alert sent once, and with the digests that the embedded log gives. So they do when
// partitions move between instances under load, beside another deployment on the same brokers, and
// with an application that writes in transactions.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
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
#include "tests/support/transactional_producer.h"

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

// Histories one after the other, until it is told to stop: every second one as another application
// writes that uses transactions, which now and then aborts what it has written.
class Load {
 public:
  Load(EventLog* log, const std::string& servers, const std::string& prefix)
      : log_(*log), topic_(prefix + "touchpoints") {
    auto producer = TransactionalProducer::Start(servers, prefix + "another application");
    RAPPORT_CHECK(producer.ok(), producer.status().ToString());
    producer_ = *std::move(producer);
    thread_ = std::thread([this] { Run(); });
  }
  ~Load() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // Waits until `rounds` more are in the log.
  void Await(int rounds) const {
    const int goal = rounds_ + rounds;
    const absl::Time deadline = absl::Now() + absl::Minutes(2);
    while (rounds_ < goal && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
    EXPECT_GE(rounds_, goal) << "writing came to a halt";
  }

 private:
  void Run() {
    for (int round = 0; !stopping_; ++round) {
      const std::vector<touchpoint::v1::Touchpoint> history = History(round);
      if (round % 2 == 0) {
        EXPECT_OK(AppendAll(log_, "touchpoints", kPartitions, history));
      } else {
        std::vector<Record> records;
        for (const touchpoint::v1::Touchpoint& one : history) {
          AddRecords(one, kPartitions, &records);
        }
        EXPECT_OK(producer_->Write(topic_, records, /*commit=*/false));
        EXPECT_OK(producer_->Write(topic_, records, /*commit=*/true));
      }
      ++rounds_;
    }
  }

  EventLog& log_;
  const std::string topic_;
  std::unique_ptr<TransactionalProducer> producer_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> rounds_ = 0;
  std::thread thread_;
};

// How long until `host` folds so many partitions of the three projections.
absl::Duration AwaitPartitions(const KafkaHost& host, size_t count) {
  const absl::Time start = absl::Now();
  while (host.Partitions() != count && absl::Now() < start + absl::Minutes(2)) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(host.Partitions(), count);
  return absl::Now() - start;
}

TEST(KafkaProjectorTest, PartitionsMoveUnderLoadBetweenTwoInstancesOfEachOfTwoDeployments) {
  ASSERT_OK_AND_ASSIGN(const auto cluster, KafkaCluster::Start(3));
  const std::string servers = cluster->bootstrap_servers();
  constexpr size_t kAll = 3 * kPartitions;
  struct Deployment {
    explicit Deployment(const std::string& its_prefix) : prefix(its_prefix) {}
    const std::string prefix;
    const TempFolder data_one, data_two;
    std::unique_ptr<EventLog> log;
    std::unique_ptr<KafkaHost> one, two;
    std::unique_ptr<Load> load;
  };
  // The same names in both: they differ in their prefix alone.
  Deployment deployments[] = {Deployment("firm."), Deployment("other.")};
  for (Deployment& its : deployments) {
    ASSERT_OK_AND_ASSIGN(its.log, ConnectToKafka(servers, its.prefix));
    ASSERT_OK(its.log->CreateTopic("touchpoints", kPartitions));
    ASSERT_OK(its.log->CreateTopic("alerts", kPartitions));
    ASSERT_OK_AND_ASSIGN(its.one, KafkaHost::Start(its.log.get(), its.data_one.path()));
    its.load = std::make_unique<Load>(its.log.get(), servers, its.prefix);
  }
  for (Deployment& its : deployments) {
    AwaitPartitions(*its.one, kAll);
    its.load->Await(2);
    ASSERT_OK_AND_ASSIGN(its.two, KafkaHost::Start(its.log.get(), its.data_two.path(), "two", 1));
    AwaitPartitions(*its.two, kAll / 2);
    its.load->Await(2);
    // In good order: nobody waits for a time-out.
    const absl::Time leaving = absl::Now();
    its.one.reset();
    const absl::Duration left = absl::Now() - leaving;
    printf("%s: left in %.2f s, all taken over %.2f s later\n", its.prefix.c_str(),
           absl::ToDoubleSeconds(left), absl::ToDoubleSeconds(AwaitPartitions(*its.two, kAll)));
    its.load->Await(2);
  }
  for (Deployment& its : deployments) {
    its.load->Stop();
    ASSERT_OK(its.two->CatchUp());
    ExpectExact<Retention>(its.two->projector(0), *its.log);
    ExpectExact<Profile>(its.two->projector(1), *its.log);
    ExpectExact<DealPipeline>(its.two->projector(2), *its.log);
    ASSERT_OK_AND_ASSIGN(const RebuildResult rebuilt, Rebuild(its.two->projector(0), {}));
    EXPECT_THAT(rebuilt.findings, IsEmpty());
  }
}

}  // namespace
}  // namespace rapport::testing
