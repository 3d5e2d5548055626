#include "libs/identity/phone.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "phonenumbers/phonenumberutil.h"

namespace rapport {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// libphonenumber reads no longer ones.
constexpr size_t kLongestText = 250;

// What telephone systems write for a caller who shows no number. The numbers are the words
// "anonymous", "restricted", "blocked", "unknown" and "unavailable" on a telephone's keys, as
// carriers and Twilio send them.
constexpr std::array<absl::string_view, 22> kWithheld = {"",
                                                         "anonymous",
                                                         "restricted",
                                                         "unknown",
                                                         "private",
                                                         "private number",
                                                         "unavailable",
                                                         "blocked",
                                                         "withheld",
                                                         "anonym",
                                                         "unbekannt",
                                                         "asterisk",
                                                         "not available",
                                                         "no number",
                                                         "nobody",
                                                         "<unknown>",
                                                         "none",
                                                         "+266696687",
                                                         "+7378742833",
                                                         "+2562533",
                                                         "+8656696",
                                                         "+86282452253"};

bool IsWithheld(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  return std::find(kWithheld.begin(), kWithheld.end(), lower) != kWithheld.end();
}

bool ConsumePrefixIgnoreCase(absl::string_view* text, absl::string_view prefix) {
  if (!absl::StartsWithIgnoreCase(*text, prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

void StripQuotes(absl::string_view* text) {
  *text = absl::StripAsciiWhitespace(*text);
  while (!text->empty() && (text->front() == '"' || text->front() == '\'')) text->remove_prefix(1);
  while (!text->empty() && (text->back() == '"' || text->back() == '\'')) text->remove_suffix(1);
  *text = absl::StripAsciiWhitespace(*text);
}

// What stands for the number in a caller id: between the last "<" and ">", or before them when
// there is nothing between.
absl::string_view OfCallerId(absl::string_view text) {
  const size_t open = text.rfind('<');
  if (open != absl::string_view::npos && !IsWithheld(text)) {
    const absl::string_view name = text.substr(0, open);
    absl::string_view number = text.substr(open + 1);
    number = number.substr(0, number.find('>'));
    StripQuotes(&number);
    text = number.empty() ? name : number;
  }
  StripQuotes(&text);
  return text;
}

std::string PercentDecoded(absl::string_view text) {
  const auto digit = [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0'
                                                              : absl::ascii_tolower(c) - 'a' + 10;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && absl::ascii_isxdigit(text[i + 1]) &&
        absl::ascii_isxdigit(text[i + 2])) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The user part of a SIP address; "tel:" is taken off; others as they are.
std::string OfUri(absl::string_view text) {
  const bool sip =
      ConsumePrefixIgnoreCase(&text, "sips:") || ConsumePrefixIgnoreCase(&text, "sip:");
  if (!sip) ConsumePrefixIgnoreCase(&text, "tel:");
  const size_t at = text.find('@');
  if (at == absl::string_view::npos && !sip) return std::string(text);
  text = text.substr(0, at);
  text = text.substr(0, text.find(';'));
  // user:password
  text = text.substr(0, text.find(':'));
  return PercentDecoded(text);
}

absl::Status Withheld() { return absl::NotFoundError("the number is withheld"); }

absl::Status NoPhoneNumber(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", text.substr(0, kLongestText), "' is no phone number: ", why));
}

absl::string_view Why(PhoneNumberUtil::ErrorType error) {
  switch (error) {
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
      return "its country code does not exist, or it has none and the default region is unknown";
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
      return "it is too short";
    case PhoneNumberUtil::TOO_LONG_NSN:
      return "it is too long";
    case PhoneNumberUtil::NOT_A_NUMBER:
    case PhoneNumberUtil::NO_PARSING_ERROR:
      break;
  }
  return "write it like +4930123456 or 030 123456";
}

// Whether a letter begins with this byte: of ASCII, or of UTF-8 but for the blocks in which its
// blanks, dashes and wide digits stand.
bool IsLetter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalpha(byte) || (byte >= 0xC3 && byte != 0xE2 && byte < 0xEF);
}
// Behind the word that begins at `begin`.
size_t WordEnd(absl::string_view text, size_t begin) {
  size_t end = begin;
  while (end < text.size() &&
         (IsLetter(text[end]) ||
          (end > begin && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80))) {
    ++end;
  }
  return end;
}
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

int64_t DigitsIn(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), IsDigit);
}

// "SALES:+493012345678": what a queue puts before the caller's number.
absl::string_view WithoutLabel(absl::string_view number) {
  constexpr int64_t kFewest = 7;
  const size_t colon = number.rfind(':');
  if (colon == absl::string_view::npos || !IsLetter(number.front())) return number;
  const absl::string_view rest = absl::StripAsciiWhitespace(number.substr(colon + 1));
  const bool is_number = !rest.empty() && (IsDigit(rest[0]) || rest[0] == '+' || rest[0] == '(') &&
                         DigitsIn(rest) >= kFewest;
  return is_number ? rest : number;
}

// Of two numbers in one field, "030 1234567 / 0171 1234567", the first; "030/1234567" is one.
absl::string_view FirstOfTwo(absl::string_view number) {
  constexpr int64_t kFewest = 6;
  for (size_t at = number.find_first_of("/;|"); at != absl::string_view::npos;
       at = number.find_first_of("/;|", at + 1)) {
    const absl::string_view second = absl::StripLeadingAsciiWhitespace(number.substr(at + 1));
    const bool begins = !second.empty() && (second[0] == '0' || second[0] == '+');
    if (DigitsIn(number.substr(0, at)) >= kFewest &&
        (number[at] != '/' || (begins && DigitsIn(second) >= kFewest))) {
      return absl::StripTrailingAsciiWhitespace(number.substr(0, at));
    }
  }
  return number;
}

// Without a note in brackets that has letters ("(mobil)"), and without an extension, by the words
// that people of several countries have for it.
std::string WithoutNotes(absl::string_view number) {
  std::string out;
  for (size_t i = 0; i < number.size(); ++i) {
    if (number[i] == '(') {
      const size_t close = std::min(number.find(')', i), number.size() - 1);
      const absl::string_view inside = number.substr(i, close - i);
      if (std::any_of(inside.begin(), inside.end(), IsLetter)) {
        i = close;
        continue;
      }
    }
    out.push_back(number[i]);
  }
  const std::string lower = absl::AsciiStrToLower(out);
  for (size_t i = 1; i < out.size(); ++i) {
    if (!IsLetter(out[i]) || IsLetter(out[i - 1]) || DigitsIn(out.substr(0, i)) == 0) continue;
    const size_t end = WordEnd(out, i);
    const absl::string_view word = absl::string_view(lower).substr(i, end - i);
    static constexpr absl::string_view kExtension[] = {
        "x",   "ext",    "extn",  "extension",  "durchwahl",  "dw",         "nst", "nebenstelle",
        "app", "klappe", "poste", "anexo",      "ramal",      "interno",    "int", "toestel",
        "tst", "wew",    "доб",   "wewnętrzny", "anknytning", "lokalnummer"};
    const bool is_extension =
        std::find(std::begin(kExtension), std::end(kExtension), word) != std::end(kExtension);
    if (is_extension && DigitsIn(absl::string_view(out).substr(end)) > 0) {
      out.resize(i);
      break;
    }
  }
  // "+86282452253r"
  if (out.size() > 1 && IsLetter(out.back()) && IsDigit(out[out.size() - 2])) out.pop_back();
  while (!out.empty() && absl::StrContains(" \t,;.-/#", out.back())) out.pop_back();
  return out;
}

// Whether letters in a number stand for digits on a telephone's keys, "1-800-FLOWERS", and are no
// words behind it, nor what a table program makes of a long number, "4,93012E+11".
bool LettersAreKeys(absl::string_view number) {
  constexpr size_t kShortestWord = 3;
  for (size_t i = 0; i < number.size();) {
    if (!IsLetter(number[i])) {
      ++i;
      continue;
    }
    const size_t begin = i;
    i = WordEnd(number, begin);
    const bool apart = begin > 0 && (number[begin - 1] == ' ' || number[begin - 1] == '\t');
    const bool ascii = std::all_of(
        number.begin() + static_cast<int64_t>(begin), number.begin() + static_cast<int64_t>(i),
        [](char c) { return (static_cast<unsigned char>(c) & 0x80) == 0; });
    if (apart || !ascii || i - begin < kShortestWord) return false;
  }
  return true;
}

// A number that lacks the plus, or the zeros, before its country code: as it stands it is no number
// of the region, and with them it is one of the country that it names.
void AddCountryCode(const std::string& number, const PhoneRules& rules, PhoneNumber* parsed) {
  if (number.front() == '+' || number.front() == '0') return;
  const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  if (util.IsValidNumber(*parsed)) return;
  PhoneNumber international;
  if (util.Parse(absl::StrCat("+", number), rules.default_region, &international) ==
          PhoneNumberUtil::NO_PARSING_ERROR &&
      util.IsValidNumber(international)) {
    *parsed = international;
  }
}

absl::StatusOr<std::string> Normalize(absl::string_view text, const PhoneRules& rules) {
  const absl::string_view written = OfCallerId(absl::StripAsciiWhitespace(text));
  if (written.size() > kLongestText) return NoPhoneNumber(text, "it is too long");
  std::string number = OfUri(written);
  if (IsWithheld(written) || IsWithheld(number)) return Withheld();
  number = std::string(WithoutLabel(number));
  // A channel or a name that has digits in it ("SIP/201-00000a12") would be read as their number.
  if (absl::ascii_isalpha(static_cast<unsigned char>(number.front()))) {
    return NoPhoneNumber(text, Why(PhoneNumberUtil::NOT_A_NUMBER));
  }
  if (std::any_of(number.begin(), number.end(), IsLetter) || absl::StrContains(number, '|') ||
      absl::StrContains(number, '/') || absl::StrContains(number, ';')) {
    number = WithoutNotes(FirstOfTwo(number));
    if (number.empty() || !LettersAreKeys(number)) {
      return NoPhoneNumber(text, "there are words in it");
    }
  }
  const auto digits = std::count_if(number.begin(), number.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c));
  });
  if (digits == 0) return NoPhoneNumber(text, Why(PhoneNumberUtil::NOT_A_NUMBER));
  if (number.front() != '+' && digits <= rules.extension_digits) {
    return absl::OutOfRangeError(absl::StrCat(
        "'", number, "' is an extension: it has no more than ", rules.extension_digits, " digits"));
  }
  const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber parsed;
  const PhoneNumberUtil::ErrorType error = util.Parse(number, rules.default_region, &parsed);
  if (error != PhoneNumberUtil::NO_PARSING_ERROR) return NoPhoneNumber(text, Why(error));
  AddCountryCode(number, rules, &parsed);
  switch (util.IsPossibleNumberWithReason(parsed)) {
    case PhoneNumberUtil::IS_POSSIBLE:
      break;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
      return absl::OutOfRangeError(
          absl::StrCat("'", number, "' is a local number without an area code"));
    case PhoneNumberUtil::TOO_SHORT:
      return absl::OutOfRangeError(absl::StrCat("'", number, "' is too short for a phone number"));
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
      return NoPhoneNumber(text, Why(PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR));
    case PhoneNumberUtil::INVALID_LENGTH:
    case PhoneNumberUtil::TOO_LONG:
      return NoPhoneNumber(text, "no number of its country is so long");
  }
  parsed.clear_extension();
  std::string normal;
  util.Format(parsed, PhoneNumberUtil::E164, &normal);
  if (IsWithheld(normal)) return Withheld();
  return normal;
}

