#include "libs/sources/source_ledger.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "libs/base/check.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/sources/ledger_reader.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;

class SourceLedgerTest : public ::testing::Test {
 protected:
  // `content` in text format, as received `after` the beginning.
  void Count(const std::string& source, const std::string& id, const std::string& content,
             absl::Duration after = absl::ZeroDuration()) {
    SourceRecord record;
    RAPPORT_CHECK(google::protobuf::TextFormat::ParseFromString(content, &record), content);
    record.set_source(source);
    record.set_record_id(id);
    ToProto(begin_ + after, record.mutable_received_at());
    ledger_.Count(record, Partition(0), Offset(offset_++));
  }
  void Fact(const std::string& source, const std::string& id, const std::string& call) {
    Count(source, id, absl::StrCat("call_fact { system: 'pbx' call_id: '", call, "' leg {} }"));
  }
  void State(const std::string& call, int sequence) {
    Count("twilio", absl::StrCat(call, ":", sequence),
          absl::StrCat("call_fact { system: 'twilio' call_id: '", call,
                       "' status { sequence: ", sequence, " } }"));
  }
  void Decide(const std::string& system, const std::string& call, const std::string& more = "") {
    Count("", "",
          absl::StrCat("call_decided { system: '", system, "' call_id: '", call, "' ", more, " }"));
  }
  query::v1::SourceLedger Of(const std::string& source,
                             absl::Duration after = absl::ZeroDuration()) {
    for (const query::v1::SourceLedger& shown : ledger_.Show(begin_ + after)) {
      if (shown.name() == source) return shown;
    }
    ADD_FAILURE() << "no source " << source;
    return {};
  }

