#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/telephony/amazon_connect.h"
#include "libs/telephony/free_switch.h"
#include "libs/telephony/testing/facts.h"
#include "libs/telephony/twilio.h"
#include "libs/web_hook_check/hashes.h"

namespace rapport {
namespace {

using source::v1::SourceRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'741'700'000);
constexpr char kForm[] = "application/x-www-form-urlencoded";
constexpr char kToken[] = "12345";

WebHookRequest Request(const std::string& type, const std::string& body,
                       const std::string& name = "", const std::string& value = "") {
  WebHookRequest request{.url = "https://hooks.example.com/v1/sources/calls",
                         .headers = {{"content-type", type}},
                         .body = body,
                         .now = kNow};
  if (!name.empty()) request.headers.push_back({name, value});
  return request;
}

// The example of Twilio's documentation.
WebHookRequest DocumentedRequest() {
  WebHookRequest request =
      Request(kForm,
              "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&"
              "To=%2B18005551212",
              "x-twilio-signature", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
  request.url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  return request;
}

// The parameters in the order in which they are signed.
WebHookRequest Signed(const std::vector<std::pair<std::string, std::string>>& parameters) {
  WebHookRequest request = Request(kForm, "");
  std::string text = request.url;
  auto sorted = parameters;
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [name, value] : sorted) absl::StrAppend(&text, name, value);
  for (const auto& [name, value] : parameters) {
    absl::StrAppend(&request.body, request.body.empty() ? "" : "&", name, "=",
                    absl::StrReplaceAll(value, {{"+", "%2B"}, {" ", "+"}, {":", "%3A"}}));
  }
  request.headers.push_back({"x-twilio-signature", absl::Base64Escape(HmacSha1(kToken, text))});
  return request;
}

std::vector<SourceRecord> Callback(
    const std::vector<std::pair<std::string, std::string>>& parameters) {
  auto records = ParseTwilioCallback(Signed(parameters), kToken, testing::TestSource());
  EXPECT_OK(records);
  return records.ok() ? *records : std::vector<SourceRecord>();
}

std::vector<std::pair<std::string, std::string>> State(const std::string& status, int sequence,
                                                       const std::string& time) {
  return {{"CallSid", "CA1"},
          {"From", "+4930900001"},
          {"To", "+49305550"},
          {"Direction", "inbound"},
          {"CallStatus", status},
          {"SequenceNumber", absl::StrCat(sequence)},
          {"Timestamp", absl::StrCat("Mon, 10 Mar 2025 ", time, " +0000")}};
}

TEST(TwilioTest, TheDocumentedSignature) {
  EXPECT_OK(CheckTwilioSignature(DocumentedRequest(), kToken));
  const auto denied =
      StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("X-Twilio-Signature is wrong"));
  EXPECT_THAT(CheckTwilioSignature(DocumentedRequest(), "12346"), denied);
  WebHookRequest request = DocumentedRequest();
  request.body += "5";
  EXPECT_THAT(CheckTwilioSignature(request, kToken), denied);
  request = DocumentedRequest();
  request.url += "3";
  EXPECT_THAT(CheckTwilioSignature(request, kToken), denied);
  request = DocumentedRequest();
  request.headers.pop_back();
  EXPECT_THAT(
      CheckTwilioSignature(request, kToken),
      StatusIs(absl::StatusCode::kUnauthenticated, "the request must carry X-Twilio-Signature"));
}

TEST(TwilioTest, JsonIsSignedByItsDigest) {
  const std::string body = R"({"CallSid":"CA1","CallStatus":"busy","SequenceNumber":2})";
  const auto request = [&](const std::string& digest) {
    WebHookRequest made = Request("application/json", body);
    made.url += digest;
    made.headers.push_back({"x-twilio-signature", absl::Base64Escape(HmacSha1(kToken, made.url))});
    return made;
  };
  const std::string digest = absl::BytesToHexString(Sha256(body));
  ASSERT_OK_AND_ASSIGN(
      const std::vector<SourceRecord> records,
      ParseTwilioCallback(request("?bodySHA256=" + digest), kToken, testing::TestSource()));
  EXPECT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].record_id(), "CA1:2");
  EXPECT_THAT(CheckTwilioSignature(request(""), kToken),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("no bodySHA256")));
  EXPECT_THAT(CheckTwilioSignature(request("?bodySHA256=" + std::string(64, '0')), kToken),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("the body is not the one")));
}

