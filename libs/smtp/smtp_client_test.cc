#include "libs/smtp/smtp_client.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "tests/support/loopback.h"
#include "tests/support/smtp_server.h"
#include "tests/support/smtp_sink.h"

namespace rapport {
namespace {

using Outcome = SmtpReply::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kFrom[] = "rapport@firm.example";
constexpr char kTo[] = "anna@firm.example";
constexpr char kMail[] = "Subject: one\r\n\r\n.a line that begins with a dot\r\nthe end\r\n";

std::unique_ptr<SmtpClient> Client(SmtpServer server) {
  auto client = SmtpClient::Create(std::move(server));
  EXPECT_OK(client);
  return *std::move(client);
}

std::unique_ptr<SmtpClient> ClientOf(const SmtpSink& sink,
                                     absl::Duration timeout = absl::Seconds(20)) {
  return Client({.host_and_port = sink.address(),
                 .security = SmtpServer::Security::kNone,
                 .timeout = timeout});
}

TEST(SmtpClientTest, HandsMailsOverAsTheyAreOnOneConnection) {
  SmtpSink sink;
  const auto client = ClientOf(sink);
  for (int i = 0; i < 3; ++i) {
    const SmtpReply reply = client->Send(kFrom, kTo, kMail);
    EXPECT_EQ(reply.outcome, Outcome::kTaken) << reply.text;
    EXPECT_EQ(reply.code, 250);
    EXPECT_EQ(reply.text, "2.0.0 taken");
  }
  ASSERT_EQ(sink.mails().size(), 3u);
  EXPECT_EQ(sink.mails()[0].from, kFrom);
  EXPECT_EQ(sink.mails()[0].to, kTo);
  EXPECT_EQ(sink.mails()[0].data, kMail);
  EXPECT_EQ(sink.connections(), 1);
}

TEST(SmtpClientTest, ARecipientWhoIsRefusedHarmsNobodyElse) {
  SmtpSink sink;
  sink.Behave({.rcpt_replies = {{"gone@firm.example", "550 5.1.1 no such mailbox"},
                                {"later@firm.example", "451 4.7.1 come back later"}}});
  const auto client = ClientOf(sink);
  const SmtpReply gone = client->Send(kFrom, "gone@firm.example", kMail);
  EXPECT_EQ(gone.outcome, Outcome::kRefused);
  EXPECT_EQ(gone.code, 550);
  EXPECT_EQ(gone.text, "5.1.1 no such mailbox");
  EXPECT_EQ(gone.step, "RCPT TO");
  const SmtpReply later = client->Send(kFrom, "later@firm.example", kMail);
  EXPECT_EQ(later.outcome, Outcome::kPutOff);
  EXPECT_EQ(later.code, 451);
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kTaken);
  EXPECT_EQ(sink.count(), 1);
}

TEST(SmtpClientTest, WhatTheServerSaysOfTheTextIsAboutThisMail) {
  SmtpSink sink;
  const auto client = ClientOf(sink);
  sink.Behave({.data_reply = "554 5.7.1 looks like spam"});
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kRefused);
  sink.Behave({.data_reply = "452 4.3.1 no room"});
  const SmtpReply full = client->Send(kFrom, kTo, kMail);
  EXPECT_EQ(full.outcome, Outcome::kPutOff);
  EXPECT_EQ(full.text, "4.3.1 no room");
  sink.Behave({});
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kTaken);
  EXPECT_EQ(sink.count(), 1);
}

TEST(SmtpClientTest, WhatComesBeforeTheRecipientIsTheServersTrouble) {
  SmtpSink sink;
  const auto client = ClientOf(sink);
  sink.Behave({.greeting = "421 4.3.2 closing for tonight"});
  const SmtpReply closing = client->Send(kFrom, kTo, kMail);
  EXPECT_EQ(closing.outcome, Outcome::kServerTrouble);
  sink.Behave({.mail_reply = "550 5.7.1 we do not know this sender"});
  const SmtpReply sender = client->Send(kFrom, kTo, kMail);
  EXPECT_EQ(sender.outcome, Outcome::kServerTrouble);
  EXPECT_EQ(sender.code, 550);
  EXPECT_EQ(sender.step, "MAIL FROM");
  sink.Behave({.rcpt_reply = "421 4.3.2 closing"});
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kServerTrouble);
}

TEST(SmtpClientTest, AServerThatIsAwayIsTriedAgain) {
  SmtpSink sink;
  const auto client = ClientOf(sink);
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kTaken);
  sink.GoAway();
  const SmtpReply away = client->Send(kFrom, kTo, kMail);
  EXPECT_EQ(away.outcome, Outcome::kServerTrouble);
  EXPECT_EQ(away.code, 0);
  EXPECT_THAT(away.text, Not(::testing::IsEmpty()));
  sink.ComeBack();
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kTaken);
  EXPECT_EQ(sink.count(), 2);
}

TEST(SmtpClientTest, CutOffAfterTheMailItMayHaveBeenTaken) {
  SmtpSink sink;
  sink.Behave({.cuts_after_data = true});
  const auto client = ClientOf(sink);
  const SmtpReply reply = client->Send(kFrom, kTo, kMail);
  EXPECT_EQ(reply.outcome, Outcome::kUnknown) << reply.text;
  EXPECT_EQ(reply.code, 0);
  EXPECT_EQ(sink.count(), 1);
}

