#include <sys/stat.h>

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/mail/mail.h"
#include "nlohmann/json.hpp"
#include "services/rapport/cli_fixture.h"
#include "tests/support/smtp_server.h"

// Mails of a running `rapport up` on their way through Postfix into mailboxes.

namespace rapport {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Outcome;
using ::testing::SizeIs;

constexpr absl::Duration kPatience = absl::Seconds(90);

constexpr char kStaff[] =
    "person,name,e_mail,unit,lead,roles,language\n"
    ",Team,,team,,,\n"
    "anna,Anna Keller,anna@firm.example,team,,relationship_manager,en\n"
    "pawel,Paweł Nowak,pawel@firm.example,team,,relationship_manager,pl\n"
    "eleni,Ελένη Παππά,eleni@firm.example,team,,relationship_manager,el\n"
    "zuzana,Zuzana Kováčová,zuzana@firm.example,team,,relationship_manager,sk\n"
    "ivan,Иван Петров,ivan@firm.example,team,,relationship_manager,ru\n"
    "gone,Gone Away,nobody@firm.example,team,,relationship_manager,\n"
    "dora,Dora Nord,dora@firm.example,team,yes,director operator administrator,\n";

std::string Moment(absl::Time at) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", at, absl::UTCTimeZone());
}

class MailCliTest : public testing::UpFixture {
 protected:
  void SetUp() override {
    auto server = SmtpServerProcess::Start();
    if (absl::IsFailedPrecondition(server.status()) &&
        absl::StrContains(server.status().message(), "root")) {
      GTEST_SKIP() << server.status().message();
    }
    ASSERT_OK(server);
    server_ = *std::move(server);
    const std::string password =
        folder_.Write("password", absl::StrCat(SmtpServerProcess::kPassword, "\n"));
    ASSERT_EQ(chmod(password.c_str(), 0600), 0);
    config_ = folder_.Write(
        "rapport.textproto",
        absl::StrCat("alerts { mail { server: \"localhost:", server_->start_tls_port(),
                     "\" username: \"", SmtpServerProcess::kUser, "\" password_file: \"", password,
                     "\" ca_file: \"", server_->ca_file(),
                     "\" from: \"Rapport <rapport@firm.example>\"",
                     " public_url: \"https://rapport.firm.example\" digest_at: \"\" } }"));
    ASSERT_EQ(Run({"staff", "import", folder_.Write("staff.csv", kStaff)}).exit_code, 0);
  }

  std::string Event(const std::string& client, const std::string& type, const char* payload,
                    absl::Time at, const std::string& data) {
    return absl::StrCat(R"({"specversion":"1.0","source":"test","id":")", ++events_,
                        R"(","subject":")", client, R"(","type":"rapport.touchpoint.v1.)", type,
                        R"(","time":")", Moment(at), R"(","data":{")", payload, R"(":)", data,
                        "}}\n");
  }
  // A client with a contract, a promise of today and a complaint.
  std::string Client(const std::string& client, const std::string& owner) {
    const absl::Time now = absl::Now();
    const absl::Time then = now - absl::Hours(24 * 30);
    return Event(client, "ClientRegistered", "client_registered", then,
                 absl::StrCat(R"({"details":{"name":"Firm )", client, R"("}})")) +
           Event(client, "OwnerAssigned", "owner_assigned", then,
                 absl::StrCat(R"({"to_owner_id":")", owner, R"("})")) +
           Event(client, "ContractSigned", "contract_signed", then,
                 absl::StrCat(R"({"contract_id":"k-)", client, R"(","terms":{"starts_at":")",
                              Moment(then), R"(","ends_at":")", Moment(now + absl::Hours(24 * 90)),
                              R"("}})")) +
           Event(client, "CommitmentMade", "commitment_made", then,
                 absl::StrCat(R"({"commitment_id":"p-)", client,
                              R"(","statement":"send the offer","due_at":")",
                              Moment(now + absl::Hours(2)), R"("})")) +
           Event(
               client, "ComplaintOpened", "complaint_opened", then,
               absl::StrCat(R"({"complaint_id":"q-)", client, R"(","statement":"broken again"})"));
  }
  std::string Notice(const std::string& client) {
    return Event(client, "ContractTerminated", "contract_terminated", absl::Now(),
                 absl::StrCat(R"({"contract_id":"k-)", client, R"("})"));
  }
  void Ingest(const std::string& events) {
    const Outcome done = Run({"ingest", folder_.Write("events.ndjson", events)});
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  }
  // The mails in a mailbox, once there are so many.
  std::vector<ParsedMail> MailsOf(const std::string& person, size_t count) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (server_->MailsOf(person).size() < count) {
      if (absl::Now() > deadline) {
        ADD_FAILURE() << person << " has too few mails: " << Run({"mail", "status"}).out
                      << server_->Log();
        break;
      }
      absl::SleepFor(absl::Milliseconds(10));
    }
    std::vector<ParsedMail> mails;
    for (const std::string& bytes : server_->MailsOf(person)) {
      auto mail = ParseMail(bytes, {.excerpt_bytes = 20'000});
      EXPECT_OK(mail);
      mails.push_back(*std::move(mail));
    }
    return mails;
  }

  std::unique_ptr<SmtpServerProcess> server_;
  std::string config_;
  int events_ = 0;
};