TEST(TwilioTest, StatesInAnyOrderMakeOneCall) {
  auto ended = State("completed", 3, "09:48:00");
  ended.push_back({"CallDuration", "100"});
  ended.push_back({"RecordingUrl", "https://api.example.com/RE1"});
  std::vector<SourceRecord> records = {Callback(State("ringing", 1, "09:46:20"))[0],
                                       Callback(State("in-progress", 2, "09:46:20"))[0],
                                       Callback(State("initiated", 0, "09:46:10"))[0],
                                       Callback(ended)[0]};
  EXPECT_EQ(records[3].record_id(), "CA1:3");
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(records.begin(), records.end(), random);
    const AssembledCall call = testing::Assemble(records);
    EXPECT_TRUE(call.complete);
    EXPECT_FALSE(call.may_grow);
    EXPECT_EQ(absl::FormatTime("%T", call.began_at, absl::UTCTimeZone()), "09:46:10");
    EXPECT_THAT(call.client_numbers, ElementsAre("+4930900001"));
    EXPECT_EQ(call.call.ShortDebugString(),
              "wait_seconds: 10 talk_seconds: 100 outcome: CALL_OUTCOME_ANSWERED "
              "recording_reference: \"https://api.example.com/RE1\"");
  }
  const auto without = [&](const std::string& id) {
    std::vector<SourceRecord> rest = records;
    std::erase_if(rest, [&](const SourceRecord& record) { return record.record_id() == id; });
    return testing::Assemble(rest);
  };
  EXPECT_EQ(without("CA1:3").missing, "how the call ended");
  EXPECT_TRUE(without("CA1:1").complete);
  EXPECT_TRUE(without("CA1:1").may_grow) << "one was overtaken by the end";
}

