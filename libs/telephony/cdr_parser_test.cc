#include "libs/telephony/cdr_parser.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/telephony/csv_row.h"
#include "libs/telephony/testing/facts.h"

namespace rapport {
namespace {

using source::v1::CallLeg;
using source::v1::SourceRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kReceived = absl::FromUnixSeconds(1'741'700'000);

constexpr char kRow[] =
    R"("acc","0309000101","500","in","""Anna, ""the"" Berg"" <0309000101>","SIP/1-01","SIP/2-02",)"
    R"("Dial","SIP/2,60","2025-03-10 09:46:50","2025-03-10 09:46:55","2025-03-10 09:48:30",100,95,)"
    R"("ANSWERED","DOCUMENTATION")";

std::string Describe(LegView leg) {
  std::string text = absl::StrCat(leg.sequence, " ", leg.outcome, " ", leg.talk_seconds, " ",
                                  absl::FormatTime(leg.began_at), " ",
                                  absl::FormatTime(leg.answered_at.value_or(absl::InfinitePast())),
                                  " ", absl::FormatTime(leg.ended_at));
  leg.EachText([&](const absl::string_view* each) { absl::StrAppend(&text, "|", *each); });
  return text;
}

// Both ways to read a row tell the same.
absl::StatusOr<SourceRecord> ParseBoth(CdrParser* parser, const std::string& row) {
  absl::StatusOr<SourceRecord> record = parser->Parse(row, kReceived);
  const absl::StatusOr<CdrLeg> leg = parser->ParseLeg(row);
  EXPECT_EQ(leg.status(), record.status());
  if (leg.ok() && record.ok()) {
    EXPECT_EQ(leg->call_id, record->call_fact().call_id());
    EXPECT_EQ(Describe(leg->leg), Describe(ViewOf(record->call_fact().leg())));
  }
  return record;
}

absl::StatusOr<SourceRecord> Parse(const std::string& row, const std::string& further = "",
                                   const std::string& zone = "UTC") {
  CallSource source = testing::TestSource();
  EXPECT_TRUE(absl::LoadTimeZone(zone, &source.time_zone));
  auto layout = CdrLayout::Parse(further);
  EXPECT_OK(layout);
  CdrParser parser(source, *layout);
  return ParseBoth(&parser, row);
}

std::string Times(const CallLeg& leg) {
  const auto show = [](const google::protobuf::Timestamp& time) {
    return absl::FormatTime("%H:%M:%S", FromProto(time), absl::UTCTimeZone());
  };
  return absl::StrCat(show(leg.began_at()), " ",
                      leg.has_answered_at() ? show(leg.answered_at()) : "-", " ",
                      show(leg.ended_at()));
}

TEST(CdrParserTest, TheSmallestRow) {
  ASSERT_OK_AND_ASSIGN(const SourceRecord record, Parse(kRow, "", "Europe/Berlin"));
  EXPECT_EQ(record.source(), "pbx");
  EXPECT_EQ(FromProto(record.received_at()), kReceived);
  EXPECT_EQ(record.call_fact().system(), "office");
  EXPECT_EQ(record.call_fact().call_id(), record.record_id()) << "a call of its own";
  const CallLeg& leg = record.call_fact().leg();
  EXPECT_EQ(leg.caller_name(), "Anna, \"the\" Berg");
  EXPECT_EQ(leg.talk_seconds(), 95);
  EXPECT_EQ(Times(leg), "08:46:50 08:46:55 08:48:30");
  ASSERT_OK_AND_ASSIGN(const SourceRecord again, Parse(kRow, "", "Europe/Berlin"));
  EXPECT_EQ(again.SerializeAsString(), record.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const SourceRecord other,
                       Parse(absl::StrReplaceAll(kRow, {{"SIP/1-01", "SIP/1-03"}})));
  EXPECT_NE(other.record_id(), record.record_id());
}

TEST(CdrParserTest, EveryLayout) {
  const std::string id = R"(,"1741600010.7")";
  const std::string user = R"(,"/var/spool/a.wav")";
  const std::string linkage = R"(,"peer","1741600010.1",42)";
  ASSERT_OK_AND_ASSIGN(SourceRecord record,
                       Parse(kRow + id + user + linkage, "uniqueid,userfield,linkage"));
  EXPECT_EQ(record.record_id(), "cdr/1741600010.7/1741600010.1/42");
  EXPECT_EQ(record.call_fact().call_id(), "1741600010.1");
  EXPECT_THAT(record.call_fact().related_call_ids(), ElementsAre("1741600010.7"));
  EXPECT_EQ(record.call_fact().leg().leg_id(), "1741600010.7");
  EXPECT_EQ(record.call_fact().leg().sequence(), 42);
  EXPECT_EQ(record.call_fact().leg().recording_reference(), "/var/spool/a.wav");
  ASSERT_OK_AND_ASSIGN(record, Parse(kRow + id, "uniqueid"));
  EXPECT_EQ(record.call_fact().call_id(), "1741600010.7");
  EXPECT_OK(Parse(kRow + user, "userfield"));
  EXPECT_OK(Parse(kRow + linkage, "linkage"));
  EXPECT_OK(Parse(kRow + user + linkage, " userfield, linkage"));
  EXPECT_OK(Parse(kRow + id + linkage, "uniqueid,linkage"));
  EXPECT_THAT(Parse(kRow + id, "").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "the row has 17 columns, and further_columns says 16"));
  EXPECT_THAT(CdrLayout::Parse("uniqueid,peer").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "further_columns: 'peer' is none of uniqueid, userfield and linkage"));
}

TEST(CdrParserTest, BytesThatAreNoUtf8CostALetter) {
  ASSERT_OK_AND_ASSIGN(const SourceRecord record,
                       Parse(absl::StrReplaceAll(kRow, {{"Anna", "A\xA5\xA5\xC3\xA9"}})));
  EXPECT_EQ(record.call_fact().leg().caller_name(),
            "A\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9, \"the\" Berg");
  SourceRecord read;
  EXPECT_TRUE(read.ParseFromString(record.SerializeAsString()));
}

TEST(CdrParserTest, WhatIsWrongIsNamed) {
  const auto parse_with = [](const std::string& from, const std::string& to) {
    return Parse(absl::StrReplaceAll(kRow, {{from, to}})).status();
  };
  const auto wrong = [](const std::string& message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
  };
  EXPECT_THAT(parse_with("2025-03-10 09:46:50", "2025-02-30 09:46:50"),
              wrong("start: '2025-02-30 09:46:50' is no time"));
  EXPECT_THAT(parse_with("2025-03-10 09:48:30", "yesterday"), wrong("end: 'yesterday'"));
  EXPECT_THAT(parse_with("2025-03-10 09:46:55", "2025-03-10 24:00:00"), wrong("answer: "));
  EXPECT_THAT(parse_with(",100,", ",-1,"), wrong("duration: '-1' is no whole number"));
  EXPECT_THAT(parse_with(",95,", ",9x,"), wrong("billsec: '9x'"));
  EXPECT_THAT(parse_with(",100,", ",99999999999,"), wrong("no length of a call"));
  EXPECT_THAT(parse_with("ANSWERED", "LOST"), wrong("disposition: 'LOST' is none of"));
  EXPECT_THAT(parse_with("\"acc\"", "\"acc"), wrong("something follows the quotes of column 1"));
  EXPECT_THAT(parse_with("\"acc\"", "a\"cc"), wrong("a quote stands inside column 1"));
  EXPECT_THAT(parse_with("\"DOCUMENTATION\"", "\"DOC"), wrong("column 16 is not closed"));
  EXPECT_THAT(Parse("").status(), wrong("the row has 1 columns"));
  EXPECT_THAT(Parse(std::string(100, ',')).status(), wrong("more than 64 columns"));
}

// Clocks in Berlin went back from 03:00 to 02:00 on 2024-10-27 at 01:00 UTC.
std::string InTheRepeatedHour(const std::string& start, const std::string& end, int seconds,
                              const std::string& unique_id) {
  return absl::StrCat(R"("","1","2","in","","c","d","Dial","","2024-10-27 )", start, R"(",,)",
                      R"("2024-10-27 )", end, "\",", seconds, R"(,0,"NO ANSWER","DOC",")",
                      unique_id, "\"");
}

