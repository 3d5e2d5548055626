#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "libs/base/time.h"
#include "libs/mail/mail.h"
#include "libs/people/organisation_log.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/mail.pb.h"
#include "rapport/state/v1/mail.pb.h"
#include "services/alerts/alerts.h"
#include "services/alerts/testing/events.h"
#include "services/profiles/profiles.h"
#include "services/retention/retention.h"
#include "tests/support/smtp_sink.h"

// Mails to our own people: the services that they are made from, and a server that takes them.

namespace rapport {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using touchpoint::v1::Touchpoint;

constexpr absl::Duration kPatience = absl::Seconds(60);

// A zone in which it is about noon now.
std::string NoonZone(absl::Time now) {
  const int ahead = 12 - absl::ToCivilHour(now, absl::UTCTimeZone()).hour();
  return absl::StrCat("Etc/GMT", ahead > 0 ? "-" : "+", std::abs(ahead));
}

class MailTest : public testing::ServingFixture {
 protected:
  MailTest() {
    config::v1::AlertMail& mail = *config_.mutable_alerts()->mutable_mail();
    mail.set_server(sink_.address());
    mail.set_security("none");
    mail.set_from("Rapport <rapport@firm.example>");
    mail.set_public_url("https://rapport.firm.example");
    mail.set_time_zone(NoonZone(absl::Now()));
    mail.set_working_days("mon tue wed thu fri sat sun");
    mail.set_digest_at("");
    mail.set_timeout_ms(20'000);
    auto organisation = OrganisationLog::Open(log_.get(), "organisation", absl::Now);
    EXPECT_OK(organisation);
    organisation_ = *std::move(organisation);
  }
  void TearDown() override {
    http_->Drain(absl::Seconds(5));
    services_.clear();
  }

  void Employ(const std::string& person, const std::string& language = "",
              bool has_address = true) {
    query::v1::StaffOrder order;
    query::v1::StaffPersonOrder& who = *order.add_people();
    who.set_person_id(person);
    who.set_name(absl::StrCat("The ", person));
    if (has_address) who.set_e_mail(person + "@firm.example");
    who.set_language(language);
    EXPECT_OK(organisation_->Carry(order, "test", /*dry_run=*/false));
  }
  void Leave(const std::string& person) {
    query::v1::StaffOrder order;
    order.add_people()->set_person_id(person);
    ToProto(absl::Now() - absl::Hours(1), order.mutable_people(0)->mutable_left_at());
    EXPECT_OK(organisation_->Carry(order, "test", /*dry_run=*/false));
  }
  void Lead(const std::string& person, const std::vector<std::string>& members) {
    query::v1::StaffOrder order;
    order.add_units()->set_unit_id("team");
    order.mutable_units(0)->set_lead_id(person);
    for (const std::string& member : members) {
      order.add_people()->set_person_id(member);
      order.mutable_people(order.people_size() - 1)->set_unit_id("team");
    }
    EXPECT_OK(organisation_->Carry(order, "test", /*dry_run=*/false));
  }

  // Mail has been sent since yesterday, so that today's digests are due.
  void SinceYesterday() {
    ASSERT_OK(log_->CreateTopic("mail", 1));
    state::v1::MailFact fact;
    ToProto(absl::Now() - absl::Hours(24), fact.mutable_at());
    fact.mutable_started();
    Record record;
    record.value = fact.SerializeAsString();
    record.partition = Partition(0);
    record.timestamp = absl::Now();
    ASSERT_OK(log_->Append("mail", {record}));
  }
  void Start() {
    std::vector<const Service*> all;
    for (const StartService& start :
         {StartService(StartProfiles), StartService(StartRetention), StartService(StartAlerts)}) {
      auto service = start(env());
      ASSERT_OK(service);
      services_.push_back(*std::move(service));
      all.push_back(services_.back().get());
      // What was told before stands in agendas when mails are written.
      if (all.size() < 3) Until([&all] { return all.back()->Ready().ok(); });
    }
    Serve(all);
    Until([this] { return Status().sending() && HasStarted(); });
  }
  bool HasStarted() { return log_->GetWatermarks("mail", Partition(0))->end > Offset(0); }

  query::v1::MailStatus Status() { return Read<query::v1::MailStatus>("/v1/mail"); }
  std::vector<std::string> Warnings() { return services_.back()->Warnings(); }
  // What became of each mail, in order.
  std::vector<std::string> States() {
    std::vector<std::string> states;
    const query::v1::MailStatus status = Status();
    for (const query::v1::MailDelivery& delivery : status.deliveries()) {
      states.push_back(absl::StrCat(delivery.person_id(), " ", delivery.state()));
    }
    std::reverse(states.begin(), states.end());
    return states;
  }

  void Until(const std::function<bool()>& done) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!done()) {
      ASSERT_LT(absl::Now(), deadline) << "it did not happen in time: " << Status().DebugString();
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  std::vector<ParsedMail> WaitForMails(size_t count) {
    Until([&] { return sink_.mails().size() >= count && Status().pending() == 0; });
    std::vector<ParsedMail> mails;
    for (const SmtpSink::Mail& mail : sink_.mails()) {
      auto parsed = ParseMail(mail.data, {.excerpt_bytes = 20'000});
      EXPECT_OK(parsed);
      mails.push_back(*std::move(parsed));
    }
    return mails;
  }
  std::vector<std::string> Recipients() {
    std::vector<std::string> to;
    for (const SmtpSink::Mail& mail : sink_.mails()) to.push_back(mail.to);
    return to;
  }

  Touchpoint Make(Touchpoint::PayloadCase kind, const std::string& client,
                  const std::string& owner) {
    ++made_;
    Touchpoint touchpoint =
        testing::MakeTouchpoint(kind, client, absl::StrCat(client, "/", made_),
                                absl::Now() - absl::Hours(48) + absl::Milliseconds(made_));
    touchpoint.set_owner_id(owner);
    return touchpoint;
  }
  void Register(const std::string& client, const std::string& name, const std::string& owner) {
    Touchpoint touchpoint = Make(Touchpoint::kClientRegistered, client, owner);
    touchpoint.mutable_client_registered()->mutable_details()->set_name(name);
    Touchpoint assigned = Make(Touchpoint::kOwnerAssigned, client, owner);
    assigned.mutable_owner_assigned()->clear_from_owner_id();
    assigned.mutable_owner_assigned()->set_to_owner_id(owner);
    Append({touchpoint, assigned});
  }
  void Raise(const std::string& client, const std::string& owner,
             alert::v1::Severity severity = alert::v1::SEVERITY_HIGH) {
    alert::v1::AlertEvent event = testing::MakeRaised(client, ++raised_);
    // Of a projection that is not folded here, and so does not look for what brought it about.
    event.set_projection("elsewhere");
    event.set_owner_id(owner);
    event.set_severity(severity);
    ToProto(absl::Now(), event.mutable_at());
    ASSERT_OK(log_->Append("alerts", {testing::AlertRecord(event)}));
  }

  SmtpSink sink_;
  std::unique_ptr<OrganisationLog> organisation_;
  std::vector<std::unique_ptr<Service>> services_;
  int made_ = 0;
  int raised_ = 0;
};

TEST_F(MailTest, AnUrgentAlertReachesItsOwnerOnceAndALesserOneWaitsForTheDigest) {
  Employ("anna", "pl");
  Register("c1", "Nordwind", "anna");
  Start();
  Raise("before", "anna", alert::v1::SEVERITY_MEDIUM);
  Raise("c1", "anna");
  const std::vector<ParsedMail> mails = WaitForMails(1);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].to[0].address, "anna@firm.example");
  EXPECT_EQ(mails[0].to[0].name, "The anna");
  EXPECT_EQ(mails[0].from[0].name, "Rapport");
  EXPECT_EQ(mails[0].subject, "Pilne: Nordwind może odejść");
  EXPECT_EQ(mails[0].language, "pl");
  EXPECT_THAT(mails[0].excerpt, AllOf(HasSubstr("No order since 2025-03-01"),
                                      HasSubstr("https://rapport.firm.example/clients/c1")));
  EXPECT_THAT(sink_.mails()[0].data,
              AllOf(HasSubstr("List-Unsubscribe: <https://rapport.firm.example/v1/mail/unsub"),
                    HasSubstr("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
                    HasSubstr("Auto-Submitted: auto-generated\r\n")));
  EXPECT_THAT(States(), ElementsAre("anna sent"));
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(rapport_mails_total{kind="urgent",result="sent"} 1)"));
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(MailTest, WhereNoMailReachesTheOwnerTheLeadIsToldAndTheOperator) {
  Employ("anna", "", /*has_address=*/false);
  Employ("ben");
  Employ("lead");
  Lead("lead", {"anna", "ben"});
  Leave("ben");
  Start();
  Raise("c1", "anna");
  Raise("c2", "ben");
  Raise("c3", "ghost");
  WaitForMails(2);
  EXPECT_THAT(Recipients(), ElementsAre("lead@firm.example", "lead@firm.example"));
  EXPECT_THAT(States(), UnorderedElementsAre("lead sent", "lead sent", " nobody"));
  const query::v1::MailStatus status = Status();
  ASSERT_EQ(status.unreachable_owners_size(), 3);
  EXPECT_EQ(status.unreachable_owners(0).owner_id(), "anna");
  EXPECT_EQ(status.unreachable_owners(0).told_person_id(), "lead");
  EXPECT_EQ(status.unreachable_owners(1).why(), "they have left");
  EXPECT_EQ(status.unreachable_owners(2).told_person_id(), "");
  EXPECT_THAT(Warnings(),
              ElementsAre("mail: not reached, and with open alerts: anna (they have no address in "
                          "the staff list; lead is told), ben (they have left; lead is told), "
                          "ghost (the staff list does not have them; nobody is told)"));
}

TEST_F(MailTest, AServerThatIsAwayOrCutsOffLosesNothing) {
  Employ("anna");
  Start();
  sink_.GoAway();
  for (int i = 0; i < 5; ++i) Raise(absl::StrCat("c", i), "anna");
  Until([this] { return !Status().trouble().empty() && Status().pending() == 5; });
  EXPECT_THAT(Warnings(), ElementsAre(AllOf(HasSubstr("takes no mail since"),
                                            HasSubstr("5 mails wait, none is lost"))));
  EXPECT_THAT(metrics_.Text(), HasSubstr("rapport_mail_server_trouble 1"));
  EXPECT_THAT(States(), IsEmpty()) << "no attempt of theirs is used up";
  sink_.ComeBack();
  WaitForMails(5);
  EXPECT_EQ(sink_.mails().size(), 5u);
  EXPECT_EQ(Status().trouble(), "");
  std::set<std::string> ids;
  for (const ParsedMail& mail : WaitForMails(5)) ids.insert(mail.message_id);
  EXPECT_EQ(ids.size(), 5u);
}

TEST_F(MailTest, WhoIsRefusedHarmsNobodyElse) {
  Employ("anna");
  Employ("gone");
  sink_.Behave({.pause = absl::Milliseconds(20),
                .rcpt_replies = {{"gone@firm.example", "550 5.1.1 no such mailbox"}}});
  Start();
  Raise("c1", "gone");
  Raise("c2", "anna");
  WaitForMails(1);
  EXPECT_THAT(Recipients(), ElementsAre("anna@firm.example"));
  EXPECT_THAT(States(), UnorderedElementsAre("gone refused", "anna sent"));
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("1 refused for good within a day, the latest to "
                                                "gone@firm.example: 550 5.1.1 no such mailbox")));
}

TEST_F(MailTest, EverybodyGetsTheDigestOfTheDayOnceInTheirLanguage) {
  const std::map<std::string, std::string> subjects = {{"en", "Your day"},
                                                       {"pl", "Twój dzień"},
                                                       {"el", "Η ημέρα σας"},
                                                       {"sk", "Váš deň"},
                                                       {"ru", "Ваш день"}};
  const absl::Time now = absl::Now();
  for (const auto& [language, subject] : subjects) {
    const std::string owner = "rm-" + language;
    Employ(owner, language);
    Register("p-" + language, "Firm " + language, owner);
    Touchpoint promise = Make(Touchpoint::kCommitmentMade, "p-" + language, owner);
    promise.mutable_commitment_made()->set_statement("send the offer");
    ToProto(now + absl::Minutes(10), promise.mutable_commitment_made()->mutable_due_at());
    Touchpoint complaint = Make(Touchpoint::kComplaintOpened, "p-" + language, owner);
    complaint.mutable_complaint_opened()->set_statement("it is broken");
    Append({promise, complaint});
    Raise("a-" + language, owner, alert::v1::SEVERITY_MEDIUM);
  }
  Employ("idle");
  Employ("away");
  Employ("left");
  Leave("left");
  query::v1::StaffOrder order;
  order.add_people()->set_person_id("away");
  query::v1::StaffAbsence& absence = *order.mutable_people(0)->add_absences();
  absence.set_absence_id("x");
  ToProto(now - absl::Hours(48), absence.mutable_from_at());
  ToProto(now + absl::Hours(48), absence.mutable_to_at());
  ASSERT_OK(organisation_->Carry(order, "test", /*dry_run=*/false));
  Tick(now);
  SinceYesterday();
  config_.mutable_alerts()->mutable_mail()->set_digest_at("10:00");
  Start();
  for (const ParsedMail& mail : WaitForMails(5)) {
    const std::string language = mail.language;
    SCOPED_TRACE(language);
    ASSERT_TRUE(subjects.contains(language));
    EXPECT_EQ(mail.to[0].address, absl::StrCat("rm-", language, "@firm.example"));
    EXPECT_THAT(mail.subject, HasSubstr(subjects.at(language)));
    EXPECT_THAT(mail.excerpt, AllOf(HasSubstr("Firm " + language), HasSubstr("send the offer"),
                                    HasSubstr("it is broken"), HasSubstr("a-" + language),
                                    HasSubstr("https://rapport.firm.example/clients/p-")));
  }
  Until([this] { return States().size() == 6; });
  EXPECT_THAT(States(), UnorderedElementsAre("rm-en sent", "rm-pl sent", "rm-el sent", "rm-sk sent",
                                             "rm-ru sent", "idle nothing"));
  EXPECT_EQ(sink_.mails().size(), 5u);
  // What was told of is not told again, and new alerts are.
  auto shown = Read<query::v1::MailDigest>("/v1/mail/digests/rm-en");
  EXPECT_THAT(shown.text(), Not(HasSubstr("a-en")));
  Raise("later", "rm-en", alert::v1::SEVERITY_LOW);
  Until([&] {
    shown = Read<query::v1::MailDigest>("/v1/mail/digests/rm-en");
    return absl::StrContains(shown.text(), "later");
  });
  EXPECT_EQ(shown.language(), "en");
  EXPECT_LE(shown.lines(), 25);
  EXPECT_EQ(Read<query::v1::MailDigest>("/v1/mail/digests/away").not_sent_since(),
            "the person is away");
  Error("/v1/mail/digests/nobody", 404);
}

TEST_F(MailTest, AClickOnTheLinkOfAMailEndsThem) {
  Employ("anna", "sk");
  Start();
  Raise("c1", "anna");
  WaitForMails(1);
  const std::string data = sink_.mails()[0].data;
  const std::string mark = "List-Unsubscribe: <https://rapport.firm.example";
  const size_t begin = data.find(mark) + mark.size();
  const std::string path = data.substr(begin, data.find('>', begin) - begin);
  // A program that looks into mails changes nothing.
  const HttpAnswer page = Call("GET", path);
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, AllOf(HasSubstr("lang=\"sk\""), HasSubstr("Správy pre"),
                               HasSubstr("value=\"all\" aria-pressed=\"true\"")));
  EXPECT_EQ(Read<query::v1::MailPreference>("/v1/mail/preferences/anna").preference(), "all");
  EXPECT_EQ(Call("POST", path, "preference=digest").status, 200);
  EXPECT_EQ(Read<query::v1::MailPreference>("/v1/mail/preferences/anna").preference(), "digest");
  EXPECT_EQ(Call("POST", path, "List-Unsubscribe=One-Click").status, 200);
  const auto set = Read<query::v1::MailPreference>("/v1/mail/preferences/anna");
  EXPECT_EQ(set.preference(), "off");
  EXPECT_EQ(set.set_by(), "link");
  Raise("c2", "anna");
  Employ("ben");
  Raise("c3", "ben");
  WaitForMails(2);
  EXPECT_THAT(Recipients(), ElementsAre("anna@firm.example", "ben@firm.example"));
  Post<query::v1::MailPreference>("/v1/mail/preferences/anna", R"({"preference": "all"})", 200);
  Raise("c4", "anna");
  WaitForMails(3);
  EXPECT_EQ(Recipients().back(), "anna@firm.example");
  EXPECT_EQ(Call("POST", path, "preference=sometimes").status, 400);
  EXPECT_EQ(Call("GET", path + "x").status, 404);
  EXPECT_EQ(Call("POST", "/v1/mail/preferences/ghost", R"({"preference": "off"})").status, 404);
}

TEST_F(MailTest, AnOperatorTriesWhetherMailArrives) {
  Start();
  const auto taken =
      Post<query::v1::MailTested>("/v1/mail/test", R"({"address": "it@firm.example"})", 200);
  EXPECT_TRUE(taken.taken());
  EXPECT_EQ(taken.code(), 250);
  EXPECT_THAT(Recipients(), ElementsAre("it@firm.example"));
  sink_.Behave({.mail_reply = "550 5.7.1 we do not know this sender"});
  const auto refused =
      Post<query::v1::MailTested>("/v1/mail/test", R"({"address": "it@firm.example"})", 200);
  EXPECT_FALSE(refused.taken());
  EXPECT_EQ(refused.step(), "MAIL FROM");
  EXPECT_EQ(refused.text(), "5.7.1 we do not know this sender");
  EXPECT_EQ(Call("POST", "/v1/mail/test", R"({"address": "it"})").status, 400);
}

TEST_F(MailTest, AWrongSettingIsRefusedByItsName) {
  config_.mutable_alerts()->mutable_mail()->set_language("de");
  EXPECT_THAT(StartAlerts(env()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("alerts.mail.language")));
}

}  // namespace
}  // namespace rapport
