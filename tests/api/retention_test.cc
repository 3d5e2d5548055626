#include "services/retention/retention.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "libs/base/time.h"
#include "libs/projections/profile/profile.h"
#include "libs/projections/retention/retention.h"
#include "libs/projections/testing/plain_fold.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/call_list.pb.h"
#include "rapport/query/v1/retention.pb.h"
#include "services/profiles/profiles.h"
#include "services/retention/retention_answer.h"

namespace rapport {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using touchpoint::v1::Touchpoint;

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

class RetentionServiceTest : public testing::ServingFixture {
 protected:
  void StartWith(bool profiles) {
    auto retention = StartRetention(env());
    ASSERT_OK(retention);
    services_.push_back(*std::move(retention));
    std::vector<const Service*> all = {services_.back().get()};
    if (profiles) {
      auto service = StartProfiles(env());
      ASSERT_OK(service);
      services_.push_back(*std::move(service));
      all.push_back(services_.back().get());
    }
    Serve(all);
  }
  void TearDown() override { http_->Drain(absl::Seconds(5)); }

  static Touchpoint Make(Touchpoint::PayloadCase kind, const std::string& client, int day,
                         const std::string& owner = "otto") {
    Touchpoint touchpoint = testing::MakeTouchpoint(
        kind, client, absl::StrCat(client, "/", day, "/", int{kind}), testing::Day(day));
    touchpoint.set_owner_id(owner);
    return touchpoint;
  }
  // A client who orders every `gap` days from the first day to the last.
  static std::vector<Touchpoint> Orders(const std::string& client, int gap, int last,
                                        const std::string& owner = "otto") {
    std::vector<Touchpoint> orders;
    for (int day = 0; day <= last; day += gap) {
      orders.push_back(Make(Touchpoint::kOrderPlaced, client, day, owner));
      orders.back().mutable_order_placed()->set_order_id(absl::StrCat(client, "-", day));
    }
    return orders;
  }
  // Everything, with the clock at each moment, in the order of time; returns what to wait for.
  std::string Play(std::vector<Touchpoint> touchpoints, int until) {
    std::stable_sort(touchpoints.begin(), touchpoints.end(), [](const auto& a, const auto& b) {
      return FromProto(a.occurred_at()) < FromProto(b.occurred_at());
    });
    for (const Touchpoint& touchpoint : touchpoints) {
      Tick(FromProto(touchpoint.occurred_at()));
      Append({touchpoint});
    }
    return Tick(testing::Day(until));
  }

  std::vector<std::unique_ptr<Service>> services_;
};

TEST_F(RetentionServiceTest, ListsClientsAtRiskTheHighestScoreFirst) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all = Orders("silent", 7, 210);
  for (const Touchpoint& order : Orders("quiet", 20, 280, "eva")) all.push_back(order);
  for (const Touchpoint& order : Orders("loyal", 7, 400)) all.push_back(order);
  const std::string wait = Play(all, 400);
  const auto list = Read<query::v1::AtRiskList>("/v1/retention/at-risk?" + wait);
  ASSERT_THAT(list.clients(), SizeIs(2));
  EXPECT_GE(list.clients(0).score(), list.clients(1).score());
  EXPECT_EQ(list.clients(0).client_id(), "silent");
  EXPECT_EQ(list.clients(0).owner_id(), "otto");
  EXPECT_THAT(list.clients(0).alert_id(), HasSubstr("retention/churn_risk/silent/1"));
  ASSERT_THAT(list.clients(0).reasons(), Not(IsEmpty()));
  EXPECT_EQ(list.clients(0).reasons(0).code(), "no_order");
  EXPECT_EQ(FromProto(list.watermark().partitions(0).clock()), testing::Day(400));
  // The list and the client's own page tell the same, as of the same clock.
  const auto own = Read<query::v1::Retention>("/v1/retention/silent");
  EXPECT_EQ(list.clients(0).present_score(), own.score());
  EXPECT_GT(own.score(), list.clients(0).score());
  EXPECT_EQ(list.clients(0).reasons(0).text(), own.reasons(0).text());
  EXPECT_EQ(own.reasons(0).facts().usual_value(), 7);

