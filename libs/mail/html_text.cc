#include "libs/mail/html_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/mail/utf8.h"

namespace rapport::mail_internal {
namespace {

constexpr size_t kMaxTagName = 16;
constexpr size_t kMaxEntity = 12;
constexpr size_t kMaxQuoteDepth = 5;

const absl::flat_hash_map<absl::string_view, absl::string_view>& Entities() {
  static const auto* const entities = new absl::flat_hash_map<absl::string_view, absl::string_view>{
      {"amp", "&"},    {"lt", "<"},     {"gt", ">"},     {"quot", "\""},  {"apos", "'"},
      {"nbsp", " "},   {"auml", "ä"},   {"ouml", "ö"},   {"uuml", "ü"},   {"Auml", "Ä"},
      {"Ouml", "Ö"},   {"Uuml", "Ü"},   {"szlig", "ß"},  {"eacute", "é"}, {"egrave", "è"},
      {"ecirc", "ê"},  {"agrave", "à"}, {"aacute", "á"}, {"ccedil", "ç"}, {"ntilde", "ñ"},
      {"oacute", "ó"}, {"iacute", "í"}, {"uacute", "ú"}, {"euro", "€"},   {"pound", "£"},
      {"ndash", "–"},  {"mdash", "—"},  {"hellip", "…"}, {"laquo", "«"},  {"raquo", "»"},
      {"lsquo", "‘"},  {"rsquo", "’"},  {"ldquo", "“"},  {"rdquo", "”"},  {"bull", "•"},
      {"middot", "·"}, {"copy", "©"},   {"reg", "®"},    {"trade", "™"},  {"deg", "°"},
      {"sect", "§"},   {"zwnj", ""},    {"shy", ""},     {"times", "×"},  {"oslash", "ø"},
      {"aring", "å"},  {"aelig", "æ"},
  };
  return *entities;
}

// Elements that begin and end a line.
bool BreaksLine(absl::string_view tag) {
  static const auto* const tags = new absl::flat_hash_set<absl::string_view>{
      "address", "article", "blockquote", "br",  "div",     "dd",    "dt",    "footer", "form",
      "h1",      "h2",      "h3",         "h4",  "h5",      "h6",    "head",  "header", "hr",
      "li",      "ol",      "p",          "pre", "section", "table", "title", "tr",     "ul"};
  return tags->contains(tag);
}

// Elements whose content nobody sees.
bool IsHidden(absl::string_view tag) {
  return tag == "head" || tag == "script" || tag == "style" || tag == "title";
}

void AppendUtf8(uint32_t code, std::string* out) {
  if (code == 0xA0) code = ' ';
  if (code < 0x20 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return;
  const auto put = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xE0 | (code >> 12));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
    }
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

class Reader {
 public:
  Reader(absl::string_view html, size_t most) : in_(html), most_(most) {}

  std::string Read() {
    while (!in_.empty() && out_.size() < most_) {
      const size_t plain = in_.find_first_of("<&");
      Text(in_.substr(0, plain));
      in_.remove_prefix(std::min(plain, in_.size()));
      if (in_.empty()) break;
      if (in_[0] == '&') {
        Entity();
      } else {
        Tag();
      }
    }
    return std::move(out_);
  }

 private:
  void Text(absl::string_view text) {
    for (const char c : text) {
      if (absl::ascii_isspace(c)) {
        blank_ = true;
        continue;
      }
      Begin();
      out_.push_back(c);
    }
  }

  // Whatever stands between the last character and the next one.
  void Begin() {
    if (out_.empty() || out_.back() == '\n') {
      for (size_t i = 0; i < std::min(quotes_, kMaxQuoteDepth); ++i) out_ += "> ";
    } else if (blank_) {
      out_.push_back(' ');
    }
    blank_ = false;
  }

  void Break() {
    if (!out_.empty() && out_.back() != '\n') out_.push_back('\n');
    blank_ = false;
  }

  void Entity() {
    const size_t end = in_.substr(0, kMaxEntity).find(';');
    if (end == absl::string_view::npos) {
      Text(in_.substr(0, 1));
      in_.remove_prefix(1);
      return;
    }
    const absl::string_view name = in_.substr(1, end - 1);
    std::string text;
    uint32_t code = 0;
    const bool hex = absl::StartsWithIgnoreCase(name, "#x");
    if (hex ? absl::SimpleHexAtoi(name.substr(2), &code)
            : absl::StartsWith(name, "#") && absl::SimpleAtoi(name.substr(1), &code)) {
      AppendUtf8(code, &text);
    } else if (const auto found = Entities().find(name); found != Entities().end()) {
      text = std::string(found->second);
    } else {
      text = std::string(in_.substr(0, end + 1));
    }
    Text(text);
    in_.remove_prefix(end + 1);
  }

  void Tag() {
    if (absl::StartsWith(in_, "<!--")) return SkipPast("-->");
    const bool ends = in_.size() > 1 && in_[1] == '/';
    const absl::string_view rest = in_.substr(ends ? 2 : 1);
    size_t length = 0;
    while (length < rest.size() && length < kMaxTagName && absl::ascii_isalnum(rest[length])) {
      ++length;
    }
    if (length == 0 && !absl::StartsWith(rest, "!") && !absl::StartsWith(rest, "?")) {
      Text("<");
      in_.remove_prefix(1);
      return;
    }
    const std::string tag = absl::AsciiStrToLower(rest.substr(0, length));
    SkipPast(">");
    if (!ends && IsHidden(tag)) return SkipElement(tag);
    if (BreaksLine(tag)) Break();
    // An empty line between paragraphs is an empty line to the reader, too.
    if (tag == "p" && !out_.empty() && !absl::EndsWith(out_, "\n\n")) out_.push_back('\n');
    if (tag == "td" || tag == "th") blank_ = true;
    if (tag != "blockquote") return;
    if (!ends) {
      ++quotes_;
    } else if (quotes_ > 0) {
      --quotes_;
    }
  }

  void SkipPast(absl::string_view mark) {
    const size_t end = in_.find(mark);
    in_.remove_prefix(end == absl::string_view::npos ? in_.size() : end + mark.size());
  }

  // Goes on behind the end tag; behind the start tag when there is none.
  void SkipElement(absl::string_view tag) {
    if (tag == "head" && !head_ends_) return;
    const std::string mark = absl::StrCat("</", tag);
    for (size_t at = in_.find('<'); at != absl::string_view::npos; at = in_.find('<', at + 1)) {
      if (!absl::StartsWithIgnoreCase(in_.substr(at), mark)) continue;
      in_.remove_prefix(at);
      return SkipPast(">");
    }
    if (tag == "head") {
      head_ends_ = false;
    } else {
      in_.remove_prefix(in_.size());
    }
  }

  absl::string_view in_;
  const size_t most_;
  std::string out_;
  bool blank_ = false;
  size_t quotes_ = 0;
  bool head_ends_ = true;
};

}  // namespace

std::string HtmlToText(absl::string_view html, size_t most) { return Reader(html, most).Read(); }

}  // namespace rapport::mail_internal
