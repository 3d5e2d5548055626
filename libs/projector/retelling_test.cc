#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/kpi/kpi.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"
#include "libs/projector/compare.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/rebuild.h"
#include "libs/projector/testing/fixture.h"
#include "libs/projector/testing/retelling.h"
#include "libs/projector/testing/toy_projection.h"

// A client's history told anew: by a merge, its split, and a correction.

namespace rapport {
namespace {

using testing::Day;
using testing::MakeTouchpoint;
using testing::TempFolder;
using testing::Touchpoints;
using testing::ToyProjection;
using touchpoint::v1::Touchpoint;

// One projection over one partition of a log.
template <Projection P>
class Folded {
 public:
  explicit Folded(typename P::Settings settings = {})
      : log_(NewInMemoryEventLog()), fixture_(log_.get(), /*in_memory=*/true, settings) {
    EXPECT_OK(log_->CreateTopic("touchpoints", 1));
    EXPECT_OK(log_->CreateTopic("alerts", 1));
    Reopen();
  }
  ~Folded() { worker_.reset(); }

  // Another process takes over what was committed.
  void Reopen() {
    worker_.reset();
    auto worker =
        PartitionWorker::Open(fixture_.env(), "/live", {}, PartitionWorker::Effects::kPublish);
    EXPECT_OK(worker);
    worker_ = *std::move(worker);
  }
  void Append(const Touchpoints& touchpoints) {
    std::vector<Record> records;
    for (const Touchpoint& touchpoint : touchpoints) {
      records.push_back(
          touchpoint.has_clock_advanced()
              ? MakeClockRecord(FromProto(touchpoint.clock_advanced().now()), Partition(0))
              : MakeRecord(touchpoint));
    }
    ASSERT_OK(log_->Append("touchpoints", records));
  }
  Offset End() { return log_->GetWatermarks("touchpoints", Partition(0))->end; }
  void Fold() {
    ASSERT_OK(worker_->FoldUpTo(End()));
    ASSERT_OK(worker_->Flush());
    EXPECT_EQ(worker_->fold().digest(), *worker_->store()->ComputeDigest());
  }
  void Fold(const Touchpoints& touchpoints) {
    Append(touchpoints);
    Fold();
  }

  // Builds the projection anew in stretches of that many records and holds it against the live one.
  void ExpectRebuildIsEqual(int64_t stretch) {
    SCOPED_TRACE(stretch);
    RebuildOptions options;
    options.batch_records = 50;
    options.checkpoint_records = stretch;
    const std::string folder = absl::StrCat("/built", ++builds_);
    auto built = BuildAside(
        fixture_.env(), [&](Partition) { return folder; }, {{Partition(0), End()}}, options);
    ASSERT_OK(built);
    const PartitionWorker& anew = *built->begin()->second;
    EXPECT_EQ(anew.fold().counts().ShortDebugString(), counts().ShortDebugString());
    EXPECT_EQ(*anew.store()->ComputeDigest(), anew.fold().digest());
    // All of it has been sent.
    EXPECT_TRUE(anew.fold().outbox().empty());
    if (anew.fold().digest() == digest()) return;
    const auto difference = FirstDifference(*worker_->store(), *anew.store());
    ADD_FAILURE() << "the rebuild differs"
                  << (*difference ? DescribeEntry((*difference)->family, (*difference)->key) : "");
  }

  Digest digest() const { return worker_->fold().digest(); }
  const state::v1::FoldCounts& counts() const { return worker_->fold().counts(); }
  PartitionWorker& worker() { return *worker_; }
  typename P::State StateOf(const std::string& client) {
    typename P::State state;
    EXPECT_OK(ProjectionView({worker_->store()}).Get(client, &state));
    return state;
  }
  std::vector<alert::v1::AlertEvent> Alerts() {
    std::vector<alert::v1::AlertEvent> alerts;
    auto reader = log_->OpenReader("alerts", Partition(0), Offset(0));
    const Offset end = log_->GetWatermarks("alerts", Partition(0))->end;
    while ((*reader)->position() < end) {
      const auto records = (*reader)->Read(100, absl::Seconds(5));
      for (const RecordView& record : *records) {
        EXPECT_TRUE(alerts.emplace_back().ParseFromArray(record.value.data(),
                                                         static_cast<int>(record.value.size())));
      }
    }
    return alerts;
  }
  // What readers get of the client: state, lists and rows.
  std::string Served(const std::string& client) {
    const ProjectionView view({worker_->store()});
    std::string served = StateOf(client).ShortDebugString();
    const auto add = [&](absl::string_view key, absl::string_view value) {
      absl::StrAppend(&served, "\n", absl::CHexEscape(key), " ", absl::CHexEscape(value));
      return true;
    };
    for (const char* list : {"busy", kClientsByNameIndex, kAtRiskIndex}) {
      EXPECT_OK(view.Scan(list, {}, [&](const ProjectionView::IndexEntry& entry) {
        return entry.client_id != client || add(entry.sort_key, entry.value);
      }));
    }
    EXPECT_OK(view.Rows(client, "", "", add));
    return served;
  }
  size_t RowsOf(const std::string& client) {
    size_t rows = 0;
    EXPECT_OK(ProjectionView({worker_->store()})
                  .Rows(client, "", "", [&](absl::string_view, absl::string_view) {
                    ++rows;
                    return true;
                  }));
    return rows;
  }

