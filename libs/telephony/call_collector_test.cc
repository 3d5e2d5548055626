#include "libs/telephony/call_collector.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
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
