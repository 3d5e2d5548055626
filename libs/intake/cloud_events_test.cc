#include "libs/intake/cloud_events.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/intake/test_pack.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/samples.h"
#include "rapport/touchpoint/v1/batch.pb.h"

namespace rapport {
namespace {

using absl::StatusCode;
using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;
using testing::StartsWith;
using touchpoint::v1::Touchpoint;
using touchpoint::v1::TouchpointBatch;

const absl::Time kNow = absl::FromUnixSeconds(1767427200);  // 2026-01-03T08:00:00Z
constexpr char kOrder[] = R"({
  "specversion": "1.0", "id": "o/1", "source": "shop", "type": "rapport.touchpoint.v1.OrderPlaced",
  "subject": "c-1", "time": "2026-01-02T09:00:00Z",
  "data": {"order_id": "o-1", "amount": {"minor_units": "12050", "currency_code": "EUR"}}})";

class CloudEventsTest : public testing::Test {
 protected:
  static IntakeLimits Limits() {
    IntakeLimits limits;
    limits.max_body_bytes = size_t{4} << 20;
    limits.max_batch_events = 3;
    limits.partitions = 4;
    return limits;
  }

  absl::Status Decode(const std::string& type, const std::string& body,
                      const std::vector<Header>& headers = {}, const std::string& encoding = "") {
    IntakeRequest request{
        .content_type = type, .content_encoding = encoding, .headers = &headers, .body = body};
    return decoder_.Decode(&request, kNow, &batch_);
  }

  // The touchpoint of the only event; what is wrong with it is a failure of the test.
  Touchpoint DecodeOne(const std::string& type, const std::string& body,
                       const std::vector<Header>& headers = {}) {
    const absl::Status status = Decode(type, body, headers);
    EXPECT_OK(status);
    if (!status.ok() || batch_.events.size() != 1) return {};
    EXPECT_OK(batch_.events[0].status);
    return TouchpointOf(batch_.events[0]);
  }
  static Touchpoint TouchpointOf(const IntakeEvent& event) {
    Touchpoint touchpoint;
    EXPECT_TRUE(touchpoint.ParseFromString(event.record.value));
    return touchpoint;
  }

  // What is wrong with the only event.
  std::string ErrorOf(const std::string& type, const std::string& body,
                      const std::vector<Header>& headers = {}) {
    EXPECT_OK(Decode(type, body, headers));
    EXPECT_EQ(batch_.events.size(), 1u);
    if (batch_.events.empty()) return "";
    EXPECT_EQ(batch_.events[0].status.code(), StatusCode::kInvalidArgument);
    return std::string(batch_.events[0].status.message());
  }
  // The same for kOrder with something replaced.
  std::string OrderError(const std::string& from, const std::string& to) {
    const std::string body = absl::StrReplaceAll(kOrder, {{from, to}});
    EXPECT_NE(body, kOrder) << from;
    return ErrorOf("application/cloudevents+json", body);
  }

  CloudEventDecoder decoder_{Limits()};
  IntakeBatch batch_;
};

// Samples as sources send them: what is ours is not set.
std::vector<Touchpoint> SentSamples() {
  std::vector<Touchpoint> sent;
  for (Touchpoint touchpoint : SampleTouchpoints()) {
    if (touchpoint.has_clock_advanced() || touchpoint.has_history_reopened() ||
        touchpoint.has_history_closed() || touchpoint.has_clock_corrected()) {
      continue;
    }
    touchpoint.clear_event_id();
    touchpoint.clear_recorded_at();
    sent.push_back(std::move(touchpoint));
  }
  return sent;
}

Touchpoint Accepted(Touchpoint touchpoint) {
  const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
  touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
  ToProto(kNow, touchpoint.mutable_recorded_at());
  return touchpoint;
}

std::string Json(const google::protobuf::Message& message) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &json).ok());
  return json;
}

std::string Structured(const Touchpoint& touchpoint, const std::string& rest) {
  return absl::StrCat(R"({"specversion":"1.0","id":")", touchpoint.source_event_id(),
                      R"(","source":")", touchpoint.source(), R"(","type":")",
                      absl::string_view(KindFullName(touchpoint.payload_case())), "\",", rest, "}");
}

