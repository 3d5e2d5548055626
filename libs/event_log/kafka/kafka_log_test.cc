// What the contract leaves open, on real Kafka: that its own clients and ours understand each
// other, what retention and damage look like, and how members of a group come and go.

#include "libs/event_log/kafka/kafka_log.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "librdkafka/rdkafka.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/test_broker.h"
#include "libs/event_log/partitioner.h"
#include "libs/event_log/read_range.h"
#include "tests/support/transactional_producer.h"

namespace rapport {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const testing::Environment* const brokers = testing::AddGlobalTestEnvironment(new TestBrokers(1));

class KafkaLogTest : public testing::Test {
 protected:
  KafkaLogTest()
      : servers_(TestBrokers::cluster().bootstrap_servers()),
        log_(Connect(TestOptions(servers_))),
        topic_(UniqueName("topic")) {}

  EventLog& log() { return *log_; }
  // As the brokers know the topic.
  std::string FullName() const { return "test." + topic_; }

  void AppendValues(int count) {
    for (int i = 0; i < count; ++i) {
      const Record record = TestRecord("k", absl::StrCat("value ", i));
      ASSERT_OK(log().Append(topic_, {&record, 1}));
    }
  }

  std::string RunTool(const std::string& main_class, std::vector<std::string> arguments,
                      const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--bootstrap-server", servers_, "--topic", FullName()});
    auto output = TestBrokers::cluster().RunTool(main_class, arguments, input);
    EXPECT_OK(output);
    return output.value_or("");
  }

  // Deletes the records before `offset`, as retention does.
  void DeleteRecordsBefore(int64_t offset) {
    const kafka::Handle admin = Client({});
    const kafka::Partitions before(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(before.get(), FullName().c_str(), 0)->offset = offset;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(before.get());
    const kafka::Queue queue(rd_kafka_queue_new(admin.get()));
    rd_kafka_DeleteRecords(admin.get(), &request, 1, nullptr, queue.get());
    const kafka::Event event(rd_kafka_queue_poll(queue.get(), -1));
    EXPECT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR)
        << rd_kafka_event_error_string(event.get());
    rd_kafka_DeleteRecords_destroy(request);
  }

  kafka::Handle Client(const std::vector<std::pair<std::string, std::string>>& own) {
    auto client = kafka::NewClient(TestOptions(servers_), kafka::ClientKind::kAdmin, own, nullptr);
    EXPECT_OK(client);
    return *std::move(client);
  }

  const std::string servers_;
  const std::unique_ptr<EventLog> log_;
  const std::string topic_;
};

TEST_F(KafkaLogTest, JavasProducerChoosesTheSamePartitions) {
  constexpr int kPartitions = 7;
  ASSERT_OK(log().CreateTopic(topic_, kPartitions));
  std::string input;
  std::map<std::string, std::string> value_of;
  for (int i = 0; i < 300; ++i) {
    // Every length modulo 4, and bytes above 0x7f, which Java's murmur2 sees as negative.
    const std::string key =
        absl::StrCat(i, std::string(static_cast<size_t>(i % 9), 'x'), i % 3 == 0 ? "клиент" : "é");
    value_of[key] = absl::StrCat("value ", i);
    absl::StrAppend(&input, "source:web\t", key, "\t", value_of[key], "\n");
  }
  RunTool("kafka.tools.ConsoleProducer",
          {"--property", "parse.key=true", "--property", "parse.headers=true"}, input);

  std::map<std::string, std::string> read;
  std::set<Partition> used;
  for (int i = 0; i < kPartitions; ++i) {
    const Partition partition(i);
    ASSERT_OK_AND_ASSIGN(const Watermarks watermarks, log().GetWatermarks(topic_, partition));
    ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, partition, Offset(0)));
    while (reader->position() < watermarks.end) {
      ASSERT_OK_AND_ASSIGN(const auto batch, reader->Read(1000, absl::Seconds(10)));
      for (const RecordView& view : batch) {
        EXPECT_EQ(PartitionOf(view.key, kPartitions), partition) << view.key;
        EXPECT_THAT(reader->Headers(view), ElementsAre(Header{"source", "web"}));
        EXPECT_TRUE(read.emplace(std::string(view.key), std::string(view.value)).second);
        used.insert(partition);
      }
    }
  }
  EXPECT_EQ(read, value_of);
  EXPECT_EQ(used.size(), static_cast<size_t>(kPartitions));
}

