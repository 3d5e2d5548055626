#include "libs/import/csv_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kReadBytes = 1 << 18;
constexpr size_t kMaxRowBytes = 64 << 10;
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

int IsLineFeed(unsigned char c) { return c == '\n' ? 1 : 0; }

}  // namespace

void CsvRow::Cut(size_t size) {
  ends_.resize(size);
  fields_.resize(size == 0 ? 0 : ends_.back());
}

void CsvRow::AddField(absl::string_view value) {
  fields_.append(value.data(), value.size());
  ends_.push_back(fields_.size());
}

void CsvRow::AppendTo(std::string* bytes) const {
  const std::array<uint64_t, 4> sizes = {static_cast<uint64_t>(line_), ends_.size(), raw_.size(),
                                         fields_.size()};
  bytes->append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes);
  bytes->append(reinterpret_cast<const char*>(ends_.data()), ends_.size() * sizeof(size_t));
  bytes->append(raw_);
  bytes->append(fields_);
}

void CsvRow::TakeFrom(absl::string_view* bytes) {
  const auto take = [bytes](size_t size, void* to) {
    RAPPORT_CHECK(size <= bytes->size());
    std::memcpy(to, bytes->data(), size);
    bytes->remove_prefix(size);
  };
  std::array<uint64_t, 4> sizes;
  take(sizeof sizes, sizes.data());
  line_ = static_cast<int64_t>(sizes[0]);
  ends_.resize(sizes[1]);
  raw_.resize(sizes[2]);
  fields_.resize(sizes[3]);
  take(ends_.size() * sizeof(size_t), ends_.data());
  take(raw_.size(), raw_.data());
  take(fields_.size(), fields_.data());
}

CsvReader::CsvReader(std::unique_ptr<InputFile> file, char delimiter)
    : file_(std::move(file)), delimiter_(delimiter) {
  StartParser();
}

void CsvReader::StartParser() {
  RAPPORT_CHECK(csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) == 0);
  csv_set_delim(&parser_, static_cast<unsigned char>(delimiter_));
  csv_set_term_func(&parser_, IsLineFeed);
}

CsvReader::~CsvReader() { csv_free(&parser_); }

absl::Status CsvReader::Fill() {
  buffer_.erase(0, buffer_position_);
  buffer_position_ = 0;
  const size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const absl::StatusOr<size_t> count = file_->Read(buffer_.data() + before, kReadBytes);
  buffer_.resize(before + count.value_or(0));
  at_end_ = count.ok() && *count == 0;
  return count.status();
}

absl::StatusOr<bool> CsvReader::NextLine(std::string* line) {
  if (!put_back_.empty()) {
    *line = std::move(put_back_.back());
    put_back_.pop_back();
    ++line_;
    return true;
  }
  size_t searched = buffer_position_;
  size_t end;
  while ((end = buffer_.find('\n', searched)) == std::string::npos) {
    searched = buffer_.size() - buffer_position_;  // Fill moves the rest to the front
    // A line beyond any row's size is cut into pieces, which are refused one by one.
    if (at_end_ || searched > 2 * kMaxRowBytes) break;
    RAPPORT_RETURN_IF_ERROR(Fill());
  }
  if (end == std::string::npos) {
    end = std::min(buffer_.size(), buffer_position_ + 2 * kMaxRowBytes);
    if (buffer_position_ == end) return false;
    line->assign(buffer_, buffer_position_, end - buffer_position_);
    buffer_position_ = end;
  } else {
    line->assign(buffer_, buffer_position_, end - buffer_position_);
    buffer_position_ = end + 1;
  }
  if (absl::EndsWith(*line, "\r")) line->pop_back();
  if (line_ == 0 && absl::StartsWith(*line, kByteOrderMark)) line->erase(0, 3);
  ++line_;
  return true;
}

void CsvReader::StartRow(CsvRow* row) {
  row_ = row;
  row_ended_ = false;
  row->raw_.clear();
  row->fields_.clear();
  row->ends_.clear();
  row->line_ = line_;
}

absl::StatusOr<bool> CsvReader::Feed(absl::string_view line) {
  const auto on_field = [](void* data, size_t size, void* self) {
    CsvRow& row = *static_cast<CsvReader*>(self)->row_;
    row.fields_.append(static_cast<const char*>(data), size);
    row.ends_.push_back(row.fields_.size());
  };
  const auto on_row = [](int, void* self) { static_cast<CsvReader*>(self)->row_ended_ = true; };
  for (const absl::string_view part : {line, absl::string_view("\n", 1)}) {
    if (csv_parse(&parser_, part.data(), part.size(), on_field, on_row, this) != part.size()) {
      return absl::InvalidArgumentError("a quote stands where none may be");
    }
  }
  return row_ended_;
}

absl::Status CsvReader::GiveUpRow(CsvRow* row, const std::string& why) {
  // All lines but the first are tried again as rows of their own.
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t end; (end = row->raw_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(row->raw_.substr(begin, end - begin));
  }
  lines.push_back(row->raw_.substr(begin));
  line_ -= static_cast<int64_t>(lines.size()) - 1;
  std::move(lines.rbegin(), lines.rend() - 1, std::back_inserter(put_back_));
  row->raw_ = lines.front().substr(0, kMaxRowBytes);
  row->ends_.clear();
  csv_free(&parser_);
  StartParser();
  return absl::InvalidArgumentError(why);
}

bool CsvReader::TakeDelimiter(absl::string_view line) {
  if (absl::ConsumePrefix(&line, "\"") && !absl::ConsumeSuffix(&line, "\"")) return false;
  if (!absl::ConsumePrefix(&line, "sep=") || line.size() != 1) return false;
  delimiter_ = line[0];
  csv_free(&parser_);
  StartParser();
  return true;
}

absl::StatusOr<bool> CsvReader::Next(CsvRow* row) {
  do {
    RAPPORT_ASSIGN_OR_RETURN(const bool more, NextLine(&current_));
    if (!more) return false;
  } while (absl::StripAsciiWhitespace(current_).empty() || (line_ == 1 && TakeDelimiter(current_)));
  StartRow(row);
  for (;;) {
    absl::StrAppend(&row->raw_, row->raw_.empty() ? "" : "\n", current_);
    if (row->raw_.size() > kMaxRowBytes) {
      return GiveUpRow(row, absl::StrCat("the row is longer than ", kMaxRowBytes >> 10,
                                         " KiB, or a quote is not closed"));
    }
    const absl::StatusOr<bool> ended = Feed(current_);
    if (!ended.ok()) return GiveUpRow(row, std::string(ended.status().message()));
    if (*ended) return true;
    RAPPORT_ASSIGN_OR_RETURN(const bool more, NextLine(&current_));
    if (!more) return GiveUpRow(row, "a quote is not closed");
  }
}

absl::StatusOr<std::vector<std::string>> ReadColumnNames(const std::string& path,
                                                         CsvReader* reader) {
  CsvRow row;
  const absl::StatusOr<bool> found = reader->Next(&row);
  RAPPORT_RETURN_IF_ERROR(Annotate(found.status(), absl::StrCat(path, ":1")));
  if (!*found) return absl::InvalidArgumentError(absl::StrCat(path, ": the file is empty"));
  std::vector<std::string> columns;
  for (size_t i = 0; i < row.size(); ++i) columns.emplace_back(row[i]);
  while (!columns.empty() && columns.back().empty()) columns.pop_back();
  return columns;
}

}  // namespace rapport