std::vector<Header> BinaryHeaders(const Touchpoint& touchpoint) {
  return {{"host", "localhost"},
          {"ce-specversion", "1.0"},
          {"ce-id", touchpoint.source_event_id()},
          {"ce-source", touchpoint.source()},
          {"ce-type", std::string(KindFullName(touchpoint.payload_case()))},
          {"ce-traceparent", "00-1-2-00"}};
}

TEST_F(CloudEventsTest, EverySampleComesThroughEveryMode) {
  for (const Touchpoint& sent : SentSamples()) {
    const Touchpoint expected = Accepted(sent);
    const std::string bytes = sent.SerializeAsString();
    const std::string base64 = absl::Base64Escape(bytes);
    TouchpointBatch wrapper;
    *wrapper.add_touchpoints() = sent;
    const std::vector<Touchpoint> read = {
        DecodeOne("application/json", Json(sent), BinaryHeaders(sent)),
        DecodeOne("application/protobuf", bytes, BinaryHeaders(sent)),
        DecodeOne("application/cloudevents+json; charset=UTF-8",
                  Structured(sent, absl::StrCat("\"data\":", Json(sent)))),
        DecodeOne("application/cloudevents+json",
                  Structured(sent, absl::StrCat("\"data_base64\":\"",
                                                absl::Base64Escape(Json(sent)), "\""))),
        DecodeOne("Application/CloudEvents+JSON",
                  Structured(sent, absl::StrCat(R"("datacontenttype":"application/protobuf",)",
                                                "\"data_base64\":\"", base64, "\""))),
        DecodeOne("application/cloudevents-batch+json",
                  absl::StrCat("[", Structured(sent, absl::StrCat("\"data\":", Json(sent))), "]")),
        DecodeOne("application/x-protobuf", wrapper.SerializeAsString())};
    for (size_t i = 0; i < read.size(); ++i) {
      EXPECT_TRUE(MessageDifferencer::Equals(read[i], expected)) << i << "\n"
                                                                 << read[i].DebugString() << "\n"
                                                                 << expected.DebugString();
    }
  }
}

// By this the message of a kind alone is told from a whole touchpoint.
TEST_F(CloudEventsTest, NoKindHasAFieldThatIsCalledAsAKindIs) {
  const auto* const payload = Touchpoint::descriptor()->FindOneofByName("payload");
  for (int i = 0; i < payload->field_count(); ++i) {
    for (int j = 0; j < payload->field_count(); ++j) {
      EXPECT_EQ(payload->field(i)->message_type()->FindFieldByName(payload->field(j)->name()),
                nullptr)
          << payload->field(i)->message_type()->name() << "." << payload->field(j)->name();
    }
  }
}

TEST_F(CloudEventsTest, TheEventHasWhatTheLogNeeds) {
  const Touchpoint touchpoint = DecodeOne("application/cloudevents+json", kOrder);
  const IntakeEvent& event = batch_.events[0];
  EXPECT_FALSE(batch_.batch);
  EXPECT_EQ(event.id, MakeEventId("shop", "o/1"));
  EXPECT_EQ(event.kind, Touchpoint::kOrderPlaced);
  EXPECT_EQ(event.occurred_at, absl::FromUnixSeconds(1767344400));
  EXPECT_EQ(event.record.key, "c-1");
  EXPECT_EQ(event.record.timestamp, kNow);
  EXPECT_EQ(touchpoint.event_id(), std::string(event.id.view()));
  EXPECT_EQ(touchpoint.source_event_id(), "o/1");
  EXPECT_EQ(touchpoint.order_placed().amount().minor_units(), 12050);
  EXPECT_EQ(event.offered, "");
}

