#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "libs/base/status.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/import/test_folder.h"
#include "libs/import/try_import.h"

// Rows that belong together, and what is the first of its client, wherever they stand in the files.

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;
using touchpoint::v1::Touchpoint;

constexpr char kMapping[] = R"pb(
  source: "shop"
  format { time_format: "%Y-%m-%d %H:%M" }
  group_columns: "Invoice"
  client_id { text: "{Client}" }
  when { text: "{When}" }
  rules {
    kind: "client_registered"
    once_per_client: true
    source_event_id { text: "client/{Client}" }
    assignments {
      field: "client_registered.origin"
      value { text: "{Shop}" }
    }
  }
  rules {
    kind: "order_placed"
    source_event_id { text: "invoice/{Invoice}" }
    assignments {
      field: "order_placed.order_id"
      value { text: "{Invoice}" }
    }
    assignments {
      field: "order_placed.amount"
      value {
        product_sum { columns: "Price" }
        currency: "EUR"
      }
    }
    assignments {
      field: "order_placed.line_count"
      value { row_count: true }
    }
  }
)pb";
constexpr char kColumns[] = "Invoice,Client,When,Price,Shop\n";

class GatheringTest : public ::testing::Test {
 protected:
  absl::StatusOr<Tried> Try(const std::vector<std::string>& files,
                            const std::string& mapping = kMapping) {
    RAPPORT_ASSIGN_OR_RETURN(MappingFile file, MappingFile::Parse("m.textproto", mapping));
    std::vector<MappingFile> mappings;
    mappings.push_back(std::move(file));
    std::vector<std::string> paths;
    for (const std::string& rows : files) {
      const std::string name(1, static_cast<char>('a' + paths.size()));
      paths.push_back(folder_.Write(name + ".csv", kColumns + rows));
    }
    return TryImport(paths, mappings);
  }

  TestFolder folder_;
};

std::string Tell(const Touchpoint& touchpoint) {
  std::string text = absl::StrCat(
      touchpoint.source_event_id(), " ",
      absl::FormatTime("%d %H:%M", FromProto(touchpoint.occurred_at()), absl::UTCTimeZone()));
  if (touchpoint.has_order_placed()) {
    absl::StrAppend(&text, " ", touchpoint.order_placed().amount().minor_units(), " in ",
                    touchpoint.order_placed().line_count());
  }
  return absl::StrCat(text, touchpoint.client_registered().origin().empty() ? "" : " at ",
                      touchpoint.client_registered().origin());
}

std::vector<std::string> Tell(const Tried& tried) {
  std::vector<std::string> told;
  for (const Touchpoint& touchpoint : tried.touchpoints) told.push_back(Tell(touchpoint));
  return told;
}

std::vector<std::string> Reasons(const std::vector<LikeReasons>& counts) {
  std::vector<std::string> reasons;
  for (const LikeReasons& one : counts) {
    reasons.push_back(absl::StrCat(one.rows, " from ", one.first.file, ":", one.first.line, ": ",
                                   one.first.reason));
  }
  return reasons;
}

std::vector<std::string> Reasons(const std::map<std::string, SkippedRows>& skipped) {
  std::vector<std::string> reasons;
  for (const auto& [reason, rows] : skipped) {
    reasons.push_back(absl::StrCat(rows.rows, " to ", rows.examples.back(), ": ", reason));
  }
  return reasons;
}

TEST_F(GatheringTest, AnInvoiceInTwoBlocksIsOneOrder) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({"1,anna,2026-01-05 10:00,1,web\n"
                                               "1,anna,2026-01-05 10:00,2,web\n"
                                               "2,bob,2026-01-06 10:00,4,web\n"
                                               "1,anna,2026-01-05 10:00,8,web\n"}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_THAT(Tell(tried),
              ElementsAre("invoice/1 05 10:00 1100 in 3", "invoice/2 06 10:00 400 in 1",
                          "client/anna 05 10:00 at web", "client/bob 06 10:00 at web"));
  EXPECT_EQ(tried.summary.scattered_groups, 1);
}

