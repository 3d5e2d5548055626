#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "services/rapport/cli_fixture.h"

// The commands about sources and identities, and imports of what sources wrote.

namespace rapport {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Outcome;

constexpr char kConfig[] = R"pb(
  sources {
    identity { default_region: "DE" own_domains: "firm.example" }
    sources {
      name: "pbx"
      time_zone: "Europe/Berlin"
      asterisk_cdr { path: "/nowhere/Master.csv" }
    }
    sources {
      name: "office"
      maildir { path: "/nowhere/mail" }
    }
  }
)pb";

// A client with a number and an address, and another one, as ingest takes them.
constexpr char kClients[] =
    R"({"specversion":"1.0","id":"1","source":"crm","subject":"anna",)"
    R"("type":"rapport.touchpoint.v1.IdentifierLinked","time":"2025-03-01T10:00:00Z",)"
    R"("data":{"identifier_linked":{"kind":"IDENTIFIER_KIND_PHONE","value":"+49301234567"}}})"
    "\n"
    R"({"specversion":"1.0","id":"2","source":"crm","subject":"anna",)"
    R"("type":"rapport.touchpoint.v1.IdentifierLinked","time":"2025-03-01T10:00:00Z",)"
    R"("data":{"identifier_linked":{"kind":"IDENTIFIER_KIND_E_MAIL","value":"anna@example.com"}}})"
    "\n"
    R"({"specversion":"1.0","id":"3","source":"crm","subject":"bakery",)"
    R"("type":"rapport.touchpoint.v1.IdentifierLinked","time":"2025-03-01T10:00:00Z",)"
    R"("data":{"identifier_linked":{"kind":"IDENTIFIER_KIND_PHONE","value":"+49309999999"}}})"
    "\n";

constexpr char kCdr[] =
    R"("","0301234567","300","in","","SIP/trunk-1","SIP/401-2","Dial","","2025-03-10 09:46:40",)"
    R"("2025-03-10 09:46:45","2025-03-10 09:47:05",25,20,"ANSWERED","DOC","1741596400.0","","",)"
    R"("1741596400.0",1)"
    "\nnot a row\n";

constexpr char kMbox[] =
    "From x Mon Mar 10 09:00:00 2025\n"
    "From: Anna <anna@example.com>\nTo: us@firm.example\nSubject: Rolls\n"
    "Date: Mon, 10 Mar 2025 10:00:00 +0000\nMessage-ID: <1@example.com>\n\nTen, please.\n";

class SourcesCliTest : public testing::UpFixture {
 protected:
  std::vector<std::string> ImportCommand() {
    return {"import",
            "--config",
            folder_.Write("rapport.textproto", kConfig),
            "--from",
            "pbx=" + folder_.Write("Master.csv", kCdr),
            "--from",
            "office=" + folder_.Write("in.mbox", kMbox)};
  }
  // What happened to the client, the earliest first.
  std::vector<std::string> KindsOf(const std::string& client) {
    std::vector<std::string> kinds;
    const json timeline = RunJson({"client", "timeline", client});
    for (const json& entry : timeline["touchpoints"]) {
      kinds.push_back(entry["kind"]);
    }
    return kinds;
  }
};

TEST_F(SourcesCliTest, FilesOfSourcesAreImportedForTheirClients) {
  RunJson({"import", folder_.Write("clients.ndjson", kClients)});
  std::vector<std::string> command = ImportCommand();

  command.push_back("--dry-run");
  const json tried = RunJson(command, 1);
  EXPECT_EQ(tried["touchpoints"], 2);
  EXPECT_EQ(tried["rejected"][0]["line"], 2);
  EXPECT_THAT(KindsOf("anna"), ElementsAre("identifier_linked", "identifier_linked"));

  command.pop_back();
  const json import = RunJson(command, 1);
  EXPECT_EQ(import["kinds"], json({{"call_completed", 1}, {"email_exchanged", 1}}));
  EXPECT_EQ(import["known_before"], 0);
  EXPECT_EQ(import["first_rejected"][0]["file"], "Master.csv");
  EXPECT_THAT(std::string(import["first_rejected"][0]["reason"]),
              HasSubstr("the row has 1 columns"));
  EXPECT_THAT(KindsOf("anna"), ElementsAre("identifier_linked", "identifier_linked",
                                           "call_completed", "email_exchanged"));
  EXPECT_EQ(RunJson(command, 1)["known_before"], 2) << "the ids are the same";

  const Outcome unknown =
      Run({"import", "--from", "fax=x", "--config", folder_.Write("rapport.textproto", kConfig)});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no source is called 'fax' in the configuration; there are "
                                     "pbx, office"));
  EXPECT_EQ(Run({"import", "--from", "pbx"}).exit_code, 2);
  EXPECT_EQ(Run({"import"}).exit_code, 2);
}

