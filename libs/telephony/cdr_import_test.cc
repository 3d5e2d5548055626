#include "libs/telephony/cdr_import.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/telephony/testing/facts.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr CdrLayout kLayout = {.unique_id = true, .user_field = true, .linkage = true};

TEST(CdrImportTest, AFileGivesItsCallsOnceEach) {
  std::vector<std::string> ids;
  std::vector<AssembledCall> calls;
  CdrImport import(testing::TestSource(), kLayout, {.is_ours = testing::TestNumberIsOurs},
                   [&](const std::string& id, AssembledCall call) {
                     ids.push_back(id);
                     calls.push_back(std::move(call));
                     return absl::OkStatus();
                   });
  const auto rows = testing::TestLines(absl::StrCat(RAPPORT_TESTDATA, "/pbx.csv"));
  for (const std::string& row : rows) EXPECT_OK(import.Add(row));
  EXPECT_THAT(import.Add("broken"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the row has 1 columns")));
  EXPECT_THAT(ids, IsEmpty()) << "more rows of them may follow";
  EXPECT_OK(import.Finish());
  EXPECT_THAT(ids, SizeIs(10));
  EXPECT_EQ(ids[1], "1741600100.6");
  EXPECT_EQ(calls[1].call.outcome(), touchpoint::v1::CALL_OUTCOME_NO_ANSWER);
  EXPECT_OK(import.Finish());
  EXPECT_THAT(ids, SizeIs(10));
}

TEST(CdrImportTest, CallsLongPastAreGivenOutOnTheWay) {
  int64_t rows = 0;
  std::vector<int64_t> given_out;
  CdrImport import(
      testing::TestSource(), kLayout, {}, [&](const std::string& id, const AssembledCall& call) {
        given_out.push_back(rows);
        return rows > CdrImport::kRowsApart + 2 ? absl::UnavailableError("full") : absl::OkStatus();
      });
  const auto row = [](int64_t id) {
    return absl::StrCat(
        R"("","1","2","in","","c","d","Dial","","2025-03-10 09:46:40",,"2025-03-10 09:46:50",10,0,)"
        R"("NO ANSWER","DOC",")",
        id, R"(","","",")", id, R"(",1)");
  };
  absl::Status status;
  // The first call has another row at the third place.
  for (rows = 1; status.ok(); ++rows) status = import.Add(row(rows == 3 ? 1 : rows));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "full"));
  EXPECT_THAT(given_out, ElementsAre(CdrImport::kRowsApart + 2, CdrImport::kRowsApart + 3));
}

}  // namespace
}  // namespace rapport
