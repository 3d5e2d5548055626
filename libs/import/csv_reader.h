#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "csv.h"
#include "libs/import/input_file.h"

namespace rapport {

// One row of a CSV file.
class CsvRow {
 public:
  size_t size() const { return ends_.size(); }
  // Field `i`, unquoted; spaces around an unquoted field are cut off.
  absl::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return absl::string_view(fields_).substr(begin, ends_[i] - begin);
  }
  // Number of its first line, from 1.
  int64_t line() const { return line_; }
  // Its bytes as they stand in the file (made UTF-8), without the line break at the end.
  const std::string& raw() const { return raw_; }
  // Whether all fields from `i` on are empty.
  bool EmptyFrom(size_t i) const { return fields_.size() == (i == 0 ? 0 : ends_[i - 1]); }

  // Leaves the first `size` fields.
  void Cut(size_t size);
  void AddField(absl::string_view value);

  // To be set aside, and read again.
  void AppendTo(std::string* bytes) const;
  // Takes one off the front of `bytes`, which AppendTo has made.
  void TakeFrom(absl::string_view* bytes);

 private:
  friend class CsvReader;
  int64_t line_ = 0;
  std::string raw_;
  std::string fields_;  // one after the other
  std::vector<size_t> ends_;
};

// Reads rows in RFC 4180 form: quotes only around whole fields and doubled inside, line breaks
// inside quotes, LF or CRLF at the end; empty lines are skipped, and so is a byte order mark. A
// first line "sep=;", as spreadsheets write it, tells the delimiter. One thread at a time.
class CsvReader {
 public:
  CsvReader(std::unique_ptr<InputFile> file, char delimiter);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // The next row into `row`; false at the end of the file. InvalidArgument: this row is damaged
  // (its line and bytes stand in `row`), and the next call goes on with the line after it; so one
  // quote that is never closed costs one line. DataLoss: the file cannot be read any further.
  absl::StatusOr<bool> Next(CsvRow* row);

  const InputFile& file() const { return *file_; }
  char delimiter() const { return delimiter_; }

 private:
  // The next line without its line break; false at the end.
  absl::StatusOr<bool> NextLine(std::string* line);
  absl::Status Fill();
  void StartParser();
  // Whether the line tells the delimiter, which is then taken.
  bool TakeDelimiter(absl::string_view line);
  void StartRow(CsvRow* row);
  // Feeds a line; true when it ended the row.
  absl::StatusOr<bool> Feed(absl::string_view line);
  absl::Status GiveUpRow(CsvRow* row, const std::string& why);

  const std::unique_ptr<InputFile> file_;
  char delimiter_;
  csv_parser parser_;
  CsvRow* row_ = nullptr;
  bool row_ended_ = false;

  std::string current_;  // the line being fed
  std::string buffer_;
  size_t buffer_position_ = 0;
  bool at_end_ = false;
  int64_t line_ = 0;  // lines taken
  // Lines of a row that was given up, but for its first, to be read again; the last one first.
  std::vector<std::string> put_back_;
};

// The names in the first row of the file of that path, but for empty ones at its end.
// InvalidArgument when it has none.
absl::StatusOr<std::vector<std::string>> ReadColumnNames(const std::string& path,
                                                         CsvReader* reader);

}  // namespace rapport