TEST_F(CloudEventsTest, AttributesOfBinaryModeArePercentDecoded) {
  const Touchpoint touchpoint =
      DecodeOne("application/json", R"({"order_id": "1", "amount": {"currency_code": "EUR"}})",
                {{"ce-specversion", "1.0"},
                 {"ce-id", "50%25%20caf%C3%A9"},
                 {"ce-source", "\"a \\\"b\\\"\""},
                 {"ce-type", "rapport.touchpoint.v1.OrderPlaced"},
                 {"ce-subject", "c-1"},
                 {"ce-time", "2026-01-02T09:00:00Z"}});
  EXPECT_EQ(touchpoint.source_event_id(), "50% caf\xc3\xa9");
  EXPECT_EQ(touchpoint.source(), "a \"b\"");
  const std::vector<Header> cut = {{"ce-id", "a%2"}};
  EXPECT_EQ(ErrorOf("application/json", "{}", cut), "id: has a % without two hexadecimal digits");
  EXPECT_EQ(ErrorOf("application/json", "{}", {{"ce-id", "%ff"}}), "id: is not UTF-8");
  EXPECT_EQ(ErrorOf("application/json", "{}", {{"ce-id", "a"}, {"ce-id", "b"}}),
            "id: stands twice");
}

TEST_F(CloudEventsTest, TellsWhatIsWrongWithTheAttributes) {
  EXPECT_EQ(ErrorOf("application/json", "{}"), "specversion: is required");
  EXPECT_EQ(OrderError("\"1.0\"", "\"0.3\""), "specversion: '0.3' is not known; send 1.0");
  EXPECT_EQ(OrderError("\"1.0\"", "1.0"), "specversion: is not a string");
  EXPECT_EQ(OrderError("\"o/1\"", "\"\""), "id: is required");
  EXPECT_EQ(OrderError("\"shop\"", "null"), "source: is required");
  EXPECT_EQ(OrderError("\"type\"", "\"typo\""), "type: is required");
  EXPECT_EQ(OrderError("OrderPlaced", "OrderPlaced2"),
            "type: 'rapport.touchpoint.v1.OrderPlaced2' is no kind of touchpoint, such as "
            "rapport.touchpoint.v1.OrderPlaced");
  EXPECT_EQ(OrderError("\"2026-01-02T09:00:00Z\"", "\"2026-01-02\""),
            "time: '2026-01-02' is no time such as 2026-01-02T09:00:00Z (RFC 3339)");
  EXPECT_EQ(OrderError("\"source\"", "\"id\": \"x\", \"source\""), "id: stands twice");
  EXPECT_EQ(OrderError("\"subject\"", "\"Sub ject\": 1, \"subject\""),
            "Sub ject: is no attribute of a CloudEvent");
  EXPECT_EQ(ErrorOf("application/cloudevents+json", "[]"),
            "body: is no CloudEvent, which is an object");
  EXPECT_THAT(ErrorOf("application/cloudevents+json", "{"), StartsWith("body: is not JSON: "));
}

TEST_F(CloudEventsTest, TellsWhatIsWrongWithTheData) {
  EXPECT_EQ(OrderError("\"minor_units\": \"12050\"", "\"minor_units\": \"many\""),
            "order_placed.amount.minor_units: 'many' is no integer");
  EXPECT_EQ(OrderError("EUR", "XX"),
            "order_placed.amount.currency_code: 'XX' is not an ISO 4217 code such as EUR, GBP or "
            "USD");
  EXPECT_EQ(OrderError("\"data\"", "\"data_\""), "data_: is no attribute of a CloudEvent");
  EXPECT_EQ(OrderError("\"data\"", "\"extension\""), "data: is required");
  EXPECT_EQ(OrderError("\"data\"", "\"data_base64\": \"\", \"data\""),
            "data: stands beside data_base64");
  EXPECT_EQ(OrderError("\"data\"", "\"datacontenttype\": \"text/xml\", \"data\""),
            "datacontenttype: 'text/xml' is not known; send application/json or "
            "application/protobuf");
  EXPECT_EQ(OrderError("\"data\"", "\"datacontenttype\": \"application/protobuf\", \"data\""),
            "data: holds JSON, which datacontenttype does not say");
  EXPECT_EQ(OrderError("\"order_id\"", "\"call_completed\": {}, \"order_id\""),
            "order_id: is no field of Touchpoint");
  EXPECT_EQ(
      ErrorOf("application/cloudevents+json",
              absl::StrReplaceAll(kOrder, {{"OrderPlaced", "ClockAdvanced"},
                                           {"\"subject\": \"c-1\", ", ""},
                                           {"\"order_id\": \"o-1\", \"amount\": {",
                                            "\"now\": \"2026-01-02T09:00:00Z\"}, \"dataref\": {"},
                                           {"}}}", "}}"}})),
      "clock_advanced: is written by the clock alone");
  const std::string other = R"({"call_completed": {"outcome": "CALL_OUTCOME_BUSY"}})";
  EXPECT_EQ(
      ErrorOf("application/json", other, BinaryHeaders(SampleTouchpoint(Touchpoint::kDealWon))),
      "type: is DealWon, but data holds CallCompleted");
}

