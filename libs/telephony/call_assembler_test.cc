#include "libs/telephony/call_assembler.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/telephony/testing/facts.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;
using testing::Assemble;
using ::testing::ElementsAre;
using testing::ParseCdr;
using testing::ParseQueueLog;

std::string Describe(const AssembledCall& assembled) {
  const touchpoint::v1::CallCompleted& call = assembled.call;
  std::string outcome = touchpoint::v1::CallOutcome_Name(call.outcome()).substr(13);
  std::string direction = touchpoint::v1::Direction_Name(assembled.direction).substr(10);
  return absl::StrCat(
      absl::FormatTime("%H:%M:%S", assembled.began_at, absl::UTCTimeZone()), " ", direction, " ",
      outcome, " wait=", call.wait_seconds(), " talk=", call.talk_seconds(),
      " hold=", call.hold_seconds(), " transfers=", call.transfer_count(),
      call.queue().empty() ? "" : absl::StrCat(" queue=", call.queue()),
      call.has_effective() ? (call.effective() ? " effective" : " announcement") : "",
      " client=", absl::StrJoin(assembled.client_numbers, ","),
      " agent=", absl::StrJoin(assembled.agents, ","),
      assembled.complete ? "" : absl::StrCat(" MISSING ", assembled.missing));
}

std::map<std::string, std::vector<SourceRecord>> CallsOf(const std::string& csv,
                                                         const std::string& queue_log) {
  std::map<std::string, std::vector<SourceRecord>> calls;
  for (const std::string& row : testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/", csv))) {
    SourceRecord record = ParseCdr(row);
    calls[record.call_fact().call_id()].push_back(std::move(record));
  }
  if (queue_log.empty()) return calls;
  int64_t offset = 0;
  for (const std::string& line :
       testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/", queue_log))) {
    SourceRecord record = ParseQueueLog(line, offset++);
    if (record.has_call_fact()) calls[record.call_fact().call_id()].push_back(std::move(record));
  }
  return calls;
}

std::vector<std::string> Told(const std::map<std::string, std::vector<SourceRecord>>& calls) {
  std::vector<std::string> told;
  for (const auto& [id, records] : calls) told.push_back(Describe(Assemble(records)));
  return told;
}

TEST(CallAssemblerTest, CallsOfAnOffice) {
  EXPECT_THAT(
      Told(CallsOf("pbx.csv", "")),
      ElementsAre(
          "09:46:40 INBOUND ANSWERED wait=25 talk=0 hold=0 transfers=0 announcement "
          "client=0309000101 agent=",
          "09:48:20 INBOUND NO_ANSWER wait=60 talk=0 hold=0 transfers=0 client=0309000101 agent=",
          "09:50:00 INBOUND NO_ANSWER wait=40 talk=0 hold=0 transfers=0 client=0309000102 agent=",
          "09:51:40 INBOUND ANSWERED wait=6 talk=17 hold=0 transfers=0 client=0309000103 "
          "agent=SIP/401,401",
          "09:53:20 INBOUND ANSWERED wait=6 talk=30 hold=0 transfers=0 client=8100000000105 "
          "agent=SIP/hub,hub",
          "09:55:00 OUTBOUND ANSWERED wait=10 talk=33 hold=0 transfers=0 client=0309000104 "
          "agent=SIP/401,401",
          "09:56:40 INTERNAL ANSWERED wait=2 talk=18 hold=0 transfers=0 client= "
          "agent=SIP/402,402",
          "09:58:20 INBOUND ANSWERED wait=5 talk=70 hold=0 transfers=1 client=0309000106 "
          "agent=SIP/402,402",
          "10:00:00 INBOUND BUSY wait=1 talk=0 hold=0 transfers=0 client=0309000107 "
          "agent=SIP/401,401",
          "10:01:40 INBOUND VOICEMAIL wait=50 talk=0 hold=0 transfers=0 client=0309000108 "
          "agent=SIP/401,401"));
}