  const absl::Time begin_ = absl::FromUnixSeconds(1'790'000'000);
  rapport::SourceLedger ledger_;
  int64_t offset_ = 0;
};

TEST_F(SourceLedgerTest, EveryThingReceivedIsAccountedFor) {
  Count("mail", "1", "item { event_id: '0123456789abcdef' client_id: 'c' }");
  Count("mail", "2", "item { skipped_because: 'among ourselves' }");
  Count("mail", "3", "rejection { reason: 'no address' }");
  Count("mail", "1", "item { event_id: '0123456789abcdef' client_id: 'c' }");
  const auto mail = Of("mail");
  EXPECT_EQ(mail.received(), 4);
  EXPECT_EQ(mail.written(), 1);
  EXPECT_EQ(mail.skipped(), 1);
  EXPECT_EQ(mail.rejected(), 1);
  EXPECT_EQ(mail.duplicates(), 1);
}

TEST_F(SourceLedgerTest, WhyThingsWereSkippedIsCountedWithTheLatestExamples) {
  for (int i = 0; i < 7; ++i) {
    Count("mail", absl::StrCat(i),
          absl::StrCat("item { skipped_because: 'among ourselves' description: 'mail ", i, "' }"));
  }
  Count("mail", "other", "item { skipped_because: 'no sender' description: 'a note' }");
  Count("mail", "again", "item { skipped_because: 'no sender' description: 'a note' }");
  Count("mail", "again", "item { skipped_because: 'no sender' description: 'a note' }");
  const auto mail = Of("mail");
  EXPECT_EQ(mail.skipped(), 9);
  ASSERT_EQ(mail.skip_reasons_size(), 2);
  EXPECT_EQ(mail.skip_reasons(0).reason(), "among ourselves");
  EXPECT_EQ(mail.skip_reasons(0).count(), 7);
  ASSERT_EQ(mail.skip_reasons(0).examples_size(), 5);
  EXPECT_EQ(mail.skip_reasons(0).examples(0).description(), "mail 6");
  EXPECT_EQ(FromProto(mail.skip_reasons(0).examples(0).received_at()), begin_);
  EXPECT_EQ(mail.skip_reasons(1).count(), 2);
}

TEST_F(SourceLedgerTest, WhyACallWasSkippedIsTold) {
  Fact("cdr", "a1", "a");
  Fact("queue", "q1", "a");
  const int64_t decided = offset_;
  Decide("pbx", "a");
  Count("", "",
        absl::StrCat("calls_written { offset: ", offset_, " unwritten_calls { decided_offset: ",
                     decided, " skipped_because: 'no number' description: 'call a' } }"));
  // What comes of it later is skipped for the same reason.
  Fact("cdr", "a2", "a");
  Decide("pbx", "a", "unchanged: true");
  const auto cdr = Of("cdr");
  EXPECT_EQ(cdr.skipped(), 2);
  ASSERT_EQ(cdr.skip_reasons_size(), 1);
  EXPECT_EQ(cdr.skip_reasons(0).reason(), "no number");
  EXPECT_EQ(cdr.skip_reasons(0).count(), 2);
  ASSERT_EQ(cdr.skip_reasons(0).examples_size(), 1);
  EXPECT_EQ(cdr.skip_reasons(0).examples(0).description(), "call a");
  EXPECT_EQ(Of("queue").skip_reasons(0).count(), 1);
}

TEST_F(SourceLedgerTest, TheLatestRecordsTellWhatBecameOfThem) {
  Count("mail", "1", "item { event_id: '0123456789abcdef' client_id: 'c' }");
  Count("mail", "2", "item { skipped_because: 'among ourselves' description: 'a mail' }");
  Count("mail", "3", "rejection { reason: 'no address' }", absl::Seconds(7));
  Count("mail", "1", "item { event_id: '0123456789abcdef' client_id: 'c' }");
  const auto mail = ledger_.Latest("mail", 3);
  ASSERT_EQ(mail.size(), 3u);
  EXPECT_EQ(mail[0].record_id(), "1");
  EXPECT_EQ(mail[0].outcome(), query::v1::SOURCE_OUTCOME_DUPLICATE);
  EXPECT_EQ(mail[1].outcome(), query::v1::SOURCE_OUTCOME_REJECTED);
  EXPECT_EQ(mail[1].reason(), "no address");
  EXPECT_EQ(FromProto(mail[1].received_at()), begin_ + absl::Seconds(7));
  EXPECT_EQ(mail[2].outcome(), query::v1::SOURCE_OUTCOME_SKIPPED);
  EXPECT_EQ(mail[2].description(), "a mail");
  const auto first = ledger_.Latest("mail", 100).back();
  EXPECT_EQ(first.client_id(), "c");
  EXPECT_EQ(first.touchpoint_id(), "30313233343536373839616263646566");
  EXPECT_TRUE(ledger_.Latest("nobody", 5).empty());

  const auto outcomes = [this](const std::string& source) {
    std::vector<query::v1::SourceOutcome> all;
    for (const auto& line : ledger_.Latest(source, 10)) all.push_back(line.outcome());
    return all;
  };
  using ::testing::ElementsAre;
  Fact("cdr", "a1", "a");
  Fact("cdr", "b1", "b");
  Fact("queue", "q1", "a");
  EXPECT_THAT(outcomes("cdr"),
              ElementsAre(query::v1::SOURCE_OUTCOME_PENDING, query::v1::SOURCE_OUTCOME_PENDING));
  const int64_t decided = offset_;
  Decide("pbx", "a");
  EXPECT_THAT(outcomes("cdr"),
              ElementsAre(query::v1::SOURCE_OUTCOME_PENDING, query::v1::SOURCE_OUTCOME_WRITTEN));
  EXPECT_THAT(outcomes("queue"), ElementsAre(query::v1::SOURCE_OUTCOME_WRITTEN));
  Count("", "",
        absl::StrCat("calls_written { offset: ", offset_, " unwritten_calls { decided_offset: ",
                     decided, " skipped_because: 'no number' description: 'call a' } }"));
  EXPECT_THAT(outcomes("cdr"),
              ElementsAre(query::v1::SOURCE_OUTCOME_PENDING, query::v1::SOURCE_OUTCOME_SKIPPED));
  EXPECT_EQ(ledger_.Latest("queue", 1)[0].reason(), "no number");
  EXPECT_EQ(ledger_.Latest("queue", 1)[0].description(), "call a");
}

TEST_F(SourceLedgerTest, NoMoreThanTheLatestRecordsAreKept) {
  for (int i = 0; i < 250; ++i) Count("mail", absl::StrCat(i), "rejection {}");
  const auto mail = ledger_.Latest("mail", 1000);
  ASSERT_EQ(mail.size(), 100u);
  EXPECT_EQ(mail.front().record_id(), "249");
  EXPECT_EQ(mail.back().record_id(), "150");
}

TEST_F(SourceLedgerTest, FactsArePendingUntilTheirCallIsDecided) {
  Fact("cdr", "a1", "a");
  Fact("queue", "q1", "a");
  Fact("queue", "q2", "a2");
  Fact("cdr", "b1", "b");
  EXPECT_EQ(Of("cdr").pending(), 2);
  Decide("pbx", "a", "fact_call_ids: 'a' fact_call_ids: 'a2'");
  EXPECT_EQ(Of("cdr").pending(), 1);
  EXPECT_EQ(Of("cdr").written(), 1);
  EXPECT_EQ(Of("queue").pending(), 0);
  EXPECT_EQ(Of("queue").written(), 2);
}

TEST_F(SourceLedgerTest, AnIncompleteCallIsCountedUntilTheRestComes) {
  Fact("cdr", "a1", "a");
  Decide("pbx", "a", "incomplete: true");
  EXPECT_EQ(Of("cdr").incomplete(), 1);
  ASSERT_EQ(Of("cdr").gaps_size(), 1);
  EXPECT_EQ(Of("cdr").gaps(0).description(),
            "the end, or what became of it in its queue, of call a");
  Fact("queue", "q1", "b");
  for (const char* const call : {"b", "c", "d"}) Decide("pbx", call, "incomplete: true");
  EXPECT_EQ(Of("cdr").gaps(0).description(),
            "the end, or what became of it in its queue, of call a, b, c and 1 more");
  EXPECT_EQ(Of("cdr").gaps(0).missing(), 4);
  EXPECT_EQ(Of("queue").incomplete(), 4);
  EXPECT_EQ(Of("queue").gaps_size(), 0) << "named once";
  for (const char* const call : {"b", "c", "d"}) Decide("pbx", call, "revision: 1");
  Fact("cdr", "a2", "a");
  Decide("pbx", "a", "revision: 1");
  EXPECT_EQ(Of("cdr").incomplete(), 0);
  EXPECT_EQ(Of("cdr").gaps_size(), 0);
  EXPECT_EQ(Of("cdr").written(), 2);
}

TEST_F(SourceLedgerTest, ACallThatNoTouchpointIsMadeOfIsNotCountedAsWritten) {
  Fact("cdr", "a1", "a");
  Fact("queue", "q1", "a");
  Fact("cdr", "b1", "b");
  Fact("cdr", "c1", "c");
  const int64_t first = offset_;
  for (const char* const call : {"a", "b", "c"}) Decide("pbx", call);
  const std::string written = absl::StrCat(
      "calls_written { offset: ", first + 2, " unwritten_calls { decided_offset: ", first,
      " rejected: true } unwritten_calls { ", "decided_offset: ", first + 1, " } }");
  for (int times = 0; times < 2; ++times) {
    Count("", "", written);
    EXPECT_EQ(Of("cdr").rejected(), 1);
    EXPECT_EQ(Of("cdr").skipped(), 1);
    EXPECT_EQ(Of("cdr").written(), 1);
    EXPECT_EQ(Of("cdr").pending(), 0);
    EXPECT_EQ(Of("queue").rejected(), 1);
    EXPECT_EQ(Of("queue").written(), 0);
  }
  // What comes later and changes nothing is of the same kind; what changes something is written.
  Fact("cdr", "a2", "a");
  Decide("pbx", "a", "unchanged: true");
  EXPECT_EQ(Of("cdr").rejected(), 2);
  Fact("cdr", "a3", "a");
  Decide("pbx", "a", "revision: 1");
  EXPECT_EQ(Of("cdr").rejected(), 2);
  EXPECT_EQ(Of("cdr").written(), 2);
  EXPECT_EQ(Of("cdr").received(), 5);
}

TEST_F(SourceLedgerTest, AFactThatComesTooLateIsNamed) {
  Fact("cdr", "a1", "a");
  Fact("cdr", "a2", "a");
  Decide("pbx", "a");
  Fact("cdr", "b1", "b");
  EXPECT_EQ(Of("cdr").gaps_size(), 0);
  const auto decide_late = [this](const std::string& call) {
    Count("", "",
          absl::StrCat("call_decided { system: 'pbx' call_id: '", call, "' incomplete: true }"),
          absl::Hours(9));
  };
  Fact("queue", "q1", "a");
  decide_late("a");
  EXPECT_EQ(Of("queue").late(), 1);
  EXPECT_EQ(Of("queue").written(), 0);
  EXPECT_EQ(Of("queue").incomplete(), 0) << "the call is written as it was";
  ASSERT_EQ(Of("queue").gaps_size(), 1);
  EXPECT_EQ(Of("queue").gaps(0).missing(), 1);
  EXPECT_EQ(
      Of("queue").gaps(0).description(),
      "1 came so late that their calls could not be corrected any more, the newest of call a");
  EXPECT_EQ(Of("cdr").late(), 0);
  // The first decision on a call is never late, however long it was waited for.
  decide_late("b");
  EXPECT_EQ(Of("cdr").late(), 0);
  EXPECT_EQ(Of("cdr").written(), 3);
}

TEST_F(SourceLedgerTest, ATimeThatWasMissedIsNoGapOnceOtherSourcesToldOfIt) {
  const auto tell = [this](const std::string& source, const std::string& kind, int at) {
    Count(source, absl::StrCat(source, kind, at),
          absl::StrCat("occurred_at { seconds: ", at, " } call_fact { system: 'pbx' call_id: '", at,
                       "' ", kind, " {} }"));
  };
  Count("ami", "gap",
        "gap { description: 'events between' system: 'pbx' began_at { seconds: 2000 } ended_at { "
        "seconds: 3000 } }");
  const auto open = [this] { return Of("ami").gaps_size(); };
  EXPECT_EQ(open(), 1) << "nobody has told anything";
  tell("ami", "leg", 1000);
  tell("ami", "leg", 4000);
  EXPECT_EQ(open(), 1) << "what it told itself does not count";
  tell("ami", "queue_step", 1000);
  tell("cdr", "leg", 2999);
  tell("cdr", "leg", 3000);
  EXPECT_EQ(open(), 1) << "the file was not read from the beginning of that time";
  tell("cdr", "leg", 2000);
  EXPECT_EQ(open(), 1) << "nobody told of the queues";
  tell("queue", "queue_step", 1500);
  tell("queue", "queue_step", 2999);
  EXPECT_EQ(open(), 1) << "the other file is not read so far yet";
  tell("queue", "queue_step", 3001);
  EXPECT_EQ(open(), 0);
  EXPECT_EQ(Of("ami").closed_gaps(), 1);
  Count("cdr", "gap/7", "gap { description: 'a file that is gone' }");
  EXPECT_EQ(open(), 1) << "it has gaps itself";
  EXPECT_EQ(Of("ami").closed_gaps(), 0);
}

TEST_F(SourceLedgerTest, WhoTellsAllAboutACallAgainIsNeverLate) {
  const std::string snapshot = "call_fact { system: 'connect' call_id: 'a' snapshot {} }";
  Count("connect", "a1", snapshot);
  Decide("connect", "a");
  Count("connect", "a2", snapshot);
  Count("", "", "call_decided { system: 'connect' call_id: 'a' }", absl::Hours(90));
  EXPECT_EQ(Of("connect").late(), 0);
  EXPECT_EQ(Of("connect").written(), 2);
}

// As after an append that failed, and was done all the same.
TEST_F(SourceLedgerTest, ADecisionThatIsToldTwiceMakesNothingLate) {
  Fact("cdr", "a1", "a");
  Decide("pbx", "a");
  Fact("cdr", "a2", "a");
  Decide("pbx", "a");
  EXPECT_EQ(Of("cdr").late(), 0);
  EXPECT_EQ(Of("cdr").written(), 2);
}

// A process that is started again counts the log again.
TEST(LedgerReader, ARestartKeepsTheNumbers) {
  const std::unique_ptr<EventLog> log = NewInMemoryEventLog();
  ASSERT_OK(log->CreateTopic("sources", 3));
  std::vector<Record> records;
  constexpr char kWritten[] =
      "calls_written { offset: 5 unwritten_calls { decided_offset: 4 rejected: true } }";
  for (const char* const content :
       {"call_fact { system: 'pbx' call_id: 'a' leg {} }", "rejection { reason: 'no row' }",
        "item { skipped_because: 'among ourselves' }", "item { event_id: '0123456789abcdef' }",
        "call_decided { system: 'pbx' call_id: 'a' }", kWritten}) {
    SourceRecord record;
    RAPPORT_CHECK(google::protobuf::TextFormat::ParseFromString(content, &record), content);
    record.set_source("pbx");
    record.set_record_id(absl::StrCat(records.size()));
    records.push_back({.key = "a", .value = record.SerializeAsString(), .partition = Partition(1)});
  }
  ASSERT_OK(log->Append("sources", records).status());
  for (int start = 0; start < 2; ++start) {
    ASSERT_OK_AND_ASSIGN(const auto reader, LedgerReader::Start(log.get(), "sources"));
    query::v1::SourceList list;
    while (!list.counted()) list = reader->Show(absl::Now());
    ASSERT_EQ(list.sources_size(), 1);
    EXPECT_EQ(list.sources(0).received(), 4);
    EXPECT_EQ(list.sources(0).written(), 1);
    EXPECT_EQ(list.sources(0).skipped(), 1);
    EXPECT_EQ(list.sources(0).rejected(), 2);
    EXPECT_EQ(list.sources(0).pending(), 0);
  }
}

TEST_F(SourceLedgerTest, AMissingStateIsAGapUntilItComes) {
  State("CA1", 0);
  State("CA1", 3);
  Decide("twilio", "CA1");
  ASSERT_EQ(Of("twilio").gaps_size(), 1);
  EXPECT_EQ(Of("twilio").gaps(0).description(), "2 of the states 0 to 3 of call CA1");
  State("CA1", 1);
  EXPECT_EQ(Of("twilio").gaps(0).missing(), 1);
  State("CA1", 2);
  EXPECT_EQ(Of("twilio").gaps_size(), 0);
}

TEST_F(SourceLedgerTest, AGapIsShownUntilItIsClosed) {
  Count("imap", "uids/7", "gap { description: 'UID 7 of INBOX' missing: 1 }");
  ASSERT_EQ(Of("imap").gaps_size(), 1);
  EXPECT_EQ(Of("imap").gaps(0).description(), "UID 7 of INBOX");
  EXPECT_EQ(Of("imap").received(), 0);
  Count("imap", "uids/7", "gap { closed: true }");
  EXPECT_EQ(Of("imap").gaps_size(), 0);
}

TEST_F(SourceLedgerTest, ASourceIsQuietAgainstItsOwnRhythm) {
  for (int i = 0; i <= 30; ++i) {
    Count("mail", absl::StrCat(i), "item { skipped_because: 'x' }", i * absl::Minutes(10));
  }
  EXPECT_EQ(Of("mail", absl::Minutes(319)).state(), query::v1::SOURCE_STATE_OK);
  EXPECT_EQ(Of("mail", absl::Minutes(321)).state(), query::v1::SOURCE_STATE_QUIET);
  EXPECT_EQ(Of("mail", absl::Minutes(321)).trouble(),
            "nothing since 2026-09-21T19:13:20+00:00; its longest pause of late was 10m");
}

}  // namespace
}  // namespace rapport
