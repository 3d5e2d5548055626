#include "libs/sources/source_ledger.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "libs/base/check.h"
#include "libs/base/time.h"

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
    ledger_.Count(record);
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
  Fact("cdr", "a2", "a");
  Decide("pbx", "a", "revision: 1");
  EXPECT_EQ(Of("cdr").incomplete(), 0);
  EXPECT_EQ(Of("cdr").written(), 2);
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
