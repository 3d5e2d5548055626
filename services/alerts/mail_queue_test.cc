#include "services/alerts/mail_queue.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using state::v1::MailFact;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A queue over one partition whose facts go through a log, as they do in the service.
class MailQueueTest : public ::testing::Test {
 protected:
  MailQueueTest() {
    MailFact fact;
    fact.mutable_started()->add_next_offsets(10);
    Write(fact);
  }

  void Write(MailFact fact) {
    if (!fact.has_at()) ToProto(now_, fact.mutable_at());
    facts_.push_back(fact);
    queue_.Apply(fact);
  }
  void PlanUrgent(const std::string& person, int64_t offset, const std::string& alert = "a") {
    MailFact fact;
    state::v1::MailPlanned& planned = *fact.mutable_planned();
    planned.set_mail_id(UrgentMailId(absl::StrCat(offset), person));
    planned.set_kind(state::v1::MAIL_KIND_URGENT);
    planned.set_person_id(person);
    planned.set_alert_id(alert);
    planned.set_offset(offset);
    Write(fact);
  }
  void Read(int64_t next) {
    MailFact fact;
    fact.mutable_alerts_read()->add_next_offsets(next);
    Write(fact);
  }
  void BeginDay(const std::string& day, int64_t next) {
    MailFact fact;
    fact.mutable_digests_planned()->set_day(day);
    fact.mutable_digests_planned()->add_next_offsets(next);
    Write(fact);
  }
  void PlanDigest(const std::string& person, const std::string& day) {
    MailFact fact;
    state::v1::MailPlanned& planned = *fact.mutable_planned();
    planned.set_mail_id(DigestMailId(day, person));
    planned.set_kind(state::v1::MAIL_KIND_DIGEST);
    planned.set_person_id(person);
    planned.set_day(day);
    Write(fact);
  }
  // What another process makes of the facts.
  void Restart() {
    queue_ = MailQueue(1);
    for (const MailFact& fact : facts_) queue_.Apply(fact);
  }
  // Sends what is next and takes this reply; whom it went to.
  std::string Reply(SmtpReply::Outcome outcome, int code = 250) {
    const std::optional<MailQueue::Job> job = queue_.Next(now_);
    if (!job) return "";
    Write(JudgeMail(*job, {.outcome = outcome, .code = code, .text = "said so"}, "x@firm.example",
                    now_, 0.0));
    return job->planned.person_id();
  }
  std::vector<std::string> States() const {
    std::vector<std::string> states;
    for (const query::v1::MailDelivery& delivery : queue_.deliveries()) {
      states.push_back(absl::StrCat(delivery.person_id(), " ", delivery.state()));
    }
    return states;
  }
  static RecordPosition Step(int64_t offset) { return {Partition(0), Offset(offset)}; }

