#include "libs/import/plain_number.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace rapport {
namespace {

struct CurrencySign {
  absl::string_view sign;
  absl::string_view codes;  // of the currencies that have it
};

// In small letters. A sign that several currencies share stands for the one that the mapping names.
constexpr CurrencySign kSigns[] = {
    {"€", "EUR"},
    {"£", "GBP EGP GIP LBP SYP"},
    {"$", "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BBD BSD BZD FJD JMD NAD TTD XCD"},
    {"us$", "USD"},
    {"a$", "AUD"},
    {"c$", "CAD"},
    {"ca$", "CAD"},
    {"nz$", "NZD"},
    {"s$", "SGD"},
    {"hk$", "HKD"},
    {"r$", "BRL"},
    {"¥", "JPY CNY"},
    {"円", "JPY"},
    {"元", "CNY"},
    {"fr.", "CHF"},
    {"sfr.", "CHF"},
    {"kr", "SEK NOK DKK ISK"},
    {"kr.", "DKK NOK SEK ISK"},
    {"zł", "PLN"},
    {"kč", "CZK"},
    {"ft", "HUF"},
    {"lei", "RON"},
    {"лв", "BGN"},
    {"лв.", "BGN"},
    {"₽", "RUB"},
    {"руб", "RUB"},
    {"руб.", "RUB"},
    {"₴", "UAH"},
    {"грн", "UAH"},
    {"грн.", "UAH"},
    {"₺", "TRY"},
    {"tl", "TRY"},
    {"₹", "INR"},
    {"rs.", "INR PKR LKR NPR MUR"},
    {"₩", "KRW"},
    {"₪", "ILS"},
    {"₫", "VND"},
    {"฿", "THB"},
    {"₦", "NGN"},
    {"₱", "PHP"},
    {"₸", "KZT"},
    {"r", "ZAR"},
};

bool IsOfCurrency(absl::string_view ornament, absl::string_view currency) {
  if (absl::EqualsIgnoreCase(ornament, currency)) return true;
  const std::string small = absl::AsciiStrToLower(ornament);
  return std::any_of(std::begin(kSigns), std::end(kSigns), [&](const CurrencySign& sign) {
    return sign.sign == small && absl::StrContains(sign.codes, currency);
  });
}

// Letters and signs, as they may name a currency.
bool IsOrnament(char c) {
  return absl::ascii_isalpha(c) || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// Takes what may name a currency off the front: up to a digit, a blank, a sign or a bracket.
absl::string_view TakeOrnamentBefore(absl::string_view* text) {
  size_t size = 0;
  while (size < text->size() && (IsOrnament((*text)[size]) || (size > 0 && (*text)[size] == '.'))) {
    ++size;
  }
  const absl::string_view ornament = text->substr(0, size);
  text->remove_prefix(size);
  return ornament;
}

absl::string_view TakeOrnamentBehind(absl::string_view* text) {
  size_t begin = text->size();
  while (begin > 0 &&
         (IsOrnament((*text)[begin - 1]) || (begin == text->size() && (*text)[begin - 1] == '.'))) {
    --begin;
  }
  const absl::string_view ornament = text->substr(begin);
  if (ornament == ".") return "";  // the mark of "3."
  text->remove_suffix(text->size() - begin);
  return ornament;
}

// Whether digits are grouped as thousands are: three before the decimals, two or three (as in
// India) further up, one to three at the beginning.
bool AreThousands(absl::string_view whole, char mark) {
  size_t in_group = 0;
  bool last = true;
  for (size_t i = whole.size(); i > 0; --i) {
    if (whole[i - 1] != mark) {
      ++in_group;
      continue;
    }
    if (last ? in_group != 3 : in_group < 2 || in_group > 3) return false;
    last = false;
    in_group = 0;
  }
  return in_group >= 1 && in_group <= 3;
}

}  // namespace

std::string WithAsciiMarks(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\u00A0", " "},
                                    {"\u2007", " "},
                                    {"\u2009", " "},
                                    {"\u202F", " "},
                                    {"\t", " "},
                                    {"\u2212", "-"},
                                    {"\u2019", "'"}});
}

absl::StatusOr<std::string> PlainNumber(absl::string_view text, Decimal::Marks marks) {
  const auto bad = [text](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' ", why));
  };
  const std::string ascii = WithAsciiMarks(text);
  absl::string_view rest = absl::StripAsciiWhitespace(ascii);
  bool has_sign = false;
  bool negative = false;
  absl::string_view ornament;
  const auto take_sign = [&](bool is_negative) {
    const bool first = !std::exchange(has_sign, true);
    negative = is_negative;
    return first;
  };
  for (size_t before = rest.size() + 1; rest.size() < before;) {
    before = rest.size();
    if (absl::ConsumePrefix(&rest, "-") || absl::ConsumeSuffix(&rest, "-")) {
      if (!take_sign(true)) return bad("is no decimal number");
    } else if (absl::ConsumePrefix(&rest, "+")) {
      if (!take_sign(false)) return bad("is no decimal number");
    } else if (absl::StartsWith(rest, "(") && absl::EndsWith(rest, ")")) {
      rest = rest.substr(1, rest.size() - 2);
      if (!take_sign(true)) return bad("is no decimal number");
    }
    for (const auto take : {TakeOrnamentBefore, TakeOrnamentBehind}) {
      const absl::string_view taken = take(&rest);
      if (taken.empty()) continue;
      if (marks.currency.empty() || !ornament.empty()) return bad("is no decimal number");
      ornament = taken;
    }
    rest = absl::StripAsciiWhitespace(rest);
  }
  const size_t mark = rest.find(marks.decimal);
  std::string whole(rest.substr(0, mark));
  const absl::string_view decimals =
      mark == absl::string_view::npos ? absl::string_view() : rest.substr(mark);
  const auto is_mark = [&](char c) {
    return c == ' ' || c == '\'' || (c == marks.thousands && c != '\0');
  };
  if (const auto first = std::find_if(whole.begin(), whole.end(), is_mark); first != whole.end()) {
    const char thousands = *first;
    if (!AreThousands(whole, thousands)) {
      return bad("is no decimal number: its thousands are not in groups of three digits");
    }
    whole.erase(std::remove(whole.begin(), whole.end(), thousands), whole.end());
  }
  const auto all_digits = [](absl::string_view digits) {
    return std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
  };
  if ((whole.empty() && decimals.size() < 2) || !all_digits(whole) ||
      (!decimals.empty() && !all_digits(decimals.substr(1)))) {
    return bad("is no decimal number");
  }
  if (!ornament.empty() && !IsOfCurrency(ornament, marks.currency)) {
    return bad(absl::StrCat("is no amount in ", marks.currency));
  }
  return absl::StrCat(negative ? "-" : "", whole, decimals);
}

}  // namespace rapport
