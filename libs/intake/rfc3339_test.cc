#include "libs/intake/rfc3339.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

std::string Read(const std::string& text) {
  google::protobuf::Timestamp timestamp;
  if (!ParseRfc3339(text, &timestamp)) return "none";
  return absl::StrCat(timestamp.seconds(), ".", timestamp.nanos());
}

TEST(Rfc3339Test, ReadsTimes) {
  EXPECT_EQ(Read("1970-01-01T00:00:00Z"), "0.0");
  EXPECT_EQ(Read("2026-01-02T09:00:00+01:00"), "1767340800.0");
  EXPECT_EQ(Read("2026-01-02T03:30:00.5-04:30"), "1767340800.500000000");
  EXPECT_EQ(Read("2026-01-02T08:00:00.000000001Z"), "1767340800.1");
  EXPECT_EQ(Read("0001-01-01T00:00:00Z"), "-62135596800.0");
  EXPECT_EQ(Read("9999-12-31T23:59:59.999999999Z"), "253402300799.999999999");
}

TEST(Rfc3339Test, RefusesWhatIsNone) {
  for (const char* const text : {"",
                                 "2026-01-02",
                                 "2026-01-02T09:00:00",
                                 "2026-01-02 09:00:00Z",
                                 "2026-1-2T09:00:00Z",
                                 "2026-02-29T00:00:00Z",
                                 "1900-02-29T00:00:00Z",
                                 "2026-13-01T00:00:00Z",
                                 "2026-01-00T00:00:00Z",
                                 "2026-01-02T24:00:00Z",
                                 "2026-01-02T09:60:00Z",
                                 "2026-01-02T09:00:60Z",
                                 "2026-01-02T09:00:00.Z",
                                 "2026-01-02T09:00:00.1234567890Z",
                                 "2026-01-02T09:00:00z",
                                 "2026-01-02T09:00:00+1:00",
                                 "2026-01-02T09:00:00+24:00",
                                 "2026-01-02T09:00:00Zx",
                                 "0000-01-01T00:00:00Z",
                                 "0001-01-01T00:00:00+01:00",
                                 "9999-12-31T23:59:59-01:00",
                                 " 2026-01-02T09:00:00Z",
                                 "-2026-01-02T09:00:00Z"}) {
    EXPECT_EQ(Read(text), "none") << text;
  }
}

TEST(Rfc3339Test, ReadsWhatAbslWrites) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> seconds(-62135596800, 253402300799);
  for (int i = 0; i < 20'000; ++i) {
    const absl::Time time = absl::FromUnixSeconds(seconds(random)) +
                            absl::Nanoseconds(static_cast<int64_t>(random() % 1'000'000'000));
    const auto zone = absl::FixedTimeZone(static_cast<int>(random() % 1440) * 60 - 43200);
    const std::string text = absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*S%Ez", time, zone);
    if (absl::ToCivilSecond(time, zone).year() < 1 || absl::ToCivilSecond(time, zone).year() > 9999)
      continue;
    google::protobuf::Timestamp timestamp;
    ASSERT_TRUE(ParseRfc3339(text, &timestamp)) << text;
    EXPECT_EQ(FromProto(timestamp), time) << text;
  }
}

}  // namespace
}  // namespace rapport
