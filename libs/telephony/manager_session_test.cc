#include "libs/telephony/manager_session.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/time.h"
#include "libs/telephony/testing/facts.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ParseCdr;
using testing::ParseQueueLog;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'741'700'000);

ManagerSession NewSession() {
  auto session = ManagerSession::Create("rapport", "secret", testing::TestSource());
  EXPECT_OK(session);
  return *std::move(session);
}

std::string Wire(const std::string& lines) { return absl::StrReplaceAll(lines, {{"\n", "\r\n"}}); }

// Logs in, and gives what the events say.
ManagerSession::Received Events(const std::string& events) {
  ManagerSession session = NewSession();
  EXPECT_OK(session.Receive(
      Wire("Asterisk Call Manager/5.0.2\nResponse: Success\nChallenge: 1\n\nResponse: Success\n\n"),
      kNow));
  EXPECT_TRUE(session.logged_in());
  auto received = session.Receive(Wire(events), kNow);
  EXPECT_OK(received);
  return received.ok() ? *received : ManagerSession::Received{};
}

constexpr char kCdr[] = R"(Event: Cdr
Privilege: cdr,all
AccountCode:
Source: 0309000101
Destination: 500
DestinationContext: from-trunk
CallerID: "0309000101" <0309000101>
Channel: PJSIP/trunk-00000001
DestinationChannel: PJSIP/201-00000002
LastApplication: Queue
LastData: support,tT,,,120
StartTime: 2025-03-10 09:46:50
AnswerTime: 2025-03-10 09:46:50
EndTime: 2025-03-10 09:48:30
Duration: 100
BillableSeconds: 100
Disposition: ANSWERED
AMAFlags: DOCUMENTATION
UniqueID: 1741600010.1
UserField:
linkedid: 1741600010.1
sequence: 1

)";

TEST(ManagerSessionTest, LogsInWithoutSendingTheSecret) {
  ManagerSession session = NewSession();
  EXPECT_EQ(session.TakeOutput(), "");
  EXPECT_OK(session.Receive("Asterisk Call Man", kNow));
  EXPECT_EQ(session.TakeOutput(), "");
  EXPECT_OK(session.Receive("ager/5.0.2\r\n", kNow));
  EXPECT_EQ(session.TakeOutput(), "Action: Challenge\r\nAuthType: MD5\r\n\r\n");
  EXPECT_OK(session.Receive("Response: Success\r\nChallenge: 840415273\r\n\r\n", kNow));
  // md5sum of "840415273secret".
  EXPECT_EQ(session.TakeOutput(),
            "Action: Login\r\nAuthType: MD5\r\nUsername: rapport\r\n"
            "Key: 81c3ab5534a432bec402f6d988ee45b4\r\nEvents: cdr,agent\r\n\r\n");
  EXPECT_FALSE(session.logged_in());
  EXPECT_OK(session.Receive("Response: Success\r\nMessage: Authentication accepted\r\n\r\n", kNow));
  EXPECT_TRUE(session.logged_in());
  session.Ping();
  EXPECT_EQ(session.TakeOutput(), "Action: Ping\r\n\r\n");
}

