// Web hooks, whose address everybody may learn, called by those who mean no good, and beside an
// unlucky one.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/mutex.h"
#include "libs/base/status_matchers.h"
#include "libs/service/config.h"
#include "libs/service/testing/raw_connection.h"
#include "libs/serving/testing/serving_fixture.h"
#include "rapport/query/v1/source.pb.h"
#include "services/sources/sources.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;
using query::v1::SourceLedger;
using query::v1::SourceList;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSecret[] = "hook:12345";
constexpr char kJson[] = "application/json";
constexpr char kForm[] = "application/x-www-form-urlencoded";

class HostileWebHooksTest : public testing::ServingFixture {
 protected:
  HostileWebHooksTest() {
    const std::string secret = folder_.path() + "/secret";
    std::ofstream(secret) << kSecret;
    fs::permissions(secret, fs::perms::owner_read);
    constexpr char kText[] = R"(
      sources {
        identity { own_domains: "firm.example" own_numbers: "+4930999" }
        agents { agent_id: "ben" e_mails: "ben@firm.example" }
        public_url: "https://hooks.example.com"
        sources { name: "connect" amazon_connect { token_file: "$0" } }
        sources { name: "post" postmark { credentials_file: "$0" } }
        sources { name: "gun" mailgun { signing_key_file: "$0" } }
        sources { name: "phone" twilio { token_file: "$0" } }
      })";
    auto config =
        ParseConfig(absl::Substitute(kText, secret), "test",
                    {.overrides = {absl::StrCat("data_folder=", folder_.path(), "/data")}});
    RAPPORT_CHECK(config.ok(), config.status().ToString());
    config_ = *std::move(config);
    auto service = StartSources(env());
    RAPPORT_CHECK(service.ok(), service.status().ToString());
    service_ = *std::move(service);
    Serve({service_.get()});
  }
  ~HostileWebHooksTest() override {
    http_->Drain(absl::Seconds(5));
    service_.reset();
  }

  static std::string Basic() { return "Basic " + absl::Base64Escape(kSecret); }
  static std::string Bearer() { return absl::StrCat("Bearer ", kSecret); }
  HttpCall Request(const std::string& source, const std::string& type,
                   const std::string& authorization, std::string body) const {
    HttpCall call{.method = "POST",
                  .url = absl::StrCat(http_->address(), "/v1/sources/", source),
                  .headers = {{"content-type", type}},
                  .body = std::move(body),
                  .timeout = absl::Seconds(100)};
    if (!authorization.empty()) call.headers.push_back({"authorization", authorization});
    return call;
  }
  HttpAnswer Post(const std::string& source, const std::string& type,
                  const std::string& authorization, std::string body) {
    auto answer = client_.Fetch(Request(source, type, authorization, std::move(body)));
    RAPPORT_CHECK(answer.ok(), answer.status().ToString());
    return *std::move(answer);
  }
  static std::string Mail(int number) {
    return absl::Substitute(R"({
      "FromFull": {"Email": "jo$0@client.example", "Name": "Jo"},
      "ToFull": [{"Email": "ben@firm.example", "Name": ""}], "Subject": "Hello",
      "Date": "Mon, 3 Aug 2026 10:12:00 +0200", "TextBody": "Hello",
      "Headers": [{"Name": "Message-ID", "Value": "<m$0@client.example>"}]})",
                            number);
  }
  static std::string Contact(const std::string& id, const std::string& agent) {
    return absl::Substitute(R"({
      "AWSContactTraceRecordFormatVersion": "2017-03-10", "ContactId": "$0",
      "InitialContactId": null, "Channel": "VOICE", "InitiationMethod": "INBOUND",
      "InitiationTimestamp": "2025-03-10T09:46:40Z",
      "ConnectedToSystemTimestamp": "2025-03-10T09:46:41Z",
      "DisconnectTimestamp": "2025-03-10T09:50:00Z",
      "LastUpdateTimestamp": "2025-03-10T09:52:00Z",
      "CustomerEndpoint": {"Address": "+4930900001", "Type": "TELEPHONE_NUMBER"},
      "SystemEndpoint": {"Address": "+4930999100", "Type": "TELEPHONE_NUMBER"},
      "Agent": {"Username": "$1", "AgentInteractionDuration": 90,
                "ConnectedToAgentTimestamp": "2025-03-10T09:48:00Z"}})",
                            id, agent);
  }
  // All that is in a topic.
  int64_t RecordsIn(absl::string_view topic) {
    int64_t records = 0;
    for (int i = 0; i < kPartitions; ++i) {
      const Watermarks marks = *log_->GetWatermarks(topic, Partition(i));
      records += marks.end - marks.begin;
    }
    return records;
  }
  SourceLedger Ledger(const std::string& name, int64_t received) {
    for (;;) {
      const auto list = Read<SourceList>("/v1/sources");
      for (const SourceLedger& source : list.sources()) {
        if (source.name() == name && source.received() >= received) return source;
      }
    }
  }

  std::unique_ptr<Service> service_;
};

