#include "libs/base/bytes.h"

#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace rapport {
namespace {

TEST(BytesTest, OrderedIntegersSortAsTheirValues) {
  const std::vector<int64_t> values = {std::numeric_limits<int64_t>::min(), -5, -1, 0, 1, 255, 256,
                                       std::numeric_limits<int64_t>::max()};
  std::string previous;
  for (const int64_t value : values) {
    std::string key;
    AppendOrdered64(&key, value);
    EXPECT_LT(previous, key) << value;
    EXPECT_EQ(ReadOrdered64(key.data()), value);
    previous = key;
  }
}

TEST(BytesTest, KeyStringsRoundTripAndSort) {
  const std::vector<std::string> values = {
      "", std::string("\0", 1), std::string("\0a", 2), "a", std::string("a\0b", 3), "ab", "b"};
  std::string previous;
  for (const std::string& value : values) {
    std::string key;
    AppendKeyString(&key, value);
    EXPECT_LT(previous, key);
    previous = key;
    key += "tail";
    absl::string_view rest = key;
    std::string back;
    ASSERT_TRUE(ConsumeKeyString(&rest, &back));
    EXPECT_EQ(back, value);
    EXPECT_EQ(rest, "tail");
  }
}

TEST(BytesTest, AnUnfinishedKeyStringIsRefused) {
  for (const std::string& bad :
       {std::string(), std::string("abc"), std::string("a\0", 2), std::string("a\0\x02", 3)}) {
    absl::string_view rest = bad;
    std::string value;
    EXPECT_FALSE(ConsumeKeyString(&rest, &value));
  }
}

}  // namespace
}  // namespace rapport
