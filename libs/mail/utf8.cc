#include "libs/mail/utf8.h"

#include <iconv.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/mail/gmime_ptr.h"

namespace rapport::mail_internal {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

// Replaces what is no UTF-8.
std::string Mend(absl::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const absl::string_view good = Utf8Prefix(bytes, bytes.size());
    absl::StrAppend(&text, good);
    bytes.remove_prefix(good.size());
    if (bytes.empty()) break;
    absl::StrAppend(&text, kReplacement);
    bytes.remove_prefix(1);
  }
  return text;
}

// A converter into UTF-8 that is closed with this object.
class Converter {
 public:
  explicit Converter(const std::string& charset) : handle_(iconv_open("UTF-8", charset.c_str())) {}
  ~Converter() {
    if (is_open()) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool is_open() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  std::string Convert(absl::string_view bytes) {
    std::string text;
    char* in = const_cast<char*>(bytes.data());
    size_t left = bytes.size();
    char buffer[4096];
    while (left > 0) {
      char* out = buffer;
      size_t room = sizeof buffer;
      const size_t result = iconv(handle_, &in, &left, &out, &room);
      text.append(buffer, sizeof buffer - room);
      if (result != static_cast<size_t>(-1)) continue;
      if (errno == E2BIG) continue;
      absl::StrAppend(&text, kReplacement);
      if (errno == EINVAL) break;  // the last character is not complete
      ++in;
      --left;
    }
    return text;
  }

 private:
  const iconv_t handle_;
};

}  // namespace

size_t Utf8Length(absl::string_view text) {
  if (text.empty()) return 0;
  const uint8_t first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const uint8_t second = static_cast<uint8_t>(text[1]);
  if (first == 0xE0 && second < 0xA0) return 0;  // overlong
  if (first == 0xED && second > 0x9F) return 0;  // a surrogate
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

bool IsUtf8(absl::string_view text) { return Utf8Prefix(text, text.size()).size() == text.size(); }

absl::string_view Utf8Prefix(absl::string_view text, size_t most) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0 || at + length > most) break;
    at += length;
  }
  return text.substr(0, at);
}

std::string ToUtf8(absl::string_view bytes, absl::string_view charset) {
  std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(charset));
  if (name.empty() || name == "us-ascii" || name == "ascii" || name == "x-unknown") {
    if (IsUtf8(bytes)) return std::string(bytes);
    name = "windows-1252";
  }
  if (name == "utf-8" || name == "utf8") return Mend(bytes);
  // Bytes that ISO 8859-1 leaves to control characters are letters in what people really send.
  if (name == "iso-8859-1" || name == "latin1") name = "windows-1252";
  InitGMime();
  Converter converter(g_mime_charset_iconv_name(name.c_str()));
  if (converter.is_open()) return converter.Convert(bytes);
  if (IsUtf8(bytes)) return std::string(bytes);
  return Converter("windows-1252").Convert(bytes);
}

std::string OneLine(absl::string_view text, size_t most) {
  std::string line;
  if (text.size() > 4 * most) text = text.substr(0, 4 * most);
  line = Mend(text);
  for (char& c : line) {
    if (absl::ascii_iscntrl(c)) c = ' ';
  }
  const absl::string_view stripped = absl::StripAsciiWhitespace(line);
  return std::string(absl::StripTrailingAsciiWhitespace(Utf8Prefix(stripped, most)));
}

}  // namespace rapport::mail_internal
