// Three brokers, three replicas of everything, two of which must have a record: what holds when
// brokers and members are killed with SIGKILL, or fall silent.

#include <signal.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "libs/event_log/kafka/test_broker.h"
#include "libs/event_log/read_range.h"

namespace rapport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const testing::Environment* const brokers = testing::AddGlobalTestEnvironment(new TestBrokers(3));

class Load;

class KafkaFaultTest : public testing::Test {
 protected:
  KafkaFaultTest() : log_(Connect(Options())), topic_(UniqueName("topic")) {}
  // Whatever a test killed is there for the next one.
  ~KafkaFaultTest() override {
    for (const int broker : paused_) cluster().Resume(broker);
    for (const int broker : killed_) EXPECT_OK(cluster().Restart(broker));
    EXPECT_OK(cluster().AwaitInSync(FullName(), 3));
  }

  static KafkaLogOptions Options() {
    KafkaLogOptions options = TestOptions(cluster().bootstrap_servers());
    options.replication_factor = 3;
    options.min_insync_replicas = 2;
    options.append_timeout = absl::Seconds(60);
    return options;
  }
  static KafkaCluster& cluster() { return TestBrokers::cluster(); }
  void ExpectExact(const Load& load);
  std::string FullName() const { return "test." + topic_; }

  void Kill(int broker) {
    cluster().Kill(broker);
    killed_.insert(broker);
  }
  void Pause(int broker) {
    cluster().Pause(broker);
    paused_.insert(broker);
  }
  void Resume(int broker) {
    cluster().Resume(broker);
    paused_.erase(broker);
  }
  void Restart(int broker) {
    ASSERT_OK(cluster().Restart(broker));
    killed_.erase(broker);
  }

  const std::unique_ptr<EventLog> log_;
  const std::string topic_;
  std::set<int> killed_, paused_;
};

// Appends from several threads until it is told to stop; knows what was acknowledged.
class Load {
 public:
  static constexpr int kThreads = 3, kPartitions = 4, kBatch = 5;

  Load(EventLog& log, const std::string& topic) {
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this, &log, topic, i] { Run(log, topic, i); });
    }
  }
  ~Load() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int count() const { return count_; }
  // Returns when `more` records were acknowledged from now on.
  void Await(int more) const {
    const int goal = count_ + more;
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (count_ < goal) {
      ASSERT_LT(absl::Now(), deadline) << "appending came to a halt";
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  // After Stop: values by position, of all threads.
  std::map<std::pair<Partition, Offset>, std::string> Acknowledged() const {
    std::map<std::pair<Partition, Offset>, std::string> all;
    for (const auto& one : acknowledged_) all.insert(one.begin(), one.end());
    return all;
  }

 private:
  void Run(EventLog& log, const std::string& topic, int thread) {
    for (int next = 0; !stopping_; next += kBatch) {
      std::vector<Record> records;
      for (int i = next; i < next + kBatch; ++i) {
        records.push_back(TestRecord("", absl::StrCat(thread, " ", i)));
        records.back().partition = Partition((next / kBatch) % kPartitions);
      }
      const auto positions = log.Append(topic, records);
      // Within the time-out, a broker's death is no business of the caller's.
      ASSERT_OK(positions);
      Offset previous(-1);
      for (size_t i = 0; i < records.size(); ++i) {
        const auto [partition, offset] = (*positions)[i];
        EXPECT_LT(previous, offset);
        previous = offset;
        acknowledged_[thread][{partition, offset}] = records[i].value;
      }
      count_ += kBatch;
    }
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<int> count_ = 0;
  std::map<std::pair<Partition, Offset>, std::string> acknowledged_[kThreads];
  std::vector<std::thread> threads_;
};

// Nothing is missing in the log, nothing stands there twice, everything at its place.
void KafkaFaultTest::ExpectExact(const Load& load) {
  const auto acknowledged = load.Acknowledged();
  EXPECT_EQ(acknowledged.size(), static_cast<size_t>(load.count()));
  std::map<std::pair<Partition, Offset>, std::string> read;
  for (int i = 0; i < Load::kPartitions; ++i) {
    const Partition partition(i);
    ASSERT_OK(ReadToEnd(*log_, topic_, partition, Offset(0),
                        [&](const HeaderDecoder&, absl::Span<const RecordView> views) {
                          for (const RecordView& view : views) {
                            read[{partition, view.offset}] = std::string(view.value);
                          }
                          return absl::OkStatus();
                        }));
  }
  EXPECT_TRUE(read == acknowledged)
      << read.size() << " read, " << acknowledged.size() << " acknowledged";
}

TEST_F(KafkaFaultTest, ABrokersDeathUnderLoadLosesAndDoublesNothing) {
  ASSERT_OK(log_->CreateTopic(topic_, Load::kPartitions));
  Load load(*log_, topic_);
  ASSERT_NO_FATAL_FAILURE(load.Await(200));
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const int leader, cluster().LeaderOf(FullName(), round));
    Kill(leader);
    ASSERT_NO_FATAL_FAILURE(load.Await(400));
    ASSERT_NO_FATAL_FAILURE(Restart(leader));
    ASSERT_OK(cluster().AwaitInSync(FullName(), 3));
    ASSERT_NO_FATAL_FAILURE(load.Await(200));
  }
  load.Stop();
  ExpectExact(load);
}