TEST_F(HostileWebHooksTest, ARecordThatIsTooLargeIsRefusedAlone) {
  constexpr int kMails = 60;
  Mutex mutex;
  CondVar changed;
  int answered = 0;
  std::vector<int> statuses(kMails + 1, 0);
  const auto send = [&](int place, HttpCall call) {
    client_.Send(std::move(call), [&, place](const absl::StatusOr<HttpAnswer>& answer) {
      MutexLock lock(&mutex);
      statuses[static_cast<size_t>(place)] = answer.ok() ? answer->status : -1;
      ++answered;
      changed.SignalAll();
    });
  };
  for (int i = 0; i < kMails; ++i) {
    send(i, Request("post", kJson, Basic(), Mail(i)));
    // Amid the others, so that they are written together.
    if (i == kMails / 2) {
      send(kMails, Request("connect", kJson, Bearer(),
                           Contact("large", std::string(size_t{1'200'000}, 'a'))));
    }
  }
  MutexLock lock(&mutex);
  while (answered <= kMails) changed.Wait(&mutex);
  for (int i = 0; i < kMails; ++i) EXPECT_EQ(statuses[static_cast<size_t>(i)], 200) << i;
  EXPECT_EQ(statuses.back(), 400);
  EXPECT_EQ(Ledger("post", kMails).written(), kMails);
  EXPECT_EQ(Ledger("connect", 1).rejected(), 1);
  EXPECT_EQ(RecordsIn("rejected"), 1);
  EXPECT_OK(service_->Ready());
}

TEST_F(HostileWebHooksTest, WhoseHeaderProvesNothingSendsNoBody) {
  const auto head = [this](absl::string_view source, absl::string_view header) {
    RawConnection connection(http_->port());
    connection.Send(
        absl::StrCat("POST /v1/sources/", source,
                     " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n", header,
                     "Content-Length: ", 40 << 20, "\r\n\r\n"));
    return connection.ReadAll();
  };
  EXPECT_THAT(head("nobody", ""),
              AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("there is no source 'nobody'")));
  for (const char* const source : {"connect", "post", "phone"}) {
    EXPECT_THAT(head(source, ""), StartsWith("HTTP/1.1 401 ")) << source;
  }
  EXPECT_THAT(head("connect", "Authorization: Bearer another\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(head("post", "Authorization: Basic YTpi\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(RecordsIn("rejected"), 0);
}

TEST_F(HostileWebHooksTest, WhatIsNotProvenIsCountedAndNotKept) {
  int refused = 0;
  const auto refuse = [&](const std::string& source, const std::string& type,
                          const std::string& signature, const std::string& body) {
    HttpCall call = Request(source, type, "", body);
    if (!signature.empty()) call.headers.push_back({"x-twilio-signature", signature});
    const auto answer = client_.Fetch(call);
    ASSERT_OK(answer);
    EXPECT_TRUE(answer->status == 401 || answer->status == 403)
        << source << " " << type << " " << body.substr(0, 50) << ": " << answer->status;
    ++refused;
  };
  std::string many_fields;
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&many_fields, "a=", i, "&");
  for (const std::string& junk : {std::string("%zz=1"), many_fields, std::string("junk"),
                                  std::string(100'000, '\xff'), std::string("a=b")}) {
    refuse("gun", kForm, "", junk);
    refuse("gun", "multipart/form-data; boundary=x", "", junk);
    refuse("gun", "multipart/form-data", "", junk);
    refuse("gun", "text/plain", "", junk);
    refuse("phone", kForm, "c2lnbmF0dXJl", junk);
    refuse("phone", kJson, "c2lnbmF0dXJl", junk);
    refuse("phone", kJson, "", junk);
  }
  EXPECT_EQ(RecordsIn("rejected"), 0);
  EXPECT_EQ(RecordsIn("sources"), 0);
  int64_t counted = 0;
  const std::string text = metrics_.Text();
  const absl::string_view name = "\nrapport_source_requests_refused_total{";
  for (size_t at = text.find(std::string(name)); at != std::string::npos;
       at = text.find(std::string(name), at + 1)) {
    const size_t value = text.find("} ", at) + 2;
    counted += std::stoll(text.substr(value, text.find('\n', value) - value));
  }
  EXPECT_EQ(counted, refused);
  // What is proven and cannot be used would be lost, and is kept.
  EXPECT_EQ(Post("post", kJson, Basic(), "{").status, 403);
  EXPECT_EQ(RecordsIn("rejected"), 1);
}

TEST_F(HostileWebHooksTest, ATreeOfJsonIsBounded) {
  std::string many = "[0";
  for (int i = 0; i < 1'000'000; ++i) many += ",0";
  for (const std::string& json :
       {std::string(100'000, '['), std::string(100, '[') + std::string(100, ']'), many + "]",
        "{\"TextBody\": " + many + "]}"}) {
    EXPECT_EQ(Post("post", kJson, Basic(), json).status, 403);
    EXPECT_EQ(Post("connect", kJson, Bearer(), json).status, 400);
  }
  EXPECT_EQ(RecordsIn("rejected"), 8);
  // Many brackets in a text are a text.
  std::string mail = Mail(1);
  mail.replace(mail.find("\"Hello\",\n      \"Date\""), 7,
               absl::StrCat("\"", std::string(1000, '['), "\""));
  EXPECT_EQ(Post("post", kJson, Basic(), mail).status, 200);
}

}  // namespace
}  // namespace rapport
