#include "libs/mail/excerpt.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/mail/forwarded_mail.h"
#include "libs/mail/utf8.h"

namespace rapport::mail_internal {
namespace {

constexpr size_t kMaxAttributionLines = 3;
constexpr size_t kMaxAttributionBytes = 400;
constexpr size_t kMaxFooterBytes = 100;
// Lines behind "From:" in which the rest of a copied header stands.
constexpr size_t kCopiedHeaderLines = 6;

using Lines = std::vector<absl::string_view>;

bool StartsWithAny(absl::string_view text, std::initializer_list<absl::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [text](absl::string_view prefix) {
    return absl::StartsWithIgnoreCase(text, prefix);
  });
}

bool ContainsAny(absl::string_view text, std::initializer_list<absl::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](absl::string_view part) { return absl::StrContains(text, part); });
}

bool IsQuoted(absl::string_view line) { return absl::StartsWith(line, ">"); }

// Which lines begin a signature: "-- " does; "--" does when it stands once, near the end, and not
// between the items of a list.
class Signatures {
 public:
  explicit Signatures(const Lines& lines) : lines_(lines) {
    constexpr size_t kMostLines = 12;
    const auto is_bare = [](absl::string_view line) { return line == "--"; };
    const auto bare = std::find_if(lines.begin(), lines.end(), is_bare);
    if (bare == lines.end() || std::any_of(bare + 1, lines.end(), is_bare)) return;
    size_t behind = 0;
    for (auto line = bare + 1; line != lines.end() && !IsQuoted(*line); ++line) {
      behind += line->empty() ? 0 : 1;
    }
    if (behind <= kMostLines) bare_ = static_cast<size_t>(bare - lines.begin());
  }
  bool Begins(size_t at) const { return lines_[at] == "-- " || at == bare_; }

 private:
  const Lines& lines_;
  size_t bare_ = absl::string_view::npos;
};

bool IsMobileFooter(absl::string_view line) {
  if (line.size() > kMaxFooterBytes) return false;
  if (StartsWithAny(line, {"sent from my ", "sent from mail for windows", "sent from yahoo mail",
                           "sent from outlook", "sent via my ", "get outlook for ",
                           "gesendet von mein", "gesendet mit der ", "envoyé de mon ",
                           "envoyé depuis ", "enviado desde mi ", "inviato da ", "outlook für "})) {
    return true;
  }
  return StartsWithAny(line, {"von meinem "}) && absl::EndsWith(line, "gesendet");
}

// "-----Original Message-----" and the like.
bool IsOriginalMark(absl::string_view line) {
  if (!absl::StartsWith(line, "---")) return false;
  const std::string lower = absl::AsciiStrToLower(line);
  return ContainsAny(lower, {"original message",
                             "originalnachricht",
                             "rsprüngliche nachricht",
                             "message d'origine",
                             "mensaje original",
                             "messaggio originale",
                             "mensagem original",
                             "oorspronkelijk bericht",
                             "wiadomość oryginalna",
                             "oryginalna wiadomość",
                             "původní zpráva",
                             "eredeti üzenet",
                             "ursprungligt meddelande",
                             "oprindelig meddelelse",
                             "opprinnelig melding",
                             "alkuperäinen viesti",
                             "сходное сообщение",
                             "original appointment",
                             "元のメッセージ",
                             "原始邮件",
                             "原始郵件",
                             "orijinal ileti"});
}

// The header of an older mail, as Outlook copies it.
bool IsCopiedHeader(const Lines& lines, size_t at) {
  if (!IsCopiedFrom(lines[at])) return false;
  int fields = 0;
  for (size_t i = at + 1; i < std::min(lines.size(), at + 1 + kCopiedHeaderLines); ++i) {
    fields += IsCopiedField(lines[i]) ? 1 : 0;
  }
  return fields >= 2;
}

bool QuoteFollows(const Lines& lines, size_t at) {
  while (at < lines.size() && lines[at].empty()) ++at;
  return at < lines.size() && IsQuoted(lines[at]);
}

