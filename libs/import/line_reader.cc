#include "libs/import/line_reader.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport {
namespace {

constexpr size_t kBufferBytes = 1 << 16;
constexpr size_t kShownBytes = 1 << 16;
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

}  // namespace

absl::StatusOr<bool> LineReader::Next(std::string* line) {
  line->clear();
  size_t length = 0;
  bool ended = false;
  while (!ended) {
    if (position_ == buffer_.size()) {
      buffer_.resize(kBufferBytes);
      position_ = 0;
      const absl::StatusOr<size_t> count = file_->Read(buffer_.data(), buffer_.size());
      buffer_.resize(count.ok() ? *count : 0);
      RAPPORT_RETURN_IF_ERROR(count.status());
      if (*count == 0) {
        if (length == 0) return false;
        break;
      }
    }
    const size_t end = buffer_.find('\n', position_);
    ended = end != std::string::npos;
    const size_t taken = (ended ? end : buffer_.size()) - position_;
    const size_t room = kMaxLineBytes - std::min(kMaxLineBytes, line->size());
    line->append(buffer_, position_, std::min(taken, room));
    length += taken + (ended ? 1 : 0);
    position_ += taken + (ended ? 1 : 0);
  }
  ++line_;
  if (length > kMaxLineBytes) {
    line->resize(kShownBytes);
    return absl::InvalidArgumentError(
        absl::StrCat("the line has ", length, " bytes; at most ", kMaxLineBytes, " are taken"));
  }
  if (!line->empty() && line->back() == '\r') line->pop_back();
  if (line_ == 1 && absl::StartsWith(*line, kByteOrderMark)) line->erase(0, 3);
  return true;
}

}  // namespace rapport
