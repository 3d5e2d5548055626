#include "services/alerts/web_hook_queue.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "services/alerts/alert_view.h"
#include "services/alerts/testing/events.h"

namespace rapport {
namespace {

using state::v1::WebHookFact;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeRaised;
using testing::MakeUpdated;
using testing::Minute;

// A queue over one partition whose facts go through a log, as they do in the service.
class WebHookQueueTest : public ::testing::Test {
 protected:
  WebHookQueueTest() { Start(0); }

  void Start(int64_t next) {
    WebHookFact fact;
    fact.mutable_started()->add_next_offsets(next);
    Write(fact);
  }
  void Write(const WebHookFact& fact) {
    facts_.push_back(fact);
    queue_.Apply(fact);
  }
  void Add(const std::string& client) {
    const RecordPosition position{Partition(0), Offset(end_)};
    queue_.Add(std::make_shared<FedStep>(
        FedStep{position, now_, StepOf(position, MakeRaised(client, end_))}));
    added_.push_back(client);
    queue_.set_read(AlertCursor{{++end_}});
  }
  // What another process makes of the facts, with the steps given to it from where they end.
  void Restart() {
    queue_ = WebHookQueue("crm", 1);
    for (const WebHookFact& fact : facts_) queue_.Apply(fact);
    const int64_t from = queue_.settled_before().next[0];
    const std::vector<std::string> clients = std::exchange(added_, {});
    for (end_ = 0; end_ < static_cast<int64_t>(clients.size());) {
      const std::string& client = clients[static_cast<size_t>(end_)];
      if (end_ >= from) {
        Add(client);
      } else {
        added_.push_back(client);
        ++end_;
      }
    }
  }
  // Sends what is next and takes this answer.
  WebHookFact Answer(int status, std::vector<Header> headers = {}) {
    const std::optional<WebHookQueue::Job> job = queue_.Next(now_);
    if (!job) {
      ADD_FAILURE() << "nothing is to be sent at " << now_;
      return {};
    }
    return Take(*job, HttpAnswer{.status = status, .headers = std::move(headers)});
  }
  WebHookFact Take(const WebHookQueue::Job& job, const absl::StatusOr<HttpAnswer>& answer) {
    WebHookFact fact = queue_.Judge(job, answer, absl::Milliseconds(7), now_, /*jitter=*/0);
    Write(fact);
    return fact;
  }
  // The offsets that Next gives now, without answers.
  std::vector<int64_t> Due() {
    std::vector<int64_t> offsets;
    while (const auto job = queue_.Next(now_)) offsets.push_back(job->position.offset.value());
    return offsets;
  }