  MailQueue queue_{1};
  std::vector<MailFact> facts_;
  absl::Time now_ = absl::FromUnixSeconds(1'796'000'000);
};

constexpr auto kTaken = SmtpReply::Outcome::kTaken;
constexpr auto kPutOff = SmtpReply::Outcome::kPutOff;
constexpr auto kRefused = SmtpReply::Outcome::kRefused;

TEST_F(MailQueueTest, EachMailGoesOutOnceHoweverOftenItIsPlannedAndAcrossRestarts) {
  PlanUrgent("anna", 11);
  PlanUrgent("anna", 11);
  EXPECT_TRUE(queue_.IsPlanned(UrgentMailId("11", "anna")));
  EXPECT_EQ(queue_.pending(), 1u);
  Restart();
  EXPECT_EQ(Reply(kTaken), "anna");
  EXPECT_EQ(Reply(kTaken), "");
  Restart();
  EXPECT_EQ(queue_.pending(), 0u);
  // Planned, sent, and planned once more by who came later and had not read of it.
  PlanUrgent("anna", 11);
  EXPECT_EQ(queue_.pending(), 0u);
  Read(12);
  EXPECT_THAT(queue_.alerts_read().next, ElementsAre(12));
  EXPECT_THAT(States(), ElementsAre("anna sent"));
}

TEST_F(MailQueueTest, AServerThatPutsOffForAnHourGetsItInTheEnd) {
  PlanUrgent("anna", 11);
  int attempts = 0;
  const absl::Time begun = now_;
  while (now_ < begun + absl::Hours(1)) {
    EXPECT_EQ(Reply(kPutOff, 451), "anna");
    ++attempts;
    EXPECT_EQ(Reply(kPutOff, 451), "") << "it waits";
    now_ = queue_.NextDue();
    if (attempts == 3) Restart();
  }
  EXPECT_LE(attempts, 12);
  EXPECT_EQ(Reply(kTaken), "anna");
  EXPECT_EQ(queue_.pending(), 0u);
}

TEST_F(MailQueueTest, WhoIsRefusedHarmsNobodyAndIsToldOfInTheDigest) {
  PlanUrgent("gone", 11, "a1");
  PlanUrgent("anna", 12, "a2");
  EXPECT_EQ(Reply(kRefused, 550), "gone");
  EXPECT_EQ(Reply(kTaken), "anna");
  EXPECT_THAT(States(), ElementsAre("gone refused", "anna sent"));
  EXPECT_EQ(queue_.deliveries().front().code(), 550);
  EXPECT_EQ(queue_.deliveries().front().text(), "said so");
  EXPECT_FALSE(queue_.IsTold("a1", "gone", Step(11)));
  EXPECT_TRUE(queue_.IsTold("a2", "anna", Step(12)));
  EXPECT_FALSE(queue_.IsTold("a2", "anna", Step(20))) << "it got worse since";
  queue_.ForgetTold([](const std::string&) { return false; });
  EXPECT_FALSE(queue_.IsTold("a2"));
}

TEST_F(MailQueueTest, AfterADayItIsGivenUp) {
  PlanUrgent("anna", 11);
  EXPECT_EQ(Reply(kPutOff, 451), "anna");
  now_ += MailQueue::kLongestTry;
  EXPECT_EQ(Reply(kPutOff, 451), "anna");
  EXPECT_THAT(States(), ElementsAre("anna waits", "anna given_up"));
  EXPECT_EQ(queue_.pending(), 0u);
}

TEST_F(MailQueueTest, UrgentMailsGoBeforeDigests) {
  BeginDay("2026-11-30", 20);
  PlanDigest("anna", "2026-11-30");
  PlanDigest("ben", "2026-11-30");
  PlanUrgent("ben", 21);
  EXPECT_EQ(Reply(kPutOff), "ben");
  EXPECT_EQ(queue_.Next(now_)->planned.kind(), state::v1::MAIL_KIND_DIGEST);
  now_ += absl::Hours(1);
  EXPECT_EQ(queue_.Next(now_)->planned.kind(), state::v1::MAIL_KIND_URGENT);
}

TEST_F(MailQueueTest, ADigestTellsFromWhereThePersonsLastOneEnded) {
  EXPECT_THAT(queue_.DigestBegin("anna").next, ElementsAre(10));
  BeginDay("2026-11-30", 20);
  PlanDigest("anna", "2026-11-30");
  PlanDigest("anna", "2026-11-30");
  PlanDigest("ben", "2026-11-30");
  EXPECT_TRUE(queue_.HasDigest("anna"));
  EXPECT_EQ(Reply(kTaken), "anna");
  EXPECT_EQ(Reply(kPutOff), "ben");
  EXPECT_THAT(queue_.DigestBegin("anna").next, ElementsAre(20));
  EXPECT_THAT(queue_.DigestBegin("ben").next, ElementsAre(10));
  // The next day's takes its place.
  BeginDay("2026-12-01", 30);
  EXPECT_FALSE(queue_.HasDigest("anna"));
  PlanDigest("ben", "2026-12-01");
  EXPECT_EQ(queue_.pending(), 1u);
  Restart();
  EXPECT_EQ(Reply(kTaken), "ben");
  EXPECT_THAT(queue_.DigestBegin("ben").next, ElementsAre(30));
  EXPECT_THAT(States(), ElementsAre("anna sent", "ben waits", "ben replaced", "ben sent"));
  // A day that is over does not come again.
  BeginDay("2026-11-30", 99);
  EXPECT_EQ(queue_.digest_day(), "2026-12-01");
}

TEST_F(MailQueueTest, IsBoundedAndTellsHowLongTheOldestWaits) {
  EXPECT_FALSE(queue_.oldest_pending().has_value());
  const absl::Time begun = now_;
  for (size_t i = 0; i < MailQueue::kMaxUrgent; ++i) {
    EXPECT_TRUE(queue_.HasRoom());
    PlanUrgent("anna", 11 + static_cast<int64_t>(i), absl::StrCat("a", i));
    now_ += absl::Milliseconds(1);
  }
  EXPECT_FALSE(queue_.HasRoom());
  EXPECT_EQ(queue_.oldest_pending(), begun);
  EXPECT_EQ(Reply(kTaken), "anna");
  EXPECT_TRUE(queue_.HasRoom());
}

TEST_F(MailQueueTest, NobodyGetsMoreUrgentMailsThanCanBeActedOn) {
  for (size_t i = 0; i < MailQueue::kMostAnHour; ++i) {
    EXPECT_TRUE(queue_.MayGetUrgent("anna", now_));
    PlanUrgent("anna", 11 + static_cast<int64_t>(i));
  }
  EXPECT_FALSE(queue_.MayGetUrgent("anna", now_));
  EXPECT_TRUE(queue_.MayGetUrgent("ben", now_));
  EXPECT_TRUE(queue_.MayGetUrgent("anna", now_ + absl::Minutes(61)));
}

TEST_F(MailQueueTest, WhoCannotBeReachedIsShownAndWaitsForNothing) {
  PlanUrgent("", 11);
  EXPECT_EQ(queue_.pending(), 0u);
  EXPECT_THAT(States(), ElementsAre(" nobody"));
}

TEST_F(MailQueueTest, PreferencesHoldFromTheLastWord) {
  EXPECT_EQ(queue_.PreferenceOf("anna"), "all");
  EXPECT_EQ(queue_.FindPreference("anna"), nullptr);
  for (const char* const choice : {"digest", "off"}) {
    MailFact fact;
    fact.mutable_preference_set()->set_person_id("anna");
    fact.mutable_preference_set()->set_preference(choice);
    fact.mutable_preference_set()->set_set_by("link");
    Write(fact);
  }
  Restart();
  EXPECT_EQ(queue_.PreferenceOf("anna"), "off");
  EXPECT_EQ(queue_.FindPreference("anna")->set_by(), "link");
}

}  // namespace
}  // namespace rapport
