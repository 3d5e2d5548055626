#include "services/alerts/web_hook_sender.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/testing/fixture.h"
#include "nlohmann/json.hpp"
#include "services/alerts/testing/alerts_host.h"

namespace rapport {
namespace {

using nlohmann::json;
using testing::AlertsHost;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Receiver;
using ::testing::SizeIs;
using testing::Until;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// A process's senders with a clock that the test turns.
class Process {
 public:
  Process(EventLog* log, const config::v1::Alerts& config, const std::string& instance,
          std::atomic<int64_t>* clock)
      : book_(*log->PartitionCount("alerts"), 1000), writer_(log) {
    auto feed = AlertFeed::Open(
        log, {.topic = "alerts", .group = absl::StrCat("book-", instance), .member = instance},
        &book_);
    EXPECT_OK(feed);
    feed_ = *std::move(feed);
    auto sender = WebHookSender::Start({.log = log,
                                        .http_client = &client_,
                                        .writer = &writer_,
                                        .feed = feed_.get(),
                                        .instance = instance,
                                        .now = [clock] { return absl::FromUnixSeconds(*clock); },
                                        .jitter = [] { return 0.0; }},
                                       config.web_hooks(), [](const std::string&, int, bool) {});
    EXPECT_OK(sender);
    sender_ = *std::move(sender);
    feed_->Start([this](const std::vector<FedStepPtr>&, const AlertCursor&) { sender_->Wake(); });
  }
  ~Process() { feed_->Stop(); }

  WebHookSender& sender() { return *sender_; }
  query::v1::WebHookStatus Status(int hook = 0) { return sender_->List().web_hooks(hook); }
  std::vector<query::v1::WebHookDelivery> Deliveries(const std::string& name) {
    const auto page = sender_->Deliveries(name);
    EXPECT_OK(page);
    return {page->deliveries().begin(), page->deliveries().end()};
  }
  absl::Status Do(const std::function<void(std::function<void(absl::Status)>)>& wish) {
    Mutex mutex;
    CondVar changed;
    std::optional<absl::Status> done;
    wish([&](const absl::Status& status) {
      MutexLock lock(&mutex);
      done = status;
      changed.SignalAll();
    });
    MutexLock lock(&mutex);
    while (!done) changed.Wait(&mutex);
    return *done;
  }

 private:
  AlertBook book_;
  LogWriter writer_;
  HttpClient client_;
  std::unique_ptr<AlertFeed> feed_;
  std::unique_ptr<WebHookSender> sender_;
};

class WebHookSenderTest : public testing::AlertsFixture {
 protected:
  WebHookSenderTest() {
    std::ofstream(secret_file_) << kSecret << "\n";
    EXPECT_EQ(::chmod(secret_file_.c_str(), 0600), 0);
  }

