#include "libs/mail/mail_date.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"

namespace rapport::mail_internal {
namespace {

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

int Number(absl::string_view digits) {
  int number = 0;
  return digits.size() <= 6 && absl::SimpleAtoi(digits, &number) ? number : -1;
}

// Without what stands in round brackets (of one that is not closed, without all that follows), in
// lower case, and without blanks around colons.
std::string Simplified(absl::string_view value) {
  std::string text;
  int depth = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\') {
      ++i;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      depth = std::max(depth - 1, 0);
      text.push_back(' ');
    } else if (depth == 0) {
      const bool blank = absl::ascii_isspace(static_cast<unsigned char>(c)) || c == '"';
      if (blank && absl::EndsWith(text, ":")) continue;
      if (c == ':') {
        while (absl::EndsWith(text, " ")) text.pop_back();
      }
      text.push_back(blank ? ' ' : absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
  }
  return text;
}

// 1 to 12 for a name of a month, or the beginning of one, in one of a dozen languages; else 0.
int MonthOf(absl::string_view word) {
  static constexpr std::pair<absl::string_view, int> kMonths[] = {
      {"jan", 1},  {"ene", 1},  {"gen", 1},  {"feb", 2},  {"fév", 2},  {"fev", 2},  {"mar", 3},
      {"mär", 3},  {"mrz", 3},  {"mrt", 3},  {"mae", 3},  {"apr", 4},  {"avr", 4},  {"abr", 4},
      {"may", 5},  {"mai", 5},  {"mag", 5},  {"mei", 5},  {"maj", 5},  {"jun", 6},  {"juin", 6},
      {"giu", 6},  {"jul", 7},  {"juil", 7}, {"lug", 7},  {"aug", 8},  {"aoû", 8},  {"aou", 8},
      {"ago", 8},  {"sep", 9},  {"set", 9},  {"oct", 10}, {"okt", 10}, {"ott", 10}, {"out", 10},
      {"nov", 11}, {"dec", 12}, {"dez", 12}, {"dic", 12}, {"déc", 12}, {"des", 12}};
  for (const auto& [name, month] : kMonths) {
    if (absl::StartsWith(word, name)) return month;
  }
  return 0;
}

// Seconds east of Greenwich of a zone that is called by a name that everybody understands alike.
std::optional<int> NamedZone(absl::string_view word) {
  static constexpr std::pair<absl::string_view, int> kMinutes[] = {
      {"utc", 0},     {"gmt", 0},    {"ut", 0},     {"z", 0},      {"wet", 0},    {"west", 60},
      {"bst", 60},    {"cet", 60},   {"met", 60},   {"mez", 60},   {"mewt", 60},  {"cest", 120},
      {"mest", 120},  {"mesz", 120}, {"eet", 120},  {"sast", 120}, {"eest", 180}, {"msk", 180},
      {"msd", 240},   {"jst", 540},  {"kst", 540},  {"hkt", 480},  {"awst", 480}, {"aest", 600},
      {"aedt", 660},  {"nzst", 720}, {"nzdt", 780}, {"est", -300}, {"edt", -240}, {"cst", -360},
      {"cdt", -300},  {"mst", -420}, {"mdt", -360}, {"pst", -480}, {"pdt", -420}, {"akst", -540},
      {"akdt", -480}, {"hst", -600}, {"ast", -240}, {"adt", -180}, {"brt", -180}, {"art", -180}};
  for (const auto& [name, minutes] : kMinutes) {
    if (word == name) return minutes * 60;
  }
  // Of RFC 822's military zones RFC 5322 says that nobody used them rightly: they are UTC.
  if (word.size() == 1 && absl::ascii_isalpha(static_cast<unsigned char>(word[0]))) return 0;
  return std::nullopt;
}

// "0530", "05:30" or "530" without its sign.
std::optional<int> ZoneSeconds(absl::string_view text) {
  std::string digits(text);
  digits.erase(std::remove(digits.begin(), digits.end(), ':'), digits.end());
  if (!AllDigits(digits) || digits.size() > 4) return std::nullopt;
  const int number = Number(digits);
  const int hours = digits.size() <= 2 ? number : number / 100;
  const int minutes = digits.size() <= 2 ? 0 : number % 100;
  // The furthest from Greenwich that people live.
  if (hours > 14 || minutes > 59) return std::nullopt;
  return (hours * 60 + minutes) * 60;
}

int FullYear(absl::string_view digits) {
  const int number = Number(digits);
  if (number < 0) return 0;
  if (digits.size() == 2) return number < 50 ? 2000 + number : 1900 + number;
  // The year 2002, as programs wrote it that count from 1900.
  if (digits.size() == 3) return 1900 + number;
  return number;
}

class Reader {
 public:
  std::optional<MailDate> Read(absl::string_view value) {
    const std::string text = Simplified(value);
    for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
      Take(word);
    }
    return Result();
  }

 private:
  void Take(absl::string_view word) {
    const size_t colon = word.find(':');
    // "2026-11-12t10:00:00" begins with a day.
    if (colon != absl::string_view::npos && IsDigit(word[0]) && word.find('t') > colon) {
      return TakeTime(word);
    }
    if (word[0] == '+' || word[0] == '-') return TakeZone(word);
    if (AllDigits(word)) return TakeNumber(word);
    if (IsDigit(word[0])) return TakeDate(word);
    TakeWord(word);
  }

