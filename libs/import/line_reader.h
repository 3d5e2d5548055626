#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/import/input_file.h"

namespace rapport {

// Reads a file line by line. One thread at a time.
class LineReader {
 public:
  // What the rejected log takes of one line.
  static constexpr size_t kMaxLineBytes = size_t{1} << 20;

  explicit LineReader(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

  // The next line without its line break (LF or CRLF), and the first without a byte order mark,
  // into `line`; false at the end of the file.
  // InvalidArgument: it is longer than kMaxLineBytes; `line` holds its first 64 KiB, and the next
  // call goes on with the line after it. DataLoss: the file cannot be read any further.
  absl::StatusOr<bool> Next(std::string* line);
  // Number of the line read last, from 1.
  int64_t line() const { return line_; }
  const InputFile& file() const { return *file_; }

 private:
  const std::unique_ptr<InputFile> file_;
  std::string buffer_;
  size_t position_ = 0;
  int64_t line_ = 0;
};

}  // namespace rapport