TEST_F(SourcesCliTest, ClientsOfARunningRapportAreAskedFor) {
  Up();
  RunJson({"ingest", folder_.Write("clients.ndjson", kClients)});
  // Whose the number is, is known a moment after it was told.
  while (Run({"identify", "030 1234567"}).exit_code != 0) {
    ASSERT_EQ(Run({"sources"}).exit_code, 0);
  }
  const json import = RunJson(ImportCommand(), 1);
  EXPECT_EQ(import["touchpoints"], 2);
  EXPECT_EQ(import["clients"], 1);
  EXPECT_EQ(Stop(), 0);
  EXPECT_THAT(KindsOf("anna"), ElementsAre("identifier_linked", "identifier_linked",
                                           "call_completed", "email_exchanged"));
}

TEST_F(SourcesCliTest, ClientsAreMergedAndSplit) {
  Up();
  RunJson({"ingest", folder_.Write("clients.ndjson", kClients)});
  while (Run({"identify", "030 1234567"}).exit_code != 0) {
    ASSERT_EQ(Run({"sources"}).exit_code, 0);
  }
  const Outcome unknown = Run({"identify", "030 7654321"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.out, HasSubstr("+49307654321: Nobody has it"));

  const json preview = RunJson({"merge", "anna", "bakery", "--dry-run"});
  EXPECT_EQ(preview["touchpoints"], 2);
  const json merge = RunJson({"merge", "anna", "bakery", "--reason", "same phone"});
  const std::string id = merge["merge_id"];
  while (RunJson({"identify", "030 1234567"})["client_id"] != "bakery") {
  }
  EXPECT_THAT(Run({"merges"}).out, AllOf(HasSubstr(id), HasSubstr("bakery")));
  RunJson({"split", id});
  while (RunJson({"identify", "030 1234567"})["client_id"] != "anna") {
  }
  EXPECT_THAT(Run({"split", "nothing"}).err, HasSubstr("there is no merge 'nothing'"));
  EXPECT_THAT(Run({"merge", "anna", "bakerie"}).err, HasSubstr("there is no client 'bakerie'"));
}

TEST_F(SourcesCliTest, IdentitiesAreVerifiedWhereTheyAreKept) {
  const Outcome nobody = Run({"verify", "identity"});
  EXPECT_EQ(nobody.exit_code, 3);
  EXPECT_THAT(nobody.err, HasSubstr("no Rapport runs on"));
  Up();
  RunJson({"ingest", folder_.Write("clients.ndjson", kClients)});
  const json verified = RunJson({"verify", "identity"});
  EXPECT_EQ(verified["projection"], "identity");
  EXPECT_EQ(verified["equal"], true);
  ASSERT_GT(verified["partitions"].size(), 0u);
  for (const json& partition : verified["partitions"]) {
    EXPECT_EQ(partition["digest"], partition["rebuilt_digest"]);
    EXPECT_EQ(partition["finding"], nullptr);
  }
  EXPECT_THAT(Run({"verify", "identity"}).out, HasSubstr("identity is equal to a fold of"));
  EXPECT_EQ(Run({"rebuild", "identity"}).exit_code, 2);
}

}  // namespace
}  // namespace rapport
