#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "services/rapport/cli_fixture.h"

namespace rapport {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kSample[] = RAPPORT_DEPLOY_FOLDER "/import/online_retail_sample.csv.gz";
constexpr char kSampleMapping[] = RAPPORT_DEPLOY_FOLDER "/import/online_retail.textproto";

constexpr char kMapping[] = R"pb(
  source: "shop"
  client_id { text: "{Client}" }
  when { text: "{When}" }
  rules {
    kind: "order_placed"
    source_event_id { text: "order/{Order}" }
    assignments {
      field: "channel"
      value { text: "CHANNEL_BACK_OFFICE" }
    }
    assignments {
      field: "owner_id"
      value { text: "{Owner}" }
    }
    assignments {
      field: "order_placed.order_id"
      value { text: "{Order}" }
    }
    assignments {
      field: "order_placed.amount"
      value { text: "{Amount}" currency: "EUR" }
    }
  }
)pb";

using testing::CliFixture;
using testing::Outcome;

class CliTest : public CliFixture {
 protected:
  Outcome Import(const std::string& rows, const std::string& mapping = kMapping) {
    return Run({"import", folder_.Write("orders.csv", "Order,Client,When,Amount,Owner\n" + rows),
                "--map", folder_.Write("orders.textproto", mapping)});
  }

  json ImportSample() {
    return RunJson(
        {"import", kSample, "--map", kSampleMapping, "--as-it-happened", "--shift-to-now"});
  }
};