  const auto page = Read<query::v1::AtRiskList>("/v1/retention/at-risk?limit=1");
  ASSERT_THAT(page.clients(), SizeIs(1));
  const auto rest =
      Read<query::v1::AtRiskList>("/v1/retention/at-risk?limit=1&cursor=" + page.next_cursor());
  ASSERT_THAT(rest.clients(), SizeIs(1));
  EXPECT_EQ(rest.clients(0).client_id(), "quiet");
  EXPECT_EQ(rest.next_cursor(), "");

  const auto of_eva = Read<query::v1::AtRiskList>("/v1/retention/at-risk?owner=eva");
  ASSERT_THAT(of_eva.clients(), SizeIs(1));
  EXPECT_EQ(of_eva.clients(0).client_id(), "quiet");
  const int top = list.clients(0).score();
  const auto at_least = [&](int points) {
    return Read<query::v1::AtRiskList>(absl::StrCat("/v1/retention/at-risk?min_risk=", points))
        .clients_size();
  };
  EXPECT_EQ(at_least(0), 2);
  EXPECT_EQ(at_least(top), 1);
  EXPECT_EQ(at_least(std::min(top + 1, 1000)), 0);
}

TEST_F(RetentionServiceTest, SaysWhoTheClientIs) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all = Orders("silent", 7, 210);
  Touchpoint registered = Make(Touchpoint::kClientRegistered, "silent", 0);
  registered.mutable_client_registered()->mutable_details()->set_name("Silent Ltd");
  registered.mutable_client_registered()->mutable_details()->set_segment(
      touchpoint::v1::SEGMENT_BUSINESS);
  Touchpoint changed = Make(Touchpoint::kClientDetailsChanged, "silent", 100);
  changed.mutable_client_details_changed()->mutable_details()->set_name("Żabka");
  changed.mutable_client_details_changed()->mutable_details()->set_key_account(true);
  all.push_back(registered);
  all.push_back(changed);
  const std::string wait = Play(all, 400);
  const auto list = Read<query::v1::AtRiskList>("/v1/retention/at-risk?" + wait);
  ASSERT_THAT(list.clients(), SizeIs(1));
  EXPECT_EQ(list.clients(0).client_name(), "Żabka");
  EXPECT_EQ(list.clients(0).segment(), touchpoint::v1::SEGMENT_BUSINESS);
  EXPECT_TRUE(list.clients(0).key_account());
  EXPECT_EQ(FromProto(list.clients(0).last_touchpoint_at()), testing::Day(210));
  const auto own = Read<query::v1::Retention>("/v1/retention/silent");
  EXPECT_EQ(own.client_name(), "Żabka");
  EXPECT_EQ(own.segment(), touchpoint::v1::SEGMENT_BUSINESS);
  EXPECT_TRUE(own.key_account());
  EXPECT_EQ(FromProto(own.last_touchpoint_at()), testing::Day(210));
}

TEST_F(RetentionServiceTest, ListsWhereMostStandsToBeLostFirst) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all = Orders("small", 7, 100);
  for (Touchpoint& order : Orders("large", 7, 300)) {
    order.mutable_order_placed()->mutable_amount()->set_minor_units(90000);
    order.mutable_order_placed()->mutable_amount()->set_currency_code("EUR");
    all.push_back(order);
  }
  const std::string wait = Play(all, 400);
  const auto by_score = Read<query::v1::AtRiskList>("/v1/retention/at-risk?" + wait);
  ASSERT_THAT(by_score.clients(), SizeIs(2));
  EXPECT_EQ(by_score.clients(0).client_id(), "small");
  const auto by_loss = Read<query::v1::AtRiskList>("/v1/retention/at-risk?sort=loss&owner=otto");
  ASSERT_THAT(by_loss.clients(), SizeIs(2));
  const query::v1::AtRiskClient& first = by_loss.clients(0);
  EXPECT_EQ(first.client_id(), "large");
  EXPECT_EQ(first.yearly_value().currency_code(), "EUR");
  EXPECT_EQ(first.expected_loss().minor_units(),
            first.yearly_value().minor_units() * first.present_score() / 1000);
  EXPECT_EQ(Read<query::v1::Retention>("/v1/retention/large").expected_loss().minor_units(),
            first.expected_loss().minor_units());
  EXPECT_LT(by_loss.clients(1).expected_loss().minor_units(), first.expected_loss().minor_units());
  EXPECT_THAT(Error("/v1/retention/at-risk?sort=luck", 400), HasSubstr("sort is 'luck'"));
  EXPECT_THAT(Error("/v1/retention/at-risk?sort=loss&min_risk=1", 400), HasSubstr("min_risk"));
}

