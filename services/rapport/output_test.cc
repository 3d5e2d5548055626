#include "services/rapport/output.h"

#include <limits>

#include "gmock/gmock.h"
#include "services/rapport/progress_bar.h"

namespace rapport {
namespace {

TEST(Table, AlignsColumns) {
  Table table({"NAME", ">COUNT", "NOTE"});
  EXPECT_EQ(table.ToString(), "");
  table.Add({"M\xC3\xBCller", "7", "x"});
  table.Add({"Jo", "1,200", ""});
  EXPECT_EQ(table.ToString(),
            "NAME    COUNT  NOTE\n"
            "M\xC3\xBCller      7  x\n"
            "Jo      1,200\n");
}

TEST(Table, ShowsNoEmptyHeadings) {
  Table table({">", ""});
  table.Add({"7", "rows"});
  table.Add({"12", "clients"});
  EXPECT_EQ(table.ToString(), " 7  rows\n12  clients\n");
}

TEST(Table, LetsNoTextSteerTheTerminal) {
  Table table({"A"});
  table.Add({"\x1b[31mred\r\nforged  row"});
  EXPECT_EQ(table.ToString(), "A\n?[31mred??forged  row\n");
}

TEST(Format, Counts) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
  EXPECT_EQ(FormatCount(-123), "-123");
  EXPECT_EQ(CountOf(1, "row", "rows"), "1 row");
  EXPECT_EQ(CountOf(2000, "row", "rows"), "2,000 rows");
}

TEST(Format, Amounts) {
  EXPECT_EQ(FormatAmount(123456789, "GBP"), "1,234,567.89 GBP");
  EXPECT_EQ(FormatAmount(-123456, "JPY"), "-123,456 JPY");
  EXPECT_EQ(FormatAmount(5, "EUR"), "0.05 EUR");
}

TEST(Json, MomentsAreInUtcOrNull) {
  EXPECT_EQ(MomentJson(absl::FromUnixMillis(1767312000500)).dump(), "\"2026-01-02T00:00:00.5Z\"");
  EXPECT_EQ(MomentJson(absl::InfinitePast()).dump(), "null");
  EXPECT_EQ(FormatMoment(absl::InfinitePast()), "");
}

TEST(Progress, ShowsRateAndTimeLeft) {
  EXPECT_EQ(FormatProgress("reading", 0.5, 120000, "rows", absl::Seconds(66.2)),
            "reading [############------------]  50 %  120,000 rows/s  1:07 left");
  EXPECT_EQ(FormatProgress("reading", 1.7, 0, "rows", absl::InfiniteDuration()),
            "reading [########################] 100 %  0 rows/s");
}

}  // namespace
}  // namespace rapport