TEST_F(CloudEventsTest, DataAndAttributesMustAgree) {
  Touchpoint sent = SentSamples()[0];
  const auto error = [&](const std::string& rest) {
    return ErrorOf("application/cloudevents+json",
                   Structured(SentSamples()[0], absl::StrCat(rest, "\"data\":", Json(sent))));
  };
  EXPECT_EQ(error("\"subject\":\"c-2\","),
            "client_id: in data is not what the event's subject says");
  EXPECT_EQ(error("\"time\":\"2026-01-01T00:00:00Z\","),
            "occurred_at: in data is not what the event's time says");
  sent.set_source("other");
  EXPECT_EQ(error(""), "source: in data is not what the event's source says");
  sent = SentSamples()[0];
  sent.set_source_event_id("other");
  EXPECT_EQ(error(""), "source_event_id: in data is not what the event's id says");
  sent = SentSamples()[0];
  sent.set_event_id("0123456789abcdef");
  EXPECT_THAT(error(""), StartsWith("event_id: is not the one made from source and"));
}

TEST_F(CloudEventsTest, TellsWhatNoTouchpointMayBe) {
  EXPECT_EQ(OrderError("\"subject\": \"c-1\"", "\"subject\": \"\""), "client_id: is required");
  EXPECT_EQ(OrderError("2026-01-02T09", "2026-01-03T09"),
            "occurred_at: is 1h ahead of the clock here; at most 5m are taken");
  EXPECT_THAT(OrderError("2026-01-02T09", "1970-01-01T00"),
              StartsWith("occurred_at: is the first day of 1970"));
  EXPECT_EQ(OrderError("\"time\"", "\"extension\""), "occurred_at: is required");
  EXPECT_EQ(OrderError("\"o-1\"", absl::StrCat("\"", std::string(1 << 20, 'x'), "\"")),
            "order_placed.order_id: is 1048576 bytes long; at most 256 are kept");
  EXPECT_EQ(OrderError("\"o-1\"", "\"\xff\""), "order_id: is not UTF-8");
  EXPECT_THAT(OrderError("\"o-1\"", std::string(40, '[') + std::string(40, ']')),
              HasSubstr("is nested deeper than 32 levels"));
  EXPECT_THAT(OrderError("\"o-1\"", std::string(40, '[') + std::string(40, ']')),
              StartsWith("order_id[0][0]"));
}

TEST_F(CloudEventsTest, ADeadLetterNamesAPartitionOfTheLog) {
  Touchpoint sent = SampleTouchpoint(Touchpoint::kDeadLetterSkipped);
  sent.clear_event_id();
  for (const int partition : {-1, 4}) {
    sent.mutable_dead_letter_skipped()->set_partition(partition);
    EXPECT_THAT(ErrorOf("application/protobuf", sent.SerializeAsString(), BinaryHeaders(sent)),
                StartsWith("dead_letter_skipped.partition: "));
  }
}

TEST_F(CloudEventsTest, HistoriesAreRetoldByUsAlone) {
  for (const auto kind : {Touchpoint::kHistoryReopened, Touchpoint::kHistoryClosed}) {
    Touchpoint sent = SampleTouchpoint(kind);
    sent.clear_event_id();
    EXPECT_EQ(ErrorOf("application/protobuf", sent.SerializeAsString(), BinaryHeaders(sent)),
              absl::StrCat(absl::string_view(KindFieldName(kind)),
                           ": is written by Rapport alone; send clients_merged"));
  }
  Touchpoint sent = SentSamples()[2];
  sent.add_former_client_ids("c-2");
  EXPECT_EQ(ErrorOf("application/protobuf", sent.SerializeAsString(), BinaryHeaders(sent)),
            "former_client_ids: is written by Rapport alone");
}

