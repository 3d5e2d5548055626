// kill -9 of all services at random moments, while an Asterisk PBX writes its files, people write
// mails, and Twilio and Mailgun post to web hooks. In the end each client has every call and every
// mail once, with the right content, and nothing else; and the ledger tells what was sent.
// RAPPORT_KILLS sets the number of kills, of which every other one is done here (default 200),
// RAPPORT_SEED the seed, which is printed.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/projector/testing/fixture.h"
#include "tests/faults/mail_sender.h"
#include "tests/faults/pbx_sender.h"
#include "tests/faults/sources_reader.h"
#include "tests/faults/twilio_sender.h"
#include "tests/support/mail_server.h"
#include "tests/support/service_process.h"

namespace rapport::testing {
namespace {

constexpr char kPublicUrl[] = "https://hooks.example.com";
constexpr char kToken[] = "12345";
constexpr char kMailgunKey[] = "key-1";
// Until all that was sent is there; it takes a few seconds, and here a machine is busy.
constexpr absl::Duration kPatience = absl::Minutes(2);
// A file that was rotated is read for five seconds more.
constexpr absl::Duration kRotated = absl::Milliseconds(4700);

constexpr char kConfig[] = R"(
  data_folder: "$0/data"
  clock { interval_ms: 1000 }
  sources {
    public_url: "$1"
    identity { own_domains: "firm.example" own_numbers: "+4930999" own_numbers: "+49300102" }
    agents {
      agent_id: "ben" e_mails: "ben@firm.example"
      extensions: "201" extensions: "Bert Cole" extensions: "+4930999201"
    }
    agents { agent_id: "eva" e_mails: "eva@firm.example" extensions: "202" }
    sources {
      name: "pbx" system: "office" call_timeout_ms: 3000
      asterisk_cdr { path: "$0/Master.csv" }
    }
    sources {
      name: "queues" system: "office" call_timeout_ms: 3000
      asterisk_queue_log { path: "$0/queue_log" }
    }
    sources {
      name: "info"
      imap { address: "127.0.0.1:$2" security: "plain" username: "anna" secret_file: "$0/password" }
    }
    sources {
      name: "sales"
      imap {
        address: "127.0.0.1:$2" security: "plain" username: "anna" secret_file: "$0/password"
        folders: "Sales"
      }
    }
    sources { name: "twilio" twilio { token_file: "$0/twilio.token" } }
    sources { name: "mailgun" mailgun { signing_key_file: "$0/mailgun.key" } }
  })";

constexpr char kMailAmongOurselves[] =
    "From: ben@firm.example\r\nTo: eva@firm.example\r\nSubject: lunch\r\n"
    "Message-ID: <lunch@firm.example>\r\nDate: Mon, 02 Mar 2026 11:00:00 +0100\r\n\r\nNoon?\r\n";

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  uint64_t value = otherwise;
  RAPPORT_CHECK(text == nullptr || absl::SimpleAtoi(text, &value), name, " is no number: ", text);
  return value;
}

class SourcesKillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(mail_server_, MailServer::Start());
    for (const char* const folder : {"INBOX", "Sales"}) {
      mail_server_->Deliver(kMailAmongOurselves, folder);
    }
    sent_.Count("info", 1, /*skipped=*/1);
    sent_.Count("sales", 1, /*skipped=*/1);
    WriteSecret("password", MailServer::kPassword);
    WriteSecret("twilio.token", kToken);
    WriteSecret("mailgun.key", kMailgunKey);
    std::ofstream(folder_ / "config")
        << absl::Substitute(kConfig, folder_.path(), kPublicUrl, mail_server_->port());
  }

  void WriteSecret(const std::string& name, absl::string_view secret) {
    std::ofstream(folder_ / name) << secret;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_read);
  }

  void Launch() {
    process_ = ServiceProcess::Launch(
        RAPPORT_BINARY, {"up", "--config", folder_ / "config", "--listen", "127.0.0.1:0"});
  }
  void AwaitListening() {
    ASSERT_OK(process_->AwaitListening());
    const MutexLock lock(&mutex_);
    address_ = process_->address();
  }
  std::string Address() const {
    const MutexLock lock(&mutex_);
    return address_;
  }

  // Starts all services, and kills them while they start, or while they serve.
  void RunAndKill(Random& random, bool until_rotated) {
    Launch();
    if (!until_rotated && random.Chance(30)) {
      absl::SleepFor(absl::Milliseconds(random.Below(350)));
      process_->Kill();
      return;
    }
    ASSERT_NO_FATAL_FAILURE(AwaitListening());
    absl::SleepFor(until_rotated ? kRotated + absl::Milliseconds(random.Below(1000))
                                 : absl::Milliseconds(random.Below(600)));
    process_->Kill();
  }

  // Waits until all is there that was sent.
  void ExpectAllOnce() {
    SourcesReader reader(Address(), Address());
    const Timelines expected = sent_.timelines();
    const absl::Time deadline = absl::Now() + kPatience;
    std::string difference;
    do {
      ASSERT_LT(absl::Now(), deadline) << difference << "\n" << process_->Output();
      ASSERT_OK_AND_ASSIGN(const auto ledger, reader.ReadLedger());
      // While a history is told anew it is not whole.
      const absl::StatusOr<Timelines> found = reader.ReadTimelines();
      difference = absl::StrCat(
          Difference(sent_.sent(), ledger),
          found.ok() ? Difference(expected, *found) : std::string(found.status().message()));
    } while (!difference.empty());
    for (const char* const projection : {"profile", "retention", "deal_pipeline"}) {
      ASSERT_OK(reader.Verify(projection));
    }
  }

  const TempFolder folder_;
  std::unique_ptr<MailServer> mail_server_;
  SentContacts sent_;
  std::unique_ptr<ServiceProcess> process_;
  mutable Mutex mutex_;
  std::string address_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(SourcesKillTest, EveryCallAndEveryMailOnce) {
  const uint64_t seed = FromEnvironment("RAPPORT_SEED", 1);
  const int kills = static_cast<int>(FromEnvironment("RAPPORT_KILLS", 200) / 2);
  const int rotate_every = kills / 4;
  SCOPED_TRACE(absl::StrCat("RAPPORT_SEED=", seed));
  Random random(seed);
  Launch();
  ASSERT_NO_FATAL_FAILURE(AwaitListening());
  ASSERT_OK(SourcesReader(Address(), Address()).Register());
  // The next one knows them all before it begins.
  process_->Kill();

  WebHookClient web_hooks({.public_url = kPublicUrl,
                           .twilio_token = kToken,
                           .mailgun_key = kMailgunKey,
                           .address = [this] { return Address(); }});
  PbxSender pbx(folder_ / "Master.csv", folder_ / "queue_log", random.Next(), &sent_);
  TwilioSender twilio("x", random.Next(), &web_hooks, &sent_);
  TwilioSender second_twilio("y", random.Next(), &web_hooks, &sent_);
  int64_t tokens = 0;
  MailSender mail({.inbox = [&](const std::string& text) { mail_server_->Deliver(text); },
                   .sales = [&](const std::string& text) { mail_server_->Deliver(text, "Sales"); },
                   .web_hook =
                       [&](const std::string& text) {
                         web_hooks.PostMailgun(text, absl::StrCat("token-", ++tokens));
                       }},
                  random.Next(), &sent_);
  for (int round = 0; round < kills; ++round) {
    SCOPED_TRACE(absl::StrCat("kill ", round));
    const int phase = rotate_every == 0 ? -1 : round % rotate_every;
    if (phase == rotate_every / 2) {
      if (random.Chance(60)) pbx.cdr().RotateSoon();
      if (random.Chance(60)) pbx.queue_log().RotateSoon();
    }
    ASSERT_NO_FATAL_FAILURE(RunAndKill(random, phase == rotate_every / 2 + 2));
  }
  Launch();
  ASSERT_NO_FATAL_FAILURE(AwaitListening());
  pbx.Stop();
  twilio.Stop();
  second_twilio.Stop();
  mail.Stop();
  ASSERT_NO_FATAL_FAILURE(ExpectAllOnce());
  EXPECT_EQ(process_->Terminate(), 0);
  Launch();
  ASSERT_NO_FATAL_FAILURE(AwaitListening());
  ASSERT_NO_FATAL_FAILURE(ExpectAllOnce());
  std::printf("seed %llu: %d kills; %lld calls of a PBX, %lld of Twilio, %lld mails, each once\n",
              static_cast<unsigned long long>(seed), kills, static_cast<long long>(pbx.calls()),
              static_cast<long long>(twilio.calls() + second_twilio.calls()),
              static_cast<long long>(mail.mails()));
  EXPECT_GT(pbx.calls(), kills) << "too few calls to test anything";
}

}  // namespace
}  // namespace rapport::testing