TEST_F(CliTest, ImportOfTheSampleNamesThoseAboutToLeave) {
  const json import = ImportSample();
  EXPECT_EQ(import["rows"], 34816);
  EXPECT_EQ(import["rejected_rows"], 0);
  EXPECT_EQ(import["touchpoints"], 2464);
  EXPECT_EQ(import["clients"], 440);
  EXPECT_EQ(import["known_before"], 0);
  EXPECT_EQ(import["kinds"],
            json({{"client_registered", 440}, {"order_cancelled", 358}, {"order_placed", 1666}}));
  EXPECT_GT(import["shifted_days"], 0);

  const json at_risk = RunJson({"at-risk", "--limit", "3"});
  EXPECT_EQ(at_risk["as_of"], import["clock"]);
  EXPECT_EQ(at_risk["more"], true);
  ASSERT_EQ(at_risk["clients"].size(), 3u);
  const json& worst = at_risk["clients"][0];
  EXPECT_GT(worst["score"], 600);
  ASSERT_FALSE(worst["reasons"].empty());
  EXPECT_FALSE(worst["reasons"][0]["text"].get<std::string>().empty());
  EXPECT_GT(worst["reasons"][0]["points"], 0);

  const Outcome text = Run({"at-risk", "--limit", "3"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, StartsWith("CLIENT  SEVERITY"));
  EXPECT_THAT(text.out, HasSubstr(worst["client_id"].get<std::string>()));
  EXPECT_THAT(text.out, HasSubstr("--limit 0 shows all"));
  EXPECT_EQ(text.err, "");
}

TEST_F(CliTest, EverythingCanBeReadRebuiltAndVerified) {
  ImportSample();
  const json client = RunJson({"client", "show", "12583"});
  EXPECT_EQ(client["client_id"], "12583");
  EXPECT_EQ(client["addresses"][0]["country_code"], "FR");
  EXPECT_EQ(client["accounts"][0]["ordered"]["currency_code"], "GBP");
  EXPECT_THAT(Run({"client", "show", "12583"}).out,
              AllOf(HasSubstr("Risk to leave: "), HasSubstr("GBP")));

  const json timeline = RunJson({"client", "timeline", "12583", "--limit", "0"});
  ASSERT_EQ(timeline["touchpoints"].size(), client["touchpoint_count"]);
  EXPECT_EQ(timeline["touchpoints"].back()["occurred_at"], client["last_touchpoint_at"]);
  const Outcome short_timeline = Run({"client", "timeline", "12583", "--limit", "2"});
  EXPECT_EQ(std::count(short_timeline.out.begin(), short_timeline.out.end(), '\n'), 3);

  const json alerts = RunJson({"alerts", "--limit", "5"});
  EXPECT_GT(alerts["total"], 5);  // as history was played, not of now alone
  ASSERT_EQ(alerts["alerts"].size(), 5u);
  EXPECT_EQ(alerts["alerts"][0]["rule"], "churn_risk");
  const json open = RunJson({"alerts", "--open", "--limit", "0"});
  const json at_risk = RunJson({"at-risk", "--limit", "0"});
  EXPECT_EQ(open["total"], at_risk["clients"].size());
  // Both tell why as of now.
  std::map<std::string, json> by_client;
  for (const json& one : at_risk["clients"]) by_client[one["client_id"]] = one;
  const auto texts = [](const json& one) {
    std::vector<std::string> all;
    for (const json& reason : one["reasons"]) all.push_back(reason["text"]);
    return all;
  };
  for (const json& alert : open["alerts"]) {
    const json& one = by_client[alert["client_id"]];
    EXPECT_EQ(alert["score"], one["score"]) << alert["client_id"];
    EXPECT_EQ(texts(alert), texts(one)) << alert["client_id"];
  }

  for (const std::string projection : {"profile", "retention", "deal_pipeline", "kpi"}) {
    const json verified = RunJson({"verify", projection});
    EXPECT_EQ(verified["equal"], true) << verified;
    const json rebuilt = RunJson({"rebuild", projection});
    EXPECT_EQ(rebuilt["findings"], json::array());
    EXPECT_EQ(rebuilt["compared"], true);
  }
  // A rebuild sends no alert again.
  EXPECT_EQ(RunJson({"alerts", "--limit", "5"}), alerts);
  EXPECT_THAT(Run({"verify", "retention"}).out, HasSubstr("retention is equal to a fold of "));
  EXPECT_THAT(Run({"rebuild", "retention"}).out, HasSubstr("It is equal to the one before."));
  EXPECT_EQ(Run({"rebuild", "retention", "--rollback"}).exit_code, 0);
}

TEST_F(CliTest, ASecondImportChangesNothing) {
  const json first = ImportSample();
  const json client = RunJson({"client", "show", "12583"});
  const json second = ImportSample();
  EXPECT_EQ(second["touchpoints"], first["touchpoints"]);
  EXPECT_EQ(second["known_before"], first["touchpoints"]);
  const json again = RunJson({"client", "show", "12583"});
  EXPECT_EQ(again["touchpoint_count"], client["touchpoint_count"]);
  EXPECT_EQ(again["accounts"], client["accounts"]);
}

TEST_F(CliTest, BadRowsAreCountedAndTheRestGoesOn) {
  const Outcome outcome = Import(
      "1,anna,2026-01-05T10:00:00Z,12.50,ben\n"
      "2,anna,yesterday,1.00,ben\n"
      "3,anna,2026-01-06T10:00:00Z,many,ben\n"
      "4,bob,2026-01-06T10:00:00Z,7,ben\n");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("4 rows"), HasSubstr("2  touchpoints of 2 clients\n"),
                    HasSubstr("2  rows rejected\n"),
                    HasSubstr("rejected line 3: 'yesterday' is no time in the format "),
                    HasSubstr("rejected line 4: order_placed.amount: 'many' is no decimal "
                              "number\n"),
                    HasSubstr("Each rejected row stands in the rejected log (rapport rejected "
                              "list).\n")));
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(RunJson({"client", "show", "bob"})["owner_id"], "ben");
}