TEST_F(KafkaFaultTest, ALeaderThatFallsSilentAndWakesUpLosesAndDoublesNothing) {
  ASSERT_OK(log_->CreateTopic(topic_, Load::kPartitions));
  Load load(*log_, topic_);
  ASSERT_NO_FATAL_FAILURE(load.Await(200));
  ASSERT_OK_AND_ASSIGN(const int leader, cluster().LeaderOf(FullName(), 0));
  const absl::Time silent = absl::Now();
  Pause(leader);
  // Through another leader: what was on its way to the silent one is sent again.
  ASSERT_NO_FATAL_FAILURE(load.Await(400));
  printf("appending went on %.1f s after its leader fell silent\n",
         absl::ToDoubleSeconds(absl::Now() - silent));
  // It believes to lead still, and what it has buffered is late by an epoch.
  Resume(leader);
  ASSERT_NO_FATAL_FAILURE(load.Await(400));
  load.Stop();
  ASSERT_OK(cluster().AwaitInSync(FullName(), 3));
  ExpectExact(load);
}

TEST_F(KafkaFaultTest, WithoutAMajorityNothingIsAcknowledgedAndNothingLost) {
  ASSERT_OK(log_->CreateTopic(topic_, 1));
  KafkaLogOptions options = Options();
  options.append_timeout = absl::Seconds(3);
  const auto impatient = Connect(options);
  const Record before = TestRecord("k", "before"), refused = TestRecord("k", "refused"),
               after = TestRecord("k", "after");
  ASSERT_OK(impatient->Append(topic_, {&before, 1}));
  ASSERT_OK_AND_ASSIGN(const int leader, cluster().LeaderOf(FullName(), 0));
  // The leader is alone on its side of a network that fell in two.
  const int others[] = {leader % 3 + 1, (leader + 1) % 3 + 1};
  for (const int broker : others) Pause(broker);
  EXPECT_THAT(impatient->Append(topic_, {&refused, 1}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(FullName())));
  for (const int broker : others) Resume(broker);
  ASSERT_OK(log_->Append(topic_, {&after, 1}));

  // The leader may have kept what it could not acknowledge.
  ASSERT_OK_AND_ASSIGN(const Watermarks watermarks, log_->GetWatermarks(topic_, Partition(0)));
  ASSERT_OK_AND_ASSIGN(const auto reader, log_->OpenReader(topic_, Partition(0), Offset(0)));
  const auto values = ReadValues(*reader, static_cast<size_t>(watermarks.end.value()));
  ASSERT_GE(values.size(), 2u);
  EXPECT_EQ(values.front(), "before");
  EXPECT_EQ(values.back(), "after");
}

TEST_F(KafkaFaultTest, WithTooFewReplicasAppendingIsUnavailableUntilTheyAreBack) {
  ASSERT_OK(log_->CreateTopic(topic_, 1));
  KafkaLogOptions options = Options();
  options.append_timeout = absl::Seconds(3);
  const auto impatient = Connect(options);
  const Record before = TestRecord("k", "before"), refused = TestRecord("k", "refused"),
               after = TestRecord("k", "after");
  ASSERT_OK(impatient->Append(topic_, {&before, 1}));

  ASSERT_OK_AND_ASSIGN(const int leader, cluster().LeaderOf(FullName(), 0));
  const int others[] = {leader % 3 + 1, (leader + 1) % 3 + 1};
  for (const int broker : others) Kill(broker);
  EXPECT_THAT(impatient->Append(topic_, {&refused, 1}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(FullName())));
  Restart(others[0]);
  ASSERT_OK(log_->Append(topic_, {&after, 1}));

  // The leader may have kept what it could not acknowledge.
  ASSERT_OK_AND_ASSIGN(const Watermarks watermarks, log_->GetWatermarks(topic_, Partition(0)));
  ASSERT_OK_AND_ASSIGN(const auto reader, log_->OpenReader(topic_, Partition(0), Offset(0)));
  const auto values = ReadValues(*reader, static_cast<size_t>(watermarks.end.value()));
  ASSERT_GE(values.size(), 2u);
  EXPECT_EQ(values.front(), "before");
  EXPECT_EQ(values.back(), "after");
}

