#include "libs/identity/e_mail.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport {
namespace {

constexpr size_t kLongestText = 4096;
// RFC 5321, 4.5.3.1.
constexpr size_t kLongestLocal = 64;
constexpr size_t kLongestAddress = 254;

absl::Status NoAddress(absl::string_view text, absl::string_view why) {
  constexpr size_t kShown = 100;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text.substr(0, kShown), "' is no e-mail address: ", why));
}

// Position behind the quoted string that begins at `at`; npos when it has no end.
size_t EndOfQuoted(absl::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return absl::string_view::npos;
}

// Position behind the comment that begins at `at`; npos when it has no end.
size_t EndOfComment(absl::string_view text, size_t at) {
  int depth = 0;
  for (size_t i = at; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')' && --depth == 0) {
      return i + 1;
    }
  }
  return absl::string_view::npos;
}

// Without comments, and with blanks where lines were folded. A quote or a parenthesis that is never
// closed stands for itself.
std::string WithoutComments(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = absl::string_view::npos;
    if (text[i] == '"') {
      end = EndOfQuoted(text, i);
      if (end != absl::string_view::npos) absl::StrAppend(&out, text.substr(i, end - i));
    } else if (text[i] == '(') {
      end = EndOfComment(text, i);
      if (end != absl::string_view::npos) out += ' ';
    }
    if (end == absl::string_view::npos) {
      out += text[i];
      end = i + 1;
    }
    i = end;
  }
  return out;
}

// The first place at or behind `from` of one of `wanted` outside quotes.
size_t FindUnquoted(absl::string_view text, absl::string_view wanted, size_t from = 0) {
  for (size_t i = from; i < text.size();) {
    if (absl::StrContains(wanted, text[i])) return i;
    const size_t end = text[i] == '"' ? EndOfQuoted(text, i) : absl::string_view::npos;
    i = end == absl::string_view::npos ? i + 1 : end;
  }
  return absl::string_view::npos;
}

// Without blanks outside quotes: "smith @ home . example" is an address of old.
std::string WithoutBlanks(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t end = text[i] == '"' ? EndOfQuoted(text, i) : absl::string_view::npos;
    if (end != absl::string_view::npos) {
      absl::StrAppend(&out, text.substr(i, end - i));
      i = end;
      continue;
    }
    if (!absl::ascii_isspace(static_cast<unsigned char>(text[i]))) out += text[i];
    ++i;
  }
  return out;
}

// What stands for the address: between "<" and ">", or all. nullopt: there are several.
std::optional<std::string> AddressPart(absl::string_view text) {
  const size_t open = FindUnquoted(text, "<");
  if (open != absl::string_view::npos) {
    const size_t close = FindUnquoted(text, ">", open);
    const bool closed = close != absl::string_view::npos;
    if (closed && FindUnquoted(text, "<,", close) != absl::string_view::npos) return std::nullopt;
    text = text.substr(open + 1, closed ? close - open - 1 : absl::string_view::npos);
    // <@relay.example,@other.example:anna@example.com>
    if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "@")) {
      const size_t colon = FindUnquoted(text, ":");
      if (colon != absl::string_view::npos) text.remove_prefix(colon + 1);
    }
    return WithoutBlanks(text);
  }
  if (FindUnquoted(text, ",;") != absl::string_view::npos) return std::nullopt;
  return WithoutBlanks(text);
}

bool IsAtomByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || absl::ascii_isalnum(byte) || absl::StrContains("!#$%&'*+-/=?^_`{|}~.", c);
}

// The local part without quotes and backslashes; nullopt when it is none.
std::optional<std::string> Unquoted(absl::string_view local) {
  std::string out;
  for (size_t i = 0; i < local.size();) {
    if (local[i] != '"') {
      if (!IsAtomByte(local[i])) return std::nullopt;
      out += local[i++];
      continue;
    }
    const size_t end = EndOfQuoted(local, i);
    if (end == absl::string_view::npos) return std::nullopt;
    for (++i; i + 1 < end; ++i) {
      if (local[i] == '\\') ++i;
      if (static_cast<unsigned char>(local[i]) < ' ' || local[i] == '\x7f') return std::nullopt;
      out += local[i];
    }
    i = end;
  }
  return out;
}

bool NeedsQuotes(absl::string_view local) {
  return !std::all_of(local.begin(), local.end(), IsAtomByte) || absl::StartsWith(local, ".") ||
         absl::EndsWith(local, ".") || absl::StrContains(local, "..");
}