TEST(SmtpClientTest, AServerThatIsTooSlowIsLeft) {
  SmtpSink sink;
  sink.Behave({.pause = absl::Milliseconds(400)});
  const auto client = ClientOf(sink, absl::Milliseconds(300));
  const SmtpReply reply = client->Send(kFrom, kTo, kMail);
  EXPECT_EQ(reply.outcome, Outcome::kServerTrouble);
  EXPECT_THAT(reply.text, ::testing::AnyOf(HasSubstr("timed out"), HasSubstr("Timeout")));
}

TEST(SmtpClientTest, NoAddressCanSayMoreThanItIs) {
  SmtpSink sink;
  const auto client = ClientOf(sink);
  for (const char* const address :
       {"", "anna", "@firm.example", "anna@", "a@b>\r\nRCPT TO:<c@d", "a b@firm.example"}) {
    const SmtpReply reply = client->Send(kFrom, address, kMail);
    EXPECT_EQ(reply.outcome, Outcome::kRefused) << address;
    EXPECT_THAT(reply.text, HasSubstr("no address of a mailbox"));
  }
  EXPECT_EQ(sink.connections(), 0);
}

TEST(SmtpClientTest, RefusesWhatIsNoHostAndPort) {
  for (const char* const server : {"", "smtp.firm.example", ":25", "smtp:0", "smtp:x", "a/b:25"}) {
    EXPECT_THAT(SmtpClient::Create({.host_and_port = server}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no host:port")))
        << server;
  }
}

// On Postfix.
class SmtpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = SmtpServerProcess::Start();
    if (absl::IsFailedPrecondition(server.status()) &&
        absl::StrContains(server.status().message(), "root")) {
      GTEST_SKIP() << server.status().message();
    }
    ASSERT_OK(server);
    server_ = *std::move(server);
  }
  SmtpServer StartTls() const {
    return {.host_and_port = absl::StrCat("localhost:", server_->start_tls_port()),
            .security = SmtpServer::Security::kStartTls,
            .username = std::string(SmtpServerProcess::kUser),
            .password = std::string(SmtpServerProcess::kPassword),
            .ca_file = server_->ca_file()};
  }
  std::vector<std::string> Delivered(absl::string_view user, size_t count) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (server_->MailsOf(user).size() < count && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(5));
    }
    return server_->MailsOf(user);
  }

  std::unique_ptr<SmtpServerProcess> server_;
};

TEST_F(SmtpServerTest, TakesMailByStartTlsAndByTlsAndDeliversIt) {
  SmtpServer tls = StartTls();
  tls.security = SmtpServer::Security::kTls;
  tls.host_and_port = absl::StrCat("localhost:", server_->tls_port());
  for (const SmtpServer& server : {StartTls(), tls}) {
    const SmtpReply reply = Client(server)->Send(kFrom, kTo, kMail);
    EXPECT_EQ(reply.outcome, Outcome::kTaken) << reply.step << ": " << reply.text << server_->Log();
  }
  const std::vector<std::string> mails = Delivered("anna", 2);
  ASSERT_EQ(mails.size(), 2u) << server_->Log();
  EXPECT_THAT(mails[0], HasSubstr("\n.a line that begins with a dot\nthe end\n"));
}

TEST_F(SmtpServerTest, AWrongPasswordIsToldAndNeverShown) {
  SmtpServer server = StartTls();
  server.password = "another word";
  const SmtpReply reply = Client(server)->Send(kFrom, kTo, kMail);
  EXPECT_EQ(reply.outcome, Outcome::kServerTrouble);
  EXPECT_EQ(reply.step, "AUTH");
  EXPECT_EQ(reply.code, 535);
  EXPECT_THAT(reply.text, Not(HasSubstr("another")));
}

TEST_F(SmtpServerTest, NothingIsSentWhereTheConnectionCannotBeTrusted) {
  SmtpServer unknown = StartTls();
  unknown.ca_file = "/etc/ssl/certs/ca-certificates.crt";
  EXPECT_EQ(Client(unknown)->Send(kFrom, kTo, kMail).outcome, Outcome::kServerTrouble);
  SmtpServer plain = StartTls();
  plain.host_and_port = absl::StrCat("localhost:", server_->port());
  const SmtpReply reply = Client(plain)->Send(kFrom, kTo, kMail);
  EXPECT_EQ(reply.outcome, Outcome::kServerTrouble) << reply.step << " " << reply.text;
  EXPECT_THAT(server_->MailsOf("anna"), ElementsAre());
}

TEST_F(SmtpServerTest, RefusesWhomItDoesNotKnowAndComesBack) {
  const auto client = Client({.host_and_port = absl::StrCat("127.0.0.1:", server_->port()),
                              .security = SmtpServer::Security::kNone});
  for (const char* const address : {"anna@other.example", "nobody@firm.example"}) {
    const SmtpReply reply = client->Send(kFrom, address, kMail);
    EXPECT_EQ(reply.outcome, Outcome::kRefused) << reply.text << server_->Log();
    EXPECT_THAT(reply.text, HasSubstr(address));
  }
  server_->Stop();
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kServerTrouble);
  ASSERT_OK(server_->Launch());
  EXPECT_EQ(client->Send(kFrom, kTo, kMail).outcome, Outcome::kTaken);
  EXPECT_EQ(Delivered("anna", 1).size(), 1u);
}

}  // namespace
}  // namespace rapport
