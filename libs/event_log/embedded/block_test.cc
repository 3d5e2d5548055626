#include "libs/event_log/embedded/block.h"

#include <limits>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::embedded {
namespace {

Record MakeRecord(std::string key, std::string value, int64_t ms,
                  std::vector<Header> headers = {}) {
  Record record;
  record.key = std::move(key);
  record.value = std::move(value);
  record.timestamp = absl::FromUnixMillis(ms);
  record.headers = std::move(headers);
  return record;
}

std::string Build(const std::vector<Record>& records, std::optional<int64_t> latest_before = {}) {
  BlockBuilder builder;
  for (const Record& record : records) builder.Add(record);
  return builder.Header(latest_before) + std::string(builder.records());
}

// Freezes the format: a change of these bytes needs a new version number and a reader for both.
TEST(BlockTest, GoldenBlock) {
  const std::string block =
      Build({MakeRecord("client-1", "first", 1700000000123, {{"ce_id", "a"}, {"x", ""}}),
             MakeRecord("", std::string(200, 'v'), 1700000000120)},
            1700000000500);
  EXPECT_EQ(absl::BytesToHexString(block),
            "01"                  // version
            "02"                  // count
            "e8a7abfef962"        // latest: zigzag of 1700000000500
            "f6a1abfef962"        // base: zigzag of 1700000000123
            "00"                  // + 0 ms
            "08636c69656e742d31"  // "client-1"
            "056669727374"        // "first"
            "0b"                  // 11 bytes of headers
            "0563655f69640161"    // "ce_id": "a"
            "017800"              // "x": ""
            "05"                  // - 3 ms
            "00"                  // ""
            "c801" +              // 200 bytes
                absl::BytesToHexString(std::string(200, 'v')) +
                "00");  // no headers
}

TEST(BlockTest, RoundTrip) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  const std::vector<Record> records = {
      MakeRecord("k", "v", 5), MakeRecord(bytes, bytes, -7, {{bytes, bytes}, {"", ""}}),
      MakeRecord("", "", std::numeric_limits<int64_t>::max() / 1'000'000),
      MakeRecord("k", std::string(100'000, 'x'), 0)};
  const std::string block = Build(records);
  BlockParser parser;
  ASSERT_TRUE(parser.Start(block, Offset(40)));
  EXPECT_EQ(parser.header().count, 4u);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(parser.remaining(), records.size() - i);
    RecordView view;
    ASSERT_TRUE(parser.Next(&view));
    EXPECT_EQ(view.offset, Offset(40 + static_cast<int64_t>(i)));
    EXPECT_EQ(view.timestamp, records[i].timestamp);
    EXPECT_EQ(view.key, records[i].key);
    EXPECT_EQ(view.value, records[i].value);
    EXPECT_EQ(DecodeHeaders(view), records[i].headers);
  }
  EXPECT_EQ(parser.remaining(), 0u);
}

TEST(BlockTest, TheLatestTimestampCoversWhatCameBefore) {
  const std::vector<Record> records = {MakeRecord("k", "v", 10), MakeRecord("k", "v", 30),
                                       MakeRecord("k", "v", 20)};
  for (const auto& [before, latest] : std::vector<std::pair<std::optional<int64_t>, int64_t>>{
           {std::nullopt, 30}, {29, 30}, {31, 31}, {-100, 30}}) {
    BlockParser parser;
    const std::string block = Build(records, before);
    ASSERT_TRUE(parser.Start(block, Offset(0)));
    EXPECT_EQ(parser.header().latest_ms, latest);
  }
}

TEST(BlockTest, AClearedBuilderStartsAnew) {
  BlockBuilder builder;
  builder.Add(MakeRecord("other", "bytes", 99));
  builder.Clear();
  EXPECT_TRUE(builder.empty());
  builder.Add(MakeRecord("k", "v", 10));
  EXPECT_EQ(builder.Header(std::nullopt) + std::string(builder.records()),
            Build({MakeRecord("k", "v", 10)}));
}

// No prefix of a block passes for a block, and nothing reads past its end.
TEST(BlockTest, EveryTruncationIsNoticed) {
  const std::string block =
      Build({MakeRecord("key", "value", 10, {{"name", "value"}}), MakeRecord("k", "v", 11)});
  for (size_t size = 0; size < block.size(); ++size) {
    const auto copy = std::make_unique<char[]>(size);  // so that the sanitizer sees its end
    std::copy_n(block.data(), size, copy.get());
    BlockParser parser;
    bool good = parser.Start(absl::string_view(copy.get(), size), Offset(0));
    RecordView view;
    while (good && parser.remaining() > 0) good = parser.Next(&view);
    EXPECT_FALSE(good) << size << " of " << block.size() << " bytes";
  }
}

TEST(BlockTest, MalformedBlocksAreRefused) {
  const std::string block = Build({MakeRecord("k", "v", 10)});
  BlockParser parser;
  EXPECT_FALSE(parser.Start(std::string("\x02", 1) + block.substr(1), Offset(0)));  // version
  EXPECT_FALSE(parser.Start(std::string("\x01\x00\x00\x00", 4), Offset(0)));        // no records
  EXPECT_FALSE(parser.Start("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Offset(0)));

  const std::string longer = block + "x";  // bytes behind the last record
  ASSERT_TRUE(parser.Start(longer, Offset(0)));
  RecordView view;
  EXPECT_FALSE(parser.Next(&view));

  std::string huge = Build({MakeRecord("", "", 0)});
  huge.resize(huge.size() - 3);
  huge += "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";  // a key of 2^63 bytes
  ASSERT_TRUE(parser.Start(huge, Offset(0)));
  EXPECT_FALSE(parser.Next(&view));
}

}  // namespace
}  // namespace rapport::embedded
