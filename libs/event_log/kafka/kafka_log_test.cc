// What the contract leaves open, on real Kafka: that its own clients and ours understand each
// other, what retention and damage look like, and how members of a group come and go.

#include "libs/event_log/kafka/kafka_log.h"

#include <algorithm>
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

namespace rapport {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

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

TEST_F(KafkaLogTest, ControlRecordsAreGapsInTheOffsets) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  const kafka::Handle producer = [this] {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers_.c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "transactional.id", topic_.c_str(), nullptr, 0);
    return kafka::Handle(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
  }();
  ASSERT_NE(producer, nullptr);
  ASSERT_EQ(kafka::Error(rd_kafka_init_transactions(producer.get(), 30000)), nullptr);
  const std::string name = FullName();
  for (std::string value : {"a", "b"}) {
    ASSERT_EQ(kafka::Error(rd_kafka_begin_transaction(producer.get())), nullptr);
    rd_kafka_producev(producer.get(), RD_KAFKA_V_TOPIC(name.c_str()),
                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                      RD_KAFKA_V_VALUE(value.data(), value.size()), RD_KAFKA_V_END);
    ASSERT_EQ(kafka::Error(rd_kafka_commit_transaction(producer.get(), 30000)), nullptr);
  }
  ASSERT_OK_AND_ASSIGN(const auto reader, log().OpenReader(topic_, Partition(0), Offset(0)));
  std::vector<Offset> offsets;
  while (offsets.size() < 2) {
    ASSERT_OK_AND_ASSIGN(const auto batch, reader->Read(10, absl::Seconds(10)));
    ASSERT_FALSE(batch.empty());
    for (const RecordView& view : batch) offsets.push_back(view.offset);
  }
  EXPECT_THAT(offsets, ElementsAre(Offset(0), Offset(2)));
  // The position passes the last one, so that a reader knows that it has read everything.
  while (reader->position() < Offset(4)) ASSERT_OK(reader->Read(10, absl::Seconds(10)));
  EXPECT_EQ(log().GetWatermarks(topic_, Partition(0)).value().end, reader->position());
}

// Starts at 0, and keeps what it is told.
class Listener : public PartitionListener {
 public:
  absl::StatusOr<Offset> OnAssigned(Partition partition) override {
    owned.insert(partition);
    ++assigned;
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
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("same member name")));
}

TEST_F(KafkaGroupTest, ReportedPositionsAreTheGroupsForDashboards) {
  ASSERT_OK(log().CreateTopic(topic_, 1));
  AppendValues(5);
  Listener listener;
  const auto member = Join(log(), "member", &listener);
  PollUntil({member.get()}, [&] { return listener.owned.size() == 1; });
  member->ReportPosition(Partition(0), Offset(4));

  const kafka::Handle client = Client({{"group.id", group_}});
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
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0], StatusIs(absl::StatusCode::kFailedPrecondition,
                                  AllOf(HasSubstr("partition 0 from offset 0"),
                                        HasSubstr("begins at 2 and ends at 3"))));
}

}  // namespace
}  // namespace rapport
