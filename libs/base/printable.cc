#include "libs/base/printable.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace rapport {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The character that `text`, which is not empty, begins with.
Character FirstOf(absl::string_view text) {
  static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {.code = first, .valid = true};
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return {};
  uint32_t code = first & (0xFFU >> (bytes + 1));
  for (const char c : text.substr(1, bytes - 1)) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) return {};
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  if (code < kLeast[bytes] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  return {.code = code, .bytes = bytes, .valid = true};
}

bool MaySteer(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) ||        // C0, DEL, C1
         code == 0x061C || code == 0x200E || code == 0x200F ||  // marks of direction
         (code >= 0x2028 && code <= 0x202E) ||                  // separators, embeddings, overrides
         (code >= 0x2066 && code <= 0x2069);                    // isolates
}

// Calls `instead` with the code of each character that may steer, to append what stands for it; 0
// for a byte that is no UTF-8.
template <class Instead>
std::string Replace(absl::string_view text, bool keep_lines, Instead instead) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const Character next = FirstOf(text);
    const bool line = keep_lines && (text.front() == '\n' || text.front() == '\t');
    if (next.valid && (line || !MaySteer(next.code))) {
      printable.append(text.data(), next.bytes);
    } else {
      instead(next.code, &printable);
    }
    text.remove_prefix(next.bytes);
  }
  return printable;
}

void AppendMark(uint32_t, std::string* printable) { printable->push_back('?'); }

}  // namespace

std::string Printable(absl::string_view text) { return Replace(text, false, AppendMark); }

std::string PrintableLines(absl::string_view text) { return Replace(text, true, AppendMark); }

std::string PrintableJson(absl::string_view json) {
  return Replace(json, true, [](uint32_t code, std::string* printable) {
    absl::StrAppendFormat(printable, "\\u%04x", code == 0 ? 0xFFFD : code);
  });
}

}  // namespace rapport