TEST_F(RetentionServiceTest, TheListNamesTheSameAlertAsTheClientAfterOneThatPeopleClosed) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all = Orders("silent", 7, 210);
  Touchpoint resolved = Make(Touchpoint::kAlertResolved, "silent", 320);
  resolved.mutable_alert_resolved()->set_alert_id("retention/churn_risk/silent/1");
  resolved.mutable_alert_resolved()->set_outcome(touchpoint::v1::ALERT_OUTCOME_SAVED);
  all.push_back(resolved);
  const std::string wait = Play(all, 400);
  const auto list = Read<query::v1::AtRiskList>("/v1/retention/at-risk?" + wait);
  ASSERT_THAT(list.clients(), SizeIs(1));
  EXPECT_THAT(list.clients(0).alert_id(), HasSubstr("/silent/2"));
  EXPECT_EQ(list.clients(0).alert_id(),
            Read<query::v1::Retention>("/v1/retention/silent").alert().alert_id());
}

TEST_F(RetentionServiceTest, TellsWhyWithTheTouchpointsBehindEachReason) {
  StartWith(/*profiles=*/true);
  std::vector<Touchpoint> all = Orders("a client/1", 7, 210);
  Touchpoint complaint = Make(Touchpoint::kComplaintOpened, "a client/1", 250);
  complaint.mutable_complaint_opened()->set_severity(touchpoint::v1::COMPLAINT_SEVERITY_HIGH);
  all.push_back(complaint);
  const std::string wait = Play(all, 300);
  const auto answer = Read<query::v1::Retention>("/v1/retention/a%20client%2F1?" + wait);
  EXPECT_EQ(answer.client_id(), "a client/1");
  EXPECT_EQ(answer.owner_id(), "otto");
  EXPECT_EQ(FromProto(answer.at()), testing::Day(300));
  EXPECT_EQ(answer.alert().status(), query::v1::RETENTION_ALERT_STATUS_OPEN);
  EXPECT_FALSE(answer.touchpoints_missing());
  EXPECT_FALSE(answer.historical());
  bool told = false;
  for (const auto& reason : answer.reasons()) {
    if (reason.code() != "complaint_open") continue;
    told = true;
    ASSERT_THAT(reason.touchpoints(), SizeIs(1));
    EXPECT_EQ(reason.touchpoints(0).kind(), "complaint_opened");
    EXPECT_EQ(reason.touchpoints(0).summary(), SummaryLine(complaint));
    EXPECT_EQ(FromProto(reason.touchpoints(0).occurred_at()), testing::Day(250));
  }
  EXPECT_TRUE(told) << answer.DebugString();
}

TEST_F(RetentionServiceTest, WithoutTheTimelineItTellsIdsAloneAndSaysSo) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all = Orders("anna", 7, 70);
  all.push_back(Make(Touchpoint::kComplaintOpened, "anna", 71));
  const std::string wait = Play(all, 75);
  const auto answer = Read<query::v1::Retention>("/v1/retention/anna?" + wait);
  EXPECT_TRUE(answer.touchpoints_missing());
  for (const auto& reason : answer.reasons()) {
    if (reason.code() != "complaint_open") continue;
    ASSERT_THAT(reason.touchpoints(), SizeIs(1));
    EXPECT_THAT(reason.touchpoints(0).touchpoint_id(), SizeIs(32));
    EXPECT_EQ(reason.touchpoints(0).summary(), "");
  }
  // Nothing can be folded without it. No such route is no such client.
  EXPECT_THAT(Error("/v1/retention/anna?as_of=2024-01-01T00:00:00Z", 404), HasSubstr("'anna'"));
}

