// rapport-sources in two processes over real Kafka, each with a data folder of its own. Web hooks
// of Twilio and Mailgun go to both in turn, so that what is told of one call comes in by both. Each
// process is killed with SIGKILL in mid-way and started again: every call and every mail is in the
// timelines once. While one is dead, the other carries out a merge; the next one takes it back.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/projector/testing/fixture.h"
#include "rapport/query/v1/merge.pb.h"
#include "tests/faults/mail_sender.h"
#include "tests/faults/sources_reader.h"
#include "tests/faults/twilio_sender.h"
#include "tests/support/kafka_cluster.h"
#include "tests/support/service_process.h"

namespace rapport::testing {
namespace {

constexpr char kPublicUrl[] = "https://hooks.example.com";
constexpr char kToken[] = "12345";
constexpr char kMailgunKey[] = "key-1";
constexpr char kSurvivor[] = "c-2";
constexpr char kAbsorbed[] = "c-1";
// Partitions of the dead are taken over after the session time-out.
constexpr absl::Duration kPatience = absl::Minutes(2);

constexpr char kConfig[] = R"(
  kafka { bootstrap_servers: "$1" }
  topics { partitions: 4 }
  clock { interval_ms: 1000 }
  sources {
    public_url: "$2"
    identity { own_domains: "firm.example" own_numbers: "+4930999" }
    agents { agent_id: "ben" e_mails: "ben@firm.example" extensions: "+4930999201" }
    sources { name: "twilio" twilio { token_file: "$0/twilio.token" } }
    sources { name: "mailgun" mailgun { signing_key_file: "$0/mailgun.key" } }
  })";

class SourcesOnKafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, KafkaCluster::Start(1));
    WriteSecret("twilio.token", kToken);
    WriteSecret("mailgun.key", kMailgunKey);
    std::ofstream(folder_ / "config")
        << absl::Substitute(kConfig, folder_.path(), cluster_->bootstrap_servers(), kPublicUrl);
    Start("ingest", 0, &ingest_);
    Start("profiles", 0, &profiles_);
  }

  void WriteSecret(const std::string& name, absl::string_view secret) {
    std::ofstream(folder_ / name) << secret;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_read);
  }

  void Start(const std::string& service, size_t number, std::unique_ptr<ServiceProcess>* process) {
    const std::string instance = absl::StrCat(number + 1);
    ASSERT_OK_AND_ASSIGN(
        *process,
        ServiceProcess::Start(
            absl::StrCat(RAPPORT_SERVICES, "/", service, "/rapport-", service),
            {"--config", folder_ / "config", "--instance", instance, "--listen", "127.0.0.1:0",
             "--data", absl::StrCat(folder_.path(), "/", service, instance)}));
  }
  void StartSources(size_t number) {
    ASSERT_NO_FATAL_FAILURE(Start("sources", number, &sources_[number]));
    const MutexLock lock(&mutex_);
    addresses_[number] = sources_[number]->address();
  }
  // One after the other, as a load balancer has it that does not know who is dead.
  std::string NextAddress() {
    const MutexLock lock(&mutex_);
    return addresses_[next_++ % addresses_.size()];
  }

  SourcesReader ReaderBy(size_t number) {
    return SourcesReader(profiles_->address(), sources_[number]->address());
  }

  // Waits until all is there that was sent, by the ledger of this process.
  void ExpectAllOnce(size_t number, const Timelines& expected) {
    SourcesReader reader = ReaderBy(number);
    const absl::Time deadline = absl::Now() + kPatience;
    std::string difference;
    do {
      ASSERT_LT(absl::Now(), deadline) << difference << "\n" << sources_[number]->Output();
      ASSERT_OK_AND_ASSIGN(const auto ledger, reader.ReadLedger());
      const absl::StatusOr<Timelines> found = reader.ReadTimelines();
      difference = absl::StrCat(
          Difference(sent_.sent(), ledger),
          found.ok() ? Difference(expected, *found) : std::string(found.status().message()));
    } while (!difference.empty());
  }

  std::string Post(const std::string& url, const std::string& body) {
    HttpCall call;
    call.method = "POST";
    call.url = url;
    call.headers = {{"content-type", "application/json"}};
    call.body = body;
    const absl::StatusOr<HttpAnswer> answer = client_.Fetch(call);
    EXPECT_OK(answer);
    if (!answer.ok()) return "";
    EXPECT_EQ(answer->status, 202) << answer->body;
    query::v1::MergeAccepted accepted;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer->body, &accepted).ok());
    return accepted.merge_id();
  }

  // Waits until so many calls were sent since.
  void AwaitCalls(const std::vector<const TwilioSender*>& senders, int64_t more) {
    const auto count = [&] {
      int64_t calls = 0;
      for (const TwilioSender* const sender : senders) calls += sender->calls();
      return calls;
    };
    const int64_t enough = count() + more;
    while (count() < enough) absl::SleepFor(absl::Milliseconds(10));
  }

  const TempFolder folder_;
  std::unique_ptr<KafkaCluster> cluster_;
  HttpClient client_;
  SentContacts sent_;
  std::unique_ptr<ServiceProcess> ingest_;
  std::unique_ptr<ServiceProcess> profiles_;
  std::array<std::unique_ptr<ServiceProcess>, 2> sources_;
  Mutex mutex_;
  std::array<std::string, 2> addresses_ ABSL_GUARDED_BY(mutex_);
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST_F(SourcesOnKafkaTest, TwoShareTheCallsAndGoOnForEachOther) {
  ASSERT_OK(SourcesReader(ingest_->address(), "").Register());
  ASSERT_NO_FATAL_FAILURE(StartSources(0));
  ASSERT_NO_FATAL_FAILURE(StartSources(1));
  WebHookClient web_hooks({.public_url = kPublicUrl,
                           .twilio_token = kToken,
                           .mailgun_key = kMailgunKey,
                           .address = [this] { return NextAddress(); }});
  TwilioSender twilio("x", 1, &web_hooks, &sent_);
  TwilioSender second_twilio("y", 2, &web_hooks, &sent_);
  std::atomic<int64_t> tokens = 0;
  const auto post = [&](const std::string& mail) {
    web_hooks.PostMailgun(mail, absl::StrCat("token-", ++tokens));
  };
  MailSender mail({.inbox = nullptr, .sales = nullptr, .web_hook = post}, 3, &sent_);
  for (const size_t number : {0, 1, 0}) {
    AwaitCalls({&twilio, &second_twilio}, 60);
    sources_[number]->Kill();
    AwaitCalls({&twilio, &second_twilio}, 30);
    ASSERT_NO_FATAL_FAILURE(StartSources(number));
  }
  AwaitCalls({&twilio, &second_twilio}, 60);
  twilio.Stop();
  second_twilio.Stop();
  mail.Stop();
  const Timelines sent = sent_.timelines();
  ASSERT_NO_FATAL_FAILURE(ExpectAllOnce(0, sent));
  ASSERT_NO_FATAL_FAILURE(ExpectAllOnce(1, sent));

  // One of the two tells the histories: the merge is done by the other, or the split is.
  sources_[0]->Kill();
  const std::string merge_id =
      Post(absl::StrCat(sources_[1]->address(), "/v1/clients/", kAbsorbed, "/merge"),
           absl::Substitute(R"({"into": "$0", "reason": "one person"})", kSurvivor));
  Timelines merged = sent;
  merged[kSurvivor].merge(merged[kAbsorbed]);
  merged.erase(kAbsorbed);
  ASSERT_NO_FATAL_FAILURE(ExpectAllOnce(1, merged));
  ASSERT_NO_FATAL_FAILURE(StartSources(0));
  sources_[1]->Kill();
  Post(absl::StrCat(sources_[0]->address(), "/v1/merges/", merge_id, "/split"),
       R"({"reason": "two after all"})");
  ASSERT_NO_FATAL_FAILURE(ExpectAllOnce(0, sent));
  ASSERT_OK(ReaderBy(0).Verify("profile"));
  std::printf("5 kills; %lld calls and %lld mails, each once; a merge, and taken back\n",
              static_cast<long long>(twilio.calls() + second_twilio.calls()),
              static_cast<long long>(mail.mails()));
}

}  // namespace
}  // namespace rapport::testing
