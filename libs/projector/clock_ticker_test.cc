#include "libs/projector/clock_ticker.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/touchpoint/record.h"
#include "rapport/query/v1/clock.pb.h"
#include "rapport/state/v1/clock.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"
#include "tests/support/faulty_log.h"

namespace rapport {
namespace {

using ::testing::ElementsAre;
using testing::FaultyLog;
using ::testing::HasSubstr;

constexpr int kPartitions = 3;
constexpr absl::Duration kInterval = absl::Milliseconds(20);

// The machine's clocks, of which the wall clock may be wrong.
class Clocks {
 public:
  ClockReading Read() const {
    ClockReading reading = ReadClocks();
    reading.wall += absl::Nanoseconds(off_.load());
    reading.synchronised = false;
    return reading;
  }
  void SetOff(absl::Duration off) { off_ = absl::ToInt64Nanoseconds(off); }

 private:
  std::atomic<int64_t> off_ = 0;
};

class ClockTickerTest : public ::testing::Test {
 protected:
  ClockTickerTest() : real_log_(NewInMemoryEventLog()), log_(real_log_.get(), 1) {
    EXPECT_OK(log_.CreateTopic("touchpoints", kPartitions));
  }

  std::unique_ptr<ClockTicker> Start(const std::string& member,
                                     absl::Duration interval = kInterval) {
    auto ticker = ClockTicker::Start(
        &log_, {}, "clock",
        {.interval = interval, .member = member, .read_clocks = [this] { return clocks_.Read(); }});
    EXPECT_OK(ticker);
    return ticker.ok() ? *std::move(ticker) : nullptr;
  }

  // The first `count` ticks of a partition, as soon as they are there.
  std::vector<absl::Time> Ticks(Partition partition, size_t count) {
    auto reader = real_log_->OpenReader("touchpoints", partition, Offset(0));
    EXPECT_OK(reader);
    std::vector<absl::Time> ticks;
    while (ticks.size() < count) {
      const auto records = (*reader)->Read(count - ticks.size(), absl::Seconds(60));
      EXPECT_OK(records);
      if (!records.ok() || records->empty()) break;
      for (const RecordView& record : *records) {
        touchpoint::v1::Touchpoint touchpoint;
        EXPECT_TRUE(touchpoint.ParseFromString(std::string(record.value)));
        EXPECT_TRUE(touchpoint.has_clock_advanced());
        ticks.push_back(FromProto(touchpoint.clock_advanced().now()));
      }
    }
    return ticks;
  }

  static void Await(const std::function<bool()>& condition) {
    while (!condition()) absl::SleepFor(absl::Milliseconds(1));
  }

  size_t Count() {
    const auto marks = real_log_->GetWatermarks("touchpoints", Partition(0));
    EXPECT_OK(marks);
    return static_cast<size_t>(marks->end.value());
  }

  // The touchpoints of a partition so far.
  std::vector<touchpoint::v1::Touchpoint> All(Partition partition) {
    std::vector<touchpoint::v1::Touchpoint> all;
    const auto marks = real_log_->GetWatermarks("touchpoints", partition);
    EXPECT_OK(marks);
    auto reader = real_log_->OpenReader("touchpoints", partition, Offset(0));
    EXPECT_OK(reader);
    while ((*reader)->position() < marks->end) {
      const auto records = (*reader)->Read(1000, absl::Seconds(60));
      EXPECT_OK(records);
      if (!records.ok() || records->empty()) break;
      for (const RecordView& record : *records) {
        EXPECT_TRUE(all.emplace_back().ParseFromString(std::string(record.value)));
      }
    }
    return all;
  }