TEST_F(RetentionServiceTest, AsOfEqualsAPlainFoldOfWhatHadHappened) {
  StartWith(/*profiles=*/true);
  std::vector<Touchpoint> all = Orders("anna", 7, 210);
  all.push_back(Make(Touchpoint::kComplaintOpened, "anna", 150));
  all.push_back(Make(Touchpoint::kSatisfactionScored, "anna", 160));
  const std::string wait = Play(all, 400);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return FromProto(a.occurred_at()) < FromProto(b.occurred_at());
  });
  std::vector<query::v1::RetentionAlertStatus> phases;
  for (const int day : {100, 155, 300, 390}) {
    const absl::Time as_of = testing::Day(day);
    testing::PlainFold<Retention> plain;
    for (const Touchpoint& touchpoint : all) {
      if (FromProto(touchpoint.occurred_at()) > as_of) break;
      plain.AdvanceTo(FromProto(touchpoint.occurred_at()));
      plain.Fold(touchpoint);
    }
    plain.AdvanceTo(as_of);
    query::v1::Retention wanted = ToRetention("anna", plain.StateOf("anna"), {}, as_of);
    google::protobuf::RepeatedPtrField<Touchpoint> known(all.begin(), all.end());
    FillTouchpoints(known, &wanted);
    wanted.set_historical(true);
    auto answer = Read<query::v1::Retention>(
        absl::StrCat("/v1/retention/anna?as_of=", Rfc3339(as_of), "&", wait));
    answer.clear_watermark();
    EXPECT_EQ(answer.DebugString(), wanted.DebugString()) << day;
    phases.push_back(answer.alert().status());
  }
  EXPECT_THAT(phases, Contains(query::v1::RETENTION_ALERT_STATUS_OPEN));
  EXPECT_THAT(phases, Contains(query::v1::RETENTION_ALERT_STATUS_UNSPECIFIED));
  EXPECT_THAT(Error("/v1/retention/anna?as_of=2001-01-01T00:00:00Z", 404),
              HasSubstr("nothing is known of a client 'anna' by 2001-01-01T00:00:00+00:00"));
  EXPECT_THAT(Error("/v1/retention/nobody?as_of=2024-01-01T00:00:00Z", 404), HasSubstr("'nobody'"));
}