TEST_F(GatheringTest, RowsInAnyOrderMakeTheSame) {
  std::vector<std::string> rows;
  for (int invoice = 0; invoice < 200; ++invoice) {
    for (int line = 0; line <= invoice % 7; ++line) {
      // Some take a minute or two to be written, and clients order twice in the same minute.
      rows.push_back(absl::StrCat(invoice, ",c", invoice % 20, ",2026-01-", 10 + invoice / 40,
                                  " 10:0", line / 3, ",", invoice * 10 + line, ".01,s", invoice));
    }
  }
  ASSERT_OK_AND_ASSIGN(const Tried in_order, Try({absl::StrJoin(rows, "\n")}));
  EXPECT_EQ(in_order.summary.scattered_groups, 0);
  ASSERT_EQ(in_order.touchpoints.size(), 220u);
  std::mt19937 random(7);
  for (int i = 0; i < 5; ++i) {
    std::shuffle(rows.begin(), rows.end(), random);
    ASSERT_OK_AND_ASSIGN(const Tried shuffled, Try({absl::StrJoin(rows, "\n")}));
    EXPECT_THAT(shuffled.rejected, IsEmpty());
    EXPECT_GT(shuffled.summary.scattered_groups, 100);
    EXPECT_THAT(Tell(shuffled), UnorderedElementsAreArray(Tell(in_order)));
  }
}

TEST_F(GatheringTest, MoreRowsThanStayInMemoryAreGatheredToo) {
  // Each invoice has a row in the first half and one in the second.
  std::string rows;
  const std::string shop(2000, 's');
  for (int i = 0; i < 4000; ++i) {
    absl::StrAppend(&rows, i % 2000, ",anna,2026-01-05 10:00,", i, ",", shop, "\n");
  }
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({rows}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  ASSERT_EQ(tried.touchpoints.size(), 2001u);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(tried.touchpoints[static_cast<size_t>(i)].order_placed().amount().minor_units(),
              (i + i + 2000) * 100);
  }
}

TEST_F(GatheringTest, ABadRowTakesItsGroupWhereverItStands) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({"1,anna,2026-01-05 10:00,1,web\n"
                                               "2,bob,2026-01-06 10:00,4,web\n"
                                               "3,bob,2026-01-06 10:00,4,web\n"
                                               "1,anna,2026-01-05 10:00,many,web\n"
                                               "2,bob,2026-01-06\n"}));
  EXPECT_THAT(
      tried.rejected,
      ElementsAre("a.csv:6: the row has 3 fields, not 5",
                  "a.csv:5: order_placed.amount: 'many' is no decimal number",
                  "a.csv:2: of the same group as line 5: order_placed.amount: 'many' is no decimal "
                  "number",
                  "a.csv:3: line 6, of the same Invoice, is damaged"));
  EXPECT_THAT(Tell(tried),
              ElementsAre("invoice/3 06 10:00 400 in 1", "client/bob 06 10:00 at web"));
}

TEST_F(GatheringTest, ARowWithAStrayQuoteTakesItsGroupToo) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({"1,\"anna,2026-01-05 10:00,1,web\n"
                                               "1,anna,2026-01-05 10:00,2,web\n"
                                               "2,bob,2026-01-06 10:00,4,web\n"}));
  EXPECT_THAT(tried.rejected, ElementsAre("a.csv:2: a quote is not closed",
                                          "a.csv:3: line 2, of the same Invoice, is damaged"));
  EXPECT_THAT(Tell(tried),
              ElementsAre("invoice/2 06 10:00 400 in 1", "client/bob 06 10:00 at web"));
}

TEST_F(GatheringTest, TheFirstOfAClientIsTheFirstInTime) {
  const std::string january = "2,anna,2026-01-06 10:00,4,web\n1,anna,2026-01-05 10:00,1,shop\n";
  const std::string february = "3,anna,2026-02-05 10:00,1,fair\n";
  const std::vector<std::string> wanted = {
      "invoice/1 05 10:00 100 in 1", "invoice/2 06 10:00 400 in 1", "invoice/3 05 10:00 100 in 1",
      "client/anna 05 10:00 at shop"};
  for (const std::vector<std::string>& files :
       {std::vector<std::string>{january, february}, {february, january}, {january + february}}) {
    ASSERT_OK_AND_ASSIGN(const Tried tried, Try(files));
    EXPECT_THAT(tried.rejected, IsEmpty());
    EXPECT_THAT(Tell(tried), UnorderedElementsAreArray(wanted));
  }
}

TEST_F(GatheringTest, WhatFilesHaveInCommonIsTakenOnce) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({"1,anna,2026-01-05 10:00,1,web\n"
                                               "2,bob,2026-01-06 10:00,4,web\n"
                                               "2,bob,2026-01-06 10:00,5,web\n",
                                               "2,bob,2026-01-06 10:00,5,web\n"
                                               "2,bob,2026-01-06 10:00,4,web\n"
                                               "3,bob,2026-01-07 10:00,6,web\n"}));
  EXPECT_THAT(tried.rejected, IsEmpty());
  EXPECT_THAT(Tell(tried), ElementsAre("invoice/1 05 10:00 100 in 1", "invoice/2 06 10:00 900 in 2",
                                       "invoice/3 07 10:00 600 in 1", "client/anna 05 10:00 at web",
                                       "client/bob 06 10:00 at web"));
  EXPECT_EQ(tried.summary.scattered_groups, 0);
  EXPECT_EQ(tried.summary.skipped_rows, 2);
  EXPECT_THAT(Reasons(tried.summary.skipped),
              ElementsAre("2 to b.csv line 2: another file has the same"));
}

