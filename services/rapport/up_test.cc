#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "services/rapport/cli_fixture.h"

// `rapport up` as a process, and the commands beside it.

namespace rapport {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Outcome;

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
  EXPECT_EQ(RunJson({"dead-letters", "list", "retention"})["dead_letters"], json::array());
  EXPECT_EQ(RunJson({"verify", "retention"})["equal"], true);
  const json rebuilt = RunJson({"rebuild", "deal_pipeline"});
  EXPECT_EQ(rebuilt["compared"], true);
  EXPECT_EQ(rebuilt["findings"], json::array());
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