// The verbs with which mail programs of many languages introduce what was written before.
bool SaysWrote(absl::string_view text) {
  return ContainsAny(text,
                     {" wrote",    " schrieb",   " a écrit", " escribió", " ha scritto", " schreef",
                      " escreveu", " skrev",     " napisał", " pisze",    " napsal",     " írta",
                      " yazdı",    " kirjoitti", " a scris", " написал",  " пишет",      " пише",
                      " έγραψε",   "написав",    "のメール", "写道",      "寫道",        "작성"});
}

bool TellsDay(absl::string_view line) {
  return StartsWithAny(line, {"On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den ", "W dniu ",
                              "Dne ", "În ", "Pe ", "Στις "});
}

// The line among the next few that ends with a colon; npos when there is none.
size_t ColonLine(const Lines& lines, size_t at) {
  for (size_t i = at; i < std::min(lines.size(), at + kMaxAttributionLines); ++i) {
    if (lines[i].empty() || lines[i].size() > kMaxAttributionBytes) break;
    if (absl::EndsWith(lines[i], ":") || absl::EndsWith(lines[i], "：")) return i;
  }
  return absl::string_view::npos;
}

// How many lines from `at` on are "On Monday, Jo Doe wrote:"; 0 when they are not.
size_t AttributionLines(const Lines& lines, size_t at) {
  const size_t last = ColonLine(lines, at);
  if (last == absl::string_view::npos) return 0;
  std::string joined;
  for (size_t i = at; i <= last; ++i) absl::StrAppend(&joined, lines[i], " ");
  if (joined.size() > kMaxAttributionBytes) return 0;
  const size_t count = last - at + 1;
  const bool wrote = SaysWrote(joined);
  if (wrote && TellsDay(lines[at])) return count;
  // Others are known by what follows, and that they tell a year and an address or a verb. What
  // stands in the lines above is the writer's own.
  const bool begins_here =
      ContainsAny(lines[at], {"19", "20", "@"}) && (last == at || !TellsDay(lines[at + 1]));
  const bool told =
      begins_here && ContainsAny(joined, {"19", "20"}) && (wrote || absl::StrContains(joined, '@'));
  return told && QuoteFollows(lines, last + 1) ? count : 0;
}

bool IsRule(absl::string_view line) {
  return line.size() >= 10 && line.find_first_not_of('_') == absl::string_view::npos;
}

// What is left of the lines.
Lines Own(const Lines& lines) {
  Lines own;
  const Signatures signatures(lines);
  bool forwarded = false;
  for (size_t at = 0; at < lines.size(); ++at) {
    const absl::string_view line = lines[at];
    if (IsQuoted(line) || IsMobileFooter(line)) continue;
    forwarded = forwarded || IsForwardMark(line);
    if (!forwarded) {
      if (signatures.Begins(at) || IsOriginalMark(line) || IsCopiedHeader(lines, at)) break;
      if (IsRule(line) && at + 1 < lines.size() && IsCopiedHeader(lines, at + 1)) break;
    }
    if (const size_t introduces = AttributionLines(lines, at); introduces > 0) {
      if (!QuoteFollows(lines, at + introduces)) break;
      at += introduces - 1;
      continue;
    }
    own.push_back(line);
  }
  return own;
}

}  // namespace

std::string MakeExcerpt(absl::string_view text, size_t most) {
  Lines lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool signature = absl::StripSuffix(line, "\r") == "-- ";
    line = signature ? line.substr(0, 3) : absl::StripTrailingAsciiWhitespace(line);
    // A quoted line may be set in by blanks.
    const absl::string_view bare = absl::StripLeadingAsciiWhitespace(line);
    lines.push_back(IsQuoted(bare) ? bare : line);
  }
  std::string excerpt;
  bool gap = false;
  for (const absl::string_view line : Own(lines)) {
    if (line.empty()) {
      gap = !excerpt.empty();
      continue;
    }
    if (excerpt.size() > most) break;
    absl::StrAppend(&excerpt, excerpt.empty() ? "" : gap ? "\n\n" : "\n", line);
    gap = false;
  }
  for (char& c : excerpt) {
    if (absl::ascii_iscntrl(c) && c != '\n') c = ' ';
  }
  return std::string(absl::StripAsciiWhitespace(Utf8Prefix(excerpt, most)));
}

}  // namespace rapport::mail_internal
