#include "services/sources/sources.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/identity/identifier.h"
#include "libs/serving/testing/serving_fixture.h"
#include "libs/web_hook_check/hashes.h"
#include "rapport/query/v1/client.pb.h"
#include "rapport/query/v1/source.pb.h"
#include "rapport/rejected/v1/rejected.pb.h"
#include "services/profiles/profiles.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using query::v1::SourceLedger;
using query::v1::SourceList;
using query::v1::Timeline;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using touchpoint::v1::Touchpoint;

constexpr char kPublicUrl[] = "https://hooks.example.com";
constexpr char kTwilioToken[] = "12345";

class SourcesTest : public testing::ServingFixture {
 protected:
  SourcesTest() {
    for (const char* name : {"new", "cur", "tmp"}) {
      fs::create_directories(absl::StrCat(folder_.path(), "/mail/", name));
    }
    std::ofstream(Path("twilio.token")) << kTwilioToken;
    fs::permissions(Path("twilio.token"), fs::perms::owner_read);
    constexpr char kText[] = R"(
      sources {
        identity { own_domains: "firm.example" own_numbers: "+4930999" }
        agents { agent_id: "ben" extensions: "201" e_mails: "ben@firm.example" }
        public_url: "$0"
        sources { name: "pbx" time_zone: "Europe/Berlin" asterisk_cdr { path: "$1" } }
        sources { name: "desk" maildir { interval_ms: 10 path: "$2" } }
        sources { name: "phone" twilio { token_file: "$3" } }
      })";
    auto config = ParseConfig(
        absl::Substitute(kText, kPublicUrl, Path("Master.csv"), Path("mail"), Path("twilio.token")),
        "test", {.overrides = {absl::StrCat("data_folder=", folder_.path())}});
    RAPPORT_CHECK(config.ok(), config.status().ToString());
    config_ = *std::move(config);
  }
  ~SourcesTest() override { Stop(); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_.path(), "/", name);
  }

  void Start() {
    auto server = HttpServer::Create({}, &metrics_);
    ASSERT_OK(server.status());
    http_ = *std::move(server);
    for (const StartService& start : {StartService(StartProfiles), StartService(StartSources)}) {
      auto service = start(env());
      ASSERT_OK(service.status());
      services_.push_back(*std::move(service));
    }
    Serve({services_[0].get(), services_[1].get()});
  }
  void Stop() {
    http_->Drain(absl::Seconds(5));
    services_.clear();
  }

  // The client has this number and this address.
  void Register(const std::string& client) {
    Touchpoint registered =
        testing::MakeTouchpoint(Touchpoint::kClientRegistered, client, "r", testing::Day(1));
    Touchpoint phone =
        testing::MakeTouchpoint(Touchpoint::kIdentifierLinked, client, "p", testing::Day(1));
    phone.mutable_identifier_linked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_PHONE);
    phone.mutable_identifier_linked()->set_value("+493012345678");
    Touchpoint mail =
        testing::MakeTouchpoint(Touchpoint::kIdentifierLinked, client, "m", testing::Day(1));
    mail.mutable_identifier_linked()->set_kind(touchpoint::v1::IDENTIFIER_KIND_E_MAIL);
    mail.mutable_identifier_linked()->set_value("anna@client.example");
    Append({registered, phone, mail});
  }

  // A call of the client to extension 201 that begins at 9:mm:00 and is talked through.
  void WriteCall(int minute, const std::string& line_end = "\n") {
    const std::string start = absl::StrFormat("2026-03-02 09:%02d:00", minute);
    const std::string end = absl::StrFormat("2026-03-02 09:%02d:50", minute);
    const std::string id = absl::StrFormat("17724384%02d.7", minute);
    std::ofstream(Path("Master.csv"), std::ios::app)
        << absl::StrCat(R"("","03012345678","201","trunk-in","""Anna"" <03012345678>",)",
                        R"("SIP/trunk-0000000a","SIP/201-0000000b","Dial","SIP/201,30",")", start,
                        "\",\"", start, "\",\"", end, R"(",50,50,"ANSWERED","DOCUMENTATION",")", id,
                        R"(","","",")", id, "\",", minute, line_end);
  }
  void Deliver(const std::string& name, const std::string& message) {
    std::ofstream(Path("mail/tmp/" + name)) << message;
    fs::rename(Path("mail/tmp/" + name), Path("mail/new/" + name));
  }
  HttpAnswer CallBack(const std::string& call, const std::string& signed_with) {
    const std::vector<std::pair<std::string, std::string>> fields = {
        {"CallDuration", "42"},
        {"CallSid", call},
        {"CallStatus", "completed"},
        {"Direction", "inbound"},
        {"From", "+493012345678"},
        {"SequenceNumber", "0"},
        {"Timestamp", "Mon, 02 Mar 2026 10:00:42 +0000"},
        {"To", "+4930999111"}};
    const std::string path = "/v1/sources/phone?team=1";
    std::string text = kPublicUrl + path;
    std::string body;
    for (const auto& [name, value] : fields) {
      absl::StrAppend(&text, name, value);
      absl::StrAppend(&body, body.empty() ? "" : "&", name, "=",
                      absl::StrReplaceAll(value, {{"+", "%2B"}, {" ", "+"}, {":", "%3A"}}));
    }
    std::vector<Header> headers = {{"content-type", "application/x-www-form-urlencoded"}};
    if (!signed_with.empty()) {
      headers.push_back({"x-twilio-signature", absl::Base64Escape(HmacSha1(signed_with, text))});
    }
    auto answer = client_.Fetch({.method = "POST",
                                 .url = http_->address() + path,
                                 .headers = headers,
                                 .body = body,
                                 .timeout = absl::Seconds(100)});
    RAPPORT_CHECK(answer.ok(), answer.status().ToString());
    return *std::move(answer);
  }

  // What stands in the rejected log.
  std::vector<rejected::v1::RejectedRecord> Rejected() {
    std::vector<rejected::v1::RejectedRecord> rejected;
    for (int partition = 0; partition < kPartitions; ++partition) {
      const Watermarks marks = *log_->GetWatermarks("rejected", Partition(partition));
      if (marks.begin == marks.end) continue;
      const auto reader = *log_->OpenReader("rejected", Partition(partition), marks.begin);
      while (reader->position() < marks.end) {
        const auto records = *reader->Read(100, absl::Seconds(1));
        for (const RecordView& record : records) {
          RAPPORT_CHECK(rejected.emplace_back().ParseFromArray(
                            record.value.data(), static_cast<int>(record.value.size())),
                        "a record of the rejected log");
        }
      }
    }
    return rejected;
  }
  // What is wrong with reading the source, once something is.
  std::string TroubleOf(const std::string& name) {
    while (true) {
      const auto list = Read<SourceList>("/v1/sources");
      for (const SourceLedger& source : list.sources()) {
        if (source.name() != name || source.trouble().empty()) continue;
        EXPECT_EQ(source.state(), query::v1::SOURCE_STATE_TROUBLE);
        return source.trouble();
      }
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  // The client's contacts, once there are so many.
  std::vector<std::string> Contacts(const std::string& client, size_t count) {
    std::vector<std::string> kinds;
    while (true) {
      kinds.clear();
      const HttpAnswer answer =
          Call("GET", absl::StrCat("/v1/clients/", client, "/timeline?limit=500"));
      Timeline timeline;
      // 404 until the first of them is folded.
      EXPECT_TRUE(answer.status == 404 ||
                  google::protobuf::util::JsonStringToMessage(answer.body, &timeline).ok());
      for (const auto& entry : timeline.touchpoints()) {
        if (entry.kind() == "call_completed" || entry.kind() == "email_exchanged") {
          kinds.push_back(entry.kind());
        }
      }
      if (kinds.size() >= count) return kinds;
      absl::SleepFor(absl::Milliseconds(5));
    }
  }
  // The ledger of a source, once it has counted so many.
  SourceLedger Ledger(const std::string& name, int64_t received) {
    while (true) {
      const auto list = Read<SourceList>("/v1/sources");
      for (const SourceLedger& source : list.sources()) {
        if (source.name() == name && source.received() >= received && source.pending() == 0) {
          return source;
        }
      }
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  std::vector<std::unique_ptr<Service>> services_;
};

constexpr char kMail[] =
    "From: Anna <anna@client.example>\r\nTo: ben@firm.example\r\nSubject: an offer\r\n"
    "Message-ID: <m1@client.example>\r\nDate: Mon, 02 Mar 2026 11:00:00 +0100\r\n\r\nHello\r\n";

TEST_F(SourcesTest, CallsAndMailsOfOneClientComeTogether) {
  Start();
  Register("c-1");
  WriteCall(10);
  Deliver("1.a", kMail);
  EXPECT_EQ(CallBack("CA1", kTwilioToken).status, 200);
  EXPECT_THAT(Contacts("c-1", 3),
              UnorderedElementsAre("call_completed", "call_completed", "email_exchanged"));
  for (const char* name : {"pbx", "desk", "phone"}) {
    const SourceLedger ledger = Ledger(name, 1);
    EXPECT_EQ(ledger.received(), 1) << name;
    EXPECT_EQ(ledger.written(), 1) << name;
    EXPECT_EQ(ledger.state(), query::v1::SOURCE_STATE_OK) << name;
  }
}

TEST_F(SourcesTest, WhatComesTwiceIsWrittenOnce) {
  Start();
  Register("c-1");
  EXPECT_EQ(CallBack("CA1", kTwilioToken).status, 200);
  EXPECT_EQ(CallBack("CA1", kTwilioToken).status, 200);
  Deliver("1.a", kMail);
  Deliver("2.b", kMail);
  EXPECT_EQ(Ledger("phone", 2).duplicates(), 1);
  EXPECT_EQ(Ledger("phone", 2).written(), 1);
  EXPECT_EQ(Ledger("desk", 2).duplicates(), 1);
  EXPECT_THAT(Contacts("c-1", 2), UnorderedElementsAre("call_completed", "email_exchanged"));
}

TEST_F(SourcesTest, WhoCannotProveToBeTheSourceIsRefusedAndCounted) {
  Start();
  EXPECT_EQ(CallBack("CA1", "").status, 401);
  EXPECT_EQ(CallBack("CA1", "another").status, 403);
  EXPECT_EQ(Call("POST", "/v1/sources/nobody").status, 404);
  EXPECT_EQ(Call("POST", "/v1/sources/pbx").status, 404);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("rapport_source_requests_refused_total{source=\"phone\",why=\"permission_"
                        "denied\"} 1"));
  // Nothing of it came anywhere.
  for (int partition = 0; partition < kPartitions; ++partition) {
    EXPECT_EQ(log_->GetWatermarks("sources", Partition(partition))->end, Offset(0));
    EXPECT_EQ(log_->GetWatermarks("rejected", Partition(partition))->end, Offset(0));
  }
}

TEST_F(SourcesTest, ALineThatSaysNothingIsKeptAndTheRestGoesOn) {
  Start();
  Register("c-1");
  std::ofstream(Path("Master.csv"), std::ios::app) << "half a row\n";
  WriteCall(10);
  EXPECT_THAT(Contacts("c-1", 1), UnorderedElementsAre("call_completed"));
  const SourceLedger ledger = Ledger("pbx", 2);
  EXPECT_EQ(ledger.rejected(), 1);
  EXPECT_EQ(ledger.written(), 1);
  const std::vector<rejected::v1::RejectedRecord> rejected = Rejected();
  ASSERT_EQ(rejected.size(), 1u);
  EXPECT_EQ(rejected[0].source(), "pbx");
  EXPECT_EQ(rejected[0].file(), "");
  EXPECT_EQ(rejected[0].content(), "half a row");
  EXPECT_THAT(rejected[0].reason(), HasSubstr("byte 0 of Master.csv: the row has 1 columns"));
}

TEST_F(SourcesTest, AFileOrMaildirThatIsNotThereIsTrouble) {
  fs::rename(Path("mail"), Path("elsewhere"));
  Start();
  EXPECT_EQ(TroubleOf("pbx"),
            Path("Master.csv") + " does not exist yet; it is read as soon as it does");
  EXPECT_THAT(TroubleOf("desk"), HasSubstr(Path("mail/new") + " cannot be read: "));
  Register("c-1");
  WriteCall(10);
  EXPECT_THAT(Contacts("c-1", 1), UnorderedElementsAre("call_completed"));
  EXPECT_EQ(Ledger("pbx", 1).trouble(), "");
}

TEST_F(SourcesTest, WhatCannotWorkEndsTheStartAndTellsWhy) {
  config::v1::Source* hook = config_.mutable_sources()->add_sources();
  hook->set_name("inbound");
  hook->set_time_zone("UTC");
  hook->mutable_send_grid()->set_public_key_file(Path("twilio.token"));
  EXPECT_THAT(StartSources(env()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("source inbound: send_grid.public_key_file " +
                                 Path("twilio.token") + ": the public key of SendGrid is none")));
  hook->mutable_amazon_connect();
  EXPECT_THAT(
      StartSources(env()).status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("source inbound: amazon_connect has neither path nor token_file")));
  hook->mutable_twilio()->set_token_file(Path("nowhere"));
  EXPECT_THAT(StartSources(env()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "source inbound: twilio.token_file: reading the secret in " +
                           Path("nowhere") + ": No such file or directory"));
}

TEST_F(SourcesTest, GoesOnWhereItStoodAfterARestart) {
  Start();
  Register("c-1");
  WriteCall(10);
  WriteCall(11, "");
  EXPECT_THAT(Contacts("c-1", 1), UnorderedElementsAre("call_completed"));
  Stop();
  std::ofstream(Path("Master.csv"), std::ios::app) << "\n";
  WriteCall(12);
  Deliver("1.a", kMail);
  Start();
  EXPECT_THAT(Contacts("c-1", 4), UnorderedElementsAre("call_completed", "call_completed",
                                                       "call_completed", "email_exchanged"));
  EXPECT_EQ(Ledger("pbx", 3).received(), 3);
  EXPECT_EQ(Ledger("pbx", 3).duplicates(), 0);
}

TEST_F(SourcesTest, AnUnknownCallerIsAClientOfItsOwnUntilSomebodyRegistersIt) {
  Start();
  WriteCall(10);
  const std::string provisional =
      ProvisionalClientId({touchpoint::v1::IDENTIFIER_KIND_PHONE, "+493012345678", ""});
  EXPECT_THAT(Contacts(provisional, 1), UnorderedElementsAre("call_completed"));
}

}  // namespace
}  // namespace rapport
