#include "libs/import/decimal.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

absl::StatusOr<int64_t> Cents(absl::string_view text, Decimal::Marks marks = {}) {
  const absl::StatusOr<Decimal> number = Decimal::Parse(text, marks);
  if (!number.ok()) return number.status();
  return number->ToInteger(2, false);
}

TEST(Decimal, ReadsNumbersAsTheyAreWritten) {
  EXPECT_EQ(Cents("12.5").value(), 1250);
  EXPECT_EQ(Cents("-0.05").value(), -5);
  EXPECT_EQ(Cents("+7").value(), 700);
  EXPECT_EQ(Cents(".5").value(), 50);
  EXPECT_EQ(Cents("3.").value(), 300);
  EXPECT_EQ(Cents("000000000000000000000001.00").value(), 100);
  EXPECT_EQ(Cents("1.234.567,89", {.decimal = ',', .thousands = '.'}).value(), 123456789);
}

TEST(Decimal, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", ".", "abc", "1e5", "1,5", "12 €", "EUR 5", "1.2.3", "--1", "(5",
                           "-(5)", "5-5", "-", "( )", "5,00"}) {
    EXPECT_THAT(Cents(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                      "'" + std::string(text) + "' is no decimal number"));
  }
  EXPECT_THAT(Cents("1234567890123456789"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                     "'1234567890123456789' has too many digits"));
  EXPECT_THAT(Cents("0.1234567891"),
              StatusIs(absl::StatusCode::kInvalidArgument, "'0.1234567891' has too many digits"));
}

TEST(Decimal, ReadsNumbersAsSpreadsheetsAndBanksWriteThem) {
  const Decimal::Marks euros = {.decimal = ',', .currency = "EUR"};
  EXPECT_EQ(Cents("\u00A0-110,70\u00A0€", euros).value(), -11070);
  EXPECT_EQ(Cents("€\u00A01234,56", euros).value(), 123456);
  EXPECT_EQ(Cents("7\u00A0000,00", euros).value(), 700000);
  EXPECT_EQ(Cents("1\u202F234\u2009567,50", euros).value(), 123456750);
  EXPECT_EQ(Cents(" 1 234,5\t", euros).value(), 123450);
  EXPECT_EQ(Cents("1'000,00", euros).value(), 100000);
  EXPECT_EQ(Cents("1\u2019000,00", euros).value(), 100000);
  EXPECT_EQ(Cents("(123,45)", euros).value(), -12345);
  EXPECT_EQ(Cents("€ (123,45)", euros).value(), -12345);
  EXPECT_EQ(Cents("(€123,45)", euros).value(), -12345);
  EXPECT_EQ(Cents("123,45-", euros).value(), -12345);
  EXPECT_EQ(Cents("\u22125,00", euros).value(), -500);
  EXPECT_EQ(Cents("-€5,00", euros).value(), -500);
  EXPECT_EQ(Cents("€-5,00", euros).value(), -500);
  EXPECT_EQ(Cents("EUR 12,00", euros).value(), 1200);
  EXPECT_EQ(Cents("12,00 eur", euros).value(), 1200);
  EXPECT_EQ(Cents("Fr. 1'000.50", {.currency = "CHF"}).value(), 100050);
  EXPECT_EQ(Cents("1 000,50 руб.", {.decimal = ',', .currency = "RUB"}).value(), 100050);
  EXPECT_EQ(Cents("99,90 Kč", {.decimal = ',', .currency = "CZK"}).value(), 9990);
  EXPECT_EQ(Cents("12,34,567.5", {.thousands = ','}).value(), 123456750);
  EXPECT_EQ(Cents("1 000").value(), 100000);
}

TEST(Decimal, RefusesWhatMightBeAnotherNumber) {
  const Decimal::Marks euros = {.decimal = ',', .thousands = '.', .currency = "EUR"};
  for (const char* text :
       {"1.5", "1.50", "1234.567,00", "1.2345,00", ".123", "1..000", "1 00", "1 000.000"}) {
    EXPECT_THAT(
        Cents(text, euros).status(),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 ::testing::StartsWith("'" + std::string(text) + "' is no decimal number")));
  }
  for (const char* text : {"1,234.56", "1.000,5,0", "€ 5 EUR", "12,00 % €"}) {
    EXPECT_THAT(Cents(text, euros), StatusIs(absl::StatusCode::kInvalidArgument,
                                             ::testing::StartsWith("'" + std::string(text) +
                                                                   "' is no decimal number")));
  }
  EXPECT_THAT(Cents("$ 12,00", euros),
              StatusIs(absl::StatusCode::kInvalidArgument, "'$ 12,00' is no amount in EUR"));
  EXPECT_THAT(Cents("12,00 USD", euros),
              StatusIs(absl::StatusCode::kInvalidArgument, "'12,00 USD' is no amount in EUR"));
  EXPECT_EQ(Cents("1.234.567,8 €", euros).value(), 123456780);
}

TEST(Decimal, SumsOfProductsAreExact) {
  const Decimal price = Decimal::Parse("0.1", {}).value();
  Decimal sum;
  for (int i = 0; i < 10; ++i) sum = sum.Plus(price.Times(Decimal::FromInteger(3)).value()).value();
  EXPECT_EQ(sum.ToInteger(0, false).value(), 3);
  EXPECT_EQ(sum.Negated().ToInteger(2, false).value(), -300);
  EXPECT_EQ(
      Decimal::FromInteger(5).Plus(Decimal::Parse("0.25", {}).value())->ToInteger(2, false).value(),
      525);
}

TEST(Decimal, RoundsHalfAwayFromZeroAndOnlyWhenTold) {
  const auto number = [](absl::string_view text) { return Decimal::Parse(text, {}).value(); };
  EXPECT_EQ(number("0.125").ToInteger(2, true).value(), 13);
  EXPECT_EQ(number("-0.125").ToInteger(2, true).value(), -13);
  EXPECT_EQ(number("0.1249").ToInteger(2, true).value(), 12);
  EXPECT_EQ(number("1.5").ToInteger(0, true).value(), 2);
  EXPECT_THAT(number("0.125").ToInteger(2, false),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "the number has more than 2 decimals; `rounded: true` rounds it"));
}

TEST(Decimal, TellsWhenAResultIsTooLarge) {
  const Decimal large = Decimal::FromInteger(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(large.ToInteger(0, false).value(), std::numeric_limits<int64_t>::max());
  EXPECT_THAT(large.ToInteger(1, false),
              StatusIs(absl::StatusCode::kOutOfRange, "the number is too large"));
  EXPECT_THAT(large.Times(large)->Times(large),
              StatusIs(absl::StatusCode::kOutOfRange, "the number is too large"));
}

}  // namespace
}  // namespace rapport