TEST_F(KafkaLogTest, JavasConsumerReadsWhatWeWrite) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  Record record = TestRecord("client-1", "the value");
  record.headers = {{"ce_type", "call"}, {"ce_id", "7"}};
  ASSERT_OK(log().Append(topic_, {&record, 1}));
  EXPECT_EQ(RunTool("org.apache.kafka.tools.consumer.ConsoleConsumer",
                    {"--from-beginning", "--max-messages", "1", "--property", "print.key=true",
                     "--property", "print.headers=true", "--property", "print.timestamp=true",
                     "--property", "print.offset=true"}),
            "CreateTime:1700000000123\tOffset:0\tce_type:call,ce_id:7\tclient-1\tthe value\n");
}

TEST_F(KafkaLogTest, NothingIsDeletedByDefault) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  EXPECT_THAT(RunTool("kafka.admin.ConfigCommand", {"--describe"}),
              AllOf(HasSubstr("retention.ms=-1 "), HasSubstr("min.insync.replicas=1 ")));
}

TEST_F(KafkaLogTest, TheLimitOfARecordMayBeRaised) {
  KafkaLogOptions options = TestOptions(servers_);
  options.max_record_bytes = 5'000'000;
  const auto large = Connect(options);
  ASSERT_OK(large->CreateTopic(topic_, 1));
  const std::string value(4'999'999, 'x');
  const std::vector<Record> records = {TestRecord("k", value), TestRecord("k", "after")};
  ASSERT_OK(large->Append(topic_, records));
  ASSERT_OK_AND_ASSIGN(const auto reader, large->OpenReader(topic_, Partition(0), Offset(0)));
  EXPECT_TRUE(ReadValues(*reader, 2) == (std::vector<std::string>{value, "after"}));
}

TEST_F(KafkaLogTest, ATimeBeforeTheEpochIsRefused) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  Record record = TestRecord("k", "v");
  record.timestamp = absl::UnixEpoch();
  EXPECT_THAT(log().Append(topic_, {&record, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1970-01-01")));
}

TEST_F(KafkaLogTest, APositionThatRetentionDeletedIsAnErrorWithBothPositions) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  AppendValues(10);
  DeleteRecordsBefore(6);
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(0)).value(), (Watermarks{Offset(6), Offset(10)}));

  ASSERT_OK_AND_ASSIGN(const auto late, log().OpenReader(topic_, Partition(0), Offset(3)));
  const auto deleted =
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("from offset 3"), HasSubstr("begins at 6 and ends at 10"),
                     HasSubstr("restore a snapshot")));
  EXPECT_THAT(ReadError(*late), deleted);
  // It stays so: reading on would skip records.
  EXPECT_THAT(late->Read(1, absl::ZeroDuration()), deleted);
  EXPECT_EQ(late->position(), Offset(3));

  ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, Partition(0), Offset(6)));
  EXPECT_THAT(ReadValues(*reader, 4), ElementsAre("value 6", "value 7", "value 8", "value 9"));
}

TEST_F(KafkaLogTest, DamageIsDataLossAtItsPlace) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  AppendValues(5);
  const std::string segment = absl::StrCat(TestBrokers::cluster().PartitionFolder(1, FullName(), 0),
                                           "/00000000000000000000.log");
  {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const size_t place = bytes.find("value 3");
    ASSERT_NE(place, std::string::npos) << segment;
    file.clear();
    file.seekp(static_cast<std::streamoff>(place));
    file.put('X');
  }
  ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, Partition(0), Offset(0)));
  EXPECT_THAT(ReadValues(*reader, 3), ElementsAre("value 0", "value 1", "value 2"));
  const auto damaged = StatusIs(absl::StatusCode::kDataLoss, HasSubstr("from offset 3"));
  EXPECT_THAT(ReadError(*reader), damaged);
  EXPECT_THAT(reader->Read(1, absl::Milliseconds(200)), damaged);
}

