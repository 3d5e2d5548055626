#include <signal.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"
#include "libs/service/http_client.h"
#include "libs/service/http_server.h"
#include "libs/service/metrics.h"
#include "libs/service/testing/raw_connection.h"
#include "libs/service/testing/test_certificates.h"
#include "nlohmann/json.hpp"
#include "services/rapport/cli_fixture.h"

// `rapport up` as a process, and the commands beside it.

namespace rapport {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using ::testing::StartsWith;

constexpr char kSample[] = RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz";
constexpr char kStory[] = RAPPORT_DEPLOY_FOLDER "/import/story.ndjson.gz";
constexpr char kMapping[] = RAPPORT_DEPLOY_FOLDER "/import/online_retail.textproto";

class UpTest : public testing::UpFixture {
 protected:
  void ImportAll() {
    const json import = RunJson(
        {"import", kSample, kStory, "--map", kMapping, "--as-it-happened", "--shift-to-now"});
    ASSERT_EQ(import["rejected_rows"], 0);
  }

  static std::string Event(const std::string& id) {
    return R"({"specversion":"1.0","id":")" + id +
           R"(","source":"desk","type":"rapport.touchpoint.v1.PortalUsed","subject":"anna",)"
           R"("time":"2026-01-02T10:00:00Z",)"
           R"("data":{"channel":"CHANNEL_PORTAL","portal_used":{"action":"login"}}})";
  }
};

TEST_F(UpTest, CommandsAnswerTheSameBesideARunningProcess) {
  ImportAll();
  const json show = RunJson({"client", "show", "16333"});
  const json timeline = RunJson({"client", "timeline", "16333", "--limit", "7"});
  Up();
  json shown = RunJson({"client", "show", "16333"});
  for (const char* field : {"name", "segment", "owner_id", "key_account", "addresses",
                            "touchpoint_count", "last_touchpoint_at", "accounts", "stakeholders",
                            "open_commitments", "open_complaints", "contacts", "deals"}) {
    EXPECT_EQ(shown[field], show[field]) << field;
  }
  EXPECT_EQ(shown["risk"]["alert_open"], show["risk"]["alert_open"]);
  EXPECT_EQ(RunJson({"client", "timeline", "16333", "--limit", "7"}), timeline);
  EXPECT_EQ(RunJson({"client", "show", "nobody"}, 1)["error"], "not found");
  EXPECT_GT(RunJson({"at-risk", "--limit", "3"})["clients"].size(), 0u);
  EXPECT_GT(RunJson({"alerts", "--open"})["total"], 0);
  EXPECT_GT(RunJson({"pipeline"})["columns"].size(), 3u);
  EXPECT_GT(RunJson({"kpi"})["kpis"].size(), 50u);
  const json revenue = RunJson({"kpi", "revenue", "--from", "2000", "--to", "2099"});
  ASSERT_GE(revenue["series"].size(), 1u);
  EXPECT_GT(std::stoll(revenue["series"][0]["total"]["numerator"].get<std::string>()), 0);
  EXPECT_THAT(Run({"kpi", "orders", "--from", "2000", "--to", "2099", "--csv"}).out,
              HasSubstr("orders,,firm,,owner,total,2000-01-01,2100-01-01,"));
  EXPECT_THAT(Run({"kpi", "revenu", "--from", "2026"}).err, HasSubstr("did you mean revenue?"));
  EXPECT_EQ(RunJson({"dead-letters", "list", "retention"})["dead_letters"], json::array());
  EXPECT_EQ(RunJson({"verify", "retention"})["equal"], true);
  for (const char* projection : {"deal_pipeline", "kpi"}) {
    const json rebuilt = RunJson({"rebuild", projection});
    EXPECT_EQ(rebuilt["compared"], true);
    EXPECT_EQ(rebuilt["findings"], json::array());
  }
  EXPECT_EQ(Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(data() + "/up.address"));
}

TEST_F(UpTest, EventsAreTakenAndRefusedOnesAreKept) {
  Up();
  const std::string file =
      folder_.Write("events.ndjson",
                    Event("1") + "\n{\n" + R"({"specversion":"1.0","id":"3"})" + "\n" + Event("4"));
  const Outcome sent = Run({"ingest", file});
  EXPECT_EQ(sent.exit_code, 1);
  EXPECT_THAT(sent.out,
              AllOf(HasSubstr("2 events accepted, 2 refused.\n"),
                    HasSubstr("line 2: body: is no JSON\n"), HasSubstr("line 3: source")));
  const json rejected = RunJson({"rejected", "list"}, 1);
  ASSERT_EQ(rejected["rejected"].size(), 1u);
  const Outcome retried = Run({"rejected", "retry", rejected["rejected"][0]["position"]});
  EXPECT_EQ(retried.exit_code, 2);
  EXPECT_THAT(retried.err, HasSubstr("source"));
  EXPECT_EQ(Run({"import", file, "--as-it-happened"}).exit_code, 2);
  EXPECT_EQ(RunJson({"import", file}, 1)["touchpoints"], 2);
  // Folded a moment later.
  while (Run({"client", "show", "anna"}).exit_code != 0) {
  }
  json client;
  do {
    client = RunJson({"client", "show", "anna"});
  } while (client["touchpoint_count"] != 2);
  EXPECT_EQ(Stop(), 0);
}