TEST(ManagerSessionTest, WhoIsRefusedIsTold) {
  ManagerSession session = NewSession();
  EXPECT_OK(session.Receive("Asterisk Call Manager/5.0.2\r\n", kNow));
  EXPECT_OK(session.Receive("Response: Success\r\nChallenge: 1\r\n\r\n", kNow));
  EXPECT_THAT(
      session.Receive("Response: Error\r\nMessage: Authentication failed\r\n\r\n", kNow).status(),
      StatusIs(absl::StatusCode::kPermissionDenied,
               "the login was refused: Authentication failed"));
  ManagerSession other = NewSession();
  EXPECT_THAT(other.Receive("SSH-2.0-OpenSSH\r\n", kNow).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no greeting")));
  ManagerSession endless = NewSession();
  EXPECT_THAT(endless.Receive(std::string(70'000, 'x'), kNow).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "a line is longer than 64 KiB"));
  EXPECT_THAT(ManagerSession::Create("a\r\nAction: Command", "b", testing::TestSource()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line breaks")));
}

TEST(ManagerSessionTest, ALegIsTheSameAsInTheFile) {
  const ManagerSession::Received received = Events(kCdr);
  ASSERT_THAT(received.records, SizeIs(1));
  const auto rows = testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/queue.csv"));
  EXPECT_EQ(received.records[0].DebugString(), ParseCdr(rows[0], kNow).DebugString());
}

TEST(ManagerSessionTest, StepsOfAQueueMakeTheSameCall) {
  const std::string channel = "Uniqueid: 1741600010.1\nLinkedid: 1741600010.1\nQueue: support\n";
  const ManagerSession::Received received = Events(absl::StrCat(
      kCdr, "Event: QueueCallerJoin\nCallerIDNum: 0309000101\nPosition: 1\n", channel,
      "Timestamp: 1741600012.4\n\nEvent: AgentRingNoAnswer\nMemberName: Anna Berg\nRingTime: 5\n",
      channel, "Timestamp: 1741600022.4\n\nEvent: QueueCallerLeave\n", channel,
      "Timestamp: 1741600032.3\n\nEvent: AgentConnect\nMemberName: Bert Cole\nHoldTime: 20\n",
      "DestUniqueid: 1741600027.2\n", channel,
      "Timestamp: 1741600032.4\n\nEvent: AgentComplete\nMemberName: Bert Cole\nHoldTime: 20\n",
      "TalkTime: 78\nReason: caller\n", channel, "Timestamp: 1741600110.4\n\n"));
  ASSERT_THAT(received.records, SizeIs(6));
  std::vector<SourceRecord> all = received.records;
  const AssembledCall live = testing::Assemble(all, /*queue_steps_expected=*/true);
  EXPECT_TRUE(live.complete) << live.missing;
  EXPECT_EQ(live.call.ShortDebugString(),
            "queue: \"support\" wait_seconds: 20 talk_seconds: 78 outcome: CALL_OUTCOME_ANSWERED");
  // Together with the files it is the same call.
  int64_t offset = 0;
  for (const auto& line : testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/queue_log"))) {
    SourceRecord record = ParseQueueLog(line, offset++);
    if (record.call_fact().call_id() == "1741600010.1") all.push_back(std::move(record));
  }
  ASSERT_THAT(all, SizeIs(10));
  const AssembledCall both = testing::Assemble(all, /*queue_steps_expected=*/true);
  EXPECT_EQ(both.call.ShortDebugString(), live.call.ShortDebugString());
  EXPECT_EQ(both.agents, live.agents);
}

TEST(ManagerSessionTest, WhoGivesUpOrIsHandedOn) {
  const std::string channel = "Uniqueid: 5.1\nLinkedid: 5.1\nQueue: support\n";
  const ManagerSession::Received received = Events(
      absl::StrCat("Event: QueueCallerAbandon\nHoldTime: 45\n", channel,
                   "\nEvent: AgentComplete\nReason: transfer\nTalkTime: 9\n", channel, "\n"));
  ASSERT_THAT(received.records, SizeIs(2));
  EXPECT_EQ(received.records[0].call_fact().queue_step().event(),
            source::v1::QUEUE_EVENT_ABANDONED);
  EXPECT_EQ(received.records[0].call_fact().queue_step().wait_seconds(), 45);
  EXPECT_EQ(FromProto(received.records[0].occurred_at()), kNow) << "it tells no time";
  EXPECT_EQ(received.records[1].call_fact().queue_step().event(),
            source::v1::QUEUE_EVENT_TRANSFERRED);
}

TEST(ManagerSessionTest, WhatIsOfNoUse) {
  const ManagerSession::Received received = Events(
      "Event: FullyBooted\n\nEvent: Newchannel\nUniqueid: 1\n\nEvent: Cdr\nUniqueID: 1\n\n"
      "Event: AgentConnect\nQueue: support\n\nno colon\n\n");
  EXPECT_THAT(received.records, IsEmpty());
  ASSERT_EQ(received.problems.size(), 2u);
  EXPECT_THAT(received.problems[0].why, HasSubstr("Cdr: start: '' is no time"));
  EXPECT_EQ(received.problems[0].content, "Event: Cdr\r\nUniqueID: 1\r\n");
  EXPECT_THAT(received.problems[1].why, HasSubstr("AgentConnect: Uniqueid: it must be there"));
}

}  // namespace
}  // namespace rapport