std::string Quoted(absl::string_view local) {
  std::string out = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

bool IsDomain(absl::string_view domain) {
  if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') {
    return std::all_of(domain.begin() + 1, domain.end() - 1, [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == ':' || c == '-';
    });
  }
  constexpr size_t kLongestLabel = 63;
  for (const absl::string_view label : absl::StrSplit(domain, '.')) {
    if (label.empty() || label.size() > kLongestLabel) return false;
    const bool good = std::all_of(label.begin(), label.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x80 || absl::ascii_isalnum(byte) || c == '-' || c == '_';
    });
    if (!good || label.front() == '-' || label.back() == '-') return false;
  }
  return true;
}

// Two bytes of UTF-8 (U+0080 to U+07FF), lowered where that is a matter of arithmetic.
uint32_t LoweredLetter(uint32_t letter) {
  const auto within = [letter](uint32_t first, uint32_t last) {
    return letter >= first && letter <= last;
  };
  if (within(0xC0, 0xDE) && letter != 0xD7) return letter + 0x20;
  const bool even_is_upper = within(0x100, 0x12F) || within(0x132, 0x137) || within(0x14A, 0x177) ||
                             within(0x460, 0x481) || within(0x48A, 0x4BF) || within(0x4D0, 0x52F);
  if (even_is_upper) return letter | 1;
  const bool odd_is_upper = within(0x139, 0x148) || within(0x179, 0x17E);
  if (odd_is_upper) return letter + letter % 2;
  if (letter == 0x178) return 0xFF;
  if (within(0x391, 0x3AB) && letter != 0x3A2) return letter + 0x20;
  if (within(0x410, 0x42F)) return letter + 0x20;
  if (within(0x400, 0x40F)) return letter + 0x50;
  return letter;
}

std::string Lowered(absl::string_view text) {
  std::string out = absl::AsciiStrToLower(text);
  for (size_t i = 0; i + 1 < out.size(); ++i) {
    const auto first = static_cast<unsigned char>(out[i]);
    const auto second = static_cast<unsigned char>(out[i + 1]);
    if (first < 0xC2 || first > 0xDF || second < 0x80 || second > 0xBF) continue;
    const uint32_t letter =
        LoweredLetter((static_cast<uint32_t>(first & 0x1F) << 6) | (second & 0x3F));
    out[i] = static_cast<char>(0xC0 | (letter >> 6));
    out[i + 1] = static_cast<char>(0x80 | (letter & 0x3F));
    ++i;
  }
  return out;
}

void ApplyRules(absl::string_view domain, const EMailRules& rules, std::string* local) {
  const std::string key(domain);
  if (rules.plus_tag_domains.contains(key)) {
    const size_t plus = local->find('+');
    if (plus != std::string::npos && plus > 0) local->resize(plus);
  }
  if (rules.dotless_domains.contains(key)) {
    std::string dotless = *local;
    dotless.erase(std::remove(dotless.begin(), dotless.end(), '.'), dotless.end());
    if (!dotless.empty()) *local = std::move(dotless);
  }
}

}  // namespace

absl::StatusOr<std::string> NormalizeEmail(absl::string_view text, const EMailRules& rules) {
  if (text.size() > kLongestText) return NoAddress(text, "it is too long");
  const std::optional<std::string> part = AddressPart(WithoutComments(text));
  if (!part) return NoAddress(text, "there are several");
  absl::string_view address = *part;
  if (absl::StartsWithIgnoreCase(address, "mailto:")) {
    address.remove_prefix(absl::string_view("mailto:").size());
    address = address.substr(0, address.find('?'));
  }
  const size_t at = FindUnquoted(address, "@");
  if (at == absl::string_view::npos) return NoAddress(text, "it has no @");
  const std::optional<std::string> unquoted = Unquoted(address.substr(0, at));
  if (!unquoted || unquoted->empty()) return NoAddress(text, "what stands before the @ is no name");
  const std::string domain = NormalizeDomain(address.substr(at + 1));
  if (!IsDomain(domain)) return NoAddress(text, "what stands behind the @ is no domain");
  std::string local = Lowered(*unquoted);
  ApplyRules(domain, rules, &local);
  if (local.size() > kLongestLocal) return NoAddress(text, "what stands before the @ is too long");
  std::string normal = absl::StrCat(NeedsQuotes(local) ? Quoted(local) : local, "@", domain);
  if (normal.size() > kLongestAddress) return NoAddress(text, "it is too long");
  return normal;
}

absl::string_view DomainOf(absl::string_view e_mail) {
  return e_mail.substr(e_mail.rfind('@') + 1);
}

std::string NormalizeDomain(absl::string_view domain) {
  domain = absl::StripAsciiWhitespace(domain);
  if (absl::EndsWith(domain, ".")) domain.remove_suffix(1);
  return Lowered(domain);
}

}  // namespace rapport
