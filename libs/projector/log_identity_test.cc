// A log that is not the one that a state was folded from: restored from an older copy, lost, or
// made anew.

#include "libs/projector/log_identity.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/partition_worker.h"
#include "libs/projector/testing/fixture.h"
#include "libs/projector/testing/toy_projection.h"
#include "libs/touchpoint/record.h"
#include "tests/support/faulty_log.h"
#include "tests/support/fold_oracle.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Day;
using testing::FaultyLog;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeTouchpoint;
using testing::TempFolder;
using testing::ToyProjection;
using touchpoint::v1::Touchpoint;

class LogIdentityTest : public ::testing::Test {
 protected:
  LogIdentityTest() : real_log_(NewLog()), log_(real_log_.get(), 1), fixture_(&log_) {}

  static std::unique_ptr<EventLog> NewLog() {
    std::unique_ptr<EventLog> log = NewInMemoryEventLog();
    EXPECT_OK(log->CreateTopic("touchpoints", 1));
    EXPECT_OK(log->CreateTopic("alerts", 1));
    return log;
  }
  // A complaint is an alert of the toy projection.
  static void Write(EventLog& log, const std::string& name, int from, int count) {
    for (int i = from; i < from + count; ++i) {
      const std::string id = absl::StrCat(name, i);
      ASSERT_OK(log.Append("touchpoints",
                           {MakeRecord(MakeTouchpoint(
                               i % 3 == 0 ? Touchpoint::kComplaintOpened : Touchpoint::kOrderPlaced,
                               absl::StrCat("client ", i % 5), id, Day(i)))}));
    }
  }
  void Replace(std::unique_ptr<EventLog> log) {
    worker_.reset();
    log_.set_log(log.get());
    real_log_ = std::move(log);
  }
  absl::Status Open() {
    worker_.reset();
    absl::StatusOr<std::unique_ptr<PartitionWorker>> worker = PartitionWorker::Open(
        fixture_.env(), folder_ / "p0", {}, PartitionWorker::Effects::kPublish);
    if (!worker.ok()) return worker.status();
    worker_ = *std::move(worker);
    return absl::OkStatus();
  }
  void FoldAll() {
    ASSERT_OK(worker_->FoldUpTo(real_log_->GetWatermarks("touchpoints", Partition(0))->end));
    ASSERT_OK(worker_->Flush());
  }
  void ExpectExact() {
    const testing::FoldOracle<ToyProjection> oracle(*real_log_, "touchpoints", Partition(0));
    EXPECT_GT(oracle.plain().effects().size(), 0u);
    EXPECT_THAT(oracle.CompareStore(*worker_->store()), IsEmpty());
    EXPECT_THAT(oracle.CompareAlerts(*real_log_, "alerts"), IsEmpty());
  }
  bool WasSetAside() const { return fs::exists(folder_ / "p0.set-aside-1"); }

  const TempFolder folder_;
  std::unique_ptr<EventLog> real_log_;
  FaultyLog log_;
  testing::ProjectionFixture<ToyProjection> fixture_;
  std::unique_ptr<PartitionWorker> worker_;
};

TEST_F(LogIdentityTest, TheSameLogIsGoneOnWith) {
  Write(*real_log_, "a", 0, 20);
  ASSERT_OK(Open());
  FoldAll();
  Write(*real_log_, "a", 20, 5);
  ASSERT_OK(Open());
  EXPECT_EQ(worker_->fold().position(), Offset(20));
  FoldAll();
  ExpectExact();
  EXPECT_FALSE(WasSetAside());
}

TEST_F(LogIdentityTest, AStateThatIsAheadOfTheLogIsFoldedAnew) {
  Write(*real_log_, "a", 0, 20);
  ASSERT_OK(Open());
  FoldAll();
  auto older = NewLog();
  Write(*older, "a", 0, 7);
  Replace(std::move(older));
  ASSERT_OK(Open());
  EXPECT_TRUE(WasSetAside());
  EXPECT_THAT(worker_->set_aside(), HasSubstr("ends at offset 7 of partition 0"));
  // What is acknowledged from now on is seen.
  Write(*real_log_, "later", 7, 4);
  FoldAll();
  ExpectExact();
}

TEST_F(LogIdentityTest, AnotherLogIsNoticedHoweverLongItIs) {
  Write(*real_log_, "a", 0, 20);
  ASSERT_OK(Open());
  FoldAll();
  auto other = NewLog();
  Write(*other, "a", 0, 7);
  Write(*other, "other", 7, 40);
  Replace(std::move(other));
  ASSERT_OK(Open());
  EXPECT_TRUE(WasSetAside());
  EXPECT_THAT(worker_->set_aside(), HasSubstr("is not the one that this was folded from"));
  FoldAll();
  ExpectExact();
}

TEST_F(LogIdentityTest, AlertsThatAreTakenForSentAndAreNotThereAreSentAgain) {
  Write(*real_log_, "a", 0, 20);
  ASSERT_OK(Open());
  FoldAll();
  auto without_alerts = NewLog();
  Write(*without_alerts, "a", 0, 20);
  Replace(std::move(without_alerts));
  ASSERT_OK(Open());
  EXPECT_TRUE(WasSetAside());
  FoldAll();
  ExpectExact();
}

TEST_F(LogIdentityTest, AlertsOfAnotherLogAreNotTakenForOurs) {
  Write(*real_log_, "a", 0, 20);
  ASSERT_OK(Open());
  FoldAll();
  // The touchpoints anew, and the alerts as they were.
  auto other = NewLog();
  testing::ForEachRecord(*real_log_, "alerts", Partition(0), [&](const RecordView& view) {
    Record record;
    record.key = std::string(view.key);
    record.value = std::string(view.value);
    record.timestamp = view.timestamp;
    ASSERT_OK(other->Append("alerts", {record}));
  });
  Replace(std::move(other));
  const auto is_told =
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("not of one log"), HasSubstr("make topic alerts anew")));
  EXPECT_THAT(Open(), is_told);
  Write(*real_log_, "b", 0, 40);
  EXPECT_THAT(Open(), is_told);
}

TEST_F(LogIdentityTest, DamageInTheAlertsLogIsNoneOfTheState) {
  Write(*real_log_, "a", 0, 20);
  ASSERT_OK(Open());
  FoldAll();
  for (const Offset offset : {Offset(0), worker_->fold().alerts_position() - 1}) {
    log_.set_damage("alerts", offset);
    // A state that has all behind it reads the last one, and one that begins anew all of them.
    if (offset == Offset(0)) fs::rename(folder_ / "p0", folder_ / "kept");
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("(injected)")));
    if (offset == Offset(0)) {
      fs::remove_all(folder_ / "p0");
      fs::rename(folder_ / "kept", folder_ / "p0");
    }
  }
  EXPECT_FALSE(WasSetAside());
  log_.set_damage("alerts", std::nullopt);
  ASSERT_OK(Open());
  EXPECT_EQ(worker_->fold().position(), Offset(20));
  ExpectExact();
}

}  // namespace
}  // namespace rapport