TEST(CallAssemblerTest, TheQueueTellsWhatTheRecordsDoNot) {
  EXPECT_THAT(
      Told(CallsOf("queue.csv", "queue_log")),
      ElementsAre("09:46:50 INBOUND ANSWERED wait=20 talk=78 hold=0 transfers=0 queue=support "
                  "client=0309000101 agent=Bert Cole,PJSIP/201,201",
                  "09:50:00 INBOUND ABANDONED wait=45 talk=0 hold=0 transfers=0 queue=support "
                  "client=0309000102 agent=",
                  "09:51:40 INBOUND VOICEMAIL wait=120 talk=0 hold=0 transfers=0 queue=support "
                  "client=0309000103 agent=",
                  "09:55:00 INBOUND ANSWERED wait=40 talk=140 hold=0 transfers=1 queue=billing "
                  "client=0309000104 agent=Cara Dunn,PJSIP/202,202"));
}

TEST(CallAssemblerTest, RecordsWithoutAQueueLogAreWholeUnlessOneIsExpected) {
  const auto calls = CallsOf("queue.csv", "");
  std::vector<std::string> missing;
  for (const auto& [id, records] : calls) {
    EXPECT_TRUE(Assemble(records).complete);
    missing.push_back(Assemble(records, /*queue_steps_expected=*/true).missing);
  }
  // The third went on to voice mail, which is all that its record tells.
  EXPECT_THAT(missing, ElementsAre("what happened in the queue", "what happened in the queue", "",
                                   "what happened in the queue"));
  EXPECT_EQ(Describe(Assemble(calls.begin()->second)),
            "09:46:50 INBOUND ANSWERED wait=0 talk=100 hold=0 transfers=0 queue=support "
            "client=0309000101 agent=PJSIP/201,201");
}

TEST(CallAssemblerTest, WhatIsMissing) {
  const auto missing = [](const std::vector<SourceRecord>& records) {
    return Assemble(records).missing;
  };
  const SourceRecord entered =
      ParseQueueLog("1741600012|1741600010.1|support|NONE|ENTERQUEUE||0309000101|1", 0);
  const SourceRecord taken =
      ParseQueueLog("1741600032|1741600010.1|support|Bert|CONNECT|20|1741600027.2|4", 1);
  const SourceRecord left =
      ParseQueueLog("1741600132|1741600010.1|support|NONE|EXITWITHTIMEOUT|1|1|120", 2);
  const auto calls = CallsOf("queue.csv", "");
  const SourceRecord row = calls.at("1741600010.1")[0];
  EXPECT_EQ(missing({entered, left}), "the call detail records");
  EXPECT_EQ(missing({row, entered}), "how the waiting or the talk in the queue ended");
  EXPECT_EQ(missing({row, entered, taken}), "how the waiting or the talk in the queue ended");
  EXPECT_EQ(missing({row, entered, left}), "");
  SourceRecord helper = row;
  helper.mutable_call_fact()->mutable_leg()->set_leg_id("1741600027.2");
  EXPECT_EQ(missing({helper}), "the leg that began the call");
  EXPECT_TRUE(Assemble({helper}).call.incomplete());
  EXPECT_FALSE(Assemble({row}).call.incomplete());
}

TEST(CallAssemblerTest, OrderAndRepetitionDoNotMatter) {
  std::mt19937 random(7);
  for (const auto& calls : {CallsOf("pbx.csv", ""), CallsOf("queue.csv", "queue_log")}) {
    for (const auto& [id, records] : calls) {
      const std::string expected = Describe(Assemble(records));
      for (int round = 0; round < 50; ++round) {
        std::vector<SourceRecord> mixed = records;
        for (const SourceRecord& record : records) {
          if (random() % 2 == 0) mixed.push_back(record);
        }
        std::shuffle(mixed.begin(), mixed.end(), random);
        ASSERT_EQ(Describe(Assemble(mixed)), expected) << id << ", round " << round;
      }
    }
  }
}

TEST(CallAssemblerTest, WhatTwoSourcesTellCountsOnce) {
  auto calls = CallsOf("queue.csv", "queue_log");
  for (auto& [id, records] : calls) {
    const std::string expected = Describe(Assemble(records));
    const size_t count = records.size();
    for (size_t i = 0; i < count; ++i) {
      SourceRecord again = records[i];
      if (again.call_fact().has_queue_step()) {
        // The manager interface is a second late, and knows no place in a file.
        auto* step = again.mutable_call_fact()->mutable_queue_step();
        step->set_sequence(0);
        step->mutable_at()->set_seconds(step->at().seconds() + 1);
      } else {
        again.mutable_call_fact()->mutable_leg()->set_sequence(0);
      }
      records.push_back(again);
    }
    EXPECT_EQ(Describe(Assemble(records)), expected);
  }
}

}  // namespace
}  // namespace rapport
