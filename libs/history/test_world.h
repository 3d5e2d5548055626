#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/history/history_teller.h"
#include "libs/projections/deal_pipeline/deal_pipeline.h"
#include "libs/projections/identity/identity.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/projection_view.h"
#include "libs/projector/testing/fixture.h"
#include "libs/projector/testing/retelling.h"
#include "tests/support/faulty_log.h"

namespace rapport::testing {

inline constexpr int kPartitions = 3;

// All partitions of a projection, folded anew.
template <Projection P>
class Folded {
 public:
  explicit Folded(EventLog* log) : fixture_(log, /*in_memory=*/true) {
    std::vector<std::shared_ptr<StateStore>> stores;
    for (int i = 0; i < kPartitions; ++i) {
      FoldOptions options;
      options.partition = Partition(i);
      auto worker = PartitionWorker::Open(fixture_.env(), absl::StrCat("/p", i), options,
                                          PartitionWorker::Effects::kHold);
      EXPECT_OK(worker);
      EXPECT_OK((*worker)->FoldUpTo(log->GetWatermarks("touchpoints", Partition(i))->end));
      EXPECT_OK((*worker)->Flush());
      digest_ += (*worker)->fold().digest();
      EXPECT_EQ((*worker)->fold().counts().dead_letters(), 0);
      stores.push_back((*worker)->store());
      workers_.push_back(*std::move(worker));
    }
    view_.emplace(stores);
  }
  Digest digest() const { return digest_; }
  const ProjectionView& view() const { return *view_; }

 private:
  ProjectionFixture<P> fixture_;
  std::vector<std::unique_ptr<PartitionWorker>> workers_;
  std::optional<ProjectionView> view_;
  Digest digest_;
};

struct Digests {
  Digest profile;
  Digest retention;
  Digest pipeline;
  Digest identity;
  bool operator==(const Digests&) const = default;
};

// A log, and what tells histories in it.
class World {
 public:
  explicit World(uint64_t seed = 1)
      : real_log_(NewInMemoryEventLog()), log_(real_log_.get(), seed) {
    EXPECT_OK(log_.CreateTopic("touchpoints", kPartitions));
    EXPECT_OK(log_.CreateTopic("alerts", kPartitions));
    EXPECT_OK(log_.CreateTopic("history", 1));
  }

  void Append(const Touchpoints& touchpoints) {
    std::vector<Record> records;
    for (const touchpoint::v1::Touchpoint& touchpoint : touchpoints) {
      if (!touchpoint.has_clock_advanced()) {
        records.push_back(MakeRecord(touchpoint));
        continue;
      }
      for (int i = 0; i < kPartitions; ++i) {
        records.push_back(
            MakeClockRecord(FromProto(touchpoint.clock_advanced().now()), Partition(i)));
      }
    }
    ASSERT_OK(real_log_->Append("touchpoints", records));
  }
  void Merge(const std::string& id, const std::string& absorbed, const std::string& survivor) {
    Append({testing::Merge(id, absorbed, survivor, {}, now_).front()});
  }
  void Split(const std::string& id, const std::string& absorbed, const std::string& survivor) {
    Append({testing::Split(id, absorbed, survivor, {}, {}, now_).front()});
  }
  // `withdrawn`: it never was.
  void Correct(const touchpoint::v1::Touchpoint& correction, int64_t revision,
               bool withdrawn = false) {
    touchpoint::v1::Touchpoint order =
        MakeTouchpoint(touchpoint::v1::Touchpoint::kTouchpointCorrected, correction.client_id(),
                       absl::StrCat("correction ", ++number_), now_);
    order.mutable_touchpoint_corrected()->set_correction(correction.SerializeAsString());
    order.mutable_touchpoint_corrected()->set_revision(revision);
    order.mutable_touchpoint_corrected()->set_withdrawn(withdrawn);
    Append({order});
  }
  // Tells until there is nothing more to do; dies of errors and is there again. How often it died.
  int Tell() {
    int deaths = 0;
    for (int idle = 0; idle < 2;) {
      if (teller_ == nullptr) {
        auto teller = HistoryTeller::TakeOver(&log_, {.now = [this] { return now_; }});
        if (teller.ok()) teller_ = *std::move(teller);
      }
      const absl::StatusOr<int64_t> records =
          teller_ == nullptr ? absl::UnavailableError("not taken over") : teller_->Step();
      if (!records.ok()) {
        EXPECT_TRUE(absl::IsUnavailable(records.status())) << records.status();
        teller_.reset();
        ++deaths;
      }
      idle = records.ok() && *records == 0 ? idle + 1 : 0;
    }
    return deaths;
  }
  void Die() { teller_.reset(); }
  // Of one projection, which costs a fourth of all.
  template <Projection P>
  Digest DigestOf() {
    return Folded<P>(real_log_.get()).digest();
  }
  Digests digests() {
    return {DigestOf<Profile>(), DigestOf<Retention>(), DigestOf<DealPipeline>(),
            DigestOf<IdentityProjection>()};
  }
  int64_t Records() {
    int64_t records = 0;
    for (int i = 0; i < kPartitions; ++i) {
      records += real_log_->GetWatermarks("touchpoints", Partition(i))->end.value();
    }
    return records;
  }
  // The client's timeline.
  Touchpoints RowsOf(const std::string& client) {
    const Folded<Profile> profile(real_log_.get());
    Touchpoints rows;
    EXPECT_OK(profile.view().Rows(client, "", "", [&](absl::string_view, absl::string_view value) {
      return rows.emplace_back().ParseFromArray(value.data(), static_cast<int>(value.size()));
    }));
    return rows;
  }
  // The ids of the orders in it.
  std::vector<std::string> OrdersOf(const std::string& client) {
    std::vector<std::string> orders;
    for (const touchpoint::v1::Touchpoint& row : RowsOf(client)) {
      orders.push_back(row.order_placed().order_id());
    }
    return orders;
  }
  // Whom identifiers that are the client's lead to, before its history is told and after.
  std::string IdentityOf(const std::string& client) {
    const Folded<IdentityProjection> identity(real_log_.get());
    IdentityProjection::State state;
    EXPECT_OK(identity.view().Get(client, &state).status());
    const absl::StatusOr<std::string> told = identity.view().AbsorbedInto(client);
    EXPECT_OK(told);
    const std::string& ordered = state.absorbed().survivor_client_id();
    return !ordered.empty() ? ordered : !told->empty() ? *told : client;
  }
  state::v1::MergeState StateOf(const std::string& merge_id) {
    const state::v1::ClientMerge* merge = teller_->ledger().Find(merge_id);
    return merge == nullptr ? state::v1::MERGE_STATE_UNSPECIFIED : merge->state();
  }
  FaultyLog& log() { return log_; }
  const MergeLedger& ledger() const { return teller_->ledger(); }
  void set_now(absl::Time now) { now_ = now; }

 private:
  const std::unique_ptr<EventLog> real_log_;
  FaultyLog log_;
  std::unique_ptr<HistoryTeller> teller_;
  absl::Time now_ = Day(400);
  int number_ = 0;
};

inline touchpoint::v1::Touchpoint Order(const std::string& client, const std::string& id, int day) {
  return MakeTouchpoint(touchpoint::v1::Touchpoint::kOrderPlaced, client, id, Day(day));
}

}  // namespace rapport::testing