TEST(TwilioTest, ACallThatWasPassedOn) {
  auto ended = State("completed", 3, "09:48:00");
  ended.push_back({"CallDuration", "100"});
  auto child = State("completed", 3, "09:47:58");
  child[0] = {"CallSid", "CA2"};
  child[2] = {"To", "+49305551"};
  child[3] = {"Direction", "outbound-dial"};
  child.push_back({"ParentCallSid", "CA1"});
  child.push_back({"CallDuration", "70"});
  const std::vector<SourceRecord> records = {Callback(State("ringing", 0, "09:46:20"))[0],
                                             Callback(child)[0], Callback(ended)[0]};
  const AssembledCall call = testing::Assemble(records);
  EXPECT_TRUE(call.complete) << call.missing;
  EXPECT_EQ(call.direction, touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_THAT(call.agents, ElementsAre("+49305551"));
  EXPECT_EQ(call.call.ShortDebugString(),
            "wait_seconds: 28 talk_seconds: 70 outcome: CALL_OUTCOME_ANSWERED");
}

// One of our people calls from a browser or with a SIP telephone: to Twilio, that call comes in.
TEST(TwilioTest, ACallOfOurPeopleIsOutbound) {
  for (const char* const from : {"client:ben", "sip:ben@firm.sip.example"}) {
    const auto state = [&](const std::string& sid, const std::string& parent,
                           const std::string& direction, const std::string& caller,
                           const std::string& called, const std::string& status,
                           const std::string& duration) {
      std::vector<std::pair<std::string, std::string>> parameters = {
          {"CallSid", sid},
          {"From", caller},
          {"To", called},
          {"Direction", direction},
          {"CallStatus", status},
          {"CallDuration", duration},
          {"Timestamp", "Tue, 11 Mar 2025 13:30:00 +0000"}};
      if (!parent.empty()) parameters.emplace_back("ParentCallSid", parent);
      return Callback(parameters)[0];
    };
    const auto assemble = [&](const std::string& status, const std::string& duration) {
      const std::vector<SourceRecord> records = {
          state("CA-p", "", "inbound", from, "300100", "completed", "100"),
          state("CA-c", "CA-p", "outbound-dial", "300100", "+493012345678", status, duration)};
      std::vector<const source::v1::CallFact*> facts;
      for (const SourceRecord& record : records) facts.push_back(&record.call_fact());
      return AssembleCall(facts, {.is_ours = [](absl::string_view address) {
                            return absl::StartsWith(address, "client:") ||
                                   absl::StartsWith(address, "sip:") ||
                                   testing::TestNumberIsOurs(address);
                          }});
    };
    const AssembledCall call = assemble("completed", "90");
    EXPECT_EQ(call.direction, touchpoint::v1::DIRECTION_OUTBOUND);
    EXPECT_THAT(call.client_numbers, ElementsAre("+493012345678"));
    EXPECT_THAT(call.agents, ElementsAre(from));
    EXPECT_EQ(call.call.outcome(), touchpoint::v1::CALL_OUTCOME_ANSWERED);
    EXPECT_EQ(call.call.talk_seconds(), 90);
    EXPECT_TRUE(call.complete);
    const AssembledCall in_vain = assemble("busy", "0");
    EXPECT_EQ(in_vain.direction, touchpoint::v1::DIRECTION_OUTBOUND);
    EXPECT_EQ(in_vain.call.outcome(), touchpoint::v1::CALL_OUTCOME_BUSY);
    EXPECT_EQ(in_vain.call.talk_seconds(), 0);
  }
}

TEST(TwilioTest, AnAddressMayBeSignedWithItsPortOrWithout) {
  const auto signed_for = [](const std::string& signed_url, const std::string& url) {
    WebHookRequest request =
        Request(kForm, "CallSid=CA1", "x-twilio-signature",
                absl::Base64Escape(HmacSha1(kToken, signed_url + "CallSidCA1")));
    request.url = url;
    return CheckTwilioSignature(request, kToken);
  };
  const std::string with = "https://hooks.example.com:8443/v1/sources/calls?a=1";
  const std::string without = "https://hooks.example.com/v1/sources/calls?a=1";
  EXPECT_OK(signed_for(with, with));
  EXPECT_OK(signed_for(without, with));
  EXPECT_OK(signed_for("https://hooks.example.com:443/v1/sources/calls?a=1", without));
  EXPECT_FALSE(signed_for("https://hooks.example.com:8444/v1/sources/calls?a=1", with).ok());
}

TEST(TwilioTest, HowACallEnds) {
  const auto outcome = [](const std::vector<std::pair<std::string, std::string>>& parameters) {
    return touchpoint::v1::CallOutcome_Name(testing::Assemble(Callback(parameters)).call.outcome());
  };
  EXPECT_EQ(outcome(State("busy", 0, "09:46:20")), "CALL_OUTCOME_BUSY");
  EXPECT_EQ(outcome(State("no-answer", 0, "09:46:20")), "CALL_OUTCOME_NO_ANSWER");
  EXPECT_EQ(outcome(State("failed", 0, "09:46:20")), "CALL_OUTCOME_FAILED");
  EXPECT_EQ(outcome(State("canceled", 0, "09:46:20")), "CALL_OUTCOME_ABANDONED");
  auto machine = State("completed", 0, "09:46:20");
  machine.push_back({"AnsweredBy", "machine_start"});
  EXPECT_EQ(outcome(machine), "CALL_OUTCOME_VOICEMAIL");
}

TEST(TwilioTest, WhatIsWrongIsNamed) {
  const auto status = [](const std::string& name, const std::string& value) {
    auto parameters = State("ringing", 0, "09:46:20");
    for (auto& parameter : parameters) {
      if (parameter.first == name) parameter.second = value;
    }
    return ParseTwilioCallback(Signed(parameters), kToken, testing::TestSource()).status();
  };
  const auto wrong = [](const std::string& message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
  };
  EXPECT_THAT(status("CallSid", ""), wrong("CallSid: it must be there"));
  EXPECT_THAT(status("CallStatus", "odd"), wrong("CallStatus: 'odd' is no status"));
  EXPECT_THAT(status("SequenceNumber", "-1"), wrong("SequenceNumber: '-1'"));
  EXPECT_THAT(status("Timestamp", "today"), wrong("Timestamp: 'today'"));
}

constexpr char kContact[] = R"({
  "ContactId": "c-1", "InitialContactId": null, "NextContactId": "c-2", "Channel": "VOICE",
  "InitiationMethod": "INBOUND", "InitiationTimestamp": "2025-03-10T09:46:40Z",
  "DisconnectTimestamp": "2025-03-10T09:50:00Z", "LastUpdateTimestamp": "2025-03-10T09:52:00Z",
  "CustomerEndpoint": {"Address": "+4930900001", "Type": "TELEPHONE_NUMBER"},
  "SystemEndpoint": {"Address": "+49305550", "Type": "TELEPHONE_NUMBER"},
  "Agent": {"Username": "anna", "AgentInteractionDuration": 90, "CustomerHoldDuration": 12,
            "ConnectedToAgentTimestamp": "2025-03-10T09:48:00Z", "NumberOfHolds": 1},
  "Queue": {"Name": "support", "EnqueueTimestamp": "2025-03-10T09:47:00Z", "Duration": 60},
  "Recording": {"Location": "s3/rec.wav", "Status": "AVAILABLE"}, "NewField": [1, {}]})";