TEST_F(CloudEventsTest, ARecordTheLogWouldNotTakeIsTold) {
  Touchpoint sent = SentSamples()[2];
  ASSERT_TRUE(sent.has_order_placed());
  for (int i = 0; i < 5000; ++i) {
    sent.mutable_order_placed()->add_lines()->set_product_area(std::string(250, 'x'));
  }
  EXPECT_THAT(ErrorOf("application/protobuf", sent.SerializeAsString(), BinaryHeaders(sent)),
              StartsWith("order_placed: is too large: the record has 12"));
}

TEST_F(CloudEventsTest, TellsWhereProtobufIsDamaged) {
  Touchpoint sent = SentSamples()[2];
  const std::vector<Header> headers = BinaryHeaders(sent);
  const auto error = [&](const std::string& bytes) {
    return ErrorOf("application/protobuf", bytes, headers);
  };
  const std::string good = sent.SerializeAsString();
  EXPECT_THAT(error("not protobuf"), StartsWith("data: is no serialised Touchpoint"));
  EXPECT_EQ(error(absl::StrReplaceAll(good, {{"L-7",
                                              "L\xff"
                                              "7"}})),
            "order_placed.lines.product_code: is not UTF-8");
  EXPECT_THAT(error(good.substr(0, good.size() - 3)), HasSubstr("or is cut off"));
  EXPECT_EQ(error(""), "payload: is missing, or of a kind that this version does not know");
}

TEST_F(CloudEventsTest, ABatchIsToldItemByItem) {
  const std::string bad = absl::StrReplaceAll(kOrder, {{"EUR", "XX"}});
  ASSERT_OK(
      Decode("application/cloudevents-batch+json", absl::StrCat("[", kOrder, ",", bad, ", 7]")));
  EXPECT_TRUE(batch_.batch);
  ASSERT_EQ(batch_.events.size(), 3u);
  EXPECT_OK(batch_.events[0].status);
  EXPECT_THAT(batch_.events[1].status, StatusIs(StatusCode::kInvalidArgument,
                                                StartsWith("order_placed.amount.currency_code")));
  EXPECT_EQ(batch_.events[1].source, "shop");
  EXPECT_THAT(batch_.events[2].status,
              StatusIs(StatusCode::kInvalidArgument, "body: is no CloudEvent, which is an object"));
  EXPECT_EQ(batch_.events[2].offered, "7");
}

TEST_F(CloudEventsTest, AProtobufBatchIsToldItemByItem) {
  const auto item = [](const std::string& bytes) {
    return absl::StrCat("\x0a", std::string(1, static_cast<char>(bytes.size())), bytes);
  };
  Touchpoint small;
  small.set_source("s");
  small.set_source_event_id("1");
  small.set_client_id("c");
  small.mutable_occurred_at()->set_seconds(1767340800);
  small.mutable_meeting_held()->set_place("x");
  const std::string good = small.SerializeAsString();
  const std::string bad = absl::StrReplaceAll(good, {{"x", "\xff"}});
  ASSERT_OK(Decode("application/x-protobuf", item(good) + item(bad) + item("\xff")));
  ASSERT_EQ(batch_.events.size(), 3u);
  EXPECT_OK(batch_.events[0].status);
  EXPECT_THAT(batch_.events[1].status,
              StatusIs(StatusCode::kInvalidArgument, "meeting_held.place: is not UTF-8"));
  EXPECT_THAT(batch_.events[2].status,
              StatusIs(StatusCode::kInvalidArgument, StartsWith("data: is no serialised")));
  EXPECT_THAT(Decode("application/x-protobuf", item(good) + "\x0a\x7f"),
              StatusIs(StatusCode::kInvalidArgument,
                       "body: is no serialised TouchpointBatch, or is cut off"));
  EXPECT_THAT(Decode("application/x-protobuf", "\xff\xff"),
              StatusIs(StatusCode::kInvalidArgument, "body: is no serialised TouchpointBatch"));
  EXPECT_THAT(Decode("application/x-protobuf", item(good) + item(good) + item(good) + item(good)),
              StatusIs(StatusCode::kOutOfRange, "body: has more than 3 events"));
}

TEST_F(CloudEventsTest, AnEmptyBatchIsOne) {
  ASSERT_OK(Decode("application/cloudevents-batch+json", "[]"));
  EXPECT_TRUE(batch_.batch);
  EXPECT_TRUE(batch_.events.empty());
  ASSERT_OK(Decode("application/x-protobuf", ""));
  EXPECT_TRUE(batch_.batch);
}

