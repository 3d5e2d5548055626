#include "libs/import/csv_reader.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
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
    CsvReader reader(InputFile::Open(folder_.Write("rows.csv", content)).value(), delimiter);
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
