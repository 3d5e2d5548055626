#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/projector.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"
#include "libs/projector/testing/toy_projection.h"
#include "tests/support/faulty_log.h"
#include "tests/support/fold_oracle.h"

namespace rapport::testing {

// A live projector of the toy projection over a log in memory that can be taken away.
class LiveFixture : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;

  LiveFixture() : real_log_(NewInMemoryEventLog()), log_(real_log_.get(), 1), toy_(&log_) {
    EXPECT_OK(log_.CreateTopic("touchpoints", kPartitions));
    EXPECT_OK(log_.CreateTopic("alerts", kPartitions));
    // A lone member gets them one after the other, and is to have all when it has caught up.
    toy_options_.least_partitions = kPartitions;
  }

  Projector::Options OptionsOf(const std::string& member) const {
    Projector::Options options = toy_options_;
    options.folder = folder_ / "toy";
    options.group = "toy";
    options.member = member;
    return options;
  }

  std::unique_ptr<Projector> Start(const std::string& member = "one") {
    auto projector = Projector::Start(toy_.env(), OptionsOf(member));
    EXPECT_OK(projector);
    return projector.ok() ? *std::move(projector) : nullptr;
  }

  // Orders, calls and complaints of 40 clients, and then a clock.
  void Append(int count) {
    using touchpoint::v1::Touchpoint;
    std::vector<Record> records;
    for (int i = 0; i < count; ++i, ++appended_) {
      const auto kind = appended_ % 5 == 0   ? Touchpoint::kCallCompleted
                        : appended_ % 7 == 0 ? Touchpoint::kComplaintOpened
                                             : Touchpoint::kOrderPlaced;
      records.push_back(MakeRecord(MakeTouchpoint(kind, absl::StrCat("client", appended_ % 40),
                                                  absl::StrCat(appended_), Day(appended_ / 20))));
      // The time that TargetsAtTime goes by.
      records.back().timestamp = Day(appended_ / 20);
    }
    for (int i = 0; i < kPartitions; ++i) {
      records.push_back(MakeClockRecord(Day(appended_ / 20), Partition(i)));
    }
    ASSERT_OK(real_log_->Append("touchpoints", records));
  }

  // State, lists, rows, timers and alerts of all partitions.
  void ExpectExact(const Projector& projector) {
    for (int i = 0; i < kPartitions; ++i) {
      SCOPED_TRACE(absl::StrCat("partition ", i));
      const std::shared_ptr<StateStore> store = projector.StoreOf(Partition(i));
      ASSERT_NE(store, nullptr);
      ExpectExact(Partition(i), *store);
    }
  }
  void ExpectExact(Partition partition, const StateStore& store) {
    const FoldOracle<ToyProjection> oracle(*real_log_, "touchpoints", partition);
    EXPECT_GT(oracle.plain().effects().size(), 0u);
    EXPECT_THAT(oracle.CompareStore(store), ::testing::IsEmpty());
    EXPECT_THAT(oracle.CompareAlerts(*real_log_, "alerts"), ::testing::IsEmpty());
  }

  const TempFolder folder_;
  std::unique_ptr<EventLog> real_log_;
  FaultyLog log_;
  ProjectionFixture<ToyProjection> toy_;
  Projector::Options toy_options_;
  int appended_ = 0;
};

}  // namespace rapport::testing