TEST_F(UpTest, ATokenIsAskedForAndFound) {
  const std::string token = folder_.Write("token", "secret\n");
  std::filesystem::permissions(token, std::filesystem::perms::owner_read);
  const std::string address = Up({"--set", "http.token_file=" + token});
  // The folder tells where the token is.
  EXPECT_EQ(Run({"at-risk"}).exit_code, 0);
  const Outcome without = Run({"at-risk", "--server", address});
  EXPECT_EQ(without.exit_code, 3);
  EXPECT_THAT(without.err, HasSubstr("--token-file"));
  EXPECT_EQ(Run({"at-risk", "--server", address, "--token-file", token}).exit_code, 0);
  EXPECT_EQ(Run({"doctor"}).exit_code, 0) << Run({"doctor"}).out;
  EXPECT_EQ(Stop(), 0);
}

TEST_F(UpTest, CommandsFindTheirWayThroughTls) {
  const TestCa ca;
  const TestCertificate desk = ca.Issue("desk", "DNS:desk.example.com,IP:127.0.0.1");
  const std::string ca_file = folder_.Write("ca", ca.certificate());
  const std::string certificate = folder_.Write("certificate", desk.certificate);
  const std::string key = folder_.Write("key", desk.key);
  std::filesystem::permissions(key, std::filesystem::perms::owner_read);
  const std::string address = Up({"--set", "http.tls_certificate_file=" + certificate, "--set",
                                  "http.tls_key_file=" + key, "--set", "http.ca_file=" + ca_file});
  EXPECT_THAT(address, StartsWith("https://127.0.0.1:"));
  // The folder tells which CA to believe.
  ASSERT_EQ(Run({"ingest", folder_.Write("events.ndjson", Event("1"))}).exit_code, 0);
  EXPECT_EQ(Run({"at-risk"}).exit_code, 0);
  EXPECT_EQ(Run({"doctor"}).exit_code, 0) << Run({"doctor"}).out;
  const Outcome without = Run({"at-risk", "--server", address});
  EXPECT_EQ(without.exit_code, 3);
  EXPECT_THAT(without.err, HasSubstr("--ca-file FILE"));
  EXPECT_EQ(Run({"at-risk", "--server", address, "--ca-file", ca_file}).exit_code, 0);
  const Outcome plain =
      Run({"at-risk", "--server", absl::StrReplaceAll(address, {{"https", "http"}})});
  EXPECT_EQ(plain.exit_code, 3);
  EXPECT_THAT(plain.err, HasSubstr("use https"));
  EXPECT_EQ(Stop(), 0);
}

TEST_F(UpTest, ItsOwnCertificateIsEnoughOnThisMachine) {
  // Neither its CA nor its name is known here.
  const TestCertificate desk = TestCa().Issue("desk", "DNS:desk.example.com");
  const std::string certificate = folder_.Write("certificate", desk.certificate);
  const std::string key = folder_.Write("key", desk.key);
  std::filesystem::permissions(key, std::filesystem::perms::owner_read);
  const std::string address = Up(
      {"--set", "http.tls_certificate_file=" + certificate, "--set", "http.tls_key_file=" + key});
  EXPECT_THAT(address, StartsWith("https://desk.example.com:"));
  ASSERT_EQ(Run({"ingest", folder_.Write("events.ndjson", Event("1"))}).exit_code, 0);
  while (Run({"client", "show", "anna"}).exit_code != 0) {
  }
  EXPECT_EQ(Run({"doctor"}).exit_code, 0) << Run({"doctor"}).out;
  // The process asks itself for what happened.
  HttpClient client;
  ASSERT_OK_AND_ASSIGN(
      const HttpAnswer answer,
      client.Fetch({.url = address + "/v1/retention/anna?as_of=2026-01-03T00:00:00Z",
                    .ca_file = certificate,
                    .connect_to = "127.0.0.1" + address.substr(address.rfind(':'))}));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Stop(), 0);
}

TEST_F(UpTest, DoctorTellsOfSourcesThatCannotBeRead) {
  const std::string secret = folder_.Write("secret", "1234\n");
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
  // Nobody listens on port 1.
  Up({"--config", folder_.Write("up.textproto", absl::StrCat(R"(sources {
        identity { own_domains: "firm.example" }
        sources { name: "desk" imap { address: "127.0.0.1:1" username: "desk" security: "plain"
                                      secret_file: ")",
                                                             secret, "\" } } }"))});
  while (Run({"sources"}).exit_code == 0) {
  }
  const Outcome doctor = Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("WRONG  source desk"), HasSubstr("127.0.0.1")));
  EXPECT_EQ(Stop(), 0);
}