  // "09:55", "09:55:06", "9:55:06.123", "06:50pm", "09:55:06+0100", "09:55:06z"
  void TakeTime(absl::string_view word) {
    if (has_time_) return;
    size_t end = 0;
    while (end < word.size() && (IsDigit(word[end]) || word[end] == ':')) ++end;
    const std::vector<absl::string_view> parts = absl::StrSplit(word.substr(0, end), ':');
    if (parts.size() > 3 || parts[1].empty()) return;
    hour_ = Number(parts[0]);
    minute_ = Number(parts[1]);
    second_ = parts.size() == 3 && !parts[2].empty() ? Number(parts[2]) : 0;
    has_time_ = true;
    absl::string_view rest = word.substr(end);
    if (absl::StartsWith(rest, ".")) {
      rest.remove_prefix(1);
      while (!rest.empty() && IsDigit(rest[0])) rest.remove_prefix(1);
    }
    if (rest.empty()) return;
    if (rest[0] == '+' || rest[0] == '-') return TakeZone(rest);
    TakeWord(rest);
  }

  void TakeZone(absl::string_view word) {
    if (!has_time_) return;
    const std::optional<int> seconds = ZoneSeconds(word.substr(1));
    if (seconds.has_value()) {
      zone_ = word[0] == '-' ? -*seconds : *seconds;
    }
  }

  void TakeNumber(absl::string_view word) {
    if (day_ == 0 && word.size() <= 2) {
      day_ = Number(word);
    } else if (year_ == 0 && word.size() <= 4) {
      year_ = FullYear(word);
    } else if (has_time_ && !zone_.has_value() && word.size() == 4) {
      // "0530", whose plus was lost.
      zone_ = ZoneSeconds(word);
    } else {
      broken_ = true;
    }
  }

  // "12-nov-2026", "2026-11-12", "2026-11-12t10:00:00", "12.11.2026", "12."
  void TakeDate(absl::string_view word) {
    const size_t t = word.find('t');
    if (t != absl::string_view::npos && t >= 8 && t + 1 < word.size() && IsDigit(word[t + 1])) {
      TakeDate(word.substr(0, t));
      return Take(word.substr(t + 1));
    }
    const std::vector<absl::string_view> parts =
        absl::StrSplit(word, absl::ByAnyChar("-./"), absl::SkipEmpty());
    if (parts.size() == 1) {
      return AllDigits(parts[0]) ? TakeNumber(parts[0]) : TakeWord(word);
    }
    if (parts.size() == 2 && AllDigits(parts[0]) && MonthOf(parts[1]) > 0) {
      day_ = Number(parts[0]);
      month_ = MonthOf(parts[1]);
      return;
    }
    if (parts.size() != 3 || !AllDigits(parts[0]) || !AllDigits(parts[2])) return;
    const int month = AllDigits(parts[1]) ? Number(parts[1]) : MonthOf(parts[1]);
    if (parts[0].size() == 4) {
      year_ = Number(parts[0]);
      month_ = month;
      day_ = Number(parts[2]);
    } else if (!AllDigits(parts[1]) || absl::StrContains(word, '.')) {
      day_ = Number(parts[0]);
      month_ = month;
      year_ = FullYear(parts[2]);
    } else {
      // Whether day or month stands first is anybody's guess.
      broken_ = true;
    }
  }

  void TakeWord(absl::string_view word) {
    while (!word.empty() && (word.back() == '.' || word.back() == ';')) word.remove_suffix(1);
    if (word.empty()) return;
    if (has_time_ && (word == "pm" || word == "p.m" || word == "am" || word == "a.m")) {
      if (hour_ >= 1 && hour_ <= 12) hour_ = hour_ % 12 + (word[0] == 'p' ? 12 : 0);
      return;
    }
    if (has_time_) {
      // "gmt+0200", "utc-5"
      const size_t sign = word.find_first_of("+-");
      if (sign != absl::string_view::npos && NamedZone(word.substr(0, sign)).has_value()) {
        return TakeZone(word.substr(sign));
      }
      if (const std::optional<int> seconds = NamedZone(word)) {
        // What a number says goes before a name.
        if (!zone_.has_value()) zone_ = seconds;
        return;
      }
    }
    const int month = MonthOf(word);
    // "mar" is a Tuesday in several languages, where a month follows.
    if (month > 0 && (month_ == 0 || !month_follows_day_)) {
      month_ = month;
      month_follows_day_ = day_ > 0;
    }
  }

  std::optional<MailDate> Result() const {
    // A leap second is the second before it.
    if (broken_ || !has_time_ || hour_ < 0 || hour_ > 23 || minute_ < 0 || minute_ > 59 ||
        second_ < 0 || second_ > 60 || year_ < 1900 || year_ > 9999 || month_ < 1 || month_ > 12) {
      return std::nullopt;
    }
    const absl::CivilDay day(year_, month_, day_);
    if (day.day() != day_) return std::nullopt;
    const absl::Time local = absl::FromCivil(
        absl::CivilSecond(year_, month_, day_, hour_, minute_, std::min(second_, 59)),
        absl::UTCTimeZone());
    return MailDate{.time = local - absl::Seconds(zone_.value_or(0)),
                    .zone_known = zone_.has_value()};
  }

  int year_ = 0, month_ = 0, day_ = 0;
  int hour_ = 0, minute_ = 0, second_ = 0;
  bool has_time_ = false;
  bool month_follows_day_ = false;
  bool broken_ = false;
  std::optional<int> zone_;
};

}  // namespace

std::optional<MailDate> ReadMailDate(absl::string_view value) {
  constexpr size_t kLongest = 200;
  return Reader().Read(value.substr(0, kLongest));
}

}  // namespace rapport::mail_internal