 private:
  std::unique_ptr<EventLog> log_;
  testing::ProjectionFixture<P> fixture_;
  std::unique_ptr<PartitionWorker> worker_;
  int builds_ = 0;
};

// Calls (with timers), complaints (with effects) and orders.
Touchpoints HistoryOf(const std::string& client, int count) {
  Touchpoints history;
  for (int i = 0; i < count; ++i) {
    const auto kind = i % 4 == 0   ? Touchpoint::kCallCompleted
                      : i % 5 == 0 ? Touchpoint::kComplaintOpened
                                   : Touchpoint::kOrderPlaced;
    history.push_back(MakeTouchpoint(kind, client, absl::StrCat(client, i), Day(i / 4)));
  }
  return history;
}

Touchpoints Clocks(int from, int to) {
  Touchpoints clocks;
  for (int day = from; day < to; ++day) clocks.push_back(testing::Clock(Day(day)));
  return clocks;
}

class RetellingTest : public ::testing::Test {
 protected:
  Folded<ToyProjection> toy_;
  const Touchpoints a_ = HistoryOf("a", 30);
  const Touchpoints b_ = HistoryOf("b", 20);
};

TEST_F(RetellingTest, AMergedClientsHistoryGoesOnUnderTheSurvivor) {
  toy_.Fold(a_);
  toy_.Fold(b_);
  EXPECT_EQ(toy_.counts().clients(), 2);
  toy_.Fold(testing::Merge("m", "a", "b", a_, Day(20)));
  EXPECT_EQ(toy_.StateOf("a").ByteSizeLong(), 0u);
  EXPECT_EQ(toy_.StateOf("b").records(), 50);
  EXPECT_EQ(toy_.RowsOf("a"), 0u);
  EXPECT_EQ(toy_.RowsOf("b"), 50u);
  EXPECT_EQ(toy_.counts().clients(), 1);
  // A touchpoint of the absorbed client is folded nowhere.
  toy_.Fold({MakeTouchpoint(Touchpoint::kOrderPlaced, "a", "late", Day(21))});
  EXPECT_EQ(toy_.StateOf("a").ByteSizeLong(), 0u);
  EXPECT_EQ(toy_.counts().of_absorbed(), 1);
  EXPECT_EQ(toy_.counts().dead_letters(), 0);
}

TEST_F(RetellingTest, AMergeAndItsSplitLeaveWhatWas) {
  toy_.Fold(Clocks(0, 5));
  toy_.Fold(a_);
  toy_.Fold(b_);
  toy_.Fold(Clocks(5, 6));
  const Digest before = toy_.digest();
  const size_t alerts = toy_.Alerts().size();
  toy_.Fold(testing::Merge("m", "a", "b", a_, Day(20)));
  EXPECT_NE(toy_.digest(), before);
  toy_.Fold(testing::Split("m", "a", "b", a_, b_, Day(21)));
  EXPECT_EQ(toy_.digest(), before);
  EXPECT_EQ(toy_.counts().clients(), 2);
  // No complaint is told twice; only that timers were carried over.
  const std::vector<alert::v1::AlertEvent> told = toy_.Alerts();
  for (size_t i = alerts; i < told.size(); ++i) EXPECT_EQ(told[i].rule(), "carried over");
  // It goes on where it was.
  toy_.Fold({MakeTouchpoint(Touchpoint::kOrderPlaced, "a", "late", Day(21))});
  toy_.Fold({a_.front()});
  EXPECT_EQ(toy_.StateOf("a").records(), 31);
  for (const int64_t stretch : {1, 40, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
}

// Clients whose ids differ in one bit of one letter share nothing of what they saw.
TEST_F(RetellingTest, ClientsMayHaveIdsThatAreAlike) {
  for (const size_t length : {1, 3, 4, 7, 8, 12, 16, 17}) {
    for (size_t place = 0; place < length; ++place) {
      const std::string id(length, '0');
      std::string other = id;
      other[place] = '4';
      SCOPED_TRACE(other);
      Folded<ToyProjection> toy;
      const Touchpoints history = HistoryOf(id, 3);
      const Touchpoints others = HistoryOf(other, 2);
      toy.Append(history);
      toy.Append(others);
      for (const char* merge : {"1", "2"}) {
        toy.Append(testing::Merge(merge, id, other, history, Day(20)));
        toy.Append(testing::Split(merge, id, other, history, others, Day(21)));
      }
      toy.Fold();
      ASSERT_EQ(toy.StateOf(id).records(), 3);
      ASSERT_EQ(toy.StateOf(other).records(), 2);
    }
  }
}

// All within one commit, and with a commit and a death after every record.
TEST_F(RetellingTest, ProcessesMayDieInItsMiddle) {
  Touchpoints all = Clocks(0, 5);
  const auto add = [&](const Touchpoints& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  add(a_);
  add(b_);
  add(Clocks(5, 7));
  add(testing::Merge("m", "a", "b", a_, Day(20)));
  add(Clocks(7, 8));
  add(testing::Split("m", "a", "b", a_, b_, Day(21)));
  // A retelling whose writer died, and is gone on with; the clock goes on in its middle.
  Touchpoints begun = testing::Telling("b", "c", Day(22), true, b_);
  begun.resize(begun.size() / 2);
  add(begun);
  add(Clocks(8, 9));
  add(testing::Telling("b", "c", Day(22), true, b_));
  add(Clocks(9, 12));
  toy_.Append(all);
  toy_.Fold();
  Folded<ToyProjection> mortal;
  for (const Touchpoint& touchpoint : all) {
    mortal.Fold({touchpoint});
    mortal.Reopen();
  }
  EXPECT_EQ(mortal.digest(), toy_.digest());
  EXPECT_EQ(mortal.counts().ShortDebugString(), toy_.counts().ShortDebugString());
  const std::vector<alert::v1::AlertEvent> told = toy_.Alerts();
  const std::vector<alert::v1::AlertEvent> told_by_mortals = mortal.Alerts();
  ASSERT_EQ(told.size(), told_by_mortals.size());
  for (size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].effect_id(), told_by_mortals[i].effect_id());
  }
  for (const int64_t stretch : {1, 60, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
}

// Folds each touchpoint and dies after it. Between the marks of a client readers get what stood
// before; `all` ends with each retelling closed or not.
template <Projection P>
void ExpectReadersSeeWholeHistories(const Touchpoints& before, const Touchpoints& all) {
  Folded<P> folded;
  folded.Fold(before);
  std::map<std::string, std::string> stood;
  for (const Touchpoint& touchpoint : all) {
    const std::string& client = touchpoint.client_id();
    if (touchpoint.has_history_reopened()) stood.try_emplace(client, folded.Served(client));
    folded.Fold({touchpoint});
    folded.Reopen();
    if (touchpoint.has_history_closed()) stood.erase(client);
    for (const auto& [other, served] : stood) ASSERT_EQ(folded.Served(other), served);
  }
  for (const int64_t stretch : {1, 25, 1'000'000}) folded.ExpectRebuildIsEqual(stretch);
}

TEST_F(RetellingTest, ReadersSeeWhatStoodBeforeUntilItIsClosed) {
  Touchpoints before = Clocks(0, 5);
  before.insert(before.end(), a_.begin(), a_.end());
  before.insert(before.end(), b_.begin(), b_.end());
  Touchpoints all = testing::Merge("m", "a", "b", a_, Day(20));
  const auto add = [&](const Touchpoints& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  // Somebody writes meanwhile, and the clock goes on.
  all.insert(all.begin() + 10, MakeTouchpoint(Touchpoint::kCallCompleted, "b", "new", Day(5)));
  all.insert(all.begin() + 12, testing::Clock(Day(6)));
  ExpectReadersSeeWholeHistories<ToyProjection>(before, all);
  add(testing::Split("m", "a", "b", a_, b_, Day(21)));
  ExpectReadersSeeWholeHistories<ToyProjection>(before, all);
  // One whose writer died, and another that begins anew.
  Touchpoints begun = testing::Telling("b", "c", Day(22), true, b_);
  begun.resize(begun.size() / 2);
  add(begun);
  ExpectReadersSeeWholeHistories<ToyProjection>(before, all);
  Touchpoints corrected = b_;
  corrected.erase(corrected.begin());
  add(testing::Telling("b", "d", Day(23), true, corrected));
  add(Clocks(6, 8));
  ExpectReadersSeeWholeHistories<ToyProjection>(before, all);
  Folded<ToyProjection> at_once;
  at_once.Append(before);
  at_once.Append(all);
  at_once.Fold();
  EXPECT_EQ(at_once.StateOf("b").records(), 19);
  EXPECT_EQ(at_once.RowsOf("b"), 19u);
  for (const int64_t stretch : {1, 25, 1'000'000}) at_once.ExpectRebuildIsEqual(stretch);
}

// What the client had and what reopens its history come with one commit, which ends in between.
TEST_F(RetellingTest, WhatStoodBeforeMayComeWithTheSameCommit) {
  Touchpoints all = a_;
  Touchpoints told = testing::Telling("a", "c", Day(20), true, {a_.begin(), a_.begin() + 8});
  told.pop_back();
  all.insert(all.end(), told.begin(), told.end());
  toy_.Append(all);
  toy_.Fold();
  Folded<ToyProjection> other;
  other.Fold(a_);
  EXPECT_EQ(toy_.Served("a"), other.Served("a"));
  EXPECT_EQ(toy_.counts().clients(), 1);
  for (const int64_t stretch : {1, 33, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
  toy_.Reopen();
  toy_.Fold({testing::Closed("a", "c", Day(20))});
  EXPECT_EQ(toy_.StateOf("a").records(), 8);
  EXPECT_EQ(toy_.RowsOf("a"), 8u);
  for (const int64_t stretch : {1, 33, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
}

// Nothing of a client is served yet, and another process goes on.
TEST_F(RetellingTest, TheFirstOfAPartitionMayBeToldAnew) {
  const Touchpoints told = testing::Telling("b", "m", Day(1), false, HistoryOf("b", 30));
  toy_.Append({told.begin(), told.end() - 5});
  toy_.Fold();
  EXPECT_EQ(toy_.Served("b"), "");
  EXPECT_EQ(toy_.counts().clients(), 0);
  toy_.ExpectRebuildIsEqual(10);
  toy_.Reopen();
  toy_.Fold({told.end() - 5, told.end()});
  EXPECT_EQ(toy_.StateOf("b").records(), 30);
  EXPECT_EQ(toy_.RowsOf("b"), 30u);
  for (const int64_t stretch : {1, 10, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
}

TEST_F(RetellingTest, ACorrectionReplacesWhatWasTold) {
  toy_.Fold(a_);
  Touchpoints corrected = a_;
  corrected[1] = MakeTouchpoint(Touchpoint::kMeetingHeld, "a", "a1", Day(3));
  toy_.Fold(testing::Telling("a", "c", Day(20), true, corrected));
  Folded<ToyProjection> other;
  other.Fold(corrected);
  EXPECT_EQ(toy_.StateOf("a").SerializeAsString(), other.StateOf("a").SerializeAsString());
  EXPECT_EQ(toy_.RowsOf("a"), other.RowsOf("a"));
  // The same once more changes nothing; it comes with the same ids.
  const Digest once = toy_.digest();
  toy_.Fold(testing::Telling("a", "c", Day(20), true, a_));
  EXPECT_EQ(toy_.digest(), once);
}

TEST_F(RetellingTest, AMarkThatIsNotValidHoldsTheClientBack) {
  toy_.Fold(a_);
  Touchpoints telling = testing::Telling("a", "c", Day(20), true, a_);
  telling.front().mutable_history_reopened()->clear_retelling_id();
  toy_.Fold(telling);
  EXPECT_EQ(toy_.counts().dead_letters(), static_cast<int64_t>(telling.size()));
  EXPECT_EQ(toy_.StateOf("a").records(), 30);
  for (const int64_t stretch : {1, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
}

// The timers of a client wait until its history is told to its end.
TEST_F(RetellingTest, NoTimerFiresMeanwhile) {
  toy_.Fold(Clocks(0, 1));
  toy_.Fold({MakeTouchpoint(Touchpoint::kCallCompleted, "b", "call", Day(2))});
  const Touchpoints telling = testing::Telling("b", "m", Day(1), false, a_);
  toy_.Fold({telling.front()});
  toy_.Fold(Clocks(1, 6));
  EXPECT_EQ(toy_.StateOf("b").timers(), 0);
  toy_.Fold({telling.back()});
  toy_.Fold(Clocks(6, 7));
  EXPECT_EQ(toy_.StateOf("b").timers(), 1);
  for (const int64_t stretch : {1, 1'000'000}) toy_.ExpectRebuildIsEqual(stretch);
}

// Random histories of two clients.
template <Projection P>
class MergeAndSplitTest : public ::testing::Test {};
using Projections = ::testing::Types<Profile, Retention, DealPipeline, Kpi>;
TYPED_TEST_SUITE(MergeAndSplitTest, Projections);

// A client's touchpoints without duplicates and clocks.
Touchpoints OfClient(const Touchpoints& all, const std::string& client) {
  Touchpoints history;
  std::set<std::string> ids;
  for (const Touchpoint& touchpoint : all) {
    const bool about_history = touchpoint.has_clients_merged() || touchpoint.has_clients_split();
    if (touchpoint.client_id() == client && !about_history &&
        ids.insert(touchpoint.event_id()).second) {
      history.push_back(touchpoint);
    }
  }
  return history;
}

TYPED_TEST(MergeAndSplitTest, LeaveWhatWas) {
  bool changed = false;
  for (uint64_t seed = 1; seed <= 16; ++seed) {
    SCOPED_TRACE(seed);
    const Touchpoints all =
        testing::RandomHistory({.seed = seed,
                                .client_count = 2,
                                .touchpoint_count = 120,
                                .silence = absl::Hours(24) * static_cast<int64_t>(seed % 60)});
    absl::Time now = absl::InfinitePast();
    std::set<std::string> clients;
    for (const Touchpoint& touchpoint : all) {
      now = std::max(now, touchpoint.has_clock_advanced()
                              ? FromProto(touchpoint.clock_advanced().now())
                              : FromProto(touchpoint.occurred_at()));
      if (!touchpoint.client_id().empty()) clients.insert(touchpoint.client_id());
    }
    ASSERT_EQ(clients.size(), 2u);
    const std::string& a = *clients.begin();
    const std::string& b = *clients.rbegin();
    const Touchpoints of_a = OfClient(all, a);
    const Touchpoints of_b = OfClient(all, b);
    Folded<TypeParam> folded;
    folded.Fold(all);
    const Digest before = folded.digest();
    folded.Fold(testing::Merge("m", a, b, of_a, now));
    changed = changed || folded.digest() != before;
    EXPECT_EQ(folded.StateOf(a).ByteSizeLong(), 0u);
    EXPECT_EQ(folded.RowsOf(a), 0u);
    folded.Fold(testing::Split("m", a, b, of_a, of_b, now));
    EXPECT_EQ(folded.digest(), before);
    folded.ExpectRebuildIsEqual(seed % 2 == 0 ? 90 : 1'000'000);
    if (seed > 1) continue;
    Touchpoints retold = testing::Merge("m", a, b, of_a, now);
    const Touchpoints split = testing::Split("m", a, b, of_a, of_b, now);
    retold.insert(retold.end(), split.begin(), split.end());
    ExpectReadersSeeWholeHistories<TypeParam>(all, retold);
  }
  EXPECT_TRUE(changed);
}

TEST(MergedProfileTest, IsThatOfOneClientWithBothHistories) {
  const Touchpoints all =
      testing::RandomHistory({.seed = 3, .client_count = 2, .touchpoint_count = 200});
  Folded<Profile> merged;
  Folded<Profile> one;
  merged.Fold(all);
  std::set<std::string> clients;
  for (const Touchpoint& t : all) clients.insert(t.client_id());
  clients.erase("");
  const std::string& a = *clients.begin();
  const std::string& b = *clients.rbegin();
  merged.Fold(testing::Merge("m", a, b, OfClient(all, a), Day(2000)));
  Touchpoints both = OfClient(all, a);
  for (Touchpoint& touchpoint : both) touchpoint.set_client_id(b);
  one.Fold(both);
  one.Fold(OfClient(all, b));
  EXPECT_EQ(merged.StateOf(b).SerializeAsString(), one.StateOf(b).SerializeAsString());
  EXPECT_EQ(merged.RowsOf(b), one.RowsOf(b));
  EXPECT_GT(merged.RowsOf(b), 150u);
}

}  // namespace
}  // namespace rapport