TEST_F(UpTest, AProcessThatWasKilledIsNotAsked) {
  const std::string address = Up();
  kill(child_, SIGKILL);
  End();
  EXPECT_TRUE(std::filesystem::exists(data() + "/up.address"));
  EXPECT_EQ(RunJson({"at-risk"})["clients"], json::array());
  EXPECT_EQ(Run({"at-risk", "--server", address}).exit_code, 3);
  // Nor is who listens there now, whatever it answers.
  Metrics metrics;
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<HttpServer> other,
      HttpServer::Create({.listen = absl::StrReplaceAll(address, {{"http://", ""}})}, &metrics));
  std::atomic<int> asked = 0;
  other->Handle("GET", "/healthz", Answering([&asked](const HttpRequest&) {
                  ++asked;
                  return HttpResponse();
                }));
  ASSERT_OK(other->Start());
  EXPECT_EQ(RunJson({"at-risk"})["clients"], json::array());
  EXPECT_EQ(Run({"sources"}).exit_code, 3);
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("rapport_http_requests_total{")));
}

TEST_F(UpTest, ABackupThatIsTakenWhileItRunsIsRestored) {
  Up();
  const std::string events = folder_.Write("events.ndjson", Event("1") + "\n" + Event("2") + "\n");
  ASSERT_EQ(Run({"ingest", events}).exit_code, 0);
  const std::string backups = folder_.path() + "/backups";
  EXPECT_EQ(RunJson({"backup", backups})["backup"], 1);
  ASSERT_EQ(Run({"ingest", folder_.Write("more.ndjson", Event("3") + "\n")}).exit_code, 0);
  EXPECT_EQ(RunJson({"backup", backups})["backup"], 2);
  EXPECT_TRUE(std::filesystem::is_empty(data() + "/log-checkpoints"));
  // What came after it is not in it.
  ASSERT_EQ(Run({"ingest", folder_.Write("late.ndjson", Event("4") + "\n")}).exit_code, 0);
  EXPECT_GT(RunJson({"log", "check"})["records"], 3);
  EXPECT_EQ(Run({"log", "salvage"}).exit_code, 3) << "it runs";
  EXPECT_EQ(Stop(), 0);

  const std::string other = folder_.path() + "/restored";
  const Outcome restored = Run({"restore", backups, "--data", other});
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_THAT(restored.out, StartsWith("Backup 2 of "));
  EXPECT_EQ(RunJson({"client", "show", "anna", "--data", other})["touchpoint_count"], 3);
  EXPECT_EQ(RunJson({"client", "show", "anna"})["touchpoint_count"], 4);
  EXPECT_EQ(Run({"restore", backups, "--data", other}).exit_code, 3) << "something is there";
  EXPECT_EQ(Run({"restore", other}).exit_code, 3) << "that is no backup";
  EXPECT_EQ(RunJson({"backup", backups})["backup"], 3) << "while none runs";
}

TEST_F(UpTest, IdleConnectionsLeaveTheLogItsFiles) {
  // The states of a fresh one take some 260.
  most_files_ = 768;
  const std::string address = Up();
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  const auto post = [](const std::string& id) {
    const std::string event = Event(id);
    return absl::StrCat(
        "POST /v1/touchpoints HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/cloudevents+json\r\nContent-Length: ",
        event.size(), "\r\n\r\n", event);
  };
  RawConnection first(port);
  first.Send(post("first"));
  EXPECT_THAT(first.ReadAnswer(), StartsWith("HTTP/1.1 202 "));
  // More than the process may open files.
  std::vector<RawConnection> idle;
  for (int i = 0; i < 900; ++i) idle.emplace_back(port);
  int turned_away = 0;
  for (RawConnection& connection : idle) {
    connection.Send(RawGet("/healthz"));
    const std::string answer = connection.ReadAnswer();
    turned_away += absl::StartsWith(answer, "HTTP/1.1 503 ") ? 1 : 0;
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 503 ") ||
                absl::StartsWith(answer, "HTTP/1.1 200 "))
        << answer;
  }
  EXPECT_GE(turned_away, 900 - 768);
  // Whoever is in is served, and the states go on.
  first.Send(post("second"));
  EXPECT_THAT(first.ReadAnswer(), StartsWith("HTTP/1.1 202 "));
  EXPECT_EQ(Run({"sources"}).exit_code, 3);
  idle.clear();
  EXPECT_EQ(RunJson({"rebuild", "profile"})["compared"], true);
  while (RunJson({"client", "show", "anna"})["touchpoint_count"] != 2) {
  }
  EXPECT_EQ(Run({"doctor"}).exit_code, 0) << Run({"doctor"}).out;
  EXPECT_EQ(Stop(), 0);
}

TEST_F(UpTest, AWrongStartIsToldAndLeavesNothing) {
  Outcome outcome = Run({"up", "--set", "ingest.queue_bytes=5"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("queue_bytes"));
  EXPECT_FALSE(std::filesystem::exists(data()));
  outcome = Run({"up", "--listen", "0.0.0.0:0"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("token"));
  Up();
  outcome = Run({"up", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr(data()));
  EXPECT_EQ(Stop(), 0);
}

}  // namespace
}  // namespace rapport
