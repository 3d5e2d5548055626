#include "libs/mail/header_mending.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport::mail_internal {
namespace {

bool IsAscii(char c) { return (static_cast<unsigned char>(c) & 0x80) == 0; }

// Where the text of the encoded word of the encoding Q begins that stands at `at` ("=?"); npos when
// there is none.
size_t QTextAt(absl::string_view value, size_t at) {
  const size_t charset_end = value.find('?', at + 2);
  if (charset_end == absl::string_view::npos || charset_end + 2 >= value.size()) {
    return absl::string_view::npos;
  }
  const bool is_q = absl::ascii_tolower(value[charset_end + 1]) == 'q';
  return is_q && value[charset_end + 2] == '?' ? charset_end + 3 : absl::string_view::npos;
}

// Without what stands in round brackets; of one that is not closed, without all that follows.
std::string WithoutComments(absl::string_view value) {
  std::string text;
  int depth = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      ++i;
    } else if (value[i] == '(') {
      ++depth;
    } else if (value[i] == ')') {
      depth = std::max(depth - 1, 0);
      text.push_back(' ');
    } else if (depth == 0) {
      text.push_back(value[i]);
    }
  }
  return text;
}

bool NamesMonth(absl::string_view word) {
  static constexpr absl::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};
  return std::any_of(std::begin(kMonths), std::end(kMonths), [word](absl::string_view month) {
    return absl::StartsWithIgnoreCase(word, month);
  });
}

}  // namespace

std::string MendEncodedWords(absl::string_view value) {
  std::string mended;
  size_t at = 0;
  while (at < value.size()) {
    const size_t word = value.find("=?", at);
    const size_t text = word == absl::string_view::npos ? word : QTextAt(value, word);
    if (text == absl::string_view::npos) {
      const size_t next = word == absl::string_view::npos ? value.size() : word + 2;
      absl::StrAppend(&mended, value.substr(at, next - at));
      at = next;
      continue;
    }
    absl::StrAppend(&mended, value.substr(at, text - at));
    const size_t end = std::min(value.find('?', text), value.size());
    for (const char c : value.substr(text, end - text)) {
      if (IsAscii(c)) {
        mended.push_back(c);
      } else {
        absl::StrAppend(&mended, "=", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
      }
    }
    at = end;
  }
  return mended;
}

std::string MendAddresses(absl::string_view value) {
  std::string mended(value);
  if (absl::StrContains(value, ':')) return mended;
  bool quoted = false;
  for (size_t i = 0; i < mended.size(); ++i) {
    if (mended[i] == '\\') {
      ++i;
    } else if (mended[i] == '"') {
      quoted = !quoted;
    } else if (mended[i] == ';' && !quoted) {
      mended[i] = ',';
    }
  }
  return mended;
}

std::string MendDate(absl::string_view value) {
  std::string date = WithoutComments(value);
  const std::vector<absl::string_view> words =
      absl::StrSplit(date, absl::ByAnyChar(" \t,-/"), absl::SkipEmpty());
  if (!absl::StrContains(date, ':') || std::none_of(words.begin(), words.end(), NamesMonth)) {
    return "";
  }
  if (words.back().size() == 1 && absl::ascii_isalpha(words.back()[0])) {
    const size_t zone = date.find_last_not_of(" \t");
    date.replace(zone, 1, "+0000");
  }
  return date;
}

}  // namespace rapport::mail_internal
