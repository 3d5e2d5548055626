#include "services/alerts/alert_cursor.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport {
namespace {

// More than this names no partitions that anybody has.
constexpr size_t kMaxTextBytes = size_t{256} << 10;

absl::Status Malformed(absl::string_view part) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", absl::CHexEscape(part.substr(0, 40)),
                   "' is no part of a stream position such as 0-15.1-7; take one from the id of an "
                   "event or from stream_cursor"));
}

template <class T>
bool ParseDigits(absl::string_view text, T* value) {
  return !text.empty() && absl::ascii_isdigit(text[0]) && absl::SimpleAtoi(text, value) &&
         *value >= 0;
}

}  // namespace

std::string AlertCursor::ToText() const {
  std::string text;
  for (size_t i = 0; i < next.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ".", i, "-", next[i]);
  }
  return text;
}

absl::StatusOr<AlertCursor> AlertCursor::Parse(absl::string_view text, int partitions) {
  AlertCursor cursor{std::vector<int64_t>(static_cast<size_t>(partitions), 0)};
  if (text.empty() || text.size() > kMaxTextBytes) return Malformed(text);
  std::set<int32_t> named;
  for (const absl::string_view part : absl::StrSplit(text, '.')) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    int32_t partition = 0;
    int64_t offset = 0;
    if (!ParseDigits(halves.first, &partition) || !ParseDigits(halves.second, &offset)) {
      return Malformed(part);
    }
    if (partition >= partitions) {
      return absl::InvalidArgumentError(absl::StrCat("there is no partition ", partition,
                                                     " of the alerts log, which has ", partitions));
    }
    if (!named.insert(partition).second) {
      return absl::InvalidArgumentError(absl::StrCat("partition ", partition, " is named twice"));
    }
    cursor.next[static_cast<size_t>(partition)] = offset;
  }
  return cursor;
}

std::string PositionText(const RecordPosition& position) {
  return absl::StrCat(position.partition.value(), ":", position.offset.value());
}

}  // namespace rapport
