#include "libs/projector/takeover.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/generations.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"

// Another model, version or setting takes over: readers are told the difference, and what people
// decided holds.

namespace rapport {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

constexpr char kTopic[] = "touchpoints";

// Alert id, severity and score by client.
using Alerts = std::map<std::string, std::string>;

RetentionSettings Raising(int points) {
  RetentionSettings settings;
  settings.raise_points = points;
  return settings;
}

class TakeoverTest : public ::testing::Test {
 protected:
  TakeoverTest() : log_(NewInMemoryEventLog()) {
    EXPECT_OK(log_->CreateTopic(kTopic, 1));
    EXPECT_OK(log_->CreateTopic("alerts", 1));
  }

  void Append(std::vector<Record> records) {
    for (Record& record : records) record.partition = Partition(0);
    ASSERT_OK(log_->Append(kTopic, records));
  }

  void AppendHistory(uint64_t seed, absl::Time start) {
    std::vector<Record> records;
    for (const Touchpoint& touchpoint : testing::RandomHistory({.seed = seed,
                                        .client_count = 120,
                                        .touchpoint_count = 2500,
                                        .start = start,
                                        .length = absl::Hours(24 * 200),
                                        .silence = absl::Hours(24 * 20)})) {
      records.push_back(
          touchpoint.has_clock_advanced()
              ? MakeClockRecord(FromProto(touchpoint.clock_advanced().now()), Partition(0))
              : MakeRecord(touchpoint));
    }
    Append(std::move(records));
  }

  // What a process does at its start with these settings: what is stored is brought up to date, and
  // the rest of the log folded and published. Returns the alerts that the states hold.
  Alerts Run(const RetentionSettings& settings) {
    const testing::ProjectionFixture<Retention> fixture(log_.get(), false, settings);
    EXPECT_OK(BringUpToDate(fixture.env(), folder_.path(), nullptr));
    auto generations = Generations::Open(folder_.path());
    EXPECT_OK(generations);
    if (!generations->current()) {
      EXPECT_OK(generations->Activate(*generations->Create(fixture.env().spec->identity())));
    }
    auto worker = PartitionWorker::Open(
        fixture.env(), generations->PartitionFolder(*generations->current(), Partition(0)), {},
        PartitionWorker::Effects::kPublish);
    EXPECT_OK(worker);
    EXPECT_OK((*worker)->FoldUpTo(log_->GetWatermarks(kTopic, Partition(0))->end));
    EXPECT_OK((*worker)->Flush());
    // As a verification would find it.
    EXPECT_EQ((*worker)->fold().digest(), *(*worker)->store()->ComputeDigest());
    Alerts alerts;
    EXPECT_OK((*worker)->store()->Scan(
        Family::kState, "", "", [&](absl::string_view client, absl::string_view) {
          state::v1::RetentionState state;
          const ProjectionView view(1, {{Partition(0), (*worker)->store()}});
          EXPECT_OK(view.Get(client, &state));
          const auto& alert = state.alert();
          if (alert.phase() == state::v1::ALERT_PHASE_OPEN) {
            alerts[std::string(client)] =
                Text(RetentionAlertId(client, alert), alert.severity(), alert.score());
          }
          return true;
        }));
    return alerts;
  }

  static std::string Text(const std::string& id, alert::v1::Severity severity, int score) {
    return absl::StrCat(id, " ", alert::v1::Severity_Name(severity), " ", score);
  }

  std::vector<alert::v1::AlertEvent> Published() {
    std::vector<alert::v1::AlertEvent> events;
    const Watermarks marks = *log_->GetWatermarks("alerts", Partition(0));
    auto reader = log_->OpenReader("alerts", Partition(0), Offset(0));
    while ((*reader)->position() < marks.end) {
      const auto records = (*reader)->Read(1000, absl::Seconds(60));
      EXPECT_OK(records);
      for (const RecordView& record : *records) {
        EXPECT_TRUE(events.emplace_back().ParseFromString(std::string(record.value)));
      }
    }
    return events;
  }

  // What readers of the alerts log hold. Each step must make sense to them, and come once.
  Alerts Told() {
    Alerts told;
    std::map<std::string, std::string> open;
    std::set<std::string> ids;
    EffectPlace last{Offset(-2), 0};
    for (const alert::v1::AlertEvent& event : Published()) {
      const EffectPlace place{Offset(event.cause().offset()), event.cause().ordinal()};
      EXPECT_GT(place, last) << event.DebugString();
      last = place;
      EXPECT_TRUE(ids.insert(event.effect_id()).second) << event.DebugString();
      if (event.has_reminded()) continue;
      std::string& alert = open[event.client_id()];
      if (event.has_handed_over()) {
        EXPECT_EQ(alert, "") << event.DebugString();
        continue;
      }
      EXPECT_EQ(alert, event.has_raised() ? "" : event.alert_id()) << event.DebugString();
      alert = event.has_cleared() ? "" : event.alert_id();
      if (event.has_cleared()) {
        told.erase(event.client_id());
      } else {
        told[event.client_id()] = Text(event.alert_id(), event.severity(), event.score());
      }
    }
    return told;
  }

