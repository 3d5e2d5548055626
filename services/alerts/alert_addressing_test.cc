#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/projections/testing/random_history.h"
#include "services/alerts/alert_book.h"
#include "services/alerts/testing/events.h"
#include "services/alerts/testing/organisation_access.h"

// To whom alerts go, and which of them at once.

namespace rapport {
namespace {

using query::v1::Alert;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeRaised;
using testing::MakeStep;
using testing::Minute;

// Two teams of a branch: anna and ben under lea, carl under lou; bea leads the branch.
constexpr char kFirm[] = R"(
  changes { unit_set { unit_id: "branch" kind: UNIT_KIND_BRANCH } }
  changes { unit_set { unit_id: "red" parent_unit_id: "branch" } }
  changes { unit_set { unit_id: "blue" parent_unit_id: "branch" } }
  changes { person_set { person_id: "anna" name: "Anna" } }
  changes { person_set { person_id: "ben" name: "Ben" } }
  changes { person_set { person_id: "carl" name: "Carl" } }
  changes { person_set { person_id: "lea" name: "Lea" } }
  changes { person_set { person_id: "lou" name: "Lou" } }
  changes { person_set { person_id: "bea" name: "Bea" } }
  changes { person_placed { person_id: "anna" unit_id: "red" } }
  changes { person_placed { person_id: "ben" unit_id: "red" } }
  changes { person_placed { person_id: "lea" unit_id: "red" } }
  changes { person_placed { person_id: "carl" unit_id: "blue" } }
  changes { person_placed { person_id: "lou" unit_id: "blue" } }
  changes { person_placed { person_id: "bea" unit_id: "branch" } }
  changes { lead_set { unit_id: "red" person_id: "lea" } }
  changes { lead_set { unit_id: "blue" person_id: "lou" } }
  changes { lead_set { unit_id: "branch" person_id: "bea" } }
)";

std::string Moment(absl::Time at) {
  return absl::StrCat("{ seconds: ", absl::ToUnixSeconds(at), " }");
}

class AlertAddressingTest : public ::testing::Test {
 protected:
  AlertAddressingTest() { Say(kFirm); }

  void Say(const std::string& text) {
    organisation::v1::OrganisationRecord record;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &record)) << text;
    const std::vector<ChangeProblem> problems = access_.firm.Apply(record.changes());
    ASSERT_THAT(problems, IsEmpty()) << problems[0].what;
    ++access_.version;
  }
  std::optional<query::v1::AlertStep> Take(const alert::v1::AlertEvent& event) {
    return book_.Take({Partition(0), Offset(next_++)}, event.SerializeAsString());
  }
  alert::v1::AlertEvent Escalated(const std::string& client, int64_t offset) {
    alert::v1::AlertEvent event = MakeStep(client, offset);
    event.mutable_escalated();
    return event;
  }
  std::vector<std::string> ListedFor(const std::string& person) {
    std::vector<std::string> clients;
    const auto page = book_.List({.owners = OwnerFilter({person})});
    EXPECT_OK(page);
    for (const Alert& alert : page->alerts()) clients.push_back(alert.client_id());
    return clients;
  }

  testing::OrganisationAccess access_;
  AlertBook book_{2, 100, {.access = &access_, .alerts_per_owner_and_day = 2}};
  int64_t next_ = 0;
};

