#include "libs/base/printable.h"

#include "gtest/gtest.h"

namespace rapport {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  const char kText[] = "M\xC3\xBCller \xE2\x82\xAC 5 \xF0\x9F\x98\x80 \xE6\x97\xA5\xE6\x9C\xAC";
  EXPECT_EQ(Printable(kText), kText);
  EXPECT_EQ(Printable(""), "");
}

TEST(Printable, LetsNothingSteerTheTerminal) {
  EXPECT_EQ(Printable("\x1b[31mred\x07"), "?[31mred?");
  EXPECT_EQ(Printable("a\r\nb\tc\x7f"), "a??b?c?");
  // CSI of C1, as a character and as a byte.
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m"),
            "?31m");
  EXPECT_EQ(Printable("\x9B"
                      "31m"),
            "?31m");
  // A right-to-left override, an isolate, a mark, a line separator.
  EXPECT_EQ(Printable("a\xE2\x80\xAE"
                      "b\xE2\x81\xA6"
                      "c\xE2\x80\x8F"
                      "d\xE2\x80\xA8"
                      "e"),
            "a?b?c?d?e");
  EXPECT_EQ(Printable(absl::string_view("a\0b", 3)), "a?b");
}

TEST(Printable, ShowsBytesThatAreNoText) {
  EXPECT_EQ(Printable("a\xC3"), "a?");
  EXPECT_EQ(Printable("\xC0\xAF"), "??");
  EXPECT_EQ(Printable("\xED\xA0\x80"), "???");
  EXPECT_EQ(Printable("\xE2\x80"), "??");
}

TEST(PrintableLines, KeepsLines) { EXPECT_EQ(PrintableLines("a\tb\n\x1b\r"), "a\tb\n??"); }

TEST(PrintableJson, MeansWhatItMeant) {
  EXPECT_EQ(PrintableJson("{\n  \"a\": \"\xC2\x9B\xE2\x80\xAE\x7f\xC3\xBC\"\n}"),
            "{\n  \"a\": \"\\u009b\\u202e\\u007f\xC3\xBC\"\n}");
}

}  // namespace
}  // namespace rapport