  WebHookQueue queue_{"crm", 1};
  std::vector<WebHookFact> facts_;
  std::vector<std::string> added_;
  absl::Time now_ = Minute(0);
  int64_t end_ = 0;
};

TEST_F(WebHookQueueTest, DeliversInOrder) {
  for (const char* client : {"ada", "bob", "ada"}) Add(client);
  EXPECT_EQ(queue_.waiting(), 3u);
  EXPECT_EQ(*queue_.oldest_waiting(), Minute(0));
  const WebHookFact fact = Answer(204);
  EXPECT_EQ(fact.attempted().offset(), 0);
  EXPECT_EQ(fact.attempted().attempt(), 1);
  EXPECT_TRUE(fact.attempted().settled());
  EXPECT_EQ(fact.attempted().duration_ms(), 7);
  EXPECT_EQ(Answer(200).attempted().offset(), 1);
  EXPECT_EQ(Answer(200).attempted().offset(), 2);
  EXPECT_EQ(queue_.settled_before().next[0], 3);
  EXPECT_EQ(queue_.Next(now_), std::nullopt);
  EXPECT_EQ(queue_.NextDue(), absl::InfiniteFuture());
}

TEST_F(WebHookQueueTest, TriesAgainByTheScheduleAndGivesUpAtItsEnd) {
  Add("ada");
  const std::vector<absl::Duration> pauses = {absl::Seconds(5), absl::Minutes(5), absl::Minutes(30),
                                              absl::Hours(2),   absl::Hours(5),   absl::Hours(10),
                                              absl::Hours(14),  absl::Hours(20),  absl::Hours(24)};
  for (size_t i = 0; i < pauses.size(); ++i) {
    const WebHookFact fact = Answer(500);
    EXPECT_EQ(fact.attempted().attempt(), static_cast<int>(i) + 1);
    EXPECT_FALSE(fact.attempted().settled());
    EXPECT_EQ(queue_.NextDue(), now_ + pauses[i]);
    now_ = queue_.NextDue() - absl::Nanoseconds(1);
    EXPECT_EQ(queue_.Next(now_), std::nullopt);
    now_ += absl::Nanoseconds(1);
  }
  EXPECT_TRUE(Answer(500).attempted().settled());
  EXPECT_EQ(queue_.waiting(), 0u);
  EXPECT_EQ(queue_.settled_before().next[0], 1);
}

TEST_F(WebHookQueueTest, JitterMakesPausesLongerByATenthAtMost) {
  Add("ada");
  const auto job = queue_.Next(now_);
  const WebHookFact fact = queue_.Judge(*job, HttpAnswer{.status = 500}, {}, now_, 0.5);
  EXPECT_EQ(FromProto(fact.attempted().next_attempt_at()), now_ + absl::Seconds(5) * 1.05);
}

TEST_F(WebHookQueueTest, AStepThatFailsHoldsUpItsClientAlone) {
  for (const char* client : {"ada", "bob", "ada", "eve"}) Add(client);
  EXPECT_EQ(Answer(500).attempted().offset(), 0);
  EXPECT_EQ(Answer(200).attempted().offset(), 1);
  EXPECT_EQ(Answer(200).attempted().offset(), 3);
  EXPECT_EQ(queue_.Next(now_), std::nullopt) << "the other of ada waits";
  EXPECT_EQ(queue_.settled_before().next[0], 0);
  now_ += absl::Seconds(5);
  EXPECT_EQ(Answer(200).attempted().offset(), 0);
  EXPECT_EQ(Answer(200).attempted().offset(), 2);
  EXPECT_EQ(queue_.settled_before().next[0], 4);
}

TEST_F(WebHookQueueTest, AFewAreUnderWayAtATimeAndOneOfEachClient) {
  for (const char* client : {"a", "a", "b", "c", "d", "e"}) Add(client);
  EXPECT_THAT(Due(), ElementsAre(0, 2, 3, 4));
  EXPECT_EQ(queue_.NextDue(), absl::InfiniteFuture());
}

TEST_F(WebHookQueueTest, AnotherProcessGoesOnWithoutLossOrDoubling) {
  for (const char* client : {"a", "b", "c", "d", "b"}) Add(client);
  EXPECT_EQ(Answer(200).attempted().offset(), 0);
  EXPECT_EQ(Answer(500).attempted().offset(), 1);
  EXPECT_EQ(Answer(200).attempted().offset(), 2);
  Restart();
  EXPECT_EQ(queue_.settled_before().next[0], 1);
  EXPECT_THAT(Due(), ElementsAre(3)) << "b waits for its second attempt";
  now_ += absl::Seconds(5);
  const auto job = queue_.Next(now_);
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->position.offset, Offset(1));
  EXPECT_EQ(job->attempt, 2);
  EXPECT_EQ(queue_.deliveries().size(), 3u);
}

TEST_F(WebHookQueueTest, GoneSwitchesOffUntilItIsEnabled) {
  for (const char* client : {"a", "b"}) Add(client);
  EXPECT_TRUE(Answer(410).attempted().disabled());
  EXPECT_TRUE(queue_.disabled());
  EXPECT_EQ(queue_.Next(now_ + absl::Hours(1000)), std::nullopt);
  EXPECT_EQ(queue_.NextDue(), absl::InfiniteFuture());
  Restart();
  EXPECT_TRUE(queue_.disabled());
  WebHookFact enabled;
  enabled.mutable_enabled();
  Write(enabled);
  EXPECT_THAT(Due(), ElementsAre(0, 1)) << "nothing is lost";
}

TEST_F(WebHookQueueTest, RetryAfterHoldsUpTheWholeReceiver) {
  for (const char* client : {"a", "b"}) Add(client);
  Answer(429, {{"retry-after", "120"}});
  EXPECT_EQ(queue_.paused_until(), now_ + absl::Minutes(2));
  EXPECT_EQ(queue_.NextDue(), now_ + absl::Minutes(2));
  EXPECT_EQ(queue_.Next(now_ + absl::Seconds(119)), std::nullopt);
  now_ += absl::Minutes(2);
  EXPECT_THAT(Due(), ElementsAre(1, 0));
}

TEST_F(WebHookQueueTest, RetryAfterMayBeADateOrNonsense) {
  Add("a");
  now_ = absl::FromCivil(absl::CivilSecond(2026, 3, 1, 12, 0, 0), absl::UTCTimeZone());
  Answer(503, {{"retry-after", "Sun, 01 Mar 2026 12:10:00 GMT"}});
  EXPECT_EQ(queue_.NextDue(), now_ + absl::Minutes(10));
  now_ = queue_.NextDue();
  Answer(503, {{"retry-after", "soon"}});
  EXPECT_EQ(queue_.NextDue(), now_ + absl::Minutes(5)) << "the schedule's";
}

TEST_F(WebHookQueueTest, BusyAnswersThrottleWithoutRetryAfterToo) {
  for (const int status : {429, 502, 504}) {
    SCOPED_TRACE(status);
    queue_ = WebHookQueue("crm", 1);
    facts_.clear();
    end_ = 0;
    Start(0);
    for (const char* client : {"a", "b"}) Add(client);
    Answer(status);
    EXPECT_EQ(queue_.Next(now_ + absl::Seconds(4)), std::nullopt);
    EXPECT_NE(queue_.Next(now_ + absl::Seconds(5)), std::nullopt);
  }
}

TEST_F(WebHookQueueTest, WhenAReceiverIsBackAllThatFoundItAwayGoAtOnce) {
  for (const char* client : {"a", "b", "c"}) Add(client);
  Answer(500);
  const auto away = queue_.Next(now_);
  const WebHookFact fact =
      Take(*away, absl::UnavailableError("connect to 192.0.2.1: Connection refused"));
  EXPECT_EQ(fact.attempted().status(), 0);
  EXPECT_EQ(fact.attempted().error(), "UNAVAILABLE: connect to 192.0.2.1: Connection refused");
  Answer(200);
  EXPECT_THAT(Due(), ElementsAre(1)) << "and not what the receiver did not like";
}

TEST_F(WebHookQueueTest, ResendSendsOnceMoreWhateverBecameOfIt) {
  for (const char* client : {"a", "b"}) Add(client);
  const std::string id = absl::BytesToHexString(Answer(200).attempted().effect_id());
  const std::optional<RecordPosition> position = queue_.FindDelivery(id);
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->offset, Offset(0));
  EXPECT_EQ(queue_.FindDelivery("00"), std::nullopt);
  WebHookFact asked;
  asked.mutable_resend_asked()->set_effect_id(absl::HexStringToBytes(id));
  Write(asked);
  Restart();
  const WebHookFact fact = Answer(500);
  EXPECT_EQ(fact.attempted().attempt(), 0);
  EXPECT_EQ(fact.attempted().offset(), 0);
  EXPECT_FALSE(fact.attempted().has_next_attempt_at());
  EXPECT_THAT(Due(), ElementsAre(1)) << "it was asked for once";
  EXPECT_EQ(queue_.deliveries().back().id(), id);
}

