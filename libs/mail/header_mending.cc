#include "libs/mail/header_mending.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

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

// An encoded word (RFC 2047).
struct EncodedWord {
  absl::string_view charset;
  char encoding = 0;  // 'b' or 'q'
  absl::string_view text;
  size_t end = 0;  // behind it
};

// The encoded word at `at` ("=?"), or nullopt.
std::optional<EncodedWord> WordAt(absl::string_view value, size_t at) {
  const size_t charset_end = value.find('?', at + 2);
  if (charset_end == absl::string_view::npos || charset_end + 2 >= value.size() ||
      value[charset_end + 2] != '?') {
    return std::nullopt;
  }
  const size_t end = value.find("?=", charset_end + 3);
  if (end == absl::string_view::npos) return std::nullopt;
  EncodedWord word{.charset = value.substr(at + 2, charset_end - at - 2),
                   .encoding = absl::ascii_tolower(value[charset_end + 1]),
                   .text = value.substr(charset_end + 3, end - charset_end - 3),
                   .end = end + 2};
  if (word.encoding != 'b' && word.encoding != 'q') return std::nullopt;
  return word;
}

int HexDigit(char c) {
  if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return -1;
  return c <= '9' ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
}

// What the text of a word stands for, in the word's charset; nullopt when it is no base64.
std::optional<std::string> BytesOf(const EncodedWord& word) {
  std::string bytes;
  if (word.encoding == 'b') {
    // Some leave out the padding where they cut.
    std::string padded(word.text);
    while (padded.size() % 4 != 0) padded.push_back('=');
    if (!absl::Base64Unescape(padded, &bytes)) return std::nullopt;
    return bytes;
  }
  for (size_t i = 0; i < word.text.size(); ++i) {
    const char c = word.text[i];
    if (c == '=' && i + 2 < word.text.size() && HexDigit(word.text[i + 1]) >= 0 &&
        HexDigit(word.text[i + 2]) >= 0) {
      bytes.push_back(
          static_cast<char>(HexDigit(word.text[i + 1]) * 16 + HexDigit(word.text[i + 2])));
      i += 2;
    } else {
      bytes.push_back(c == '_' ? ' ' : c);
    }
  }
  return bytes;
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

std::string JoinEncodedWords(absl::string_view value) {
  std::string joined;
  size_t at = 0;
  while (at < value.size()) {
    const size_t begin = std::min(value.find("=?", at), value.size());
    absl::StrAppend(&joined, value.substr(at, begin - at));
    const std::optional<EncodedWord> first =
        begin == value.size() ? std::nullopt : WordAt(value, begin);
    if (!first.has_value()) {
      at = std::min(begin + 2, value.size());
      absl::StrAppend(&joined, value.substr(begin, at - begin));
      continue;
    }
    size_t end = first->end;
    std::optional<std::string> bytes;
    for (;;) {
      const size_t next = value.find_first_not_of(" \t", end);
      if (next == absl::string_view::npos || value.substr(next, 2) != "=?") break;
      const std::optional<EncodedWord> word = WordAt(value, next);
      if (!word.has_value() || !absl::EqualsIgnoreCase(word->charset, first->charset)) break;
      const std::optional<std::string> more = BytesOf(*word);
      if (!bytes.has_value()) bytes = BytesOf(*first);
      if (!more.has_value() || !bytes.has_value()) {
        bytes = std::nullopt;
        break;
      }
      absl::StrAppend(&*bytes, *more);
      end = word->end;
    }
    if (bytes.has_value() && end != first->end) {
      absl::StrAppend(&joined, "=?", first->charset, "?B?", absl::Base64Escape(*bytes), "?=");
      at = end;
    } else {
      absl::StrAppend(&joined, value.substr(begin, first->end - begin));
      at = first->end;
    }
  }
  return joined;
}

}  // namespace rapport::mail_internal
