#include "libs/import/csv_reader.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/import/test_folder.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CsvReaderTest : public ::testing::Test {
 protected:
  // Each row as "line: field|field", a damaged one as "line! bytes (why)".
  std::vector<std::string> ReadAll(const std::string& content, char delimiter = ',') {
    auto file = InputFile::Open(folder_.Write("rows.csv", content)).value();
    EXPECT_OK(file->ReadAsText(""));
    CsvReader reader(std::move(file), delimiter);
    std::vector<std::string> rows;
    CsvRow row;
    for (;;) {
      const absl::StatusOr<bool> more = reader.Next(&row);
      if (!more.ok()) {
        rows.push_back(absl::StrCat(row.line(), "! ", row.raw().substr(0, 20), " (",
                                    more.status().message(), ")"));
        continue;
      }
      if (!*more) return rows;
      std::string& text = rows.emplace_back(absl::StrCat(row.line(), ": "));
      for (size_t i = 0; i < row.size(); ++i) absl::StrAppend(&text, i == 0 ? "" : "|", row[i]);
    }
  }

  TestFolder folder_;
};

TEST_F(CsvReaderTest, ReadsRfc4180) {
  EXPECT_THAT(ReadAll("\xEF\xBB\xBF"
                      "a,b\r\n1,\"x, \"\"y\"\"\"\n\n  \n\"two\nlines\", 3 \n,"),
              ElementsAre("1: a|b", "2: 1|x, \"y\"", "5: two\nlines|3", "7: |"));
  EXPECT_THAT(ReadAll("a;b\n1,5;\"2\"\n", ';'), ElementsAre("1: a|b", "2: 1,5|2"));
  EXPECT_THAT(ReadAll("a\tb c\n", '\t'), ElementsAre("1: a|b c"));
  EXPECT_THAT(ReadAll(""), ElementsAre());
}

TEST_F(CsvReaderTest, AFirstLineOfSpreadsheetsTellsTheDelimiter) {
  EXPECT_THAT(ReadAll("sep=;\r\na;b\r\n1;2,5\r\n"), ElementsAre("2: a|b", "3: 1|2,5"));
  EXPECT_THAT(ReadAll("\xEF\xBB\xBF\"sep=\t\"\na\tb\n"), ElementsAre("2: a|b"));
  EXPECT_THAT(ReadAll("a\nsep=;\n1;2\n"), ElementsAre("1: a", "2: sep=;", "3: 1;2"));
}

std::string Utf16(const std::u16string& text, bool big_end_first) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char high = static_cast<char>(unit >> 8);
    const char low = static_cast<char>(unit & 0xFF);
    bytes += big_end_first ? high : low;
    bytes += big_end_first ? low : high;
  }
  return bytes;
}

TEST_F(CsvReaderTest, Utf16IsKnownByItsFirstBytes) {
  for (const bool big_end_first : {false, true}) {
    for (const std::u16string mark : {u"\uFEFF", u""}) {
      EXPECT_THAT(ReadAll(Utf16(mark + u"Id,Name\r\n1,Müller\r\n2,Борис 😀\r\n", big_end_first)),
                  ElementsAre("1: Id|Name", "2: 1|Müller", "3: 2|Борис 😀"));
    }
  }
  EXPECT_THAT(ReadAll(std::string("\xFF\xFE\0\0a\0\0\0,\0\0\0b\0\0\0", 16)), ElementsAre("1: a|b"));
  // Half of a pair, and half of a character at the end, are no text.
  EXPECT_THAT(ReadAll(Utf16(u"\uFEFFa,b\n1,x\xD83Dy\n2,z", false) + "\x41"),
              ElementsAre("1: a|b", "2: 1|x\xFFy", "3: 2|z\xFF"));
}

TEST_F(CsvReaderTest, LongTextInAnotherEncodingComesThroughWhole) {
  std::u16string text = u"\uFEFF";
  for (int i = 0; i < 70'000; ++i) text += i % 7 == 6 ? u"\n" : u"é€";
  const std::vector<std::string> rows = ReadAll(Utf16(text, false));
  ASSERT_EQ(rows.size(), 10'000u);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i], absl::StrCat(i + 1, ": é€é€é€é€é€é€"));
  }
}

TEST_F(CsvReaderTest, AStrayQuoteCostsItsLine) {
  EXPECT_THAT(ReadAll("a,b\n1,5\" pipe\n2,\"x\"y\n3,z\n"),
              ElementsAre("1: a|b", "2! 1,5\" pipe (a quote stands where none may be)",
                          "3! 2,\"x\"y (a quote stands where none may be)", "4: 3|z"));
}

TEST_F(CsvReaderTest, AnUnclosedQuoteCostsItsLineAndNoMore) {
  EXPECT_THAT(ReadAll("a,b\n1,\"open\n2,x\n3,y\n"),
              ElementsAre("1: a|b", "2! 1,\"open (a quote is not closed)", "3: 2|x", "4: 3|y"));
  std::string many = "1,\"open\n";
  for (int i = 0; i < 20000; ++i) absl::StrAppend(&many, i, ",x\n");
  const std::vector<std::string> rows = ReadAll(many);
  ASSERT_EQ(rows.size(), 20001u);
  EXPECT_EQ(rows[0], "1! 1,\"open (the row is longer than 64 KiB, or a quote is not closed)");
  EXPECT_EQ(rows[20000], "20001: 19999|x");
}

TEST_F(CsvReaderTest, ALineBeyondAnySizeIsRefusedInPieces) {
  const std::vector<std::string> rows = ReadAll(std::string(300 << 10, 'x') + "\na,b\n");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0], HasSubstr("longer than 64 KiB"));
  EXPECT_THAT(rows[1], HasSubstr("longer than 64 KiB"));
  EXPECT_THAT(rows[2], HasSubstr(": a|b"));
}

TEST_F(CsvReaderTest, UnpacksGzip) {
  const std::string path = folder_.path() + "/rows.csv.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  std::string content;
  for (int i = 0; i < 50000; ++i) absl::StrAppend(&content, i * 7919 % 50021, ",x\n");
  ASSERT_EQ(gzwrite(file, content.data(), static_cast<unsigned>(content.size())),
            static_cast<int>(content.size()));
  ASSERT_EQ(gzclose(file), Z_OK);

  const auto count = [&path]() -> absl::StatusOr<int> {
    CsvReader reader(InputFile::Open(path).value(), ',');
    CsvRow row;
    for (int rows = 0;; ++rows) {
      const absl::StatusOr<bool> more = reader.Next(&row);
      if (!more.ok()) return more.status();
      if (!*more) return rows;
    }
  };
  EXPECT_EQ(count().value(), 50000);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(count(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("damaged or cut off")));
}

TEST_F(CsvReaderTest, TellsWhyAFileCannotBeRead) {
  EXPECT_THAT(InputFile::Open(folder_.path() + "/none.csv").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       folder_.path() + "/none.csv: No such file or directory"));
  EXPECT_THAT(InputFile::Open(folder_.path()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, folder_.path() + ": Is a directory"));
}

}  // namespace
}  // namespace rapport
