#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/clock_ticker.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"

// A clock that was ahead of the true time: ticks that are not believed, and the way back for a log
// in which one is.

namespace rapport {
namespace {

using ::testing::HasSubstr;
using touchpoint::v1::Touchpoint;

constexpr char kTopic[] = "touchpoints";
constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kFiveYears = absl::Hours(5 * 365 * 24);

class ClockCorrectionTest : public ::testing::Test {
 protected:
  ClockCorrectionTest() : log_(NewInMemoryEventLog()) {
    EXPECT_OK(log_->CreateTopic(kTopic, 1));
    EXPECT_OK(log_->CreateTopic("alerts", 1));
  }

  void Append(const Record& record) { ASSERT_OK(log_->Append(kTopic, {record})); }
  void Tick(absl::Time now) { Append(MakeClockRecord(now, Partition(0))); }
  void Correct(absl::Time now) { Append(MakeClockCorrectionRecord(now, "test", Partition(0))); }
  // Random lives that end at end().
  void AppendHistory(uint64_t seed) {
    std::vector<Record> records;
    for (const Touchpoint& touchpoint : testing::RandomHistory({.seed = seed,
                                        .client_count = 60,
                                        .touchpoint_count = 1500,
                                        .start = start_,
                                        .length = 200 * kDay,
                                        .silence = 10 * kDay})) {
      records.push_back(
          touchpoint.has_clock_advanced()
              ? MakeClockRecord(FromProto(touchpoint.clock_advanced().now()), Partition(0))
              : MakeRecord(touchpoint));
      records.back().partition = Partition(0);
    }
    ASSERT_OK(log_->Append(kTopic, records));
  }
  Offset End() const { return log_->GetWatermarks(kTopic, Partition(0))->end; }

  std::unique_ptr<PartitionWorker> Live(const ProjectionEnv& env, const std::string& name,
                                        size_t commit_bytes = size_t{48} << 20) {
    FoldOptions options;
    options.commit_bytes = commit_bytes;
    auto worker =
        PartitionWorker::Open(env, folder_ / name, options, PartitionWorker::Effects::kHold);
    EXPECT_OK(worker);
    EXPECT_OK((*worker)->FoldUpTo(End()));
    EXPECT_OK((*worker)->Flush());
    return *std::move(worker);
  }

  // Of each client: the phase of its alert and its number.
  static std::map<std::string, std::string> AlertsOf(const PartitionWorker& worker) {
    std::map<std::string, std::string> alerts;
    const ProjectionView view(1, {{Partition(0), worker.store()}});
    EXPECT_OK(worker.store()->Scan(
        Family::kState, "", "", [&](absl::string_view client, absl::string_view) {
          state::v1::RetentionState state;
          EXPECT_OK(view.Get(client, &state));
          alerts[std::string(client)] = absl::StrCat(
              state::v1::AlertPhase_Name(state.alert().phase()), " ",
              state.alert().phase() == state::v1::ALERT_PHASE_OPEN
                  ? absl::FormatTime(FromProto(state.alert().raised_at()), absl::UTCTimeZone())
                  : "");
          return true;
        }));
    return alerts;
  }

