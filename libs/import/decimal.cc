#include "libs/import/decimal.h"

#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/import/plain_number.h"

namespace rapport {
namespace {

constexpr int kMaxDigits = 18;
constexpr int kMaxScale = 9;

absl::Status TooLarge() { return absl::OutOfRangeError("the number is too large"); }

}  // namespace

absl::StatusOr<Decimal> Decimal::Parse(absl::string_view text, Marks marks) {
  const auto bad = [text](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' ", why));
  };
  absl::string_view rest = text;
  const bool negative = absl::ConsumePrefix(&rest, "-");
  if (!negative) absl::ConsumePrefix(&rest, "+");
  int64_t units = 0;
  int digits = 0;
  int scale = -1;  // before the mark
  for (const char c : rest) {
    if (c == marks.decimal && scale < 0) {
      scale = 0;
    } else if (!absl::ascii_isdigit(c)) {
      // Whatever is written otherwise is made plain, and is plain the second time.
      const absl::StatusOr<std::string> plain = PlainNumber(text, marks);
      RAPPORT_RETURN_IF_ERROR(plain.status());
      return Parse(*plain, {.decimal = marks.decimal});
    } else {
      units = units * 10 + (c - '0');
      if (units != 0) ++digits;
      if (scale >= 0) ++scale;
      if (digits > kMaxDigits || scale > kMaxScale) return bad("has too many digits");
    }
  }
  const bool has_digit = rest.find_first_of("0123456789") != absl::string_view::npos;
  if (!has_digit) return bad("is no decimal number");
  return Decimal(negative ? -units : units, scale < 0 ? 0 : scale);
}

Decimal Decimal::FromInteger(int64_t value) { return Decimal(value, 0); }

absl::StatusOr<Decimal> Decimal::Times(const Decimal& other) const {
  Units product;
  if (__builtin_mul_overflow(units_, other.units_, &product)) return TooLarge();
  return Decimal(product, scale_ + other.scale_);
}

absl::StatusOr<Decimal> Decimal::Plus(const Decimal& other) const {
  const Decimal& fine = scale_ >= other.scale_ ? *this : other;
  const Decimal& coarse = scale_ >= other.scale_ ? other : *this;
  Units aligned = coarse.units_;
  for (int i = coarse.scale_; i < fine.scale_; ++i) {
    if (__builtin_mul_overflow(aligned, 10, &aligned)) return TooLarge();
  }
  Units sum;
  if (__builtin_add_overflow(aligned, fine.units_, &sum)) return TooLarge();
  return Decimal(sum, fine.scale_);
}

absl::StatusOr<int64_t> Decimal::ToInteger(int shift, bool rounded) const {
  Units value = units_;
  for (int i = scale_; i < shift; ++i) {
    if (__builtin_mul_overflow(value, 10, &value)) return TooLarge();
  }
  Units divisor = 1;
  for (int i = shift; i < scale_; ++i) divisor *= 10;
  const Units rest = value % divisor;
  value /= divisor;
  if (rest != 0 && !rounded) {
    return absl::InvalidArgumentError(
        absl::StrCat("the number has more than ", shift, " decimals; `rounded: true` rounds it"));
  }
  if (rest * 2 >= divisor) ++value;
  if (rest * 2 <= -divisor) --value;
  if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) {
    return TooLarge();
  }
  return static_cast<int64_t>(value);
}

}  // namespace rapport