TEST_F(KafkaLogTest, WhatTransactionsLeaveIsPassedOver) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  ASSERT_OK_AND_ASSIGN(const auto producer, TransactionalProducer::Start(servers_, topic_));
  const auto write = [&](const std::vector<Record>& records, bool commit) {
    return producer->Write(FullName(), records, commit);
  };
  ASSERT_OK(write({TestRecord("k", "a")}, /*commit=*/true));  // 0, marker 1
  ASSERT_OK(write({TestRecord("k", "never"), TestRecord("k", "was")},
                  /*commit=*/false));        // 2 and 3, marker 4
  const Record ours = TestRecord("k", "b");  // 5
  ASSERT_OK(log().Append(topic_, {&ours, 1}));
  ASSERT_OK(write({TestRecord("k", "c")}, /*commit=*/true));  // 6, marker 7

  struct Seen {
    std::string value;
    int64_t offset, passed_over;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  ASSERT_OK(ReadToEnd(
      log(), topic_, Partition(0), Offset(0),
      [&](const HeaderDecoder&, absl::Span<const RecordView> views) {
        for (const RecordView& view : views) {
          seen.push_back({std::string(view.value), view.offset.value(), view.passed_over});
        }
        return absl::OkStatus();
      }));
  EXPECT_TRUE(seen == (std::vector<Seen>{{"a", 0, 0}, {"b", 5, 4}, {"c", 6, 0}}));
  // Nothing but a marker: there is an end to come to.
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(0)).value().end, Offset(8));
  ASSERT_OK(ReadToEnd(log(), topic_, Partition(0), Offset(7),
                      [&](const HeaderDecoder&, absl::Span<const RecordView>) {
                        return absl::InternalError("a marker is no record");
                      }));
}

TEST_F(KafkaLogTest, AGapInACompactedTopicIsALoss) {
  KafkaLogOptions options = TestOptions(servers_);
  options.topic_settings["cleanup.policy"] = "compact";
  const auto careless = Connect(options);
  ASSERT_OK(careless->CreateTopic(topic_, 1));
  ASSERT_OK_AND_ASSIGN(const auto producer, TransactionalProducer::Start(servers_, topic_));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(producer->Write(FullName(), {TestRecord("k", "value")}, /*commit=*/true));
  }
  ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, Partition(0), Offset(0)));
  EXPECT_THAT(ReadError(*reader),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("records are missing"), HasSubstr("cleanup.policy"))));
  EXPECT_THAT(log().CheckTopic(topic_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(FullName() + " is compacted"),
                             HasSubstr("--add-config cleanup.policy=delete,retention.ms=-1"))));
}

TEST_F(KafkaLogTest, SettingsThatEndangerRecordsAreTold) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  EXPECT_THAT(log().CheckTopic(topic_).value(), IsEmpty());

  KafkaLogOptions options = TestOptions(servers_);
  options.topic_settings = {{"retention.ms", "604800000"}, {"retention.bytes", "1000000"}};
  const std::string forgetful = UniqueName("forgetful");
  ASSERT_OK(Connect(options)->CreateTopic(forgetful, 1));
  EXPECT_THAT(
      log().CheckTopic(forgetful).value(),
      ElementsAre(AllOf(HasSubstr("test." + forgetful + " deletes its records after 168h"),
                        HasSubstr("--add-config retention.ms=-1")),
                  AllOf(HasSubstr("beyond 1000000 bytes"), HasSubstr("retention.bytes=-1"))));

  options = TestOptions(servers_);
  options.max_record_bytes = 2000;
  const std::string small = UniqueName("small");
  ASSERT_OK(Connect(options)->CreateTopic(small, 1));
  EXPECT_THAT(log().CheckTopic(small).value(), ElementsAre(HasSubstr("max.message.bytes")));

  const std::string impossible = UniqueName("impossible");
  ASSERT_OK(log().CreateTopic(impossible, 1));
  TestBrokers::cluster()
      .RunTool("kafka.admin.ConfigCommand",
               {"--bootstrap-server", servers_, "--alter", "--topic", "test." + impossible,
                "--add-config", "min.insync.replicas=2"})
      .value();
  EXPECT_THAT(log().CheckTopic(impossible),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("wants 2 replicas in sync"), HasSubstr("has 1"))));
}

