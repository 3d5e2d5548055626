#include "libs/projections/rhythm.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "libs/base/bytes.h"

namespace rapport {
namespace {

touchpoint::v1::Touchpoint At(int64_t unix_seconds, uint64_t id) {
  touchpoint::v1::Touchpoint touchpoint;
  touchpoint.mutable_occurred_at()->set_seconds(unix_seconds);
  AppendBig64(touchpoint.mutable_event_id(), 7);
  AppendBig64(touchpoint.mutable_event_id(), id);
  return touchpoint;
}

TEST(Rhythm, SeveralTouchpointsOfOneDayCountOnce) {
  state::v1::Rhythm rhythm;
  AddToRhythm(At(100, 1), &rhythm);
  AddToRhythm(At(90, 2), &rhythm);
  AddToRhythm(At(86399, 3), &rhythm);
  EXPECT_EQ(rhythm.day_count(), 1);
  EXPECT_EQ(RepeatDays(rhythm), 0);
  EXPECT_EQ(MeanGapDays(rhythm), 0);
  EXPECT_EQ(LastEventId(rhythm), At(0, 3).event_id());
}

TEST(Rhythm, TheGreaterIdIsTheLatestOfOneMoment) {
  state::v1::Rhythm rhythm;
  AddToRhythm(At(100, 5), &rhythm);
  AddToRhythm(At(100, 4), &rhythm);
  EXPECT_EQ(LastEventId(rhythm), At(0, 5).event_id());
}

TEST(Rhythm, DaysBefore1970) {
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(DayOf(-86400), -1);
  EXPECT_EQ(DayOf(-86401), -2);
  state::v1::Rhythm rhythm;
  AddToRhythm(At(-20 * 86400, 1), &rhythm);
  AddToRhythm(At(-1, 2), &rhythm);
  EXPECT_EQ(rhythm.first_day(), -20);
  EXPECT_EQ(rhythm.last_day(), -1);
  EXPECT_EQ(rhythm.day_count(), 2);
}

TEST(Rhythm, ExactAndTheSameForEveryOrder) {
  std::mt19937_64 random(20210412);
  for (int round = 0; round < 300; ++round) {
    std::vector<touchpoint::v1::Touchpoint> touchpoints;
    std::set<int32_t> days;
    const int64_t span = 1 + static_cast<int64_t>(random() % 3000);
    const uint64_t count = 1 + random() % 60;
    for (uint64_t i = 0; i < count; ++i) {
      const int64_t day = 18000 + static_cast<int64_t>(random() % static_cast<uint64_t>(span));
      touchpoints.push_back(At(day * 86400 + static_cast<int64_t>(random() % 86400), i));
      days.insert(static_cast<int32_t>(day));
    }
    std::string first;
    for (int order = 0; order < 4; ++order) {
      state::v1::Rhythm rhythm;
      for (const auto& touchpoint : touchpoints) AddToRhythm(touchpoint, &rhythm);
      EXPECT_EQ(rhythm.first_day(), *days.begin());
      EXPECT_EQ(rhythm.last_day(), *days.rbegin());
      EXPECT_EQ(rhythm.day_count(), static_cast<int>(days.size()));
      EXPECT_LE(rhythm.weeks().size(), 3 * days.size());
      if (order == 0) first = rhythm.SerializeAsString();
      EXPECT_EQ(rhythm.SerializeAsString(), first);
      std::shuffle(touchpoints.begin(), touchpoints.end(), random);
    }
  }
}

TEST(Rhythm, ADayTakenOutLeavesTheOthers) {
  std::mt19937_64 random(20250301);
  for (int round = 0; round < 300; ++round) {
    state::v1::Rhythm rhythm;
    std::set<int32_t> days;
    const uint64_t span = 1 + random() % 400;
    for (uint64_t i = 0; i < 20; ++i) {
      days.insert(18000 + static_cast<int32_t>(random() % span));
    }
    for (const int32_t day : days) AddToRhythm(At(int64_t{day} * 86400 + 5, 1), &rhythm);
    EXPECT_FALSE(RemoveFromRhythm(*days.rbegin() + 1, &rhythm));
    while (!days.empty()) {
      EXPECT_EQ(
          LatestDays(rhythm, 4),
          std::vector<int32_t>(days.rbegin(),
                               std::next(days.rbegin(), std::min<int64_t>(4, std::ssize(days)))));
      state::v1::Rhythm without = rhythm;
      auto place = std::next(days.begin(), static_cast<int64_t>(random() % days.size()));
      const bool last = *place == *days.rbegin();
      ASSERT_TRUE(RemoveFromRhythm(*place, &without));
      EXPECT_FALSE(RemoveFromRhythm(*place, &without));
      days.erase(place);
      EXPECT_EQ(LastEventId(without).empty(), last);
      rhythm.Clear();
      for (const int32_t day : days) AddToRhythm(At(int64_t{day} * 86400 + 5, 1), &rhythm);
      EXPECT_EQ(without.first_day(), rhythm.first_day());
      EXPECT_EQ(without.last_day(), rhythm.last_day());
      EXPECT_EQ(without.day_count(), rhythm.day_count());
      EXPECT_EQ(without.weeks(), rhythm.weeks());
    }
    EXPECT_FALSE(RemoveFromRhythm(18000, &rhythm));
  }
}

}  // namespace
}  // namespace rapport
