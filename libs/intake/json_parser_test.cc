#include "libs/intake/json_parser.h"

#include <cctype>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "libs/touchpoint/samples.h"

namespace rapport {
namespace {

using google::protobuf::util::JsonParseOptions;
using google::protobuf::util::JsonPrintOptions;
using google::protobuf::util::JsonStringToMessage;
using google::protobuf::util::MessageDifferencer;
using google::protobuf::util::MessageToJsonString;
using touchpoint::v1::Touchpoint;

constexpr size_t kMaxDepth = 32;

std::string ToJson(const Touchpoint& touchpoint, const JsonPrintOptions& options) {
  std::string json;
  EXPECT_TRUE(MessageToJsonString(touchpoint, &json, options).ok());
  return json;
}

// "" when it was read; else "path: reason".
std::string Read(std::string json, Touchpoint* touchpoint) {
  JsonParser parser(kMaxDepth);
  simdjson::dom::element tree;
  Problem problem;
  if (parser.Parse(&json, &tree, &problem) && DecodeJson(tree, touchpoint, &problem)) return "";
  return absl::StrCat(problem.path, ": ", problem.reason);
}

std::string ErrorOf(const std::string& json) {
  Touchpoint touchpoint;
  return Read(json, &touchpoint);
}

std::vector<JsonPrintOptions> AllPrintOptions() {
  std::vector<JsonPrintOptions> all;
  for (int bits = 0; bits < 16; ++bits) {
    JsonPrintOptions& options = all.emplace_back();
    options.add_whitespace = (bits & 1) != 0;
    options.preserve_proto_field_names = (bits & 2) != 0;
    options.always_print_enums_as_ints = (bits & 4) != 0;
    options.always_print_primitive_fields = (bits & 8) != 0;
  }
  return all;
}

TEST(JsonParserTest, ReadsEverySampleInEveryWayThatProtobufPrintsIt) {
  for (const Touchpoint& sample : SampleTouchpoints()) {
    for (const JsonPrintOptions& options : AllPrintOptions()) {
      const std::string json = ToJson(sample, options);
      Touchpoint read;
      ASSERT_EQ(Read(json, &read), "") << json;
      Touchpoint expected;
      ASSERT_TRUE(JsonStringToMessage(json, &expected).ok()) << json;
      EXPECT_TRUE(MessageDifferencer::Equals(read, expected)) << json;
    }
  }
}

// Changes that a sender's mistake or an attack makes, and such that make no difference.
std::string Mutate(std::string json, std::mt19937_64* random) {
  static const std::vector<std::string> kPieces = {"null",
                                                   "true",
                                                   "false",
                                                   "0",
                                                   "-1",
                                                   "1.0",
                                                   "1.5",
                                                   "1e2",
                                                   "1e400",
                                                   "9223372036854775807",
                                                   "9223372036854775808",
                                                   "18446744073709551616",
                                                   "\"\"",
                                                   "\"12\"",
                                                   "\"-7\"",
                                                   "\" 7\"",
                                                   "\"x\"",
                                                   "[]",
                                                   "{}",
                                                   "[1]",
                                                   "\"CHANNEL_PHONE\"",
                                                   "\"2026-02-29T00:00:00Z\"",
                                                   "\"2024-02-29T23:59:59.123456789+05:30\"",
                                                   "\"AAEC\"",
                                                   "\"_-8=\"",
                                                   "\"\\u0041\\ud83d\\ude00\""};
  const int changes = 1 + static_cast<int>((*random)() % 2);
  for (int i = 0; i < changes && !json.empty(); ++i) {
    const size_t place = (*random)() % json.size();
    switch ((*random)() % 4) {
      case 0:
        json[place] = static_cast<char>(0x20 + (*random)() % 0x5f);
        break;
      case 1:
        json.erase(place, 1 + (*random)() % 4);
        break;
      default: {
        // A value, from after a colon to before the next comma or brace.
        const size_t colon = json.find(':', place);
        if (colon == std::string::npos) break;
        const size_t end = json.find_first_of(",}]", colon);
        if (end == std::string::npos) break;
        json.replace(colon + 1, end - colon - 1, kPieces[(*random)() % kPieces.size()]);
      }
    }
  }
  return json;
}

TEST(JsonParserTest, WhatItAcceptsProtobufReadsTheSame) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const std::vector<JsonPrintOptions> options = AllPrintOptions();
  const std::vector<Touchpoint>& samples = SampleTouchpoints();
  int accepted = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string json = Mutate(
        ToJson(samples[random() % samples.size()], options[random() % options.size()]), &random);
    Touchpoint read;
    if (!Read(json, &read).empty()) continue;
    ++accepted;
    Touchpoint expected;
    const auto status = JsonStringToMessage(json, &expected);
    ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << json;
    ASSERT_TRUE(MessageDifferencer::Equals(read, expected)) << json << "\n"
                                                            << read.ShortDebugString() << "\n"
                                                            << expected.ShortDebugString();
  }
  EXPECT_GT(accepted, 250);
}