TEST_F(AlertAddressingTest, WhatNobodyTookOnIsTheLeadsToo) {
  ASSERT_TRUE(Take(MakeRaised("ada", 1)).has_value());
  EXPECT_THAT(ListedFor("anna"), ElementsAre("ada"));
  EXPECT_THAT(ListedFor("lea"), IsEmpty());
  const auto step = Take(Escalated("ada", 2));
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->change(), query::v1::ALERT_CHANGE_ESCALATED);
  EXPECT_EQ(step->owner_id(), "anna");
  EXPECT_EQ(step->escalated_to(), "lea");
  EXPECT_EQ(step->delivery(), query::v1::ALERT_DELIVERY_AT_ONCE);
  EXPECT_THAT(ListedFor("anna"), ElementsAre("ada"));
  EXPECT_THAT(ListedFor("lea"), ElementsAre("ada"));
  ASSERT_OK_AND_ASSIGN(const auto details, book_.Find("ada-alert"));
  EXPECT_EQ(FromProto(details.alert().escalated_at()), Minute(2));
  EXPECT_EQ(details.alert().responsible_id(), "lea");
}

TEST_F(AlertAddressingTest, ALeadWhoIsAwayOrHasLeftIsNotAsked) {
  Say("changes { absence_set { absence_id: 'ski' person_id: 'lea' deputy_id: 'ben' from_at " +
      Moment(Minute(0)) + " to_at " + Moment(Minute(60)) + " } }");
  ASSERT_TRUE(Take(MakeRaised("ada", 1)).has_value());
  EXPECT_EQ(Take(Escalated("ada", 2))->escalated_to(), "ben");
  EXPECT_THAT(ListedFor("ben"), ElementsAre("ada"));
  // Back again, and then gone for good: the branch's.
  book_.SetClock(Minute(61));
  EXPECT_THAT(ListedFor("lea"), ElementsAre("ada"));
  EXPECT_THAT(ListedFor("ben"), IsEmpty());
  Say("changes { person_set { person_id: 'lea' name: 'Lea' left_at " + Moment(Minute(62)) + " } }");
  book_.SetClock(Minute(63));
  EXPECT_THAT(ListedFor("lea"), IsEmpty());
  EXPECT_THAT(ListedFor("bea"), ElementsAre("ada"));
}

TEST_F(AlertAddressingTest, AnOwnerWhoIsAwayIsStoodInForAndNobodysGoToTheBranch) {
  Say("changes { absence_set { absence_id: 'ski' person_id: 'anna' deputy_id: 'ben' from_at " +
      Moment(Minute(0)) + " to_at " + Moment(Minute(60)) + " } }");
  ASSERT_TRUE(Take(MakeRaised("ada", 1)).has_value());
  EXPECT_THAT(ListedFor("ben"), ElementsAre("ada"));
  alert::v1::AlertEvent nobodys = MakeRaised("bob", 2);
  nobodys.clear_owner_id();
  const auto step = Take(nobodys);
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->responsible_id(), "bea");
  EXPECT_THAT(ListedFor("bea"), ElementsAre("bob"));
}

TEST_F(AlertAddressingTest, BeyondTheBudgetOfTheDayTheDigestTellsAndCriticalOnesAlways) {
  std::vector<std::pair<std::string, query::v1::AlertDelivery>> told;
  const auto raise = [&](const std::string& client, int minute, alert::v1::Severity severity) {
    alert::v1::AlertEvent event = MakeRaised(client, minute);
    event.set_severity(severity);
    told.emplace_back(client, Take(event)->delivery());
  };
  raise("a", 1, alert::v1::SEVERITY_HIGH);
  raise("b", 2, alert::v1::SEVERITY_CRITICAL);
  raise("c", 3, alert::v1::SEVERITY_MEDIUM);
  raise("d", 4, alert::v1::SEVERITY_HIGH);
  raise("e", 5, alert::v1::SEVERITY_CRITICAL);
  constexpr int kNextDay = 24 * 60;
  raise("f", kNextDay, alert::v1::SEVERITY_MEDIUM);
  using query::v1::ALERT_DELIVERY_AT_ONCE;
  using query::v1::ALERT_DELIVERY_DIGEST;
  EXPECT_THAT(
      told,
      ElementsAre(std::pair("a", ALERT_DELIVERY_AT_ONCE), std::pair("b", ALERT_DELIVERY_AT_ONCE),
                  std::pair("c", ALERT_DELIVERY_AT_ONCE), std::pair("d", ALERT_DELIVERY_DIGEST),
                  std::pair("e", ALERT_DELIVERY_AT_ONCE), std::pair("f", ALERT_DELIVERY_AT_ONCE)));
}