TEST_F(CliTest, RowsThatAreNotUsedAreCountedByTheirReasons) {
  std::string rows = "1,anna,2026-01-05T10:00:00Z,12.50,ben\n";
  for (int i = 2; i <= 2000; ++i) rows += std::to_string(i) + ",,2026-01-05T10:00:00Z,1,ben\n";
  for (int i = 0; i < 30; ++i)
    rows += "b,bob,2026-01-05T10:00:00Z,x" + std::to_string(i) + ",ben\n";
  const std::string mapping =
      std::string(kMapping) +
      "skip_when { conditions { column: 'Client' like: '' } reason: 'no client' }";
  const std::vector<std::string> command = {
      "import", folder_.Write("orders.csv", "Order,Client,When,Amount,Owner\n" + rows), "--map",
      folder_.Write("orders.textproto", mapping)};
  std::vector<std::string> dry_run = command;
  dry_run.push_back("--dry-run");
  const std::string tried = Run(dry_run).out;
  EXPECT_THAT(tried,
              AllOf(HasSubstr("\n1,999  rows skipped\n"), HasSubstr("\n   30  rows rejected\n"),
                    HasSubstr("\nskipped 1,999 rows like line 3: no client\n"),
                    HasSubstr("\norders.csv line 2021 would be rejected: "),
                    Not(HasSubstr("\norders.csv line 2022 would be rejected: "))));
  const json import = RunJson(command, 1);
  EXPECT_EQ(import["skipped_reasons"], json::parse(R"([{"rows": 1999, "file": "orders.csv",
      "line": 3, "reason": "no client", "examples": []}])"));
  ASSERT_EQ(import["rejected_reasons"].size(), 1u) << import["rejected_reasons"];
  EXPECT_EQ(import["rejected_reasons"][0]["rows"], 30);
  EXPECT_EQ(import["rejected_reasons"][0]["line"], 2002);
  EXPECT_EQ(import["scattered_groups"], 0);
}

TEST_F(CliTest, WithoutHistoryWhatIsTrueNowIsRaisedOnce) {
  std::string rows;
  for (int month = 1; month <= 9; ++month) {
    rows += std::to_string(month) + ",anna,2020-0" + std::to_string(month) +
            "-05T10:00:00Z,12.50,ben\n";
  }
  ASSERT_EQ(Import(rows).exit_code, 0);
  const json alerts = RunJson({"alerts", "--client", "anna"});
  ASSERT_EQ(alerts["total"], 1);
  EXPECT_EQ(alerts["alerts"][0]["open"], true);
  EXPECT_EQ(alerts["alerts"][0]["owner_id"], "ben");
  EXPECT_EQ(RunJson({"at-risk", "--owner", "ben"})["clients"][0]["client_id"], "anna");
  EXPECT_EQ(RunJson({"at-risk", "--owner", "eva"})["clients"], json::array());
  EXPECT_EQ(RunJson({"alerts", "--owner", "eva"})["total"], 0);
}

TEST_F(CliTest, AWrongMappingIsToldWithItsLine) {
  std::string mapping = kMapping;
  mapping.replace(mapping.find("{Order}"), 7, "{Nr}");
  Outcome outcome = Import("1,anna,2026-01-05T10:00:00Z,12.50,ben\n", mapping);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "rapport: " + folder_.path() +
                             "/orders.textproto:7: column 'Nr' is not in the file, which has "
                             "Order, Client, When, Amount, Owner\n");

  outcome = Import("1,anna,2026-01-05T10:00:00Z,12.50,ben\n", "sauce: 'shop'");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("/orders.textproto:1:6: "));
}

