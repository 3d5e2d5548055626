// Errors of the protocol, injected by librdkafka's mock brokers: what real brokers do only in rare
// moments. Everything else is tested on real Kafka.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "librdkafka/rdkafka.h"
#include "librdkafka/rdkafka_mock.h"
#include "libs/event_log/kafka/client.h"
#include "libs/event_log/kafka/test_broker.h"

namespace rapport {
namespace {

using testing::_;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// The protocol's numbers of requests.
constexpr int16_t kProduce = 0;
constexpr int16_t kFetch = 1;
constexpr int16_t kFindCoordinator = 10;

class KafkaMockTest : public testing::Test {
 protected:
  KafkaMockTest()
      : host_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        mock_(rd_kafka_mock_cluster_new(host_.get(), 1)) {
    KafkaLogOptions options = TestOptions(rd_kafka_mock_cluster_bootstraps(mock_.get()));
    options.append_timeout = absl::Seconds(3);
    options.request_timeout = absl::Seconds(3);
    options.producer_settings = {{"retry.backoff.ms", "10"}};
    EXPECT_EQ(rd_kafka_mock_topic_create(mock_.get(), "test.topic", 1, 1),
              RD_KAFKA_RESP_ERR_NO_ERROR);
    log_ = Connect(options);
  }

  // The next requests of this kind are answered with these, one after the other.
  void Push(int16_t request, const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(mock_.get(), request, errors.size(), errors.data());
  }

  absl::Status AppendValue(const std::string& value) {
    const Record record = TestRecord("k", value);
    return log_->Append("topic", {&record, 1}).status();
  }

  // All values in the log.
  std::vector<std::string> Values() {
    const auto watermarks = log_->GetWatermarks("topic", Partition(0));
    EXPECT_OK(watermarks);
    auto reader = log_->OpenReader("topic", Partition(0), Offset(0));
    EXPECT_OK(reader);
    return ReadValues(**reader, static_cast<size_t>(watermarks->end.value()));
  }

  const kafka::Handle host_;
  const std::unique_ptr<rd_kafka_mock_cluster_t, kafka::Destroy<rd_kafka_mock_cluster_destroy>>
      mock_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(KafkaMockTest, RetriesLeaveOneCopy) {
  ASSERT_OK(AppendValue("before"));
  Push(kProduce,
       {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT});
  ASSERT_OK(AppendValue("during"));
  ASSERT_OK(AppendValue("after"));
  EXPECT_THAT(Values(), ElementsAre("before", "during", "after"));
}

TEST_F(KafkaMockTest, ABrokerThatNeverHasEnoughReplicasIsUnavailable) {
  Push(kProduce, std::vector<rd_kafka_resp_err_t>(10000, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS));
  EXPECT_THAT(AppendValue("lost"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("topic test.topic")));
  rd_kafka_mock_clear_request_errors(mock_.get(), kProduce);
  ASSERT_OK(AppendValue("kept"));
  EXPECT_THAT(Values(), ElementsAre("kept"));
}

TEST_F(KafkaMockTest, ABrokenProducerIsReplaced) {
  ASSERT_OK(AppendValue("before"));
  Push(kProduce, {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  EXPECT_THAT(AppendValue("broken"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("topic test.topic")));
  ASSERT_OK(AppendValue("after"));
  EXPECT_THAT(Values(), ElementsAre("before", "after"));
}

TEST_F(KafkaMockTest, WithoutPermissionThereIsNoUseInRetrying) {
  Push(kProduce, {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  EXPECT_THAT(AppendValue("forbidden"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("test.topic"), HasSubstr("authorization failed"))));
}

TEST_F(KafkaMockTest, ABrokersLowerLimitMakesTheRecordInvalid) {
  Push(kProduce, {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  EXPECT_THAT(AppendValue("large"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("test.topic")));
}

TEST_F(KafkaMockTest, AReaderWithoutPermissionIsToldSo) {
  ASSERT_OK(AppendValue("secret"));
  Push(kFetch, std::vector<rd_kafka_resp_err_t>(100, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
  ASSERT_OK_AND_ASSIGN(const auto reader, log_->OpenReader("topic", Partition(0), Offset(0)));
  EXPECT_THAT(ReadError(*reader), StatusIs(absl::StatusCode::kFailedPrecondition,
                                           HasSubstr("topic test.topic partition 0")));
}

TEST_F(KafkaMockTest, AReaderGoesOnAfterPassingErrors) {
  ASSERT_OK(AppendValue("a"));
  Push(kFetch, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR__TRANSPORT,
                RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE});
  EXPECT_THAT(Values(), ElementsAre("a"));
}

TEST_F(KafkaMockTest, BrokersThatAreDownAreUnavailableAndComeBack) {
  ASSERT_OK(AppendValue("a"));
  ASSERT_OK_AND_ASSIGN(const auto reader, log_->OpenReader("topic", Partition(0), Offset(0)));
  EXPECT_THAT(ReadValues(*reader, 1), ElementsAre("a"));

  rd_kafka_mock_broker_set_down(mock_.get(), 1);
  EXPECT_THAT(AppendValue("b"), StatusIs(absl::StatusCode::kUnavailable, _));
  EXPECT_THAT(ReadError(*reader),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no Kafka broker answers")));
  EXPECT_THAT(log_->GetWatermarks("topic", Partition(0)),
              StatusIs(absl::StatusCode::kUnavailable, _));

  rd_kafka_mock_broker_set_up(mock_.get(), 1);
  ASSERT_OK(AppendValue("c"));
  EXPECT_THAT(ReadValues(*reader, 1), ElementsAre("c"));
}

TEST_F(KafkaMockTest, AGroupWithoutPermissionIsToldSo) {
  class Nobody : public PartitionListener {
    absl::StatusOr<Offset> OnAssigned(Partition) override { return Offset(0); }
    void OnRevoked(Partition, bool) override {}
  } listener;
  Push(kFindCoordinator,
       std::vector<rd_kafka_resp_err_t>(100, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED));
  ASSERT_OK_AND_ASSIGN(const auto member,
                       log_->Subscribe("topic", {.group = "g", .member = "m"}, &listener));
  absl::Status status;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (status.ok() && absl::Now() < deadline) {
    status = member->Poll(10, absl::Milliseconds(100)).status();
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("group of topic test.topic")));
}

}  // namespace
}  // namespace rapport
