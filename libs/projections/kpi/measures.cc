#include "libs/projections/kpi/measures.h"

#include <bit>

#include "libs/base/bytes.h"

namespace rapport {
namespace {

constexpr size_t kNumberBytes = sizeof(int32_t);
// Bits of a value behind its leading one that tell buckets apart.
constexpr int kMantissaBits = 5;
constexpr int64_t kExact = int64_t{2} << kMantissaBits;

struct Date {
  int32_t year;
  int32_t day;  // of the month
};

// `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": many times as
// fast as a civil time that is added up, and asked for each contribution.
Date DateOf(int32_t days) {
  const int64_t z = int64_t{days} + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t day_of_era = z - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  return {static_cast<int32_t>(year_of_era + era * 400 + (month_from_march >= 10 ? 1 : 0)),
          static_cast<int32_t>(day)};
}

std::optional<int32_t> ConsumeOrdered32(absl::string_view* in) {
  if (in->size() < kNumberBytes) return std::nullopt;
  const int32_t value = ReadOrdered32(in->data());
  in->remove_prefix(kNumberBytes);
  return value;
}

std::optional<uint8_t> ConsumeByte(absl::string_view* in) {
  if (in->empty()) return std::nullopt;
  const auto byte = static_cast<uint8_t>(in->front());
  in->remove_prefix(1);
  return byte;
}

}  // namespace

std::string TallyPrefix(Measure measure, TallyGrain grain, int32_t first_day) {
  std::string key;
  key += static_cast<char>(measure);
  key += static_cast<char>(grain);
  AppendOrdered32(&key, first_day);
  return key;
}

std::string TallyPrefix(Measure measure, TallyGrain grain, int32_t first_day, TallyScope scope,
                        absl::string_view who) {
  std::string key = TallyPrefix(measure, grain, first_day);
  key += static_cast<char>(scope);
  AppendKeyString(&key, who);
  return key;
}

std::string EncodeTallyKey(const TallyKey& key) {
  std::string bytes = TallyPrefix(key.measure, key.grain, key.first_day, key.scope, key.who);
  bytes += static_cast<char>(key.segment);
  AppendKeyString(&bytes, key.sub);
  AppendOrdered32(&bytes, key.known);
  return bytes;
}

std::optional<TallyKey> DecodeTallyKey(absl::string_view bytes) {
  TallyKey key;
  const std::optional<uint8_t> measure = ConsumeByte(&bytes);
  const std::optional<uint8_t> grain = ConsumeByte(&bytes);
  const std::optional<int32_t> first_day = ConsumeOrdered32(&bytes);
  const std::optional<uint8_t> scope = ConsumeByte(&bytes);
  if (!measure || !grain || !first_day || !scope) return std::nullopt;
  if (!ConsumeKeyString(&bytes, &key.who)) return std::nullopt;
  const std::optional<uint8_t> segment = ConsumeByte(&bytes);
  if (!segment || !ConsumeKeyString(&bytes, &key.sub)) return std::nullopt;
  const std::optional<int32_t> known = ConsumeOrdered32(&bytes);
  if (!known || !bytes.empty()) return std::nullopt;
  key.measure = static_cast<Measure>(*measure);
  key.grain = static_cast<TallyGrain>(*grain);
  key.first_day = *first_day;
  key.scope = static_cast<TallyScope>(*scope);
  key.segment = *segment;
  key.known = *known;
  return key;
}

int32_t DayNumber(absl::CivilDay day) { return static_cast<int32_t>(day - absl::CivilDay(1970)); }
absl::CivilDay CivilDayOf(int32_t day) { return absl::CivilDay(1970) + day; }

int32_t WeekOf(int32_t day) {
  // 1970-01-01 was a Thursday.
  const int32_t since_monday = ((day + 3) % 7 + 7) % 7;
  return day - since_monday;
}

int32_t MonthOf(int32_t day) { return day - (DateOf(day).day - 1); }
int32_t YearOf(int32_t day) { return DateOf(day).year; }

std::string SubOf(absl::string_view text, int32_t number) {
  std::string sub(text);
  AppendOrdered32(&sub, number);
  return sub;
}

std::string SubOf(int32_t number) { return SubOf("", number); }

SubParts PartsOf(absl::string_view sub) {
  if (sub.size() < kNumberBytes) return {sub, 0};
  absl::string_view number = sub.substr(sub.size() - kNumberBytes);
  return {sub.substr(0, sub.size() - kNumberBytes), *ConsumeOrdered32(&number)};
}

int32_t BucketOf(int64_t value) {
  if (value < kExact) return static_cast<int32_t>(value < 0 ? 0 : value);
  const int shift = std::bit_width(static_cast<uint64_t>(value)) - (kMantissaBits + 1);
  // Each further doubling has 32 buckets of its own.
  return static_cast<int32_t>((int64_t{shift} << kMantissaBits) + (value >> shift));
}

int64_t BucketMiddle(int32_t bucket) {
  if (bucket < kExact) return bucket;
  const int shift = (bucket >> kMantissaBits) - 1;
  const int64_t mantissa = bucket - (int64_t{shift} << kMantissaBits);
  return (mantissa << shift) + ((int64_t{1} << shift) >> 1);
}

}  // namespace rapport
