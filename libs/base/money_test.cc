#include "libs/base/money.h"

#include <limits>

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

TEST(MoneyTest, ParsesDecimalsIntoMinorUnits) {
  const struct {
    const char* text;
    const char* currency;
    int64_t minor_units;
  } kCases[] = {
      {"12.5", "GBP", 1250},  {"0.85", "GBP", 85},
      {"-3", "EUR", -300},    {"7", "JPY", 7},
      {"1.234", "KWD", 1234}, {".5", "USD", 50},
      {"2.500", "USD", 250},  {"92233720368547758.07", "USD", std::numeric_limits<int64_t>::max()}};
  for (const auto& c : kCases) {
    ASSERT_OK_AND_ASSIGN(const Money money, ParseMoney(c.text, c.currency));
    EXPECT_EQ(money.minor_units, c.minor_units) << c.text;
    EXPECT_EQ(money.currency_code, c.currency);
  }
}

TEST(MoneyTest, RefusesWhatIsNoAmountAndSaysWhy) {
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(ParseMoney("1.005", "GBP"), StatusIs(code, HasSubstr("more than the 2 decimals")));
  EXPECT_THAT(ParseMoney("1,000", "GBP"), StatusIs(code, HasSubstr("'1,000' is not a decimal")));
  EXPECT_THAT(ParseMoney("", "GBP"), StatusIs(code, HasSubstr("is not a decimal number")));
  EXPECT_THAT(ParseMoney("-", "GBP"), StatusIs(code, HasSubstr("is not a decimal number")));
  EXPECT_THAT(ParseMoney(".", "GBP"), StatusIs(code, HasSubstr("is not a decimal number")));
  EXPECT_THAT(ParseMoney("1.2.3", "GBP"), StatusIs(code, HasSubstr("two decimal points")));
  EXPECT_THAT(ParseMoney("1", "XYZ"), StatusIs(code, HasSubstr("currency 'XYZ'")));
  EXPECT_THAT(ParseMoney("92233720368547758.08", "USD"), StatusIs(code, HasSubstr("too large")));
}

TEST(MoneyTest, FormatsWithTheCurrencysDigits) {
  EXPECT_EQ(FormatMoney(1250, "GBP"), "12.50 GBP");
  EXPECT_EQ(FormatMoney(-5, "GBP"), "-0.05 GBP");
  EXPECT_EQ(FormatMoney(7, "JPY"), "7 JPY");
  EXPECT_EQ(FormatMoney(std::numeric_limits<int64_t>::min(), "USD"), "-92233720368547758.08 USD");
}

TEST(MoneySum, IsExactInWhateverOrderAndTellsWhatIsBeyond64Bits) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  MoneySum sum;
  sum.Add(kMost);
  EXPECT_FALSE(sum.OutOfRange());
  sum.Add(1);
  EXPECT_TRUE(sum.OutOfRange());
  EXPECT_EQ(sum.Saturated(), kMost);
  sum.Add(-1);
  EXPECT_FALSE(sum.OutOfRange());
  EXPECT_EQ(sum.Saturated(), kMost);
  MoneySum below;
  for (const int64_t units : {kLeast, kLeast, int64_t{-1}}) below.Add(units);
  EXPECT_EQ(below.Saturated(), kLeast);
  MoneySum other(below.minor_units(), below.overflows());
  for (const int64_t units : {kMost, kMost}) other.Add(units);
  EXPECT_FALSE(other.OutOfRange());
  EXPECT_EQ(other.Saturated(), -3);
}

}  // namespace
}  // namespace rapport