TEST_F(KafkaLogTest, WhatLibrdkafkaSaysIsPlain) {
  EXPECT_EQ(kafka::PlainText("[thrd:127.0.0.1:9092/1]: 127.0.0.1:9092/1: Connect to "
                             "ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state "
                             "CONNECT, 4 identical error(s) suppressed)"),
            "127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused");
  EXPECT_EQ(kafka::PlainText("127.0.0.1:9092/bootstrap: Disconnected: verify that "
                             "security.protocol is correctly configured, broker might require SASL "
                             "authentication (after 303ms in state UP)"),
            "127.0.0.1:9092/bootstrap: Disconnected");
}

// Starts at 0, and keeps what it is told.
class Listener : public PartitionListener {
 public:
  absl::StatusOr<Offset> OnAssigned(Partition partition) override {
    assigned += owned.insert(partition).second ? 1 : 0;
    return Offset(0);
  }
  void OnRevoked(Partition partition, bool was_lost) override {
    owned.erase(partition);
    ++(was_lost ? lost : revoked);
  }
  std::set<Partition> owned;
  int assigned = 0, revoked = 0, lost = 0;
};

class KafkaGroupTest : public KafkaLogTest {
 protected:
  KafkaGroupTest() : group_(UniqueName("group")) {}

  std::unique_ptr<Subscription> Join(EventLog& log, const std::string& member, Listener* listener) {
    auto joined = log.Subscribe(topic_, {.group = group_, .member = member}, listener);
    EXPECT_OK(joined);
    return joined.ok() ? *std::move(joined) : nullptr;
  }

  static void PollUntil(const std::vector<Subscription*>& members,
                        const std::function<bool()>& done) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!done()) {
      ASSERT_LT(absl::Now(), deadline) << "it did not happen in time";
      for (Subscription* member : members) ASSERT_OK(member->Poll(100, absl::Milliseconds(20)));
    }
  }

  const std::string group_;
};

TEST_F(KafkaGroupTest, ARestartOfAStaticMemberMovesNothing) {
  ASSERT_OK(log().CreateTopic(topic_, 4));
  Listener first, second, restarted;
  auto one = Join(log(), "one", &first);
  const auto two = Join(log(), "two", &second);
  PollUntil({one.get(), two.get()},
            [&] { return first.owned.size() == 2 && second.owned.size() == 2; });
  const std::set<Partition> before = first.owned;
  const int assigned_before = second.assigned, revoked_before = second.revoked;

  one.reset();  // without Close, as a crash
  EXPECT_EQ(first.revoked + first.lost, first.assigned - 2) << "told by the destructor";
  one = Join(log(), "one", &restarted);
  PollUntil({one.get(), two.get()}, [&] { return restarted.owned.size() == 2; });
  EXPECT_EQ(restarted.owned, before);
  // The other one was not even asked.
  EXPECT_EQ(second.assigned, assigned_before);
  EXPECT_EQ(second.revoked, revoked_before);
  EXPECT_EQ(second.lost, 0);
}

TEST_F(KafkaGroupTest, AMemberThatDoesNotPollLosesItsPartitions) {
  ASSERT_OK(log().CreateTopic(topic_, 2));
  KafkaLogOptions options = TestOptions(servers_);
  options.session_timeout = absl::Seconds(1);
  options.consumer_settings = {{"max.poll.interval.ms", "1000"}};
  const auto impatient = Connect(options);
  Listener first, second;
  const auto stuck = Join(*impatient, "stuck", &first);
  PollUntil({stuck.get()}, [&] { return first.owned.size() == 2; });

  const auto other = Join(log(), "other", &second);
  PollUntil({other.get()}, [&] { return second.owned.size() == 2; });
  EXPECT_EQ(first.owned.size(), 2u);
  PollUntil({stuck.get()}, [&] { return first.owned.empty(); });
  EXPECT_EQ(first.lost, 2);
  EXPECT_EQ(first.revoked, 0);
}