std::string Contact(const std::vector<std::pair<std::string, std::string>>& replacements) {
  return absl::StrReplaceAll(kContact, replacements);
}

SourceRecord ParseContact(const std::string& json) {
  auto record = ParseAmazonConnectRecord(json, testing::TestSource(), kNow);
  EXPECT_OK(record);
  return record.ok() ? *record : SourceRecord();
}

TEST(AmazonConnectTest, ARecordIsACall) {
  const SourceRecord record = ParseContact(kContact);
  EXPECT_EQ(record.record_id(), "c-1:1741600320000000");
  const AssembledCall call = testing::Assemble({record});
  EXPECT_TRUE(call.complete);
  EXPECT_FALSE(call.may_grow);
  EXPECT_EQ(call.direction, touchpoint::v1::DIRECTION_INBOUND);
  EXPECT_THAT(call.client_numbers, ElementsAre("+4930900001"));
  EXPECT_THAT(call.agents, ElementsAre("anna"));
  EXPECT_EQ(call.call.ShortDebugString(),
            "queue: \"support\" wait_seconds: 60 talk_seconds: 90 hold_seconds: 12 "
            "outcome: CALL_OUTCOME_ANSWERED recording_reference: \"s3/rec.wav\"");
}

TEST(AmazonConnectTest, TheLatestUpdateHolds) {
  const SourceRecord first = ParseContact(kContact);
  const SourceRecord later =
      ParseContact(Contact({{"09:52:00Z", "10:52:00Z"},
                            {"\"CustomerHoldDuration\": 12", "\"CustomerHoldDuration\": 15"}}));
  EXPECT_NE(later.record_id(), first.record_id());
  EXPECT_EQ(testing::Assemble({later, first}).call.hold_seconds(), 15);
  EXPECT_EQ(testing::Assemble({first, later}).call.hold_seconds(), 15);
}

TEST(AmazonConnectTest, ATransferIsAPartOfTheCall) {
  const SourceRecord first = ParseContact(kContact);
  const SourceRecord second = ParseContact(
      Contact({{"\"c-1\", \"InitialContactId\": null", "\"c-2\", \"InitialContactId\": \"c-1\""},
               {"INBOUND", "TRANSFER"},
               {"anna", "bert"},
               {"support", "billing"},
               {"\"InitiationTimestamp\": \"2025-03-10T09:46:40Z\"",
                "\"InitiationTimestamp\": \"2025-03-10T09:49:00Z\""}}));
  EXPECT_EQ(second.call_fact().call_id(), "c-1");
  const AssembledCall call = testing::Assemble({second, first});
  EXPECT_THAT(call.agents, ElementsAre("bert"));
  EXPECT_EQ(call.call.ShortDebugString(),
            "queue: \"billing\" wait_seconds: 120 talk_seconds: 180 hold_seconds: 24 "
            "outcome: CALL_OUTCOME_ANSWERED transfer_count: 1 "
            "recording_reference: \"s3/rec.wav\"");
}

