#include "libs/mail/excerpt.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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

bool IsSignature(absl::string_view line) { return line == "--" || line == "-- "; }

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
  return ContainsAny(lower, {"original message", "originalnachricht", "rsprüngliche nachricht",
                             "message d'origine", "mensaje original", "messaggio originale"});
}

bool IsForwardMark(absl::string_view line) {
  const std::string lower = absl::AsciiStrToLower(line);
  return (absl::StartsWith(lower, "---") &&
          ContainsAny(lower, {"forwarded message", "weitergeleitete nachricht"})) ||
         StartsWithAny(lower, {"begin forwarded message", "anfang der weitergeleiteten"});
}

// Whether `line` begins with one of the names, "*" around them allowed.
bool IsField(absl::string_view line, std::initializer_list<absl::string_view> names) {
  while (!line.empty() && (line[0] == '*' || line[0] == ' ')) line.remove_prefix(1);
  return std::any_of(names.begin(), names.end(), [line](absl::string_view name) {
    if (!absl::StartsWithIgnoreCase(line, name)) return false;
    absl::string_view rest = line.substr(name.size());
    while (!rest.empty() && (rest[0] == '*' || rest[0] == ' ')) rest.remove_prefix(1);
    return absl::StartsWith(rest, ":");
  });
}

// The header of an older mail, as Outlook copies it.
bool IsCopiedHeader(const Lines& lines, size_t at) {
  if (!IsField(lines[at], {"From", "Von", "De", "Da", "Van"})) return false;
  int fields = 0;
  for (size_t i = at + 1; i < std::min(lines.size(), at + 1 + kCopiedHeaderLines); ++i) {
    if (IsField(lines[i],
                {"Sent",   "Date",    "To",     "Cc",      "Subject",   "Gesendet", "Datum",
                 "An",     "Betreff", "Envoyé", "À",       "Objet",     "Enviado",  "Para",
                 "Asunto", "Inviato", "A",      "Oggetto", "Verzonden", "Aan",      "Onderwerp"})) {
      ++fields;
    }
  }
  return fields >= 2;
}

// How many lines from `at` on are "On Monday, Jo Doe wrote:"; 0 when they are not.
size_t AttributionLines(const Lines& lines, size_t at) {
  if (!StartsWithAny(lines[at], {"On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den "})) {
    return 0;
  }
  std::string joined;
  for (size_t i = at; i < std::min(lines.size(), at + kMaxAttributionLines); ++i) {
    if (lines[i].empty()) return 0;
    absl::StrAppend(&joined, lines[i], " ");
    if (joined.size() > kMaxAttributionBytes) return 0;
    if (!absl::EndsWith(lines[i], ":")) continue;
    return ContainsAny(joined, {" wrote", " schrieb", " a écrit", " escribió", " ha scritto",
                                " schreef", " escreveu", " skrev"})
               ? i - at + 1
               : 0;
  }
  return 0;
}

bool QuoteFollows(const Lines& lines, size_t at) {
  while (at < lines.size() && lines[at].empty()) ++at;
  return at < lines.size() && IsQuoted(lines[at]);
}

bool IsRule(absl::string_view line) {
  return line.size() >= 10 && line.find_first_not_of('_') == absl::string_view::npos;
}

// What is left of the lines.
Lines Own(const Lines& lines) {
  Lines own;
  bool forwarded = false;
  for (size_t at = 0; at < lines.size(); ++at) {
    const absl::string_view line = lines[at];
    if (IsQuoted(line) || IsMobileFooter(line)) continue;
    forwarded = forwarded || IsForwardMark(line);
    if (!forwarded) {
      if (IsSignature(line) || IsOriginalMark(line) || IsCopiedHeader(lines, at)) break;
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