TEST_F(AlertAddressingTest, WithABudgetOfNothingCriticalOnesAloneAreToldAtOnce) {
  AlertBook book(1, 100, {.access = &access_, .alerts_per_owner_and_day = 0});
  alert::v1::AlertEvent event = MakeRaised("a", 1);
  EXPECT_EQ(book.Take({Partition(0), Offset(0)}, event.SerializeAsString())->delivery(),
            query::v1::ALERT_DELIVERY_DIGEST);
  event = MakeRaised("b", 2);
  event.set_severity(alert::v1::SEVERITY_CRITICAL);
  EXPECT_EQ(book.Take({Partition(0), Offset(1)}, event.SerializeAsString())->delivery(),
            query::v1::ALERT_DELIVERY_AT_ONCE);
}

TEST_F(AlertAddressingTest, AReminderIsToldAndIsNoAlert) {
  alert::v1::AlertEvent event = MakeStep("ada", 1);
  event.set_alert_id("retention/commitment_due/ada/P-1");
  event.mutable_reminded()->set_item_id("P-1");
  event.mutable_reminded()->set_text("A promise of ours is due on 2026-03-03 at 10:00 UTC");
  const auto step = Take(event);
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->change(), query::v1::ALERT_CHANGE_REMINDED);
  EXPECT_EQ(step->reminder().item_id(), "P-1");
  EXPECT_THAT(ListedFor("anna"), IsEmpty());
}

// A year of a firm, with handovers, absences and people who leave.
class RandomYearTest : public AlertAddressingTest {
 protected:
  // What the retention projection tells in a year, by partition of the alerts log.
  static std::vector<std::vector<alert::v1::AlertEvent>> YearOf(uint64_t seed) {
    testing::HistoryOptions options;
    options.seed = seed;
    options.client_count = 60;
    options.touchpoint_count = 4000;
    testing::PlainFold<Retention> fold;
    std::vector<std::vector<alert::v1::AlertEvent>> partitions(kPartitions);
    testing::Random random(seed);
    uint64_t number = uint64_t{1} << 40;
    size_t seen = 0;
    const auto gather = [&] {
      for (; seen < fold.effects().size(); ++seen) {
        alert::v1::AlertEvent event = fold.effects()[seen];
        auto& partition = partitions[std::hash<std::string>()(event.client_id()) % kPartitions];
        event.set_projection(Retention::kName);
        event.set_effect_id(testing::EventIdOf(++number));
        event.mutable_cause()->set_partition(
            static_cast<int32_t>(std::hash<std::string>()(event.client_id()) % kPartitions));
        event.mutable_cause()->set_offset(static_cast<int64_t>(partition.size()) + 1);
        event.mutable_cause()->set_ordinal(0);
        partition.push_back(std::move(event));
      }
    };
    constexpr const char* kOwners[] = {"anna", "ben", "carl", "lea", ""};
    for (touchpoint::v1::Touchpoint touchpoint : testing::RandomHistory(options)) {
      if (touchpoint.has_owner_assigned()) {
        touchpoint.mutable_owner_assigned()->set_to_owner_id(kOwners[random.Below(5)]);
      }
      touchpoint.clear_owner_id();
      fold.Fold(touchpoint);
      gather();
    }
    return partitions;
  }