TEST_F(KafkaGroupTest, ANameThatIsTakenStopsTheFirstToHaveIt) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  Listener first, second;
  const auto one = Join(log(), "twin", &first);
  PollUntil({one.get()}, [&] { return first.owned.size() == 1; });
  const auto other = Join(log(), "twin", &second);
  PollUntil({other.get()}, [&] { return second.owned.size() == 1; });
  absl::Status status;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (status.ok() && absl::Now() < deadline) {
    status = one->Poll(100, absl::Milliseconds(100)).status();
  }
  const auto fenced =
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("same member name"), HasSubstr("an --instance of its own")));
  EXPECT_THAT(status, fenced);
  EXPECT_THAT(one->Trouble(), fenced);
  EXPECT_EQ(first.lost, 1);
  // It does not take the place back from who has it, and joins again when the other has gone.
  EXPECT_THAT(one->Poll(100, absl::Seconds(3)), fenced);
  EXPECT_OK(other->Poll(100, absl::Milliseconds(20)));
  ASSERT_OK(other->Close());
  while (first.owned.empty() && absl::Now() < deadline) {
    one->Poll(100, absl::Milliseconds(100)).IgnoreError();
  }
  EXPECT_OK(one->Trouble());
  EXPECT_EQ(second.lost, 0);
}

TEST_F(KafkaGroupTest, DeploymentsOfDifferentPrefixesShareACluster) {
  KafkaLogOptions options = TestOptions(servers_);
  options.topic_prefix = "other.";
  const auto other_log = Connect(options);
  ASSERT_OK(log().CreateTopic(topic_, 2));
  ASSERT_OK(other_log->CreateTopic(topic_, 3));
  Listener ours, others;
  const auto our_member = Join(log(), "1", &ours);
  PollUntil({our_member.get()}, [&] { return ours.owned.size() == 2; });
  // The same group and the same name, and quite another log.
  const auto other_member = Join(*other_log, "1", &others);
  PollUntil({our_member.get(), other_member.get()}, [&] { return others.owned.size() == 3; });
  EXPECT_EQ(ours.owned.size(), 2u);
  EXPECT_EQ(ours.lost + ours.revoked + others.lost + others.revoked, 0);
  ASSERT_OK_AND_ASSIGN(const auto members, log().GroupMembers(topic_, group_));
  EXPECT_THAT(members, ElementsAre(GroupMember{"1", "rapport", {Partition(0), Partition(1)}}));
}

TEST_F(KafkaGroupTest, PartitionsOfAnotherTopicAreRefused) {
  const std::string before = UniqueName("before");
  ASSERT_OK(log().CreateTopic(before, 4));
  ASSERT_OK(log().CreateTopic(topic_, 1));
  const Record record = TestRecord("k", "of the topic asked for");
  ASSERT_OK(log().Append(topic_, {&record, 1}));
  {
    Listener listener;
    auto joined = log().Subscribe(before, {.group = group_, .member = "1"}, &listener);
    ASSERT_OK(joined);
    PollUntil({joined->get()}, [&] { return listener.owned.size() == 4; });
    // Goes without leaving, as who is killed does: the group keeps the place with its partitions.
  }
  Listener listener;
  const auto member = Join(log(), "1", &listener);
  std::vector<std::string> values;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (values.empty() && absl::Now() < deadline) {
    ASSERT_OK_AND_ASSIGN(const auto batch, member->Poll(100, absl::Milliseconds(100)));
    for (const RecordView& view : batch.records) values.emplace_back(view.value);
  }
  EXPECT_THAT(values, ElementsAre("of the topic asked for"));
  EXPECT_THAT(listener.owned, ElementsAre(Partition(0)));
  EXPECT_EQ(listener.assigned, 1);
}