  config::v1::WebHook* AddHook(const std::string& name, const std::string& url) {
    config::v1::WebHook* hook = config_.add_web_hooks();
    hook->set_name(name);
    hook->set_url(url);
    hook->set_secret_file(secret_file_);
    hook->set_allow_private_address(true);
    hook->set_timeout_ms(60'000);
    return hook;
  }
  std::unique_ptr<Process> StartProcess(const std::string& instance = "1") {
    return std::make_unique<Process>(log_.get(), config_, instance, &clock_);
  }
  // Of a new web hook that has begun.
  std::unique_ptr<Process> StartedProcess() {
    auto process = StartProcess();
    Until([&] { return !Facts().empty(); });
    return process;
  }
  std::vector<state::v1::WebHookFact> Facts() {
    std::vector<state::v1::WebHookFact> facts;
    const auto marks = log_->GetWatermarks("web-hooks", Partition(0));
    if (!marks.ok()) return facts;
    const auto reader = log_->OpenReader("web-hooks", Partition(0), Offset(0));
    EXPECT_OK(reader);
    while ((*reader)->position() < marks->end) {
      const auto records = (*reader)->Read(1000, absl::Seconds(5));
      EXPECT_OK(records);
      for (const RecordView& record : *records) {
        facts.emplace_back().ParseFromArray(record.value.data(),
                                            static_cast<int>(record.value.size()));
      }
    }
    return facts;
  }
  void Turn(Process& process, absl::Duration by) {
    clock_ += absl::ToInt64Seconds(by);
    process.sender().Wake();
  }
  static std::set<std::string> Ids(const std::vector<Receiver::Got>& got) {
    std::set<std::string> ids;
    for (const Receiver::Got& one : got) ids.insert(one.id);
    return ids;
  }

  const testing::TempFolder folder_;
  const std::string secret_file_ = folder_ / "secret";
  config::v1::Alerts config_;
  std::atomic<int64_t> clock_ = 1'700'000'000;
};

TEST_F(WebHookSenderTest, DeliversSignedAndWithTheIdOfTheStep) {
  Receiver receiver;
  AddHook("crm", receiver.url());
  Raise(2);
  const auto process = StartedProcess();
  Raise(1);
  const auto got = receiver.Wait(1);
  ASSERT_THAT(got, SizeIs(1)) << "what was before the first start is not delivered";
  const json body = json::parse(got[0].body);
  EXPECT_EQ(body["type"], "alert.raised");
  EXPECT_EQ(body["data"]["client_id"], "client2");
  EXPECT_EQ(body["data"]["effect_id"], got[0].id);
  EXPECT_EQ(got[0].timestamp, "1700000000");
  ASSERT_OK_AND_ASSIGN(const WebHookSigner signer, WebHookSigner::Parse(kSecret));
  EXPECT_EQ(got[0].signature,
            signer.Sign(got[0].id, absl::FromUnixSeconds(1'700'000'000), got[0].body)[2].value);
  Until([&] { return process->Status().cursor() == "0-1.1-1.2-1"; });
  EXPECT_EQ(process->Status().pending(), 0);
  EXPECT_TRUE(process->Status().delivering());
}

TEST_F(WebHookSenderTest, ResumesWithoutLossOrDoublingOverARestart) {
  Receiver receiver;
  AddHook("crm", receiver.url());
  auto process = StartedProcess();
  for (int round = 0; round < 3; ++round) {
    Raise(20);
    const size_t count = static_cast<size_t>(round + 1) * 40;
    // What is under way is finished and noted before the end.
    receiver.Wait(count - 40 + 5);
    process.reset();
    Raise(20);
    process = StartProcess();
    receiver.Wait(count);
    Until([&] { return process->Status().pending() == 0; });
  }
  EXPECT_THAT(receiver.got(), SizeIs(120));
  EXPECT_THAT(Ids(receiver.got()), SizeIs(120));
}

TEST_F(WebHookSenderTest, TriesAgainWhenItsTimeHasCome) {
  Receiver receiver;
  receiver.set_answer(500);
  AddHook("crm", receiver.url());
  const auto process = StartedProcess();
  Raise(1);
  receiver.Wait(1);
  Until([&] { return process->Deliveries("crm").size() == 1; });
  EXPECT_EQ(process->Deliveries("crm")[0].status(), 500);
  EXPECT_EQ(process->Status().pending(), 1);
  receiver.set_answer(200);
  Turn(*process, absl::Seconds(5));
  const auto got = receiver.Wait(2);
  EXPECT_EQ(got[0].id, got[1].id);
  EXPECT_EQ(got[0].body, got[1].body);
  EXPECT_EQ(got[1].timestamp, "1700000005");
  Until([&] { return process->Status().pending() == 0; });
  EXPECT_EQ(process->Deliveries("crm")[0].attempt(), 2);
  EXPECT_TRUE(process->Deliveries("crm")[0].settled());
}

TEST_F(WebHookSenderTest, GoneIsKeptOverARestartUntilItIsEnabled) {
  Receiver receiver;
  receiver.set_answer(410);
  AddHook("crm", receiver.url());
  auto process = StartedProcess();
  Raise(1);
  Until([&] { return process->Status().disabled(); });
  process.reset();
  receiver.set_answer(200);
  Raise(1);
  process = StartProcess();
  Until([&] { return process->Status().disabled() && process->Status().delivering(); });
  EXPECT_THAT(process->Do([&](auto done) { process->sender().Enable("none", done); }),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no web hook 'none'")));
  EXPECT_THAT(receiver.got(), SizeIs(1));
  ASSERT_OK(process->Do([&](auto done) { process->sender().Enable("crm", done); }));
  receiver.Wait(3);
  Until([&] { return process->Status().cursor() == "0-1.1-1.2-0"; });
  EXPECT_FALSE(process->Status().disabled());
}

TEST_F(WebHookSenderTest, RetryAfterIsHonoured) {
  Receiver receiver;
  receiver.set_answer(429, {{"retry-after", "90"}});
  AddHook("crm", receiver.url());
  const auto process = StartedProcess();
  Raise(1);
  Until([&] { return process->Status().has_paused_until(); });
  EXPECT_EQ(process->Status().paused_until().seconds(), 1'700'000'090);
  receiver.set_answer(200);
  Raise(1);
  Turn(*process, absl::Seconds(90));
  receiver.Wait(3);
  Until([&] { return process->Status().pending() == 0; });
  EXPECT_THAT(Ids(receiver.got()), SizeIs(2));
}

TEST_F(WebHookSenderTest, AReceiverThatDoesNotAnswerHoldsUpNobody) {
  Receiver silent;
  silent.set_silent();
  Receiver quick;
  AddHook("a-silent", silent.url())->set_timeout_ms(1000);
  AddHook("b-quick", quick.url());
  const auto process = StartProcess();
  Until([&] { return Facts().size() == 2; });
  Raise(50);
  EXPECT_THAT(quick.Wait(50), SizeIs(50));
  EXPECT_LE(silent.got().size(), 8u) << "a few at a time";
  Until([&] { return !process->Deliveries("a-silent").empty(); });
  EXPECT_THAT(process->Deliveries("a-silent").back().error(), HasSubstr("DEADLINE_EXCEEDED"));
}

TEST_F(WebHookSenderTest, OnlyAlertsOfItsOwner) {
  Receiver receiver;
  AddHook("crm", receiver.url())->set_owner_id("otto");
  const auto process = StartedProcess();
  Raise(3, "anna");
  Raise(1, "otto");
  EXPECT_EQ(json::parse(receiver.Wait(1)[0].body)["data"]["owner_id"], "otto");
  Until([&] { return process->Status().cursor() == "0-2.1-1.2-1"; });
  EXPECT_THAT(receiver.got(), SizeIs(1));
}

TEST_F(WebHookSenderTest, ResendSendsOnceMore) {
  Receiver receiver;
  AddHook("crm", receiver.url());
  auto process = StartedProcess();
  Raise(1);
  const std::string id = receiver.Wait(1)[0].id;
  Until([&] { return process->Deliveries("crm").size() == 1; });
  process.reset();
  process = StartProcess();
  Until([&] { return process->Deliveries("crm").size() == 1; });
  ASSERT_OK(process->Do([&](auto done) { process->sender().Resend("crm", id, done); }));
  const auto got = receiver.Wait(2);
  EXPECT_EQ(got[1].id, id);
  EXPECT_EQ(got[1].body, got[0].body);
  EXPECT_THAT(process->Do([&](auto done) { process->sender().Resend("crm", "00", done); }),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'00' is not among the latest")));
}

TEST_F(WebHookSenderTest, OfSeveralProcessesOneDeliversAndAnotherTakesOver) {
  Receiver receiver;
  AddHook("crm", receiver.url());
  auto one = StartProcess("1");
  Until([&] { return one->Status().delivering() && !Facts().empty(); });
  auto two = StartProcess("2");
  Raise(10);
  receiver.Wait(10);
  Until([&] { return two->Deliveries("crm").size() == 10; });
  EXPECT_FALSE(two->Status().delivering());
  one.reset();
  Raise(10);
  receiver.Wait(20);
  Until([&] { return two->Status().delivering() && two->Status().pending() == 0; });
  EXPECT_THAT(receiver.got(), SizeIs(20));
  EXPECT_THAT(Ids(receiver.got()), SizeIs(20));
}

TEST_F(WebHookSenderTest, PrivateAddressesAreRefusedInEveryGuise) {
  Receiver receiver;
  const std::string port = receiver.url().substr(receiver.url().rfind(':'));
  const std::vector<std::string> hosts = {
      "127.0.0.1", "localhost", "2130706433",      "0177.0.0.1",         "0x7f.1",   "[::1]",
      "0.0.0.0",   "10.0.0.1",  "169.254.169.254", "[::ffff:127.0.0.1]", "[fd00::1]"};
  for (size_t i = 0; i < hosts.size(); ++i) {
    AddHook(absl::StrCat("h", i), absl::StrCat("https://", hosts[i], port))
        ->set_allow_private_address(false);
  }
  const auto process = StartProcess();
  Until([&] { return Facts().size() == hosts.size(); });
  Raise(1);
  for (size_t i = 0; i < hosts.size(); ++i) {
    const std::string name = absl::StrCat("h", i);
    Until([&] { return !process->Deliveries(name).empty(); });
    EXPECT_THAT(process->Deliveries(name)[0].error(), HasSubstr("PERMISSION_DENIED")) << hosts[i];
  }
  EXPECT_THAT(receiver.got(), SizeIs(0));
}

TEST_F(WebHookSenderTest, WrongConfigurationIsRefusedAtTheStart) {
  const auto text = [&](absl::string_view name, absl::string_view url, absl::string_view file) {
    return absl::StrCat(" web_hooks { name: '", name, "' url: '", url, "' secret_file: '", file,
                        "' }");
  };
  std::ofstream(folder_ / "wrong") << "secret\n";
  const auto refusal = [&](const std::string& config) {
    auto parsed = ParseConfig(absl::StrCat("alerts {", config, "}"), "test");
    EXPECT_OK(parsed);
    Metrics metrics;
    HttpClient client;
    auto http = HttpServer::Create({}, &metrics);
    ServiceEnv env;
    env.config = &*parsed;
    env.log = log_.get();
    env.metrics = &metrics;
    env.http = http->get();
    env.http_client = &client;
    return StartAlerts(env).status();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(refusal(text("c r m", "https://a.example", secret_file_)),
              StatusIs(kInvalid, "alerts.web_hooks 'c r m': name: letters, digits, - and _ only"));
  EXPECT_THAT(refusal(text("crm", "http://a.example", secret_file_)),
              StatusIs(kInvalid, HasSubstr("url: must begin with https, unless")));
  EXPECT_THAT(refusal(text("crm", "ftp://a.example", secret_file_)),
              StatusIs(kInvalid, HasSubstr("url: must begin with https")));
  EXPECT_THAT(refusal(text("crm", "https://a.example", folder_ / "none")),
              StatusIs(kInvalid, AllOf(HasSubstr("secret_file"), HasSubstr("none"))));
  EXPECT_THAT(refusal(text("crm", "https://a.example", folder_ / "wrong")),
              StatusIs(kInvalid, HasSubstr("secret 1 is not")));
  EXPECT_THAT(refusal(absl::StrCat(text("crm", "https://a.example", secret_file_),
                                   text("crm", "https://b.example", secret_file_))),
              StatusIs(kInvalid, HasSubstr("there are two of this name")));
}

TEST_F(WebHookSenderTest, ShowsItselfOverHttp) {
  Receiver receiver;
  AlertsHost host(log_.get(), absl::StrCat("alerts { web_hooks { name: 'crm' url: '",
                                           receiver.url(), "' secret_file: '", secret_file_,
                                           "' allow_private_address: true } }"));
  Until([&] { return !Facts().empty(); });
  Raise(1);
  const std::string id = receiver.Wait(1)[0].id;
  json hook;
  Until([&] {
    hook = json::parse(host.Get("/v1/web-hooks").body)["web_hooks"][0];
    return hook.contains("last_delivery");
  });
  EXPECT_EQ(hook["name"], "crm");
  EXPECT_EQ(hook["cursor"], "0-1.1-0.2-0");
  EXPECT_EQ(hook["last_delivery"]["status"], 204);
  const json page = json::parse(host.Get("/v1/web-hooks/crm/deliveries").body);
  EXPECT_EQ(page["deliveries"][0]["id"], id);
  EXPECT_EQ(host.Post(absl::StrCat("/v1/web-hooks/crm/deliveries/", id, "/resend"), "").status,
            202);
  EXPECT_EQ(receiver.Wait(2)[1].id, id);
  EXPECT_EQ(host.Post("/v1/web-hooks/crm/enable", "").status, 202);
  EXPECT_EQ(host.Post("/v1/web-hooks/none/enable", "").status, 404);
  EXPECT_EQ(host.Post("/v1/web-hooks/crm/deliveries/none/resend", "").status, 404);
  Until([&] {
    return absl::StrContains(
        host.Metrics(), R"(rapport_web_hook_deliveries_total{result="taken",web_hook="crm"} 2)");
  });
}

}  // namespace
}  // namespace rapport