  // Reads the partitions in turns of random lengths.
  void Read(const std::vector<std::vector<alert::v1::AlertEvent>>& partitions, uint64_t seed,
            AlertBook* book, std::map<std::string, int>* raised) {
    testing::Random random(seed);
    std::vector<size_t> next(kPartitions, 0);
    for (bool more = true; more;) {
      more = false;
      for (size_t i = 0; i < kPartitions; ++i) {
        for (int64_t left = random.Below(50); left > 0 && next[i] < partitions[i].size(); --left) {
          const auto at = static_cast<int64_t>(next[i]);
          const RecordPosition position{Partition(static_cast<int32_t>(i)), Offset(at)};
          const alert::v1::AlertEvent& event = partitions[i][next[i]++];
          const auto step = book->Take(position, event.SerializeAsString());
          if (event.has_handed_over()) continue;
          ASSERT_TRUE(step.has_value());
          ASSERT_NE(step->responsible_id(), "") << step->DebugString();
          ASSERT_NE(step->delivery(), query::v1::ALERT_DELIVERY_UNSPECIFIED);
          if (event.has_raised()) ++(*raised)[event.alert_id()];
        }
        more = more || next[i] < partitions[i].size();
      }
    }
  }

  static constexpr size_t kPartitions = 3;
};

TEST_F(RandomYearTest, EachAlertHasOneWhoActsAndIsToldOnceWhateverTheOrderOfReading) {
  const absl::Time year = absl::FromUnixSeconds(1735689600);
  const auto day = [year](int days) { return Moment(year + days * absl::Hours(24)); };
  Say("changes { absence_set { absence_id: 'a' person_id: 'anna' deputy_id: 'ben' from_at " +
      day(20) + " to_at " + day(60) + " } }");
  Say("changes { absence_set { absence_id: 'b' person_id: 'lea' deputy_id: 'lou' from_at " +
      day(50) + " to_at " + day(90) + " } }");
  Say("changes { person_set { person_id: 'carl' name: 'Carl' left_at " + day(150) + " } }");
  Say("changes { person_set { person_id: 'lou' name: 'Lou' left_at " + day(200) + " } }");
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    const auto partitions = YearOf(seed);
    const AlertAddressing addressing = {.access = &access_, .alerts_per_owner_and_day = 1};
    AlertBook book(kPartitions, 1'000'000, addressing);
    AlertBook again(kPartitions, 1'000'000, addressing);
    std::map<std::string, int> raised;
    std::map<std::string, int> raised_again;
    Read(partitions, seed, &book, &raised);
    Read(partitions, seed + 100, &again, &raised_again);
    EXPECT_EQ(raised, raised_again);
    EXPECT_GT(raised.size(), 30u);
    const absl::Time end = year + absl::Hours(24 * 460);
    book.SetClock(end);
    again.SetClock(end);
    AlertFilter all = {.state = AlertFilter::State::kAll, .limit = 1'000'000};
    ASSERT_OK_AND_ASSIGN(query::v1::AlertsPage page, book.List(all));
    ASSERT_OK_AND_ASSIGN(const query::v1::AlertsPage page_again, again.List(all));
    EXPECT_EQ(page.DebugString(), page_again.DebugString());
    std::set<std::string> ids;
    size_t at_once = 0;
    size_t digest = 0;
    for (const Alert& alert : page.alerts()) {
      EXPECT_TRUE(ids.insert(alert.alert_id()).second) << alert.alert_id() << " twice";
      EXPECT_NE(alert.responsible_id(), "") << alert.DebugString();
      if (alert.state() == query::v1::ALERT_STATE_OPEN) {
        EXPECT_THAT(alert.responsible_id(), ::testing::AnyOf("anna", "ben", "lea", "bea"))
            << "the others have left\n"
            << alert.DebugString();
      }
      at_once += alert.delivery() == query::v1::ALERT_DELIVERY_AT_ONCE ? 1 : 0;
      digest += alert.delivery() == query::v1::ALERT_DELIVERY_DIGEST ? 1 : 0;
    }
    EXPECT_EQ(ids.size(), raised.size()) << "none lost";
    EXPECT_EQ(at_once + digest, raised.size());
  }
}

}  // namespace
}  // namespace rapport