TEST(AmazonConnectTest, WhoGaveUpAndWhoHeardAMachine) {
  const auto without_agent = [](const std::string& next) {
    return Contact({{"\"ConnectedToAgentTimestamp\": \"2025-03-10T09:48:00Z\", ", ""},
                    {"\"NextContactId\": \"c-2\"", "\"NextContactId\": " + next}});
  };
  const auto call_of = [](const std::string& contact) {
    return testing::Assemble({ParseContact(contact)}).call;
  };
  const std::string nobody = without_agent("null");
  EXPECT_EQ(call_of(nobody).outcome(), touchpoint::v1::CALL_OUTCOME_ABANDONED);
  // The client is to be called back, or was passed on: who follows tells the rest.
  EXPECT_EQ(call_of(without_agent("\"c-2\"")).outcome(), touchpoint::v1::CALL_OUTCOME_ANSWERED);
  EXPECT_FALSE(call_of(without_agent("\"c-2\"")).effective());
  const std::string flow = absl::StrReplaceAll(nobody, {{"\"EnqueueTimestamp\"", "\"Other\""}});
  const AssembledCall call = testing::Assemble({ParseContact(flow)});
  EXPECT_EQ(call.call.outcome(), touchpoint::v1::CALL_OUTCOME_ANSWERED);
  EXPECT_TRUE(call.call.has_effective());
  EXPECT_FALSE(call.call.effective());
  EXPECT_EQ(testing::Assemble({ParseContact(absl::StrReplaceAll(
                                  kContact, {{"\"DisconnectTimestamp\"", "\"Other\""}}))})
                .missing,
            "how the call ended");
  EXPECT_EQ(ParseContact(Contact({{"VOICE", "CHAT"}})).item().skipped_because(),
            "a contact by CHAT is no call");
}

TEST(AmazonConnectTest, OneOrManyInARequest) {
  const auto parse = [](const std::string& type, const std::string& body,
                        const std::string& authorization = "Bearer secret") {
    return ParseAmazonConnectRequest(Request(type, body, "authorization", authorization), "secret",
                                     testing::TestSource());
  };
  const std::string line = absl::StrReplaceAll(kContact, {{"\n", ""}});
  for (const auto& [type, body, count] : std::vector<std::tuple<std::string, std::string, size_t>>{
           {"application/json", kContact, 1},
           {"application/json", absl::StrCat("[", line, ",", line, "]"), 2},
           {"application/json", "[]", 0},
           {"application/x-ndjson", absl::StrCat(line, "\n\n", line, "\n"), 2}}) {
    ASSERT_OK_AND_ASSIGN(const std::vector<SourceRecord> records, parse(type, body));
    EXPECT_THAT(records, SizeIs(count));
  }
  EXPECT_THAT(parse("application/json", "{").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "the body is no JSON"));
  EXPECT_THAT(parse("application/json", std::string(100, '[')).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nested deeper")));
  EXPECT_THAT(parse("application/json", absl::StrCat("[", line, ",{}]")).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("contact 2: ContactId")));
  EXPECT_THAT(parse("application/json", Contact({{"2025-03-10T09:52:00Z", "soon"}})).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("LastUpdateTimestamp: 'soon' is no time")));
  EXPECT_THAT(parse("application/json", kContact, "Bearer other").status(),
              StatusIs(absl::StatusCode::kPermissionDenied, "the token is wrong"));
  EXPECT_THAT(ParseAmazonConnectRequest(Request("application/json", kContact), "secret",
                                        testing::TestSource())
                  .status(),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Bearer")));
}

constexpr char kLeg[] = R"({"core-uuid": "x", "channel_data": {"direction": "inbound"},
  "variables": {"uuid": "u-1", "direction": "inbound", "start_epoch": "1741600000",
    "answer_epoch": "1741600010", "end_epoch": "1741600070", "billsec": "60", "duration": "70",
    "hangup_cause": "NORMAL_CLEARING", "channel_name": "sofia%2Finternal%2F030",
    "bridge_channel": "sofia/internal/201%40pbx", "last_app": "bridge"},
  "callflow": [{"caller_profile": {"caller_id_number": "0309000101", "destination_number": "500",
    "caller_id_name": "Anna%20Berg", "context": "public"}}]})";