TEST_F(CliTest, ADryRunShowsFirstRowsAndEveryProblemAndWritesNothing) {
  std::string rows;
  for (int i = 1; i <= 6; ++i) {
    rows += std::to_string(i) + ",anna,2026-01-0" + std::to_string(i) + "T10:00:00Z,12.50,ben\n";
  }
  for (int i = 0; i < 12; ++i) rows += "7,anna,yesterday,1.00,ben\n";
  const std::string orders = folder_.Write("orders.csv", "Order,Client,When,Amount,Owner\n" + rows);
  const std::vector<std::string> command = {
      "import",    orders,           "--map",           folder_.Write("orders.textproto", kMapping),
      "--dry-run", "--shift-to-now", "--as-it-happened"};
  const Outcome outcome = Run(command);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, StartsWith("orders.csv line 2 becomes {\n \"event_id\": "));
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("  \"order_id\": \"5\","), Not(HasSubstr("  \"order_id\": \"6\",")),
            HasSubstr("\norders.csv line 8 would be rejected: 'yesterday' is "
                      "no time in the format "),
            HasSubstr("\norders.csv line 19 would be rejected: "),
            HasSubstr("18 rows, and wrote nothing, in "),
            HasSubstr("\n 6  touchpoints of 1 client\n"), HasSubstr("\n12  rows rejected\n")));

  const json tried = RunJson(command, 1);
  EXPECT_EQ(tried["dry_run"], true);
  EXPECT_EQ(tried["kinds"], json({{"order_placed", 6}}));
  EXPECT_EQ(tried["rejected"].size(), 12u);
  EXPECT_EQ(tried["rejected"][11]["line"], 19);
  ASSERT_EQ(tried["touchpoint_previews"].size(), 5u);
  const json& first = tried["touchpoint_previews"][0];
  EXPECT_EQ(first["line"], 2);
  EXPECT_EQ(first["touchpoint"]["occurred_at"], "2026-01-01T10:00:00Z");
  EXPECT_EQ(first["touchpoint"]["order_placed"]["amount"],
            json({{"minor_units", "1250"}, {"currency_code", "EUR"}}));
  EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(CliTest, EachFileTakesItsMapping) {
  std::string mapping = kMapping;
  const std::string shop = folder_.Write("shop.textproto", mapping + "files: 'shop*.csv'\n");
  mapping.replace(mapping.find("shop"), 4, "fair");
  const std::string fair = folder_.Write("fair.textproto", mapping);
  const std::string rows =
      "Order,Client,When,Amount,Owner\n1,anna,2026-01-05T10:00:00Z,12.50,ben\n";
  const json import = RunJson({"import", folder_.Write("shop_1.csv", rows), "--map", shop,
                               folder_.Write("visits.csv", rows), "--map", fair});
  EXPECT_EQ(import["touchpoints"], 2);
  EXPECT_EQ(import["known_before"], 0);  // ids differ, since the sources do
  const Outcome none = Run({"import", folder_.path() + "/visits.csv", "--map", shop});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_EQ(none.err, "rapport: " + folder_.path() +
                          "/visits.csv: none of the mappings is for this file; see `files` in "
                          "them\n");
}

TEST_F(CliTest, WhatWasAskedToBeErasedIsSaidToBeThereStill) {
  const auto event = [](const std::string& id, const std::string& kind) {
    return R"({"specversion":"1.0","id":")" + id +
           R"(","source":"crm","type":"rapport.touchpoint.v1.)" + kind +
           R"(","subject":"erika","time":"2026-01-02T10:00:00Z","data":{"request_id":"r"}})" + "\n";
  };
  EXPECT_EQ(
      Run({"import", folder_.Write("asked.ndjson", event("1", "ErasureRequested"))}).exit_code, 0);
  EXPECT_THAT(Run({"client", "show", "erika"}).out,
              HasSubstr("Erasure      asked for at 2026-01-02 10:00: no alert is raised any more; "
                        "nothing was erased, which is for people to do"));
}

TEST_F(CliTest, AMissingFileIsToldBeforeAnythingIsMade) {
  const Outcome outcome = Run({"import", folder_.path() + "/none.csv", "--map", kSampleMapping});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "rapport: " + folder_.path() + "/none.csv: No such file or directory\n");
  EXPECT_FALSE(std::filesystem::exists(data()));
  EXPECT_EQ(Run({"import", kSample, "--map", folder_.path() + "/none"}).err,
            "rapport: " + folder_.path() + "/none: No such file or directory\n");
}