TEST(CdrParserTest, TheHourThatComesTwice) {
  const auto times = [](const std::string& start, const std::string& end, int seconds,
                        absl::Time channel) {
    const std::string id = channel == absl::InfinitePast()
                               ? ""
                               : absl::StrCat("pbx-1-", absl::ToUnixSeconds(channel), ".5");
    const auto record =
        Parse(InTheRepeatedHour(start, end, seconds, id), "uniqueid", "Europe/Berlin");
    EXPECT_OK(record);
    return record.ok() ? Times(record->call_fact().leg()) : "";
  };
  const auto utc = [](int hour, int minute) {
    return absl::FromCivil(absl::CivilMinute(2024, 10, 27, hour, minute), absl::UTCTimeZone());
  };
  // The channel tells which of the two.
  EXPECT_EQ(times("02:30:00", "02:31:00", 60, utc(0, 30)), "00:30:00 - 00:31:00");
  EXPECT_EQ(times("02:30:00", "02:31:00", 60, utc(1, 30)), "01:30:00 - 01:31:00");
  EXPECT_EQ(times("02:59:30", "02:00:30", 60, utc(0, 59)), "00:59:30 - 01:00:30");
  EXPECT_EQ(times("02:50:00", "02:10:00", 1200, utc(0, 49)), "00:50:00 - 01:10:00");
  // A leg that began long after its channel.
  EXPECT_EQ(times("02:30:00", "02:31:00", 60, utc(0, 10)), "00:30:00 - 00:31:00");
  EXPECT_EQ(times("02:05:00", "02:06:00", 60, utc(0, 40)), "01:05:00 - 01:06:00");
  // Without it, the duration, and then the earlier.
  EXPECT_EQ(times("02:30:00", "03:01:00", 1860, absl::InfinitePast()), "01:30:00 - 02:01:00");
  EXPECT_EQ(times("02:30:00", "03:01:00", 5460, absl::InfinitePast()), "00:30:00 - 02:01:00");
  EXPECT_EQ(times("02:30:00", "02:31:00", 60, absl::InfinitePast()), "00:30:00 - 00:31:00");
}