absl::StatusOr<std::vector<SourceRecord>> PostLeg(const std::string& body,
                                                  const std::string& type = "application/json") {
  // "fs:secret"
  return ParseFreeSwitchRequest(Request(type, body, "authorization", "Basic ZnM6c2VjcmV0"),
                                "fs:secret", testing::TestSource());
}

TEST(FreeSwitchTest, ALegIsARecord) {
  ASSERT_OK_AND_ASSIGN(const std::vector<SourceRecord> records, PostLeg(kLeg));
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].record_id(), "u-1");
  EXPECT_EQ(records[0].call_fact().leg().channel(), "sofia/internal/030");
  EXPECT_EQ(records[0].call_fact().leg().caller_name(), "Anna Berg");
  const AssembledCall call = testing::Assemble(records);
  EXPECT_TRUE(call.complete);
  EXPECT_THAT(call.client_numbers, ElementsAre("0309000101"));
  EXPECT_EQ(call.call.ShortDebugString(),
            "wait_seconds: 10 talk_seconds: 60 outcome: CALL_OUTCOME_ANSWERED");
  ASSERT_OK_AND_ASSIGN(
      const std::vector<SourceRecord> form,
      PostLeg(absl::StrCat("cdr=", absl::StrReplaceAll(kLeg, {{"%", "%25"}, {"+", "%2B"}})),
              kForm));
  EXPECT_EQ(form[0].DebugString(), records[0].DebugString());
}

TEST(FreeSwitchTest, TheOtherLegAndTheQueue) {
  ASSERT_OK_AND_ASSIGN(
      std::vector<SourceRecord> records,
      PostLeg(absl::StrReplaceAll(
          kLeg, {{"\"last_app\": \"bridge\"",
                  "\"last_app\": \"callcenter\", \"cc_queue\": \"support\", \"cc_agent\": "
                  "\"anna\", \"cc_queue_joined_epoch\": \"1741600001\", "
                  "\"cc_queue_answered_epoch\": \"1741600010\", "
                  "\"cc_queue_terminated_epoch\": \"1741600070\""}})));
  EXPECT_THAT(records, SizeIs(4));
  ASSERT_OK_AND_ASSIGN(
      const std::vector<SourceRecord> other,
      PostLeg(absl::StrReplaceAll(
          kLeg, {{"\"uuid\": \"u-1\"", "\"uuid\": \"u-2\", \"originator\": \"u-1\""}})));
  EXPECT_EQ(other[0].call_fact().call_id(), "u-1");
  records.insert(records.begin(), other[0]);
  const AssembledCall call = testing::Assemble(records, /*queue_steps_expected=*/true);
  EXPECT_TRUE(call.complete) << call.missing;
  EXPECT_EQ(call.agents[0], "anna");
  EXPECT_EQ(call.call.queue(), "support");
  EXPECT_EQ(call.call.wait_seconds(), 9);
}

TEST(FreeSwitchTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(PostLeg("[]").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "the body is no JSON object"));
  EXPECT_THAT(PostLeg("{}").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("variables.uuid")));
  EXPECT_THAT(PostLeg(absl::StrReplaceAll(kLeg, {{"end_epoch", "e"}})).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("start_epoch and end_epoch")));
  EXPECT_THAT(
      ParseFreeSwitchRequest(Request("application/json", kLeg), "fs:secret", testing::TestSource())
          .status(),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("Basic")));
  EXPECT_THAT(ParseFreeSwitchRequest(
                  Request("application/json", kLeg, "authorization", "Basic ZnM6c2VjcmV1"),
                  "fs:secret", testing::TestSource())
                  .status(),
              StatusIs(absl::StatusCode::kPermissionDenied, "the user or the password is wrong"));
}

}  // namespace
}  // namespace rapport