TEST_F(KafkaGroupTest, WhoLeavesIsNotWaitedFor) {
  ASSERT_OK(log().CreateTopic(topic_, 4));
  KafkaLogOptions options = TestOptions(servers_);
  options.session_timeout = absl::Minutes(4);
  const auto patient = Connect(options);
  Listener first, second;
  const auto one = Join(*patient, "one", &first);
  const auto two = Join(*patient, "two", &second);
  PollUntil({one.get(), two.get()},
            [&] { return first.owned.size() == 2 && second.owned.size() == 2; });
  ASSERT_OK(one->Close());
  EXPECT_EQ(first.owned.size(), 0u);
  const absl::Time left = absl::Now();
  PollUntil({two.get()}, [&] { return second.owned.size() == 4; });
  printf("taken over %lld ms after the other left\n",
         static_cast<long long>(absl::ToInt64Milliseconds(absl::Now() - left)));
  ASSERT_OK(two->Close());
}

TEST_F(KafkaGroupTest, AMemberPassesOverWhatTransactionsLeave) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  ASSERT_OK_AND_ASSIGN(const auto producer, TransactionalProducer::Start(servers_, topic_));
  for (const char* value : {"a", "b"}) {
    ASSERT_OK(producer->Write(FullName(), {TestRecord("k", value)}, /*commit=*/true));
  }
  Listener listener;
  const auto member = Join(log(), "member", &listener);
  std::vector<std::string> values;
  Offset next(0);
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (next < Offset(4) && absl::Now() < deadline) {
    ASSERT_OK_AND_ASSIGN(const auto batch, member->Poll(100, absl::Milliseconds(100)));
    if (batch.next == batch.from) continue;
    EXPECT_EQ(batch.from, next);
    next = batch.next;
    for (const RecordView& view : batch.records) values.emplace_back(view.value);
  }
  EXPECT_THAT(values, ElementsAre("a", "b"));
  EXPECT_EQ(next, Offset(4));
}

TEST_F(KafkaGroupTest, ReportedPositionsAreTheGroupsForDashboards) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  AppendValues(5);
  Listener listener;
  const auto member = Join(log(), "member", &listener);
  PollUntil({member.get()}, [&] { return listener.owned.size() == 1; });
  member->ReportPosition(Partition(0), Offset(4));

  const kafka::Handle client = Client({{"group.id", "test." + group_}});
  const kafka::Partitions committed(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(committed.get(), FullName().c_str(), 0);
  PollUntil({member.get()}, [&] {
    EXPECT_EQ(rd_kafka_committed(client.get(), committed.get(), 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
    return committed->elems[0].offset == 4;
  });
}

TEST_F(KafkaGroupTest, ADeletedPositionStopsItsPartitionOnly) {
  ASSERT_OK(log().CreateTopic(topic_, 2));
  for (int i = 0; i < 6; ++i) {
    Record record = TestRecord("", absl::StrCat(i));
    record.partition = Partition(i % 2);
    ASSERT_OK(log().Append(topic_, {&record, 1}));
  }
  DeleteRecordsBefore(2);
  Listener listener;
  const auto member = Join(log(), "member", &listener);
  std::vector<std::string> values;
  std::vector<absl::Status> errors;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while ((values.size() < 3 || errors.empty()) && absl::Now() < deadline) {
    const auto batch = member->Poll(100, absl::Milliseconds(50));
    if (!batch.ok()) {
      errors.push_back(batch.status());
      continue;
    }
    for (const RecordView& view : batch->records) values.emplace_back(view.value);
  }
  EXPECT_THAT(values, ElementsAre("1", "3", "5"));
  const auto deleted = StatusIs(
      absl::StatusCode::kFailedPrecondition,
      AllOf(HasSubstr("partition 0 from offset 0"), HasSubstr("begins at 2 and ends at 3")));
  EXPECT_THAT(errors, Each(deleted));
  EXPECT_THAT(member->Trouble(), deleted);
}

}  // namespace
}  // namespace rapport