TEST_F(CloudEventsTest, TellsWhatIsWrongWithABatch) {
  const std::string type = "application/cloudevents-batch+json";
  EXPECT_THAT(Decode(type, "{}"), StatusIs(StatusCode::kInvalidArgument,
                                           "body: is not an array, as a batch of events is"));
  EXPECT_THAT(Decode(type, "[1"),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("body: is not JSON: ")));
  EXPECT_THAT(Decode(type, "[{\"data\": {\"client_id\": \"\xff\"}}]"),
              StatusIs(StatusCode::kInvalidArgument, "[0].data.client_id: is not UTF-8"));
  EXPECT_THAT(Decode(type, "[1,2,3,4]"),
              StatusIs(StatusCode::kOutOfRange, "body: has more than 3 events"));
}

TEST_F(CloudEventsTest, TellsWhichTypesItDoesNotKnow) {
  EXPECT_THAT(
      Decode("text/plain", "x"),
      StatusIs(StatusCode::kUnimplemented,
               StartsWith("content-type: 'text/plain' is not known; send application/json")));
  EXPECT_THAT(Decode("", "x"),
              StatusIs(StatusCode::kUnimplemented, StartsWith("content-type: is missing; send ")));
  EXPECT_THAT(Decode("application/cloudevents+avro", "x"),
              StatusIs(StatusCode::kUnimplemented, HasSubstr("avro")));
  EXPECT_THAT(Decode("application/json; charset=latin1", "{}"),
              StatusIs(StatusCode::kUnimplemented,
                       "content-type: 'charset=latin1' is not supported; send UTF-8"));
}

TEST_F(CloudEventsTest, BodiesMayBePacked) {
  ASSERT_OK(Decode("application/cloudevents+json", PackGzip(kOrder), {}, "gzip"));
  EXPECT_OK(batch_.events[0].status);
  ASSERT_OK(Decode("application/cloudevents+json", PackZstd(kOrder), {}, "zstd"));
  EXPECT_OK(batch_.events[0].status);
  EXPECT_THAT(Decode("application/cloudevents+json", kOrder, {}, "gzip"),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("body: is no gzip")));
  EXPECT_THAT(Decode("application/cloudevents+json", PackZstd(std::string(size_t{5} << 20, ' ')),
                     {}, "zstd"),
              StatusIs(StatusCode::kOutOfRange, HasSubstr("4194304 bytes")));
}

TEST_F(CloudEventsTest, WhatWasRefusedCanBeOfferedAgain) {
  // Each of these is refused for its client alone, which the test then mends.
  for (Touchpoint sent : SentSamples()) {
    if (BelongsToNoClient(sent.payload_case())) continue;
    sent.clear_client_id();
    ASSERT_OK(Decode("application/protobuf", sent.SerializeAsString(), BinaryHeaders(sent)));
    std::vector<std::string> offered = {batch_.events[0].offered};
    ASSERT_OK(Decode("application/json", Json(sent), BinaryHeaders(sent)));
    offered.push_back(batch_.events[0].offered);
    TouchpointBatch wrapper;
    *wrapper.add_touchpoints() = sent;
    ASSERT_OK(Decode("application/x-protobuf", wrapper.SerializeAsString()));
    offered.push_back(batch_.events[0].offered);
    const std::string item = Structured(sent, absl::StrCat("\"data\":", Json(sent)));
    ASSERT_OK(Decode("application/cloudevents-batch+json", absl::StrCat("[", item, "]")));
    offered.push_back(batch_.events[0].offered);
    for (const std::string& event : offered) {
      EXPECT_EQ(ErrorOf("application/cloudevents+json", event), "client_id: is required") << event;
      std::string mended = event;
      mended.insert(1, "\"subject\":\"c-1\",");
      sent.set_client_id("c-1");
      if (sent.has_clients_merged() || sent.has_clients_split()) continue;
      EXPECT_TRUE(MessageDifferencer::Equals(DecodeOne("application/cloudevents+json", mended),
                                             Accepted(sent)));
    }
  }
}

}  // namespace
}  // namespace rapport
