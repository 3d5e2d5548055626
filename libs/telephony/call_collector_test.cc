#include "libs/telephony/call_collector.h"

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status.h"
#include "libs/base/status_matchers.h"
#include "libs/telephony/cdr_parser.h"
#include "libs/telephony/testing/facts.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr CdrLayout kLayout = {.unique_id = true, .user_field = true, .linkage = true};

source::v1::CallFact FactOf(CdrParser* parser, const std::string& row) {
  auto record = parser->Parse(row, {});
  EXPECT_OK(record);
  return record->call_fact();
}

TEST(CallCollectorTest, AFileGivesItsCallsOnceEach) {
  std::vector<CollectedCall> calls;
  CdrParser parser(testing::TestSource(), kLayout);
  CallCollector collector({.is_ours = testing::TestNumberIsOurs}, [&](CollectedCall call) {
    calls.push_back(std::move(call));
    return absl::OkStatus();
  });
  const auto rows = testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/pbx.csv"));
  int64_t line = 0;
  for (const std::string& row : rows) EXPECT_OK(collector.Add(FactOf(&parser, row), ++line));
  EXPECT_THAT(calls, IsEmpty()) << "more facts of them may follow";
  EXPECT_OK(collector.Finish());
  ASSERT_THAT(calls, SizeIs(10));
  EXPECT_EQ(calls[1].call_id, "1741600100.6");
  EXPECT_EQ(calls[1].assembled.call.outcome(), touchpoint::v1::CALL_OUTCOME_NO_ANSWER);
  int64_t facts = 0;
  for (const CollectedCall& call : calls) {
    EXPECT_FALSE(call.given_before);
    EXPECT_THAT(rows[static_cast<size_t>(call.line - 1)], HasSubstr(call.call_id));
    facts += call.facts;
  }
  EXPECT_EQ(facts, line);
  EXPECT_OK(collector.Finish());
  EXPECT_THAT(calls, SizeIs(10));
}

std::string Describe(const CollectedCall& call) {
  const AssembledCall& of = call.assembled;
  return absl::StrCat(
      absl::StrCat(call.call_id, " ", call.facts, " ", call.line, " ", call.given_before, "|"),
      absl::StrCat(of.complete, of.missing, of.may_grow, "|", absl::FormatTime(of.began_at), " ",
                   absl::FormatTime(of.ended_at), " ", absl::FormatTime(of.told_at), "|"),
      absl::StrCat(of.direction, "|", absl::StrJoin(of.client_numbers, ","), "|",
                   absl::StrJoin(of.agents, ","), "|", of.call.ShortDebugString()));
}

// Each row twice, so that calls have many legs, and texts that grow.
std::vector<std::string> CallsOf(
    absl::FunctionRef<absl::Status(CallCollector*, CdrParser*, const std::string&, int64_t)> add) {
  std::vector<std::string> calls;
  CdrParser parser(testing::TestSource(), kLayout);
  CallCollector collector({.is_ours = testing::TestNumberIsOurs}, [&](const CollectedCall& call) {
    calls.push_back(Describe(call));
    return absl::OkStatus();
  });
  int64_t line = 0;
  for (int round = 0; round < 2; ++round) {
    for (const std::string& row : testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/pbx.csv"))) {
      EXPECT_OK(add(&collector, &parser, row, ++line));
    }
    // Of a call that becomes longer than any other, whose memory is used again after it.
    for (int leg = 0; leg < 30; ++leg) {
      EXPECT_OK(
          add(&collector, &parser,
              absl::StrCat(R"("","0309000101","500","in","","SIP/1-)", leg, R"(","SIP/2-)", leg,
                           R"(","Dial","","2025-03-10 09:46:50","","2025-03-10 09:48:30",)",
                           R"(100,0,"NO ANSWER","DOC","long.1","","","long.1",)", leg),
              ++line));
    }
    EXPECT_OK(collector.Finish());
  }
  return calls;
}

TEST(CallCollectorTest, LegsAsViewsMakeTheSameCalls) {
  const auto from_facts =
      CallsOf([](CallCollector* collector, CdrParser* parser, const std::string& row,
                 int64_t line) { return collector->Add(FactOf(parser, row), line); });
  const auto from_views = CallsOf([](CallCollector* collector, CdrParser* parser,
                                     const std::string& row, int64_t line) -> absl::Status {
    RAPPORT_ASSIGN_OR_RETURN(const CdrLeg leg, parser->ParseLeg(row));
    return collector->Add(leg.call_id, leg.leg, line);
  });
  EXPECT_THAT(from_facts, SizeIs(22));
  EXPECT_EQ(from_views, from_facts);
}

TEST(CallCollectorTest, CallsLongPastAreGivenOutOnTheWay) {
  int64_t rows = 0;
  std::vector<int64_t> given_out;
  CdrParser parser(testing::TestSource(), kLayout);
  CallCollector collector({}, [&](const CollectedCall&) {
    given_out.push_back(rows);
    return rows > CallCollector::kFactsApart + 2 ? absl::UnavailableError("full")
                                                 : absl::OkStatus();
  });
  const auto row = [](int64_t id) {
    return absl::StrCat(
        R"("","1","2","in","","c","d","Dial","","2025-03-10 09:46:40",,"2025-03-10 09:46:50",10,0,)"
        R"("NO ANSWER","DOC",")",
        id, R"(","","",")", id, R"(",1)");
  };
  absl::Status status;
  // The first call has another row at the third place.
  for (rows = 1; status.ok(); ++rows) {
    status = collector.Add(FactOf(&parser, row(rows == 3 ? 1 : rows)), rows);
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "full"));
  EXPECT_THAT(given_out,
              ElementsAre(CallCollector::kFactsApart + 2, CallCollector::kFactsApart + 3));
}

TEST(CallCollectorTest, ACallThatWasGivenOutIsKnownWhenMoreOfItComes) {
  std::vector<CollectedCall> calls;
  CallCollector collector({}, [&](CollectedCall call) {
    calls.push_back(std::move(call));
    return absl::OkStatus();
  });
  source::v1::CallFact fact;
  fact.set_call_id("7");
  for (int64_t line : {3, 9}) {
    EXPECT_OK(collector.Add(fact, line));
    EXPECT_OK(collector.Finish());
  }
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_FALSE(calls[0].given_before);
  EXPECT_EQ(calls[0].line, 3);
  EXPECT_TRUE(calls[1].given_before);
  EXPECT_EQ(calls[1].line, 9);
}

}  // namespace
}  // namespace rapport