TEST_F(KafkaFaultTest, AReaderOutlivesItsBroker) {
  ASSERT_OK(log_->CreateTopic(topic_, 1));
  const Record first = TestRecord("k", "first"), second = TestRecord("k", "second");
  ASSERT_OK(log_->Append(topic_, {&first, 1}));
  ASSERT_OK_AND_ASSIGN(const auto reader, log_->OpenReader(topic_, Partition(0), Offset(0)));
  EXPECT_THAT(ReadValues(*reader, 1), ElementsAre("first"));
  ASSERT_OK_AND_ASSIGN(const int leader, cluster().LeaderOf(FullName(), 0));
  Kill(leader);
  ASSERT_OK(log_->Append(topic_, {&second, 1}));
  EXPECT_THAT(ReadValues(*reader, 1), ElementsAre("second"));
}

class Listener : public PartitionListener {
 public:
  absl::StatusOr<Offset> OnAssigned(Partition partition) override {
    owned.insert(partition);
    return Offset(0);
  }
  void OnRevoked(Partition partition, bool) override { owned.erase(partition); }
  std::set<Partition> owned;
};

// A member in another process, known by what it prints.
class ChildMember {
 public:
  ChildMember(const std::string& topic, const std::string& group)
      : output_(popen(absl::StrCat("exec ", RAPPORT_TEST_MEMBER, " ",
                                   TestBrokers::cluster().bootstrap_servers(), " ", topic, " ",
                                   group, " child 2>/dev/null")
                          .c_str(),
                      "r")),
        pid_(Next('p')) {}
  ~ChildMember() { Kill(); }

  void Kill() {
    if (output_ == nullptr) return;
    kill(pid_, SIGKILL);
    pclose(output_);
    output_ = nullptr;
  }
  Partition AwaitAssigned() { return Partition(Next('+')); }

 private:
  int Next(char what) {
    char line[64];
    while (fgets(line, sizeof line, output_) != nullptr) {
      if (line[0] == what) return atoi(line + 1);
    }
    ADD_FAILURE() << "the member ended before it printed " << what;
    return -1;
  }

  FILE* output_;
  const pid_t pid_;
};

TEST_F(KafkaFaultTest, AKilledMembersPartitionsGoToTheOther) {
  ASSERT_OK(log_->CreateTopic(topic_, 2));
  const std::string group = UniqueName("group");
  ChildMember child(topic_, group);
  child.AwaitAssigned();
  child.AwaitAssigned();

  Listener listener;
  ASSERT_OK_AND_ASSIGN(const auto member,
                       log_->Subscribe(topic_, {.group = group, .member = "other"}, &listener));
  const auto poll_until_owned = [&](size_t count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (listener.owned.size() != count) {
      ASSERT_LT(absl::Now(), deadline);
      ASSERT_OK(member->Poll(100, absl::Milliseconds(50)));
    }
  };
  ASSERT_NO_FATAL_FAILURE(poll_until_owned(1));
  child.Kill();
  ASSERT_NO_FATAL_FAILURE(poll_until_owned(2));

  std::set<std::string> values;
  for (int i = 0; i < 2; ++i) {
    Record record = TestRecord("", absl::StrCat("value ", i));
    record.partition = Partition(i);
    ASSERT_OK(log_->Append(topic_, {&record, 1}));
  }
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (values.size() < 2 && absl::Now() < deadline) {
    ASSERT_OK_AND_ASSIGN(const auto batch, member->Poll(100, absl::Milliseconds(50)));
    for (const RecordView& view : batch.records) values.insert(std::string(view.value));
  }
  EXPECT_THAT(values, ElementsAre("value 0", "value 1"));
}

}  // namespace
}  // namespace rapport