TEST_F(CliTest, ADataFolderThatCannotBeUsedIsTrouble) {
  const std::string file = folder_.Write("file", "");
  const Outcome outcome = Run({"at-risk", "--data", file + "/data"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("rapport: "), HasSubstr(file + "/data")));
}

TEST_F(CliTest, AnEmptyLogHasEmptyAnswers) {
  EXPECT_EQ(RunJson({"at-risk"}),
            json({{"as_of", nullptr}, {"more", false}, {"clients", json::array()}}));
  EXPECT_EQ(RunJson({"alerts"}), json({{"total", 0}, {"alerts", json::array()}}));
  EXPECT_EQ(Run({"alerts"}).out, "There are no alerts.\n");
  EXPECT_EQ(RunJson({"client", "show", "nobody"}, 1),
            json({{"client_id", "nobody"}, {"error", "not found"}}));
  const Outcome timeline = Run({"client", "timeline", "nobody"});
  EXPECT_EQ(timeline.exit_code, 1);
  EXPECT_EQ(timeline.out, "There is no client 'nobody'.\n");
  EXPECT_EQ(RunJson({"verify", "profile"})["equal"], true);
}

TEST_F(CliTest, WrongUseIsExitCodeTwo) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"dance"},
           {"import"},
           {"import", kSample},
           {"import", kSample, "--map", kSampleMapping, "--colour"},
           {"client"},
           {"client", "show"},
           {"at-risk", "--limit", "few"},
           {"verify", "profiles"},
           {"rebuild", "retention", "--rate", "-1"}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << ::testing::PrintToString(arguments);
    EXPECT_NE(outcome.err, "") << ::testing::PrintToString(arguments);
    EXPECT_EQ(outcome.out, "") << ::testing::PrintToString(arguments);
  }
  const Outcome step = Run({"import", kSample, "--map", kSampleMapping, "--clock-step", "often"});
  EXPECT_EQ(step.exit_code, 2);
  EXPECT_EQ(step.err, "rapport: --clock-step 'often' is no duration such as 24h or 90m\n");
}

TEST_F(CliTest, EveryCommandHasHelpWithAnExample) {
  EXPECT_EQ(Run({"--help"}).exit_code, 0);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"import"},
                                             {"client", "show"},
                                             {"client", "timeline"},
                                             {"at-risk"},
                                             {"alerts"},
                                             {"rebuild"},
                                             {"verify"},
                                             {"up"},
                                             {"ingest"},
                                             {"pipeline"},
                                             {"kpi"},
                                             {"dead-letters", "list"},
                                             {"dead-letters", "show"},
                                             {"dead-letters", "retry"},
                                             {"dead-letters", "skip"},
                                             {"rejected", "list"},
                                             {"rejected", "retry"},
                                             {"merge"},
                                             {"split"},
                                             {"merges"},
                                             {"reviews"},
                                             {"distinguish"},
                                             {"doctor"},
                                             {"config"},
                                             {"completion"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--help");
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("Example:\n  rapport " + command[0]));
    EXPECT_THAT(outcome.out, Not(HasSubstr("ERROR")));
  }
  EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(CliTest, HistoryOfOrdersAndCallsIsPlayedAsOne) {
  constexpr char kStory[] = RAPPORT_DEPLOY_FOLDER "/import/story.ndjson.gz";
  const json import = RunJson(
      {"import", kSample, kStory, "--map", kSampleMapping, "--as-it-happened", "--shift-to-now"});
  EXPECT_EQ(import["rejected_rows"], 0) << import["first_rejected"];
  EXPECT_EQ(import["touchpoints"], 2464 + 2446);
  const json client = RunJson({"client", "show", "18073"});
  EXPECT_EQ(client["owner_id"], "anna.keller");
  EXPECT_EQ(client["open_complaints"][0]["complaint_id"], "18073-glass-again");
  EXPECT_EQ(client["risk"]["alert_open"], true);
  // The one who was called in time has none.
  EXPECT_EQ(RunJson({"client", "show", "12753"})["risk"]["alert_open"], false);
}