TEST_F(WebHookQueueTest, ResendOfAStepThatWaitsSettlesIt) {
  Add("a");
  const std::string id = Answer(500).attempted().effect_id();
  WebHookFact asked;
  asked.mutable_resend_asked()->set_effect_id(id);
  Write(asked);
  EXPECT_TRUE(Answer(200).attempted().settled());
  EXPECT_EQ(queue_.waiting(), 0u);
  EXPECT_EQ(queue_.settled_before().next[0], 1);
}

TEST_F(WebHookQueueTest, BeginsWhereItStartedFirst) {
  queue_ = WebHookQueue("crm", 1);
  Add("a");
  EXPECT_EQ(queue_.Next(now_), std::nullopt) << "not started";
  Start(1);
  Start(0);
  Add("b");
  Add("c");
  queue_.Clear();
  for (end_ = 0; end_ < 3;) Add("d");
  EXPECT_EQ(Answer(200).attempted().offset(), 1);
}

TEST_F(WebHookQueueTest, TheLogOfDeliveriesIsBounded) {
  for (int i = 0; i < 1001; ++i) {
    Add("a");
    Answer(200);
  }
  EXPECT_EQ(queue_.deliveries().size(), 1000u);
  EXPECT_EQ(queue_.deliveries().front().position(), "0:1");
}

}  // namespace
}  // namespace rapport
