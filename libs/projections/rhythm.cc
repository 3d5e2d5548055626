#include "libs/projections/rhythm.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <vector>

#include "libs/base/bytes.h"

namespace rapport {
namespace {

constexpr int kDaysPerWeek = 7;

struct Week {
  int32_t number = 0;
  uint8_t days = 0;
};

int32_t WeekOf(int32_t day) {
  return day >= 0 ? day / kDaysPerWeek : -((kDaysPerWeek - 1 - day) / kDaysPerWeek);
}

uint8_t BitOf(int32_t day, int32_t week) {
  return static_cast<uint8_t>(1u << (day - week * kDaysPerWeek));
}

void AppendWeek(uint32_t gap, uint8_t days, std::string* out) {
  out->push_back(static_cast<char>(days | (gap > 0 ? 0x80 : 0)));
  while (gap > 0) {
    const uint32_t low = gap & 0x7f;
    gap >>= 7;
    out->push_back(static_cast<char>(low | (gap > 0 ? 0x80 : 0)));
  }
}

std::vector<Week> DecodeWeeks(const state::v1::Rhythm& rhythm) {
  std::vector<Week> weeks;
  int32_t number = WeekOf(rhythm.first_day());
  const std::string& bytes = rhythm.weeks();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto first = static_cast<uint8_t>(bytes[i]);
    uint32_t gap = 0;
    for (int shift = 0; static_cast<uint8_t>(bytes[i]) >= 0x80 && i + 1 < bytes.size(); shift += 7)
      gap |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[++i]) & 0x7f) << shift;
    number += static_cast<int32_t>(gap);
    weeks.push_back({number, static_cast<uint8_t>(first & 0x7f)});
  }
  return weeks;
}

void EncodeWeeks(const std::vector<Week>& weeks, std::string* out) {
  out->clear();
  int32_t before = weeks.front().number;
  for (const Week& week : weeks) {
    AppendWeek(static_cast<uint32_t>(week.number - before), week.days, out);
    before = week.number;
  }
}

// For a day before the last one. Whether the day is new.
bool InsertDay(int32_t day, state::v1::Rhythm* rhythm) {
  const int32_t number = WeekOf(day);
  std::vector<Week> weeks = DecodeWeeks(*rhythm);
  auto place = std::lower_bound(weeks.begin(), weeks.end(), number,
                                [](const Week& week, int32_t key) { return week.number < key; });
  if (place == weeks.end() || place->number != number) place = weeks.insert(place, {number, 0});
  const uint8_t bit = BitOf(day, number);
  if ((place->days & bit) != 0) return false;
  place->days |= bit;
  EncodeWeeks(weeks, rhythm->mutable_weeks());
  return true;
}

int32_t LastDayOf(const Week& week) {
  return week.number * kDaysPerWeek + std::bit_width(week.days) - 1;
}

// For a day after the last one.
void AppendDay(int32_t day, state::v1::Rhythm* rhythm) {
  const int32_t number = WeekOf(day);
  const int32_t last = WeekOf(rhythm->last_day());
  std::string& bytes = *rhythm->mutable_weeks();
  if (number != last) {
    AppendWeek(static_cast<uint32_t>(number - last), BitOf(day, number), &bytes);
    return;
  }
  // The days of the last entry stand in its first byte; every byte before its last continues it.
  size_t first = bytes.size() - 1;
  while (first > 0 && static_cast<uint8_t>(bytes[first - 1]) >= 0x80) --first;
  bytes[first] = static_cast<char>(static_cast<uint8_t>(bytes[first]) | BitOf(day, number));
}

}  // namespace

int32_t DayOf(int64_t unix_seconds) {
  const int64_t day = unix_seconds / kSecondsPerDay;
  return static_cast<int32_t>(unix_seconds % kSecondsPerDay < 0 ? day - 1 : day);
}