TEST_F(GatheringTest, AnInvoiceCutByTheEndOfAFileIsRefused) {
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({"1,anna,2026-01-05 10:00,1,web\n"
                                               "2,bob,2026-01-06 10:00,4,web\n",
                                               "2,bob,2026-01-06 10:00,5,web\n"
                                               "3,bob,2026-01-07 10:00,6,web\n"}));
  const std::string why =
      "rows of the same Invoice stand in a.csv (line 3) and, but not the same ones, in b.csv (line "
      "2); put them into one file";
  EXPECT_THAT(tried.rejected, ElementsAre("a.csv:3: " + why, "b.csv:2: " + why));
  EXPECT_THAT(Tell(tried),
              ElementsAre("invoice/1 05 10:00 100 in 1", "invoice/3 07 10:00 600 in 1",
                          "client/anna 05 10:00 at web", "client/bob 07 10:00 at web"));
}

TEST_F(GatheringTest, RowsWithoutGroupsStandOnceInSeveralFiles) {
  std::string mapping = kMapping;
  mapping.replace(mapping.find("group_columns: \"Invoice\""), 24, "");
  ASSERT_OK_AND_ASSIGN(const Tried tried, Try({"1,anna,2026-01-05 10:00,1,web\n"
                                               "2,anna,2026-01-06 10:00,1,web\n"
                                               "2,anna,2026-01-06 10:00,1,web\n",
                                               "1,anna,2026-01-05 10:00,1,web\n"
                                               "2,anna,2026-01-06 10:00,3,web\n"},
                                              mapping));
  EXPECT_THAT(Tell(tried), ElementsAre("invoice/1 05 10:00 100 in 1", "invoice/2 06 10:00 100 in 1",
                                       "client/anna 05 10:00 at web"));
  EXPECT_THAT(Reasons(tried.summary.skipped),
              ElementsAre("1 to b.csv line 2: another file has the same"));
  const std::string needs =
      "; different happenings need different ids, or group_columns if they are "
      "one";
  EXPECT_THAT(tried.rejected,
              ElementsAre("a.csv:4: 'invoice/2' stood in the file before" + needs,
                          "b.csv:3: 'invoice/2' stood in another file with other values" + needs));
}

TEST_F(GatheringTest, RowsThatAreToBeLeftOutAreCountedByTheirReasons) {
  ASSERT_OK_AND_ASSIGN(
      const Tried tried,
      Try({"1,,2026-01-05 10:00,1,web\n"
           "2,anna,2026-01-06 10:00,1,test shop\n"
           "1,,2026-01-05 10:00,many,web\n"
           ",,,,\n"
           "3,anna,2026-01-07 10:00,few,web\n"
           "4,anna,2026-01-07 10:00,many,web\n"
           "5,anna,2026-01-07 10:00,1,web,more\n"
           "6,anna,2026-01-07 10:00,1,web,,\n"},
          std::string(kMapping) +
              "skip_when { conditions { column: 'Client' like: '' } reason: 'no client' }"
              "skip_when { conditions { column: 'Shop' like: 'test*' }"
              "            conditions { column: 'Client' like: 'bob' negated: true } }"));
  EXPECT_THAT(Tell(tried),
              ElementsAre("invoice/6 07 10:00 100 in 1", "client/anna 07 10:00 at web"));
  EXPECT_EQ(tried.summary.skipped_rows, 4);
  EXPECT_THAT(
      Reasons(tried.summary.skipped),
      ElementsAre("1 to a.csv line 3: Shop is 'test*' and Client is not 'bob'",
                  "2 to a.csv line 4: no client", "1 to a.csv line 5: nothing but separators"));
  EXPECT_EQ(tried.summary.rejected_rows, 3);
  EXPECT_THAT(Reasons(tried.summary.rejected_reasons),
              ElementsAre("2 from a.csv:6: order_placed.amount: 'few' is no decimal number",
                          "1 from a.csv:8: the row has 6 fields, not 5"));
}

}  // namespace
}  // namespace rapport