TEST_F(RetentionServiceTest, TheHistoryTellsEachDayWhatAsOfTellsAtItsEnd) {
  StartWith(/*profiles=*/true);
  std::vector<Touchpoint> all = Orders("anna", 7, 210);
  all.push_back(Make(Touchpoint::kComplaintOpened, "anna", 150));
  Touchpoint snoozed = Make(Touchpoint::kAlertSnoozed, "anna", 300);
  snoozed.set_agent_id("otto");
  snoozed.mutable_alert_snoozed()->set_alert_id("retention/churn_risk/anna/1");
  ToProto(testing::Day(310), snoozed.mutable_alert_snoozed()->mutable_snoozed_until());
  all.push_back(snoozed);
  Touchpoint resolved = Make(Touchpoint::kAlertResolved, "anna", 350);
  resolved.set_agent_id("otto");
  resolved.mutable_alert_resolved()->set_alert_id("retention/churn_risk/anna/1");
  resolved.mutable_alert_resolved()->set_outcome(touchpoint::v1::ALERT_OUTCOME_SAVED);
  all.push_back(resolved);
  const absl::Time clock = testing::Day(400) + absl::Hours(9);
  Play(all, 390);
  const std::string wait = Tick(clock);
  const std::string path = "/v1/retention/anna/history";
  const auto whole = Read<query::v1::RetentionHistory>(
      absl::StrCat(path, "?from=", Rfc3339(testing::Day(-10)), "&", wait));
  const auto day_of = [](absl::Time at) { return absl::ToCivilDay(at, absl::UTCTimeZone()); };
  // From the first touchpoint on, and not from before.
  ASSERT_THAT(whole.days(), SizeIs(day_of(clock) - day_of(testing::Day(0)) + 1));
  EXPECT_EQ(FromProto(whole.days(whole.days_size() - 1).at()), clock);
  for (const int number : {0, 151, 305, 360, 400}) {
    const query::v1::RetentionDay& day = whole.days(number);
    EXPECT_EQ(day_of(FromProto(day.at())), day_of(testing::Day(number)));
    const auto as_of = Read<query::v1::Retention>(absl::StrCat(
        "/v1/retention/anna?as_of=",
        absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", FromProto(day.at()), absl::UTCTimeZone())));
    EXPECT_EQ(day.score(), as_of.score()) << number;
    ASSERT_EQ(day.reasons_size(), as_of.reasons_size()) << number;
    for (int i = 0; i < day.reasons_size(); ++i) {
      EXPECT_EQ(day.reasons(i).text(), as_of.reasons(i).text()) << number;
      EXPECT_THAT(day.reasons(i).touchpoints(), IsEmpty());
    }
  }
  std::vector<query::v1::RetentionChange> changes;
  for (const query::v1::RetentionMark& mark : whole.marks()) {
    const bool beside = mark.change() == query::v1::RETENTION_CHANGE_UPDATED ||
                        mark.change() == query::v1::RETENTION_CHANGE_ESCALATED;
    if (!beside) changes.push_back(mark.change());
    EXPECT_EQ(mark.alert_id().substr(0, 26), "retention/churn_risk/anna/");
    EXPECT_GT(mark.score(), 0);
  }
  EXPECT_THAT(
      changes,
      ElementsAre(query::v1::RETENTION_CHANGE_RAISED, query::v1::RETENTION_CHANGE_SNOOZED,
                  query::v1::RETENTION_CHANGE_RESOLVED, query::v1::RETENTION_CHANGE_RAISED));
  // Half a year unless it is said otherwise.
  const auto usual = Read<query::v1::RetentionHistory>(path);
  EXPECT_THAT(usual.days(), SizeIs(184));
  const auto part = Read<query::v1::RetentionHistory>(
      absl::StrCat(path, "?from=", Rfc3339(testing::Day(299)), "&to=", Rfc3339(testing::Day(301))));
  ASSERT_THAT(part.marks(), SizeIs(1));
  EXPECT_EQ(part.marks(0).agent_id(), "otto");
  EXPECT_EQ(part.days(0).DebugString(), whole.days(299).DebugString());
  EXPECT_THAT(Error(path + "?step=week", 400), HasSubstr("step is 'week'; there is: day"));
  EXPECT_THAT(Error(path + "?from=2020-01-01T00:00:00Z", 400), HasSubstr("more than 1096 days"));
  EXPECT_THAT(Error(path + "?from=2024-02-01T00:00:00Z&to=2024-01-01T00:00:00Z", 400),
              HasSubstr("from is later than to"));
  EXPECT_THAT(Error("/v1/retention/nobody/history", 404), HasSubstr("'nobody'"));
}

TEST_F(RetentionServiceTest, TellsWhatAPromiseWillCostIfItFails) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all = Orders("silent", 7, 210);
  Touchpoint made = Make(Touchpoint::kCommitmentMade, "silent", 211);
  made.mutable_commitment_made()->set_commitment_id("P-1");
  ToProto(testing::Day(214), made.mutable_commitment_made()->mutable_due_at());
  all.push_back(made);
  const std::string wait = Play(all, 213);
  const auto before = Read<query::v1::Retention>("/v1/retention/silent?" + wait);
  ASSERT_THAT(before.promises(), SizeIs(1));
  EXPECT_EQ(before.promises(0).commitment_id(), "P-1");
  EXPECT_EQ(FromProto(before.promises(0).due_at()), testing::Day(214));
  EXPECT_GT(before.promises(0).score_if_failed(), before.promises(0).score_if_kept() + 20);
  EXPECT_GE(before.promises(0).score_if_kept(), before.score());
  const std::string later = Tick(testing::Day(214) + absl::Minutes(1));
  const auto after = Read<query::v1::Retention>("/v1/retention/silent?" + later);
  EXPECT_EQ(after.score(), before.promises(0).score_if_failed());
  EXPECT_THAT(after.promises(), IsEmpty());
}

TEST_F(RetentionServiceTest, WrongRequestsSayWhatIsWrong) {
  StartWith(/*profiles=*/false);
  EXPECT_THAT(Error("/v1/retention/at-risk?min_risk=1001", 400), HasSubstr("min_risk is '1001'"));
  EXPECT_THAT(Error("/v1/retention/at-risk?risk=1", 400),
              HasSubstr("there are: owner, team, branch, min_risk, sort, cursor, limit, wait_for"));
  EXPECT_THAT(Error("/v1/retention/at-risk?cursor=%2A", 400), HasSubstr("cursor is '*'"));
  EXPECT_THAT(Error("/v1/retention/nobody", 404), HasSubstr("of a client 'nobody'"));
  EXPECT_THAT(Error("/v1/retention/nobody?as_of=now", 400), HasSubstr("as_of is 'now'"));
}

TEST_F(RetentionServiceTest, TheCallListHasWhomACallKeepsFirst) {
  StartWith(/*profiles=*/false);
  std::vector<Touchpoint> all;
  // Each silent for long after weekly calls; what they bring differs.
  const auto client = [&](const std::string& id, int64_t pounds, const std::string& owner) {
    for (int day = 0; day <= 70; day += 7) {
      all.push_back(Make(Touchpoint::kCallCompleted, id, day, owner));
      all.back().mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
    }
    all.push_back(Make(Touchpoint::kContractSigned, id, 1, owner));
    auto& terms = *all.back().mutable_contract_signed();
    terms.Clear();
    terms.set_contract_id(id + "-frame");
    // Of a year, so that it tells what the client brings in one.
    ToProto(testing::Day(1), terms.mutable_terms()->mutable_starts_at());
    ToProto(testing::Day(366), terms.mutable_terms()->mutable_ends_at());
    terms.mutable_terms()->mutable_value()->set_minor_units(pounds * 100);
    terms.mutable_terms()->mutable_value()->set_currency_code("GBP");
  };
  client("small", 1000, "otto");
  client("large", 90000, "otto");
  client("middle", 20000, "otto");
  client("evas", 50000, "eva");
  client("called", 80000, "otto");
  all.push_back(Make(Touchpoint::kCallCompleted, "called", 200));
  all.back().mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
  client("met", 80000, "otto");
  all.push_back(Make(Touchpoint::kMeetingPlanned, "met", 190));
  auto& planned = *all.back().mutable_meeting_planned();
  planned.set_meeting_id("M-1");
  ToProto(testing::Day(200) + absl::Hours(1), planned.mutable_planned_at());
  all.push_back(Make(Touchpoint::kStakeholderAdded, "large", 2));
  auto& person = *all.back().mutable_stakeholder_added()->mutable_stakeholder();
  person.Clear();
  person.set_stakeholder_id("S-1");
  person.set_name("Ms Large");
  person.set_phone("+4930123456");
  person.set_influence(touchpoint::v1::INFLUENCE_DECISION_MAKER);
  const std::string wait = Play(all, 200);
  const auto list = Read<query::v1::CallList>("/v1/owners/otto/call-list?" + wait);
  std::vector<std::string> ids;
  for (const auto& row : list.rows()) ids.push_back(row.client_id());
  ASSERT_THAT(ids, ElementsAre("large", "middle", "small"));
  const query::v1::CallListRow& first = list.rows(0);
  EXPECT_GT(first.score(), first.score_after_call());
  EXPECT_EQ(first.avertable_loss().minor_units(),
            int64_t{9000000} * (first.score() - first.score_after_call()) / 1000);
  EXPECT_EQ(first.stakeholder_name(), "Ms Large");
  EXPECT_EQ(first.phone(), "+4930123456");
  EXPECT_EQ(FromProto(first.last_contact_at()), testing::Day(70));
  EXPECT_EQ(first.last_contact_channel(), touchpoint::v1::CHANNEL_PHONE);
  EXPECT_EQ(first.next_step().code(), "call");
  EXPECT_THAT(first.next_step().text(), HasSubstr("its calls were answered"));
  ASSERT_THAT(Read<query::v1::CallList>("/v1/owners/otto/call-list?limit=1").rows(), SizeIs(1));
  EXPECT_THAT(Read<query::v1::CallList>("/v1/owners/nobody/call-list").rows(), IsEmpty());
  EXPECT_THAT(Error("/v1/owners/otto/call-list?limit=0", 400), HasSubstr("limit"));
}

}  // namespace
}  // namespace rapport