  const std::unique_ptr<EventLog> real_log_;
  FaultyLog log_;
  Clocks clocks_;
};

TEST_F(ClockTickerTest, OneStartWithAWrongClockTicksNotOnceUntilItIsSetRight) {
  Start("one", absl::Milliseconds(100));
  ASSERT_OK(real_log_->Append("touchpoints", {MakeClockRecord(absl::Now(), Partition(0))}));
  const size_t before = Count();
  for (const absl::Duration ahead : {absl::Hours(1), absl::Hours(24 * 365 * 5)}) {
    clocks_.SetOff(ahead);
    const auto ticker = Start("one", absl::Milliseconds(100));
    Await([&] { return ticker->status().standing() == query::v1::CLOCK_STANDING_HELD; });
    EXPECT_THAT(ticker->status().reason(), HasSubstr("is not believed until"));
    EXPECT_EQ(Count(), before);
  }
  clocks_.SetOff(absl::ZeroDuration());
  const auto ticker = Start("one", absl::Milliseconds(100));
  Await([&] { return Count() > before; });
  EXPECT_EQ(ticker->status().standing(), query::v1::CLOCK_STANDING_TICKING);
  EXPECT_LT(ticker->last_tick(), absl::Now() + absl::Seconds(1));
}

TEST_F(ClockTickerTest, AnOperatorsWordPutsTheLogsClockBackAndTimeGoesOn) {
  const absl::Time ahead = absl::Now() + absl::Hours(24 * 365 * 5);
  ASSERT_OK(real_log_->Append("touchpoints", {MakeClockRecord(ahead, Partition(0))}));
  const auto ticker = Start("one");
  Await([&] { return ticker->status().standing() == query::v1::CLOCK_STANDING_AHEAD; });
  EXPECT_THAT(ticker->status().reason(), HasSubstr("`rapport clock set`"));
  EXPECT_EQ(Count(), 1u);
  EXPECT_THAT(ticker->Confirm(ahead, "guessed"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("set that machine's")));
  EXPECT_OK(ticker->Confirm(absl::Now(), "a dead battery"));
  Await([&] { return Count() >= 4; });
  for (int i = 0; i < kPartitions; ++i) {
    const auto all = All(Partition(i));
    const size_t first = i == 0 ? 1 : 0;
    ASSERT_GT(all.size(), first + 1);
    ASSERT_TRUE(all[first].has_clock_corrected()) << all[first].DebugString();
    EXPECT_EQ(all[first].clock_corrected().reason(), "a dead battery");
    EXPECT_TRUE(all[first + 1].has_clock_advanced());
    EXPECT_LT(FromProto(all[first + 1].clock_advanced().now()), absl::Now() + absl::Hours(1));
  }
}

// It was said to a candidate that does not tick, or the one that does died meanwhile.
TEST_F(ClockTickerTest, AWordThatWasNotCarriedOutYetIsNotLost) {
  ASSERT_OK(real_log_->Append(
      "touchpoints", {MakeClockRecord(absl::Now() + absl::Hours(24 * 365), Partition(0))}));
  {
    const auto ticker = Start("one");
    Await([&] { return ticker->status().standing() == query::v1::CLOCK_STANDING_AHEAD; });
    log_.set_away(true);
    Await([&] { return !ticker->Confirm(absl::Now(), "said to nobody").ok(); });
    log_.set_away(false);
    state::v1::ClockConfirmed word;
    ToProto(absl::Now(), word.mutable_now());
    Record record;
    record.value = word.SerializeAsString();
    record.partition = Partition(0);
    record.headers.push_back({"clock_confirmed", "1"});
    log_.set_away(true);
    ASSERT_OK(real_log_->Append("clock", {record}));
  }
  log_.set_away(false);
  const auto ticker = Start("two");
  Await([&] { return ticker->status().standing() == query::v1::CLOCK_STANDING_TICKING; });
  EXPECT_TRUE(All(Partition(2)).front().has_clock_corrected());
}

// From whichever Kafka client: what the folds do not believe does not hold the ticker either.
TEST_F(ClockTickerTest, ATickFarAheadOfItsRecordDoesNotHoldTheClock) {
  Record wrong = MakeClockRecord(absl::Now() + absl::Hours(24 * 365 * 5), Partition(0));
  wrong.timestamp = absl::Now();
  ASSERT_OK(real_log_->Append("touchpoints", {wrong}));
  const auto ticker = Start("one");
  Await([&] { return Count() >= 3; });
  EXPECT_EQ(ticker->status().standing(), query::v1::CLOCK_STANDING_TICKING);
}

TEST_F(ClockTickerTest, TicksEveryPartitionAtMultiplesOfTheInterval) {
  const absl::Time started = absl::Now();
  const auto ticker = Start("one");
  const std::vector<absl::Time> ticks = Ticks(Partition(0), 5);
  ASSERT_EQ(ticks.size(), 5u);
  EXPECT_TRUE(ticker->elected());
  EXPECT_OK(ticker->trouble());
  Await([&] { return ticker->last_tick() >= ticks[4]; });
  EXPECT_GE(ticks[0], started - kInterval);
  for (size_t i = 0; i < ticks.size(); ++i) {
    EXPECT_EQ(absl::ToUnixMillis(ticks[i]) % 20, 0) << ticks[i];
    if (i > 0) {
      EXPECT_GT(ticks[i], ticks[i - 1]);
    }
  }
  EXPECT_EQ(Ticks(Partition(1), 5), ticks);
  EXPECT_EQ(Ticks(Partition(2), 5), ticks);
}

TEST_F(ClockTickerTest, AnotherCandidateTakesOverAndTheClockNeverGoesBack) {
  auto first = Start("one");
  Ticks(Partition(0), 3);
  const auto second = Start("two");
  Ticks(Partition(0), Count() + 3);
  first = nullptr;
  const size_t before = Count();
  const std::vector<absl::Time> ticks = Ticks(Partition(0), before + 3);
  EXPECT_TRUE(second->elected());
  for (size_t i = 1; i < ticks.size(); ++i) EXPECT_GT(ticks[i], ticks[i - 1]) << i;
}

TEST_F(ClockTickerTest, GoesOnFromWhatTheLogHolds) {
  // An import left its clock ahead of ours, without a note in the clock topic.
  const absl::Time ahead = absl::Now() + absl::Hours(48);
  ASSERT_OK(real_log_->Append("touchpoints", {MakeClockRecord(ahead, Partition(0))}));
  const auto ticker = Start("one", absl::Hours(24));
  Await([&] { return ticker->last_tick() != absl::InfinitePast(); });
  EXPECT_EQ(ticker->last_tick(), FromProto(ToProto(ahead)));
  EXPECT_EQ(Count(), 1u);
}

TEST_F(ClockTickerTest, TicksOnceInADayHoweverOftenItStarts) {
  for (int i = 0; i < 3; ++i) {
    const auto ticker = Start("one", absl::Hours(24 * 365 * 100));
    Await([&] { return ticker->last_tick() != absl::InfinitePast(); });
  }
  EXPECT_THAT(Ticks(Partition(0), 1), ElementsAre(absl::UnixEpoch()));
  EXPECT_EQ(Count(), 1u);
}

TEST_F(ClockTickerTest, TellsWhatKeepsItFromTickingAndGoesOn) {
  const auto ticker = Start("one");
  Ticks(Partition(0), 1);
  log_.set_away(true);
  Await([&] { return !ticker->trouble().ok(); });
  EXPECT_EQ(ticker->trouble().code(), absl::StatusCode::kUnavailable);
  log_.set_away(false);
  const size_t before = Count();
  EXPECT_EQ(Ticks(Partition(0), before + 1).size(), before + 1);
  Await([&] { return ticker->trouble().ok(); });
}

TEST_F(ClockTickerTest, AClockTopicOfSeveralPartitionsIsRefused) {
  ASSERT_OK(log_.CreateTopic("clock", 2));
  EXPECT_THAT(
      ClockTicker::Start(&log_, {}, "clock", {.interval = kInterval, .member = "one"}).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("topic clock must have one partition")));
}

}  // namespace
}  // namespace rapport
