#include "services/alerts/alert_book.h"

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "services/alerts/testing/events.h"

namespace rapport {
namespace {

using query::v1::Alert;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeAcknowledged;
using testing::MakeCleared;
using testing::MakeRaised;
using testing::MakeSnoozed;
using testing::MakeUpdated;
using testing::Minute;

class AlertBookTest : public ::testing::Test {
 protected:
  // Whether it was a step that had not been told before.
  bool Take(const alert::v1::AlertEvent& event) {
    return book_.Take({Partition(0), Offset(next_++)}, event.SerializeAsString()).has_value();
  }
  std::vector<std::string> Listed(const AlertFilter& filter) {
    std::vector<std::string> clients;
    const auto page = book_.List(filter);
    EXPECT_OK(page);
    for (const Alert& alert : page->alerts()) clients.push_back(alert.client_id());
    return clients;
  }

  AlertBook book_{2, 3};
  int64_t next_ = 0;
};

TEST_F(AlertBookTest, FollowsAnAlertThroughItsLife) {
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  ASSERT_OK_AND_ASSIGN(query::v1::AlertDetails details, book_.Find("ada-alert"));
  EXPECT_EQ(details.alert().state(), query::v1::ALERT_STATE_OPEN);
  EXPECT_EQ(details.alert().advice(), "Call before the client does.");
  EXPECT_EQ(details.alert().reasons(0).touchpoint_ids(0), MakeEventId("crm", "order").ToHex());

  ASSERT_TRUE(Take(MakeUpdated("ada", 2)));
  ASSERT_TRUE(Take(MakeCleared("ada", 3)));
  ASSERT_OK_AND_ASSIGN(details, book_.Find("ada-alert"));
  const Alert& alert = details.alert();
  EXPECT_EQ(alert.state(), query::v1::ALERT_STATE_CLOSED);
  EXPECT_EQ(alert.clear_reason(), alert::v1::CLEAR_REASON_BELOW_THRESHOLD);
  EXPECT_EQ(FromProto(alert.raised_at()), Minute(1));
  EXPECT_EQ(FromProto(alert.closed_at()), Minute(3));
  EXPECT_EQ(alert.severity(), alert::v1::SEVERITY_CRITICAL) << "as it was while it was open";
  EXPECT_EQ(alert.reasons_size(), 1) << "as they were while it was open";
  ASSERT_EQ(details.steps_size(), 3);
  EXPECT_EQ(details.steps(1).change(), query::v1::ALERT_CHANGE_UPDATED);
  EXPECT_EQ(details.steps(1).previous_score(), 800);
  EXPECT_EQ(details.steps(2).cause_position(), "0:3");
  EXPECT_THAT(details.watermarks(), ElementsAre("0:3", "1:0"));
  EXPECT_EQ(details.stream_cursor(), "0-3.1-0");
}

TEST_F(AlertBookTest, WhatIsSentTwiceCountsOnce) {
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  ASSERT_TRUE(Take(MakeCleared("ada", 2)));
  EXPECT_FALSE(Take(MakeRaised("ada", 1))) << "by a former owner that did not know it was one";
  EXPECT_FALSE(Take(MakeCleared("ada", 2)));
  EXPECT_TRUE(book_.WasDropped({Partition(0), Offset(2)}));
  EXPECT_FALSE(book_.WasDropped({Partition(0), Offset(1)}));
  EXPECT_THAT(Listed({.state = AlertFilter::State::kOpen}), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const auto details, book_.Find("ada-alert"));
  EXPECT_EQ(details.steps_size(), 2);
  EXPECT_EQ(book_.cursor().next[0], 4) << "they are read all the same";
}

TEST_F(AlertBookTest, AllAlertsOfAClientAreItsOwnersToSee) {
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  ASSERT_TRUE(Take(MakeCleared("ada", 2)));
  alert::v1::AlertEvent handed = testing::MakeStep("ada", 3);
  handed.set_alert_id("the next one");
  handed.set_owner_id("otto");
  handed.mutable_handed_over();
  EXPECT_FALSE(Take(handed)) << "no step of an alert";
  using State = AlertFilter::State;
  EXPECT_THAT(Listed({.state = State::kAll, .owners = OwnerFilter({"anna"})}), IsEmpty());
  EXPECT_THAT(Listed({.state = State::kAll, .owners = OwnerFilter({"otto"})}), ElementsAre("ada"));
  EXPECT_EQ(book_.OwnerOf("ada-alert"), "otto");
  EXPECT_EQ(book_.OwnerOf("the next one"), std::nullopt);
  ASSERT_OK_AND_ASSIGN(const auto details, book_.Find("ada-alert"));
  EXPECT_EQ(details.alert().state(), query::v1::ALERT_STATE_CLOSED);
  EXPECT_EQ(details.steps_size(), 2);
}

TEST_F(AlertBookTest, DamageIsLeftOut) {
  EXPECT_EQ(book_.Take({Partition(1), Offset(0)}, "\xff\xff"), std::nullopt);
  EXPECT_EQ(book_.Take({Partition(1), Offset(1)}, ""), std::nullopt);
  EXPECT_TRUE(book_.WasDropped({Partition(1), Offset(1)}));
  EXPECT_EQ(book_.cursor().next[1], 2);
}

TEST_F(AlertBookTest, ListsByStateOwnerClientAndSeverityTheLatestFirst) {
  alert::v1::AlertEvent other = MakeRaised("bob", 2);
  other.set_owner_id("otto");
  other.set_severity(alert::v1::SEVERITY_MEDIUM);
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  ASSERT_TRUE(Take(other));
  ASSERT_TRUE(Take(MakeRaised("eve", 3)));
  ASSERT_TRUE(Take(MakeCleared("ada", 4)));
  using State = AlertFilter::State;
  EXPECT_THAT(Listed({.state = State::kOpen}), ElementsAre("eve", "bob"));
  EXPECT_THAT(Listed({.state = State::kClosed}), ElementsAre("ada"));
  EXPECT_THAT(Listed({.state = State::kAll}), ElementsAre("eve", "bob", "ada"));
  EXPECT_THAT(Listed({.owners = OwnerFilter({"anna"})}), ElementsAre("eve"));
  EXPECT_THAT(Listed({.state = State::kAll, .owners = OwnerFilter({"anna"})}),
              ElementsAre("eve", "ada"));
  EXPECT_THAT(Listed({.client_id = "bob"}), ElementsAre("bob"));
  EXPECT_THAT(Listed({.owners = OwnerFilter({"anna"}), .client_id = "bob"}), IsEmpty());
  EXPECT_THAT(Listed({.least_severity = alert::v1::SEVERITY_HIGH}), ElementsAre("eve"));
  EXPECT_EQ(book_.OpenBySeverity().at(alert::v1::SEVERITY_HIGH), 1);
  EXPECT_EQ(book_.OpenBySeverity().at(alert::v1::SEVERITY_MEDIUM), 1);
}

TEST_F(AlertBookTest, AnAlertGoesWithItsClientToANewOwner) {
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  alert::v1::AlertEvent update = MakeUpdated("ada", 2);
  update.set_owner_id("otto");
  ASSERT_TRUE(Take(update));
  EXPECT_THAT(Listed({.owners = OwnerFilter({"anna"})}), IsEmpty());
  EXPECT_THAT(Listed({.owners = OwnerFilter({"otto"})}), ElementsAre("ada"));
}

TEST_F(AlertBookTest, PagesHoldWhileAlertsComeAndGo) {
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(Take(MakeRaised(absl::StrCat("c", i), i)));
  AlertFilter filter{.state = AlertFilter::State::kAll, .limit = 3};
  ASSERT_OK_AND_ASSIGN(query::v1::AlertsPage page, book_.List(filter));
  filter.cursor = page.next_cursor();
  ASSERT_TRUE(Take(MakeRaised("new", 10)));
  ASSERT_TRUE(Take(MakeUpdated("c4", 11)));
  EXPECT_THAT(Listed(filter), ElementsAre("c3", "c2", "c1"));
  ASSERT_OK_AND_ASSIGN(page, book_.List(filter));
  filter.cursor = page.next_cursor();
  ASSERT_OK_AND_ASSIGN(page, book_.List(filter));
  EXPECT_EQ(page.alerts_size(), 1);
  EXPECT_EQ(page.next_cursor(), "");
  filter.cursor = "!";
  EXPECT_THAT(book_.List(filter),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cursor: '!' is no cursor")));
}

TEST_F(AlertBookTest, TheOldestClosedGoFirst) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Take(MakeRaised(absl::StrCat("c", i), i)));
  for (const int i : {3, 0, 4, 1}) {
    ASSERT_TRUE(Take(MakeCleared(absl::StrCat("c", i), 10 + next_)));
  }
  EXPECT_THAT(Listed({.state = AlertFilter::State::kAll}), ElementsAre("c4", "c2", "c1", "c0"));
  EXPECT_THAT(book_.Find("c3-alert"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no alert 'c3-alert'")));
  EXPECT_FALSE(Take(MakeRaised("c3", 3))) << "that it was dropped makes no repetition new";
}

TEST_F(AlertBookTest, MarksComeAndGo) {
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  book_.Act(MakeAcknowledged("ada-alert", 5));
  book_.Act(MakeAcknowledged("ada-alert", 4));
  book_.Act(MakeSnoozed("ada-alert", 6, 60));
  Alert alert = *book_.Look("ada-alert");
  EXPECT_EQ(alert.acknowledged().agent_id(), "berta");
  EXPECT_EQ(FromProto(alert.acknowledged().at()), Minute(5)) << "an older one came later";
  EXPECT_EQ(FromProto(alert.snoozed().until()), Minute(60));

  ASSERT_TRUE(Take(MakeUpdated("ada", 60)));
  alert = *book_.Look("ada-alert");
  EXPECT_FALSE(alert.has_snoozed()) << "this was the reminder";
  EXPECT_TRUE(alert.has_acknowledged());
  book_.Act(MakeSnoozed("ada-alert", 6, 60));
  EXPECT_FALSE(book_.Look("ada-alert")->has_snoozed()) << "read again after the reminder";

  ASSERT_TRUE(Take(MakeCleared("ada", 61)));
  book_.Act(MakeAcknowledged("ada-alert", 62));
  EXPECT_FALSE(book_.Look("ada-alert")->has_acknowledged());
}

TEST_F(AlertBookTest, AMarkMayBeReadBeforeItsAlert) {
  book_.Act(MakeAcknowledged("bob-alert", 5));
  book_.Act(MakeAcknowledged("ada-alert", 6));
  ASSERT_TRUE(Take(MakeRaised("ada", 1)));
  EXPECT_EQ(FromProto(book_.Look("ada-alert")->acknowledged().at()), Minute(6));
  ASSERT_TRUE(Take(MakeRaised("bob", 2)));
  EXPECT_EQ(FromProto(book_.Look("bob-alert")->acknowledged().at()), Minute(5));
}

TEST_F(AlertBookTest, TellsFromWhereMarksOfOpenAlertsMayStand) {
  EXPECT_THAT(book_.OldestOpenCauses(), ElementsAre(std::nullopt, std::nullopt));
  ASSERT_TRUE(Take(MakeRaised("ada", 3)));
  ASSERT_TRUE(Take(MakeRaised("bob", 5)));
  ASSERT_TRUE(Take(MakeUpdated("bob", 7)));
  EXPECT_THAT(book_.OldestOpenCauses(), ElementsAre(3, std::nullopt));
  ASSERT_TRUE(Take(MakeCleared("ada", 8)));
  EXPECT_THAT(book_.OldestOpenCauses(), ElementsAre(5, std::nullopt));
}

}  // namespace
}  // namespace rapport
