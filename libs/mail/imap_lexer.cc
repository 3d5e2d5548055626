#include "libs/mail/imap_lexer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"

namespace rapport::mail_internal {
namespace {

constexpr size_t kShownBytes = 60;

absl::Status Broken(absl::string_view what, absl::string_view at) {
  return absl::DataLossError(absl::StrCat("the mail server's answer cannot be read: ", what,
                                          " at \"", at.substr(0, kShownBytes), "\""));
}

bool IsStatus(absl::string_view word) {
  return word == "OK" || word == "NO" || word == "BAD" || word == "BYE" || word == "PREAUTH";
}

absl::string_view TakeWord(absl::string_view* text) {
  const absl::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(std::min(word.size() + 1, text->size()));
  return word;
}

// Whether a response that begins so is text for people, in which braces mean nothing.
bool IsText(absl::string_view line) {
  const absl::string_view tag = TakeWord(&line);
  return tag == "+" || IsStatus(absl::AsciiStrToUpper(TakeWord(&line).substr(0, 8)));
}

// "...{123}" or "...{123+}": the literal that follows the line. nullopt: none does.
std::optional<uint64_t> LiteralSize(absl::string_view line) {
  if (!absl::ConsumeSuffix(&line, "}")) return std::nullopt;
  absl::ConsumeSuffix(&line, "+");
  const size_t open = line.rfind('{');
  uint64_t size = 0;
  if (open == absl::string_view::npos || !absl::SimpleAtoi(line.substr(open + 1), &size)) {
    return std::nullopt;
  }
  return size;
}

// Reads the values of one whole response.
class Values {
 public:
  explicit Values(absl::string_view text) : text_(text) {}

  absl::Status Read(int depth, std::vector<ImapValue>* values) {
    while (true) {
      SkipBlanks();
      if (text_.empty()) return depth == 0 ? absl::OkStatus() : Broken("a list that ends", text_);
      if (text_[0] == ')') {
        if (depth == 0) return Broken("a list that never began", text_);
        text_.remove_prefix(1);
        return absl::OkStatus();
      }
      values->emplace_back();
      RAPPORT_RETURN_IF_ERROR(ReadOne(depth, &values->back()));
    }
  }

 private:
  void SkipBlanks() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\r' || text_[0] == '\n')) {
      text_.remove_prefix(1);
    }
  }

  absl::Status ReadOne(int depth, ImapValue* value) {
    if (text_[0] == '(') {
      if (depth >= ImapLexer::kMaxDepth) return Broken("too many lists in each other", text_);
      text_.remove_prefix(1);
      value->kind = ImapValue::Kind::kList;
      return Read(depth + 1, &value->items);
    }
    if (text_[0] == '"') return ReadQuoted(value);
    if (text_[0] == '{') return ReadLiteral(value);
    ReadAtom(value);
    return absl::OkStatus();
  }

  absl::Status ReadQuoted(ImapValue* value) {
    value->kind = ImapValue::Kind::kString;
    for (size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] == '"') {
        text_.remove_prefix(i + 1);
        return absl::OkStatus();
      }
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      value->text.push_back(text_[i]);
    }
    return Broken("a quoted text without end", text_);
  }

  absl::Status ReadLiteral(ImapValue* value) {
    const size_t end = text_.find('\n');
    if (end == absl::string_view::npos) return Broken("a brace", text_);
    const auto size = LiteralSize(absl::StripTrailingAsciiWhitespace(text_.substr(0, end)));
    if (!size.has_value() || *size > text_.size() - end - 1) return Broken("a brace", text_);
    value->kind = ImapValue::Kind::kString;
    value->text = std::string(text_.substr(end + 1, *size));
    text_.remove_prefix(end + 1 + *size);
    return absl::OkStatus();
  }

  // An atom ends at a blank or a parenthesis, but not inside brackets: BODY[HEADER.FIELDS (DATE)].
  void ReadAtom(ImapValue* value) {
    size_t i = 0;
    bool brackets = false;
    for (; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\r' || c == '\n') break;
      if (!brackets && (c == ' ' || c == '(' || c == ')' || c == '"')) break;
      if (c == '[') brackets = true;
      if (c == ']') brackets = false;
    }
    value->text = std::string(text_.substr(0, std::max<size_t>(i, 1)));
    text_.remove_prefix(value->text.size());
    if (absl::EqualsIgnoreCase(value->text, "NIL")) value->kind = ImapValue::Kind::kNil;
  }

  absl::string_view text_;
};

absl::StatusOr<ImapResponse> Parse(absl::string_view text) {
  ImapResponse response;
  const bool for_people = IsText(text);
  if (for_people) text = absl::StripTrailingAsciiWhitespace(text);
  response.tag = std::string(absl::StripTrailingAsciiWhitespace(TakeWord(&text)));
  if (response.tag.empty()) return Broken("an empty line", text);
  if (!for_people) {
    RAPPORT_RETURN_IF_ERROR(Values(text).Read(0, &response.values));
    return response;
  }
  if (response.tag != "+") response.status = absl::AsciiStrToUpper(TakeWord(&text));
  const size_t close = text.find(']');
  if (absl::StartsWith(text, "[") && close != absl::string_view::npos) {
    response.code = std::string(text.substr(1, close - 1));
    text = absl::StripLeadingAsciiWhitespace(text.substr(close + 1));
  }
  response.text = std::string(text);
  return response;
}

}  // namespace

absl::StatusOr<bool> ImapLexer::FindEnd() {
  while (buffer_.size() >= line_) {
    const size_t end = buffer_.find('\n', std::max(seen_, line_));
    if (end == std::string::npos) {
      seen_ = std::max(buffer_.size(), line_);
      if (buffer_.size() - line_ > kMaxLineBytes) return Broken("a line without end", buffer_);
      return false;
    }
    const absl::string_view line =
        absl::StripSuffix(absl::string_view(buffer_).substr(line_, end - line_), "\r");
    const bool first = line_ == 0;
    const auto literal = first && IsText(line) ? std::nullopt : LiteralSize(line);
    if (!literal.has_value()) {
      end_ = end + 1;
      return true;
    }
    if (*literal > max_literal_bytes_) return Broken("a text beyond the limit", line);
    line_ = end + 1 + *literal;
  }
  return false;
}

absl::StatusOr<std::optional<ImapResponse>> ImapLexer::Next() {
  RAPPORT_ASSIGN_OR_RETURN(const bool whole, FindEnd());
  if (!whole) return std::optional<ImapResponse>();
  absl::StatusOr<ImapResponse> response = Parse(absl::string_view(buffer_).substr(0, end_));
  buffer_.erase(0, end_);
  line_ = seen_ = end_ = 0;
  if (!response.ok()) return response.status();
  return std::optional<ImapResponse>(*std::move(response));
}

std::optional<uint32_t> ImapNumber(absl::string_view text) {
  uint32_t number = 0;
  if (text.empty() || !absl::ascii_isdigit(text[0]) || !absl::SimpleAtoi(text, &number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace rapport::mail_internal