void AddToRhythm(const touchpoint::v1::Touchpoint& touchpoint, state::v1::Rhythm* rhythm) {
  const int64_t seconds = touchpoint.occurred_at().seconds();
  const int32_t day = DayOf(seconds);
  const bool first_ever = rhythm->day_count() == 0;
  if (first_ever) {
    rhythm->set_first_day(day);
    rhythm->set_day_count(1);
    AppendWeek(0, BitOf(day, WeekOf(day)), rhythm->mutable_weeks());
  } else if (day > rhythm->last_day()) {
    AppendDay(day, rhythm);
    rhythm->set_day_count(rhythm->day_count() + 1);
  } else if (day < rhythm->last_day() && InsertDay(day, rhythm)) {
    rhythm->set_first_day(std::min(day, rhythm->first_day()));
    rhythm->set_day_count(rhythm->day_count() + 1);
  }
  const auto millisecond = static_cast<int32_t>((seconds - day * kSecondsPerDay) * 1000 +
                                                touchpoint.occurred_at().nanos() / 1000000);
  const uint64_t high = ReadBig64(touchpoint.event_id().data());
  const uint64_t low = ReadBig64(touchpoint.event_id().data() + 8);
  if (first_ever || std::tuple(day, millisecond, high, low) >
                        std::tuple(rhythm->last_day(), rhythm->last_millisecond(),
                                   rhythm->last_event_high(), rhythm->last_event_low())) {
    rhythm->set_last_day(day);
    rhythm->set_last_millisecond(millisecond);
    rhythm->set_last_event_high(high);
    rhythm->set_last_event_low(low);
  }
}

bool RemoveFromRhythm(int32_t day, state::v1::Rhythm* rhythm) {
  if (rhythm->day_count() == 0 || day < rhythm->first_day() || day > rhythm->last_day())
    return false;
  std::vector<Week> weeks = DecodeWeeks(*rhythm);
  const int32_t number = WeekOf(day);
  const auto place =
      std::lower_bound(weeks.begin(), weeks.end(), number,
                       [](const Week& week, int32_t key) { return week.number < key; });
  if (place == weeks.end() || place->number != number) return false;
  const uint8_t bit = BitOf(day, number);
  if ((place->days & bit) == 0) return false;
  place->days &= static_cast<uint8_t>(~bit);
  if (place->days == 0) weeks.erase(place);
  if (weeks.empty()) {
    rhythm->Clear();
    return true;
  }
  rhythm->set_day_count(rhythm->day_count() - 1);
  rhythm->set_first_day(weeks.front().number * kDaysPerWeek + std::countr_zero(weeks.front().days));
  EncodeWeeks(weeks, rhythm->mutable_weeks());
  if (day == rhythm->last_day()) {
    rhythm->set_last_day(LastDayOf(weeks.back()));
    rhythm->clear_last_millisecond();
    rhythm->clear_last_event_high();
    rhythm->clear_last_event_low();
  }
  return true;
}

std::vector<int32_t> LatestDays(const state::v1::Rhythm& rhythm, size_t most) {
  std::vector<int32_t> days;
  const std::string& bytes = rhythm.weeks();
  int32_t number = WeekOf(rhythm.last_day());
  for (size_t end = bytes.size(); end > 0 && days.size() < most;) {
    size_t first = end - 1;
    while (first > 0 && static_cast<uint8_t>(bytes[first - 1]) >= 0x80) --first;
    const auto bits = static_cast<uint8_t>(bytes[first]);
    for (int bit = kDaysPerWeek - 1; bit >= 0 && days.size() < most; --bit)
      if ((bits & (1u << bit)) != 0) days.push_back(number * kDaysPerWeek + bit);
    uint32_t gap = 0;
    for (size_t at = end; --at > first;) gap = gap << 7 | (static_cast<uint8_t>(bytes[at]) & 0x7fu);
    number -= static_cast<int32_t>(gap);
    end = first;
  }
  return days;
}

std::string LastEventId(const state::v1::Rhythm& rhythm) {
  std::string id;
  if (rhythm.last_event_high() == 0 && rhythm.last_event_low() == 0) return id;
  AppendBig64(&id, rhythm.last_event_high());
  AppendBig64(&id, rhythm.last_event_low());
  return id;
}

}  // namespace rapport
