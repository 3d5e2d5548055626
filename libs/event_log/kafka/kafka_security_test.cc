// A broker that asks for a name and a password: librdkafka's settings reach every kind of client.

#include <string>

#include "gmock/gmock.h"
#include "libs/event_log/kafka/test_broker.h"

namespace rapport {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class KafkaSecurityTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = KafkaCluster::Start(
        1,
        {{"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT"},
         {"sasl.enabled.mechanisms", "PLAIN"},
         {"sasl.mechanism.inter.broker.protocol", "PLAIN"},
         {"listener.name.plaintext.plain.sasl.jaas.config",
          "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"broker\" "
          "password=\"inner\" user_broker=\"inner\" user_rapport=\"right\";"}},
        Credentials("right"));
    ASSERT_OK(started);
    cluster_ = *std::move(started);
  }

  static std::map<std::string, std::string> Credentials(const std::string& password) {
    return {{"security.protocol", "SASL_PLAINTEXT"},
            {"sasl.mechanisms", "PLAIN"},
            {"sasl.username", "rapport"},
            {"sasl.password", password}};
  }

  std::unique_ptr<EventLog> ConnectWith(const std::string& password, absl::Duration timeout) {
    KafkaLogOptions options = TestOptions(cluster_->bootstrap_servers());
    options.settings = Credentials(password);
    options.request_timeout = timeout;
    return Connect(options);
  }

  std::unique_ptr<KafkaCluster> cluster_;
};

TEST_F(KafkaSecurityTest, ThePasswordOpensTheLogAndAWrongOneIsNamedAsTheReason) {
  const auto log = ConnectWith("right", absl::Seconds(30));
  ASSERT_OK(log->CreateTopic("topic", 1));
  const Record record = TestRecord("k", "v");
  ASSERT_OK(log->Append("topic", {&record, 1}));
  ASSERT_OK_AND_ASSIGN(const auto reader, log->OpenReader("topic", Partition(0), Offset(0)));
  EXPECT_THAT(ReadValues(*reader, 1), ElementsAre("v"));

  const auto stranger = ConnectWith("not-the-one", absl::Seconds(3));
  EXPECT_THAT(stranger->PartitionCount("topic"),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("Authentication failed"), Not(HasSubstr("not-the-one")))));
}

}  // namespace
}  // namespace rapport