TEST(JsonParserTest, ErrorsNameTheFieldByItsPath) {
  EXPECT_EQ(ErrorOf(R"({"order_placed": {"amount": {"minor_units": "12x"}}})"),
            "order_placed.amount.minor_units: '12x' is no integer");
  EXPECT_EQ(ErrorOf(R"({"orderPlaced": {"lines": [{}, {"quantityMilli": 1.5}]}})"),
            "order_placed.lines[1].quantity_milli: 1.5 is no integer");
  EXPECT_EQ(ErrorOf(R"({"orderPlaced": {"amonut": {}}})"),
            "order_placed.amonut: is no field of OrderPlaced");
  EXPECT_EQ(ErrorOf(R"({"stakeholder_ids": ["a", 7]})"),
            "stakeholder_ids[1]: is a number, not a string");
  EXPECT_EQ(ErrorOf(R"({"stakeholder_ids": "a"})"), "stakeholder_ids: is a string, not an array");
  EXPECT_EQ(ErrorOf(R"({"channel": "PHONE"})"),
            "channel: 'PHONE' is no Channel; such as CHANNEL_PHONE");
  EXPECT_EQ(ErrorOf(R"({"channel": 1.5})"), "channel: is a number, not a name or number");
  EXPECT_EQ(ErrorOf(R"({"occurred_at": "yesterday"})"),
            "occurred_at: 'yesterday' is no time such as 2026-01-02T09:00:00Z (RFC 3339)");
  EXPECT_EQ(ErrorOf(R"({"occurred_at": 1767340800})"), "occurred_at: is a number, not a string");
  EXPECT_EQ(ErrorOf(R"({"event_id": "#"})"), "event_id: '#' is not base64");
  EXPECT_EQ(ErrorOf(R"({"client_id": "a", "clientId": "a"})"), "client_id: stands twice");
  EXPECT_EQ(ErrorOf(R"({"order_placed": {}, "deal_won": {}})"),
            "deal_won: stands beside order_placed, and only one of them may");
  EXPECT_EQ(ErrorOf(R"({"call_completed": {"wait_seconds": 3000000000}})"),
            "call_completed.wait_seconds: 3000000000 is not within -2147483648 and 2147483647");
  EXPECT_EQ(ErrorOf(R"({"order_placed": {"amount": {"minor_units": 1e17}}})"),
            "order_placed.amount.minor_units: 1e+17 may have lost digits; write it in full");
  EXPECT_EQ(ErrorOf(R"({"order_placed": {"amount": {"minor_units": 9223372036854775808}}})"),
            "order_placed.amount.minor_units: 9223372036854775808 is too large");
  EXPECT_EQ(ErrorOf("[]"), ": is an array, not an object");
}

TEST(JsonParserTest, TellsWhereATextIsNotUtf8) {
  EXPECT_EQ(ErrorOf("{\"order_placed\": {\"lines\": [{}, {\"product_code\": \"a\xff\"}]}}"),
            "order_placed.lines[1].product_code: is not UTF-8");
  EXPECT_EQ(ErrorOf("{\"client_id\": \"\xc3\xa9\", \"\xed\xa0\x80\": 1}"),
            ": has a member whose name is not UTF-8");
  EXPECT_EQ(ErrorOf("{\"client_id\": \xff}"),
            "client_id: is not UTF-8, or has such characters outside of strings");
}

TEST(JsonParserTest, TellsWhereItIsNestedTooDeep) {
  const auto nested = [](size_t levels) {
    std::string json = R"({"order_placed": {"amount": )";
    for (size_t i = 2; i < levels; ++i) json += "[";
    for (size_t i = 2; i < levels; ++i) json += "]";
    return json + "}}";
  };
  EXPECT_EQ(ErrorOf(nested(kMaxDepth + 1)).substr(0, 44),
            "order_placed.amount[0][0][0][0][0][0][0][0][");
  EXPECT_THAT(ErrorOf(nested(kMaxDepth + 1)),
              testing::HasSubstr("is nested deeper than 32 levels"));
  EXPECT_EQ(ErrorOf(nested(kMaxDepth)), "order_placed.amount: is an array, not an object");
  EXPECT_THAT(ErrorOf(std::string(1 << 20, '[') + std::string(1 << 20, ']')),
              testing::HasSubstr("deeper than 32 levels"));
}

TEST(JsonParserTest, TellsWhatIsNoJson) {
  EXPECT_THAT(ErrorOf("{"), testing::StartsWith(": is not JSON: "));
  EXPECT_THAT(ErrorOf(""), testing::StartsWith(": is not JSON: "));
  EXPECT_THAT(ErrorOf("{} {}"), testing::StartsWith(": is not JSON: "));
  EXPECT_THAT(ErrorOf(R"({"client_id": "a\qb"})"), testing::StartsWith(": is not JSON: "));
}

TEST(JsonParserTest, NamesInPathsStayShortAndPrintable) {
  EXPECT_EQ(PathName("a: b\n"), "a_ b\\n");
  EXPECT_EQ(PathName(std::string(63, 'x') + "\xc3\xa9"), std::string(63, 'x'));
}

}  // namespace
}  // namespace rapport
