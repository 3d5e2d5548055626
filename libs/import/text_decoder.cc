#include "libs/import/text_decoder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

constexpr char kNoText = '\xFF';

size_t UnitOf(absl::string_view encoding) {
  for (const absl::string_view two : {"UTF-16", "UTF16", "UCS-2", "UCS2"}) {
    if (absl::StartsWithIgnoreCase(encoding, two)) return 2;
  }
  for (const absl::string_view four : {"UTF-32", "UTF32", "UCS-4", "UCS4"}) {
    if (absl::StartsWithIgnoreCase(encoding, four)) return 4;
  }
  return 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TextDecoder>> TextDecoder::Create(const std::string& encoding) {
  const iconv_t handle = iconv_open("UTF-8", encoding.c_str());
  if (handle == reinterpret_cast<iconv_t>(-1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoding '", encoding, "' is not known, as windows-1252 and UTF-16LE are"));
  }
  return std::unique_ptr<TextDecoder>(new TextDecoder(handle, UnitOf(encoding)));
}

TextDecoder::~TextDecoder() { iconv_close(handle_); }

std::string TextDecoder::Decode(absl::string_view bytes) {
  std::string input = std::exchange(rest_, {});
  input.append(bytes.data(), bytes.size());
  std::string decoded;
  char* from = input.data();
  size_t left = input.size();
  std::array<char, 1 << 14> piece;
  while (left > 0) {
    char* to = piece.data();
    size_t room = piece.size();
    const size_t result = iconv(handle_, &from, &left, &to, &room);
    const int error = result == static_cast<size_t>(-1) ? errno : 0;
    decoded.append(piece.data(), static_cast<size_t>(to - piece.data()));
    if (error == EINVAL) {  // the end of the piece cuts a character
      rest_.assign(from, left);
      break;
    }
    if (error == EILSEQ) {
      decoded += kNoText;
      const size_t passed = std::min(unit_, left);
      from += passed;
      left -= passed;
    }
  }
  return decoded;
}

std::string TextDecoder::Finish() {
  return std::exchange(rest_, {}).empty() ? std::string() : std::string(1, kNoText);
}

absl::string_view WideEncodingOf(absl::string_view beginning) {
  if (absl::StartsWith(beginning, absl::string_view("\xFF\xFE\0\0", 4))) return "UTF-32LE";
  if (absl::StartsWith(beginning, absl::string_view("\0\0\xFE\xFF", 4))) return "UTF-32BE";
  if (absl::StartsWith(beginning, "\xFF\xFE")) return "UTF-16LE";
  if (absl::StartsWith(beginning, "\xFE\xFF")) return "UTF-16BE";
  if (beginning.size() < 4) return "";
  const auto zero = [beginning](size_t i) { return beginning[i] == '\0'; };
  if (!zero(0) && zero(1) && !zero(2) && zero(3)) return "UTF-16LE";
  if (zero(0) && !zero(1) && zero(2) && !zero(3)) return "UTF-16BE";
  return "";
}

}  // namespace rapport