  // Steps by client, in their order.
  static std::map<std::string, std::string> StepsOf(const PartitionWorker& worker) {
    std::map<std::string, std::string> steps;
    for (const OutboxEntry& entry : worker.fold().outbox()) {
      alert::v1::AlertEvent event;
      EXPECT_TRUE(event.ParseFromString(entry.event));
      if (event.has_handed_over() || event.has_reminded() || event.has_escalated()) continue;
      absl::StrAppend(&steps[entry.client_id], event.has_raised()    ? "+"
                                               : event.has_cleared() ? "-"
                                                                     : "~");
    }
    return steps;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1735689600);
  const absl::Time end_ = start_ + 210 * kDay;
  const testing::TempFolder folder_;
  const std::unique_ptr<EventLog> log_;
};

// From whichever Kafka client.
TEST_F(ClockCorrectionTest, ATickFarAheadOfItsRecordIsADeadLetterAndTheClockStays) {
  AppendHistory(1);
  for (const absl::Duration ahead : {absl::Hours(1), kFiveYears}) {
    Record wrong = MakeClockRecord(end_ + ahead, Partition(0));
    wrong.timestamp = end_;
    Append(wrong);
  }
  const testing::ProjectionFixture<Retention> fixture(log_.get());
  const auto live = Live(fixture.env(), "live");
  EXPECT_EQ(live->fold().clock(), end_);
  EXPECT_EQ(live->fold().counts().dead_letters(), 2);
  const ProjectionView view(1, {{Partition(0), live->store()}});
  EXPECT_OK(view.DeadLetters([&](absl::string_view value) {
    state::v1::DeadLetter letter;
    EXPECT_TRUE(letter.ParseFromString(std::string(value)));
    EXPECT_THAT(letter.reason(), HasSubstr("is far ahead of 2025-07-30 00:00:00 UTC"));
    return true;
  }));
}

// The machine shows the wrong time for as long as it is looked at.
TEST_F(ClockCorrectionTest, AStartWithAWrongClockRaisesNoAlert) {
  AppendHistory(5);
  const testing::ProjectionFixture<Retention> fixture(log_.get());
  const auto effects = [&](const std::string& name) {
    return Live(fixture.env(), name)->fold().counts().effects();
  };
  const int64_t before = effects("before");
  for (const absl::Duration ahead : {absl::Hours(1), kFiveYears, 2 * kFiveYears}) {
    const auto ticker = ClockTicker::Start(
        log_.get(), {}, "clock",
        {.interval = absl::Milliseconds(100), .member = "one", .read_clocks = [&] {
           ClockReading reading = ReadClocks();
           reading.wall = end_ + ahead;
           reading.synchronised = false;
           return reading;
         }});
    ASSERT_OK(ticker);
    while ((*ticker)->status().standing() != query::v1::CLOCK_STANDING_HELD) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    EXPECT_EQ(effects(absl::StrCat("during", absl::FormatDuration(ahead))), before);
  }
}

TEST_F(ClockCorrectionTest, PutsTheClockBackWithTheAlertsThatCameOfIt) {
  AppendHistory(2);
  const testing::ProjectionFixture<Retention> fixture(log_.get());
  Tick(end_ + absl::Minutes(2));
  const auto before = AlertsOf(*Live(fixture.env(), "before"));
  Tick(end_ + kFiveYears);
  const auto wrong = AlertsOf(*Live(fixture.env(), "wrong"));
  EXPECT_NE(wrong, before);
  Correct(end_ + absl::Minutes(3));
  Tick(end_ + absl::Minutes(4));
  const auto live = Live(fixture.env(), "live");
  EXPECT_EQ(live->fold().clock(), end_ + absl::Minutes(4));
  // Whoever had no alert has none again. One that had gone and come back in the time that never was
  // is the same alert, raised anew if the risk is still one to be raised.
  const auto after = AlertsOf(*live);
  int open_before = 0;
  int open_after = 0;
  for (const auto& [client, alert] : before) {
    const bool was_open = alert.find("OPEN") != std::string::npos;
    const bool is_open = after.at(client).find("OPEN") != std::string::npos;
    open_before += was_open;
    open_after += is_open;
    EXPECT_TRUE(was_open || !is_open) << client << " " << alert << " " << after.at(client);
  }
  EXPECT_GT(open_before, 5);
  EXPECT_GE(open_after * 10, open_before * 8);
  // Readers hold what the states do.
  for (const auto& [client, steps] : StepsOf(*live)) {
    const bool is_open = after.at(client).find("OPEN") != std::string::npos;
    EXPECT_EQ(steps.back() != '-', is_open) << client << " " << steps;
  }
}

TEST_F(ClockCorrectionTest, LiveInTheMiddleOfCommitsRebuiltAndPlainAreTheSame) {
  AppendHistory(3);
  Tick(end_ + kFiveYears);
  Append(MakeRecord(testing::MakeTouchpoint(Touchpoint::kOrderPlaced, "client-1", "late",
                                            end_ + absl::Minutes(1))));
  Correct(end_ + absl::Minutes(3));
  // Sent twice: by then time has gone on.
  Tick(end_ + kDay);
  Correct(end_ + absl::Minutes(3));
  Tick(end_ + 30 * kDay);
  const testing::ProjectionFixture<Retention> fixture(log_.get());
  const auto live = Live(fixture.env(), "live");
  EXPECT_EQ(live->fold().clock(), end_ + 30 * kDay);
  EXPECT_EQ(live->fold().digest(), *live->store()->ComputeDigest());
  const auto small = Live(fixture.env(), "small", /*commit_bytes=*/2000);
  EXPECT_EQ(small->fold().digest(), live->fold().digest());
  for (const int64_t stretch : {1, 400, 100'000}) {
    SCOPED_TRACE(stretch);
    RebuildOptions options;
    options.checkpoint_records = stretch;
    options.batch_records = 100;
    ASSERT_OK_AND_ASSIGN(
        const Projector::Workers built,
        BuildAside(
            fixture.env(), [&](Partition) { return folder_ / absl::StrCat("built", stretch); },
            {{Partition(0), End()}}, options));
    const PartitionFold& fold = built.begin()->second->fold();
    EXPECT_EQ(fold.digest(), live->fold().digest());
    EXPECT_EQ(fold.clock(), live->fold().clock());
    ASSERT_EQ(fold.outbox().size(), live->fold().outbox().size());
    for (size_t i = 0; i < fold.outbox().size(); ++i) {
      ASSERT_EQ(fold.outbox()[i].event, live->fold().outbox()[i].event);
    }
  }
  testing::PlainFold<Retention> plain;
  auto reader = log_->OpenReader(kTopic, Partition(0), Offset(0));
  ASSERT_OK(reader);
  while ((*reader)->position() < End()) {
    ASSERT_OK_AND_ASSIGN(const auto records, (*reader)->Read(1000, absl::Seconds(60)));
    for (const RecordView& record : records) {
      Touchpoint touchpoint;
      ASSERT_TRUE(touchpoint.ParseFromString(std::string(record.value)));
      plain.Fold(touchpoint);
    }
  }
  const ProjectionView view(1, {{Partition(0), live->store()}});
  for (const auto& [client, state] : plain.states()) {
    state::v1::RetentionState stored;
    ASSERT_OK(view.Get(client, &stored));
    EXPECT_EQ(stored.ShortDebugString(), state.ShortDebugString()) << client;
  }
}

TEST_F(ClockCorrectionTest, ACorrectionFarFromItsRecordIsADeadLetter) {
  AppendHistory(4);
  Record wrong = MakeClockCorrectionRecord(start_, "a slip of the hand", Partition(0));
  wrong.timestamp = end_;
  Append(wrong);
  const testing::ProjectionFixture<Retention> fixture(log_.get());
  const auto live = Live(fixture.env(), "live");
  EXPECT_EQ(live->fold().clock(), end_);
  EXPECT_EQ(live->fold().counts().dead_letters(), 1);
}

}  // namespace
}  // namespace rapport
