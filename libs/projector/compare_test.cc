#include "libs/projector/compare.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "libs/base/bytes.h"

namespace rapport {
namespace {

// What it says goes into a text field of an answer: it has to be text, whatever bytes the key has.
TEST(DescribeEntryTest, KeysOfBytesAreReadable) {
  std::string row;
  AppendKeyString(&row, "Müller");
  AppendOrdered64(&row, absl::ToUnixNanos(absl::FromUnixSeconds(1735689600)));
  row += std::string("\xff\x80\x00\xc3", 4) + std::string(12, '\x01');
  EXPECT_EQ(DescribeEntry(Family::kRows, row),
            "row of client 'Müller' at 2025-01-01T00:00:00+00:00, touchpoint "
            "ff8000c3010101010101010101010101");
  std::string list;
  AppendKeyString(&list, "at_risk");
  list += "\x80\x01";
  EXPECT_EQ(DescribeEntry(Family::kIndex, list), "entry of list 'at_risk' at 8001");
  EXPECT_EQ(DescribeEntry(Family::kState, "\xff"), "state of client ff");
  EXPECT_EQ(DescribeEntry(Family::kState, "a\nb"), "state of client 'a\\nb'");
  EXPECT_EQ(DescribeEntry(Family::kRows, "\xff"), "rows ff");
}

}  // namespace
}  // namespace rapport