// Whatever was read before, and in whatever order.
TEST(CdrParserTest, EveryHourOfAYear) {
  // Kiritimati left out a day, Kwajalein in 1969 had one twice.
  for (const char* const name : {"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                                 "Pacific/Kiritimati", "Pacific/Kwajalein", "UTC"}) {
    CallSource source = testing::TestSource();
    ASSERT_TRUE(absl::LoadTimeZone(name, &source.time_zone));
    CdrParser parser(source, {});
    for (const int year : {1969, 1994, 1995, 2024}) {
      for (const int step : {1, -7}) {
        absl::CivilSecond civil(year, 7, 1);
        for (int i = 0; i < 8800 / std::abs(step); ++i, civil += step * 3600 - 11) {
          const std::string written = absl::FormatCivilTime(civil);
          const auto leg = parser.ParseLeg(absl::StrReplaceAll(
              kRow, {{"2025-03-10 09:46:50", absl::StrReplaceAll(written, {{"T", " "}})},
                     {"\"2025-03-10 09:46:55\"", ""},
                     {"\"2025-03-10 09:48:30\"", ""}}));
          ASSERT_OK(leg.status());
          EXPECT_EQ(leg->leg.began_at, source.time_zone.At(civil).pre) << name << " " << written;
        }
      }
    }
  }
}

TEST(QueueLogParserTest, EveryEventOfACall) {
  const auto step = [](const std::string& rest) {
    const SourceRecord record =
        testing::ParseQueueLog(absl::StrCat("1741600012|9.1|support|", rest), 77);
    EXPECT_EQ(record.call_fact().call_id(), "9.1");
    source::v1::QueueStep queue_step = record.call_fact().queue_step();
    EXPECT_EQ(queue_step.queue(), "support");
    EXPECT_EQ(queue_step.at().seconds(), 1741600012);
    EXPECT_EQ(queue_step.sequence(), 77);
    queue_step.clear_queue();
    queue_step.clear_at();
    queue_step.clear_sequence();
    return queue_step.ShortDebugString();
  };
  EXPECT_EQ(step("NONE|ENTERQUEUE||0309000101|1"),
            "event: QUEUE_EVENT_ENTERED caller: \"0309000101\"");
  EXPECT_EQ(step("Bert|CONNECT|20|9.2|4"),
            "agent: \"Bert\" event: QUEUE_EVENT_CONNECTED wait_seconds: 20");
  EXPECT_EQ(step("Bert|COMPLETEAGENT|20|78|1"),
            "agent: \"Bert\" event: QUEUE_EVENT_COMPLETED wait_seconds: 20 talk_seconds: 78");
  EXPECT_EQ(step("Bert|COMPLETECALLER|20|78|1"),
            "agent: \"Bert\" event: QUEUE_EVENT_COMPLETED wait_seconds: 20 talk_seconds: 78");
  EXPECT_EQ(step("NONE|ABANDON|1|3|45"), "event: QUEUE_EVENT_ABANDONED wait_seconds: 45");
  EXPECT_EQ(step("NONE|EXITEMPTY|1|3|45"), "event: QUEUE_EVENT_LEFT wait_seconds: 45");
  EXPECT_EQ(step("NONE|EXITWITHTIMEOUT|1|3|45"), "event: QUEUE_EVENT_LEFT wait_seconds: 45");
  EXPECT_EQ(step("NONE|EXITWITHKEY|9|1|3|45"), "event: QUEUE_EVENT_LEFT wait_seconds: 45");
  EXPECT_EQ(step("Anna|RINGNOANSWER|5000"), "agent: \"Anna\" event: QUEUE_EVENT_NOT_TAKEN");
  EXPECT_EQ(step("Bert|BLINDTRANSFER|501|ctx|20|78|1"),
            "agent: \"Bert\" event: QUEUE_EVENT_TRANSFERRED wait_seconds: 20 talk_seconds: 78");
  EXPECT_EQ(step("Bert|ATTENDEDTRANSFER|BRIDGE|x|20|78|1"),
            "agent: \"Bert\" event: QUEUE_EVENT_TRANSFERRED wait_seconds: 20 talk_seconds: 78");
  EXPECT_EQ(step("Bert|TRANSFER|501|ctx|20|78"),
            "agent: \"Bert\" event: QUEUE_EVENT_TRANSFERRED wait_seconds: 20 talk_seconds: 78");
}

TEST(QueueLogParserTest, BlanksRoundTheBarsAreNone) {
  const auto tight = testing::ParseQueueLog("1741600012|9.1|support|NONE|ABANDON|1|1|30", 77);
  const auto wide =
      testing::ParseQueueLog("1741600012 | 9.1 | support | NONE | ABANDON | 1 | 1 | 30", 77);
  EXPECT_EQ(wide.SerializeAsString(), tight.SerializeAsString());
  EXPECT_EQ(wide.call_fact().queue_step().wait_seconds(), 30);
}

TEST(QueueLogParserTest, IdsArePlacesInFiles) {
  const auto id = [](const std::string& file, int64_t offset) {
    auto record = ParseQueueLogLine("1|2|q|NONE|ABANDON|1|1|1", file, offset, testing::TestSource(),
                                    kReceived);
    EXPECT_OK(record);
    return record->record_id();
  };
  EXPECT_EQ(id("a", 0), id("a", 0));
  EXPECT_NE(id("a", 0), id("a", 1));
  EXPECT_NE(id("a", 0), id("b", 0));
  EXPECT_THAT(
      testing::ParseQueueLog("1|2|q|Bert|CONNECT|20|9.2|4", 0).call_fact().related_call_ids(),
      ElementsAre("9.2"));
}

TEST(QueueLogParserTest, WhatIsAboutNoCall) {
  const auto reason = [](const std::string& line) {
    return testing::ParseQueueLog(line, 0).item().skipped_because();
  };
  EXPECT_EQ(reason("1741600000|NONE|NONE|NONE|QUEUESTART|"), "QUEUESTART is about no call");
  EXPECT_EQ(reason("1741600000|REALTIME|q|Anna|ADDMEMBER|"), "ADDMEMBER is about no call");
  EXPECT_EQ(reason("1741600000|5.1|q|Anna|PENALTY|1"), "PENALTY tells nothing of a call");
}

TEST(QueueLogParserTest, WhatIsWrongIsNamed) {
  const auto status = [](const std::string& line) {
    return ParseQueueLogLine(line, "f", 0, testing::TestSource(), kReceived).status();
  };
  EXPECT_THAT(status("1|2|3"), StatusIs(absl::StatusCode::kInvalidArgument,
                                        "the line has 3 fields, and at least 5 are expected"));
  EXPECT_THAT(status("now|2|q|a|ABANDON|1|1|1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("time: 'now'")));
  EXPECT_THAT(
      status("1|2|q|a|ABANDON|1|1|long"),
      StatusIs(absl::StatusCode::kInvalidArgument, "waiting time: 'long' is no number of seconds"));
}

}  // namespace
}  // namespace rapport