TEST_F(MailCliTest, AlertsAndDigestsLieInMailboxesOnceWhateverIsKilled) {
  Up({"--config", config_});
  const Outcome test = Run({"mail", "test", "dora@firm.example"});
  EXPECT_EQ(test.exit_code, 0) << test.out << test.err << server_->Log();
  EXPECT_THAT(test.out, HasSubstr("The server took a mail to dora@firm.example"));
  EXPECT_THAT(MailsOf("dora", 1), SizeIs(1));
  const Outcome nobody = Run({"mail", "test", "nobody@firm.example"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.out, HasSubstr("it stopped at RCPT TO: 554"));

  Ingest(Client("c1", "anna") + Client("c2", "pawel") + Client("c3", "gone"));
  Ingest(Notice("c1") + Notice("c3"));
  const std::vector<ParsedMail> urgent = MailsOf("anna", 1);
  ASSERT_THAT(urgent, SizeIs(1));
  EXPECT_THAT(urgent[0].subject, HasSubstr("Firm c1 may leave"));
  EXPECT_THAT(urgent[0].excerpt, AllOf(HasSubstr("Gave notice of contract k-c1"),
                                       HasSubstr("https://rapport.firm.example/clients/c1")));

  // The server is away, and so is Rapport, in the midst of it.
  server_->Stop();
  Ingest(Notice("c2"));
  while (RunJson({"mail", "status"}, 1)["trouble"] == "") absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(RunJson({"mail", "status"}, 1)["pending"], 1);
  const Outcome doctor = Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("takes no mail since"), HasSubstr("1 mail waits")));
  kill(child_, SIGKILL);
  End();
  ASSERT_OK(server_->Launch());
  Up({"--config", config_});
  EXPECT_THAT(MailsOf("pawel", 1), SizeIs(1));
  EXPECT_THAT(MailsOf("anna", 1), SizeIs(1)) << "not once more";

  const json status = RunJson({"mail", "status"});
  EXPECT_EQ(status["pending"], 0);
  std::set<std::string> states;
  for (const json& delivery : status["deliveries"]) {
    states.insert(
        absl::StrCat(std::string(delivery["person_id"]), " ", std::string(delivery["state"])));
  }
  EXPECT_THAT(states, ::testing::ElementsAre("anna sent", "gone refused", "pawel sent"));

  const json none = RunJson({"mail", "preference", "anna", "off"});
  EXPECT_EQ(none["preference"], "off");
  EXPECT_EQ(none["set_by"], "command line");
  EXPECT_EQ(Run({"mail", "preference", "anna", "sometimes"}).exit_code, 2);
  EXPECT_EQ(Stop(), 0);
}

TEST_F(MailCliTest, TheDigestIsReadInEveryLanguage) {
  std::string events;
  const std::vector<std::pair<std::string, std::string>> people = {
      {"anna", "en"}, {"pawel", "pl"}, {"eleni", "el"}, {"zuzana", "sk"}, {"ivan", "ru"}};
  for (const auto& [person, language] : people) events += Client("k-" + language, person);
  Up({"--config", config_});
  Ingest(events);
  for (const auto& [person, language] : people) {
    SCOPED_TRACE(language);
    const json shown = RunJson({"mail", "digest", "--person", person, "--send"});
    EXPECT_EQ(shown["language"], language);
    EXPECT_LE(shown["lines"], 25);
    EXPECT_EQ(shown["not_sent_since"], "there are no digests: alerts.mail.digest_at is empty");
    const std::vector<ParsedMail> mails = MailsOf(person, 1);
    ASSERT_THAT(mails, SizeIs(1));
    EXPECT_EQ(mails[0].subject, shown["subject"]);
    EXPECT_EQ(mails[0].language, language);
    EXPECT_THAT(mails[0].excerpt, AllOf(HasSubstr("Firm k-" + language),
                                        HasSubstr("send the offer"), HasSubstr("broken again")));
    EXPECT_EQ(mails[0].attachment_count, 0);
  }
  EXPECT_EQ(Run({"mail", "digest", "--person", "ghost"}).exit_code, 3);
  EXPECT_EQ(Stop(), 0);
}

}  // namespace
}  // namespace rapport