// What was made of texts lately: libphonenumber takes microseconds for a number, and what tells of
// a call says the same numbers again and again. Under one set of rules at a time. One thread at a
// time.
class Memo {
 public:
  static constexpr size_t kLongest = 64;

  const absl::StatusOr<std::string>& Get(absl::string_view text, const PhoneRules& rules) {
    if (rules != rules_) {
      recent_.clear();
      older_.clear();
      rules_ = rules;
    }
    if (const auto known = recent_.find(text); known != recent_.end()) return known->second;
    const auto known = older_.find(text);
    absl::StatusOr<std::string> normal =
        known != older_.end() ? std::move(known->second) : Normalize(text, rules);
    if (recent_.size() >= kTexts) {
      older_ = std::move(recent_);
      recent_ = Known();
    }
    return recent_.emplace(text, std::move(normal)).first->second;
  }

 private:
  // Of each of the two, so that about twice as many are remembered, those met last for sure; some
  // 3 MB in all, in a thread that met so many.
  static constexpr size_t kTexts = 16384;
  using Known = absl::flat_hash_map<std::string, absl::StatusOr<std::string>>;

  PhoneRules rules_;
  Known recent_;
  Known older_;
};

}  // namespace

absl::StatusOr<std::string> NormalizePhone(absl::string_view text, const PhoneRules& rules) {
  // Names and channels are without end, and are refused at once.
  const bool is_name = !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text[0]));
  if (is_name || text.size() > Memo::kLongest) return Normalize(text, rules);
  thread_local Memo memo;
  return memo.Get(text, rules);
}

bool IsPhoneRegion(absl::string_view region) {
  std::set<std::string> regions;
  PhoneNumberUtil::GetInstance()->GetSupportedRegions(&regions);
  return regions.count(std::string(region)) > 0;
}

}  // namespace rapport
