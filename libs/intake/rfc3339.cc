#include "libs/intake/rfc3339.h"

#include <cstdint>

namespace rapport {
namespace {

constexpr int64_t kFirstSecond = -62135596800;  // 0001-01-01T00:00:00Z
constexpr int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59Z

class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  bool Take(char expected) {
    if (text_.empty() || text_.front() != expected) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` digits with a value in [least, most].
  bool Number(int digits, int least, int most, int* value) {
    if (text_.size() < static_cast<size_t>(digits)) return false;
    *value = 0;
    for (int i = 0; i < digits; ++i) {
      const char digit = text_[static_cast<size_t>(i)];
      if (digit < '0' || digit > '9') return false;
      *value = *value * 10 + (digit - '0');
    }
    text_.remove_prefix(static_cast<size_t>(digits));
    return *value >= least && *value <= most;
  }
  // One to nine digits after the point.
  bool Fraction(int32_t* nanos) {
    int digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++digits) {
      if (digits == 9) return false;
      *nanos = *nanos * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    if (digits == 0) return false;
    for (; digits < 9; ++digits) *nanos *= 10;
    return true;
  }

 private:
  absl::string_view text_;
};

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Days since 1970-01-01: years are counted from March, in eras of 400 years.
int64_t DaysSinceEpoch(int year, int month, int day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = y / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

bool ReadZone(Scanner* scanner, int64_t* seconds_east) {
  if (scanner->Take('Z')) return true;
  const bool east = scanner->Take('+');
  if (!east && !scanner->Take('-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!scanner->Number(2, 0, 23, &hours) || !scanner->Take(':') ||
      !scanner->Number(2, 0, 59, &minutes)) {
    return false;
  }
  *seconds_east = (hours * 60 + minutes) * (east ? 60 : -60);
  return true;
}

}  // namespace

bool ParseRfc3339(absl::string_view text, google::protobuf::Timestamp* timestamp) {
  Scanner scanner(text);
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!scanner.Number(4, 1, 9999, &year) || !scanner.Take('-') ||
      !scanner.Number(2, 1, 12, &month) || !scanner.Take('-') ||
      !scanner.Number(2, 1, DaysInMonth(year, month), &day) || !scanner.Take('T') ||
      !scanner.Number(2, 0, 23, &hour) || !scanner.Take(':') ||
      !scanner.Number(2, 0, 59, &minute) || !scanner.Take(':') ||
      !scanner.Number(2, 0, 59, &second)) {
    return false;
  }
  int32_t nanos = 0;
  if (scanner.Take('.') && !scanner.Fraction(&nanos)) return false;
  int64_t seconds_east = 0;
  if (!ReadZone(&scanner, &seconds_east) || !scanner.done()) return false;
  const int64_t seconds =
      DaysSinceEpoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - seconds_east;
  if (seconds < kFirstSecond || seconds > kLastSecond) return false;
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(nanos);
  return true;
}

}  // namespace rapport