// The sample's story has something to do of every kind, for each of its owners too.
TEST_F(CliTest, TheAgendaOfTheStoryHasEveryKind) {
  constexpr char kStory[] = RAPPORT_DEPLOY_FOLDER "/import/story.ndjson.gz";
  ASSERT_EQ(Run({"import", kSample, kStory, "--map", kSampleMapping, "--as-it-happened",
                 "--shift-to-now"})
                .exit_code,
            0);
  const auto kinds = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "agenda");
    std::set<std::string> told;
    const json agenda = RunJson(arguments);
    for (const json& section : agenda["sections"]) {
      EXPECT_GT(section["count"], 0);
      EXPECT_FALSE(section["items"].empty());
      told.insert(section["kind"]);
    }
    return told;
  };
  const std::set<std::string> all = {"unanswered", "promise", "complaint", "meeting",
                                     "contract",   "invoice", "shipment",  "deal"};
  EXPECT_EQ(kinds({}), all);
  EXPECT_EQ(kinds({"--owner", "anna.keller"}), all);
  EXPECT_EQ(kinds({"--owner", "nobody"}), std::set<std::string>());
  const Outcome text = Run({"agenda", "--owner", "anna.keller", "--limit", "1"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("Promises due and late: "));
}

TEST_F(CliTest, AlertsArePrintedWhileHistoryIsPlayed) {
  const Outcome outcome = Run({"import", kSample, "--map", kSampleMapping, "--as-it-happened",
                               "--shift-to-now", "--show-alerts"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, ContainsRegex("  raised +medium +580  18073    "
                                         "no order since 20..-..-..; usually every 9 days"));
}

TEST_F(CliTest, WhatNeedsARunningProcessSaysSo) {
  const std::string events = folder_.Write("events.ndjson", "{}\n");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"alerts", "--follow"},
                                             {"ingest", events},
                                             {"pipeline"},
                                             {"kpi"},
                                             {"dead-letters", "list", "profile"},
                                             {"merge", "one", "other"},
                                             {"merges"},
                                             {"reviews"},
                                             {"distinguish", "0123"},
                                             {"rejected", "list"}}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 3) << ::testing::PrintToString(arguments);
    EXPECT_EQ(outcome.err, "rapport: no Rapport runs on " + data() +
                               "; start one with `rapport up`, or name one with --server URL\n");
  }
  EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(CliTest, DoctorLooksAtTheDataFolder) {
  ImportSample();
  const json checks = RunJson({"doctor"});
  EXPECT_EQ(checks["wrong"], 0) << checks;
  const Outcome outcome =
      Run({"doctor", "--config", folder_.Write("wrong.textproto", "ingest { queue_bytes: 5 }")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("WRONG  configuration"), HasSubstr("1 thing is wrong.\n")));
}

TEST_F(CliTest, ConfigAndCompletionPrintWhatShellsAndServicesRead) {
  const Outcome config = Run({"config"});
  EXPECT_EQ(config.exit_code, 0);
  EXPECT_THAT(config.out, HasSubstr("memory_mib"));
  const Outcome completion = Run({"completion", "bash"});
  EXPECT_EQ(completion.exit_code, 0);
  const std::string script = folder_.Write("completion", completion.out);
  const std::string ask = "source " + script +
                          "; COMP_WORDS=(rapport client t); COMP_CWORD=2; _rapport; "
                          "test \"${COMPREPLY[0]}\" = timeline";
  EXPECT_EQ(std::system(("bash -c '" + ask + "'").c_str()), 0);
  EXPECT_EQ(Run({"completion", "fish"}).exit_code, 2);
}

}  // namespace
}  // namespace rapport