  Record Decide(const std::string& client, const std::string& text, absl::Time at,
                void (*decide)(const std::string& alert_id, absl::Time at, Touchpoint*)) {
    Touchpoint touchpoint = testing::MakeTouchpoint(Touchpoint::kAlertDismissed, client,
                                                    absl::StrCat("decided/", client), at);
    touchpoint.clear_payload();
    decide(text.substr(0, text.find(' ')), at, &touchpoint);
    return MakeRecord(touchpoint);
  }

  const absl::Time start_ = absl::FromUnixSeconds(1735689600);
  const absl::Time later_ = start_ + absl::Hours(24 * 220);
  const testing::TempFolder folder_;
  const std::unique_ptr<EventLog> log_;
};

TEST_F(TakeoverTest, ReadersAndStatesAgreeWhateverTheThresholdBecomes) {
  AppendHistory(3, start_);
  const Alerts before = Run(Raising(600));
  ASSERT_THAT(before, SizeIs(::testing::Gt(20u)));
  EXPECT_EQ(Told(), before);
  for (const int points : {800, 500, 600}) {
    SCOPED_TRACE(points);
    const Alerts now = Run(Raising(points));
    EXPECT_EQ(Told(), now);
    if (points == 600) {
      EXPECT_EQ(now, before);
    } else {
      EXPECT_NE(now, before);
    }
    // What was told once is not told again.
    const size_t steps = Published().size();
    EXPECT_EQ(Run(Raising(points)), now);
    EXPECT_THAT(Published(), SizeIs(steps));
  }
}

TEST_F(TakeoverTest, NothingIsToldWhereTheModelFindsTheSame) {
  AppendHistory(4, start_);
  const Alerts before = Run({});
  const size_t steps = Published().size();
  RetentionSettings other;
  // Another fingerprint, and the same alerts.
  other.model_version = "another name";
  EXPECT_EQ(Run(other), before);
  EXPECT_THAT(Published(), SizeIs(steps));
}

TEST_F(TakeoverTest, AnAlertsIdDoesNotDependOnTheModel) {
  AppendHistory(5, start_);
  const Alerts before = Run(Raising(600));
  const Alerts after = Run(Raising(500));
  int both = 0;
  for (const auto& [client, text] : before) {
    const auto other = after.find(client);
    if (other == after.end()) continue;
    ++both;
    EXPECT_EQ(other->second.substr(0, other->second.find(' ')), text.substr(0, text.find(' ')));
  }
  EXPECT_GT(both, 20);
}

TEST_F(TakeoverTest, WhatPeopleDecidedLivesOn) {
  AppendHistory(6, start_);
  const Alerts before = Run(Raising(600));
  std::vector<Record> decisions;
  std::set<std::string> dismissed;
  std::set<std::string> silent;
  for (const auto& [client, text] : before) {
    switch (decisions.size() % 3) {
      case 0:
        decisions.push_back(Decide(client, text, later_, [](const auto& id, absl::Time, auto* to) {
          to->mutable_alert_dismissed()->set_alert_id(id);
        }));
        dismissed.insert(client);
        break;
      case 1:
        decisions.push_back(Decide(client, text, later_, [](const auto& id, absl::Time, auto* to) {
          to->mutable_alert_resolved()->set_alert_id(id);
          to->mutable_alert_resolved()->set_outcome(touchpoint::v1::ALERT_OUTCOME_SAVED);
        }));
        silent.insert(client);
        break;
      default:
        decisions.push_back(
            Decide(client, text, later_, [](const auto& id, absl::Time at, auto* to) {
              to->mutable_alert_snoozed()->set_alert_id(id);
              ToProto(at + absl::Hours(24 * 20),
                      to->mutable_alert_snoozed()->mutable_snoozed_until());
            }));
    }
  }
  Append(std::move(decisions));
  Append({MakeClockRecord(later_ + absl::Hours(1), Partition(0))});
  const Alerts decided = Run(Raising(600));
  EXPECT_EQ(Told(), decided);
  ASSERT_THAT(dismissed, Not(IsEmpty()));
  ASSERT_THAT(silent, Not(IsEmpty()));
  for (const int points : {800, 500}) {
    SCOPED_TRACE(points);
    const Alerts now = Run(Raising(points));
    EXPECT_EQ(Told(), now);
    for (const std::string& client : dismissed) EXPECT_EQ(now.count(client), 0u) << client;
    for (const std::string& client : silent) EXPECT_EQ(now.count(client), 0u) << client;
  }
}

// What an older generation could not publish any more, and what has come meanwhile.
TEST_F(TakeoverTest, TheDifferenceComesBeforeWhatHappenedMeanwhile) {
  AppendHistory(7, start_);
  Run(Raising(600));
  AppendHistory(8, later_);
  const Alerts now = Run(Raising(500));
  EXPECT_EQ(Told(), now);
  const Alerts again = Run(Raising(800));
  EXPECT_EQ(Told(), again);
}

}  // namespace
}  // namespace rapport
