#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rapport {

// An exact decimal number: units / 10^scale. Nothing is ever rounded but where ToInteger is told
// to.
class Decimal {
 public:
  Decimal() = default;

  // How a number is written.
  struct Marks {
    char decimal = '.';
    char thousands = '\0';  // none but blanks and apostrophes
    // ISO 4217: of amounts, beside which its sign or code may stand; empty for other numbers.
    absl::string_view currency = {};
  };
  // "-1,234.50": at most 18 digits, 9 of them after the mark. Also as spreadsheets and banks write
  // it: blanks around it, "(5)" and "5-" for -5, and between groups of three digits blanks,
  // apostrophes or the mark for thousands. InvalidArgument, naming the text, for all else, since it
  // might mean another number, and for the sign or code of another currency.
  static absl::StatusOr<Decimal> Parse(absl::string_view text, Marks marks);
  static Decimal FromInteger(int64_t value);

  // OutOfRange when the result has more than about 38 digits.
  absl::StatusOr<Decimal> Times(const Decimal& other) const;
  absl::StatusOr<Decimal> Plus(const Decimal& other) const;
  Decimal Negated() const { return Decimal(-units_, scale_); }

  // The number times 10^shift (0 to 9) as an integer. InvalidArgument when it is none, unless
  // `rounded`: then half away from zero; OutOfRange when it does not fit.
  absl::StatusOr<int64_t> ToInteger(int shift, bool rounded) const;

 private:
  __extension__ using Units = __int128;
  Decimal(Units units, int scale) : units_(units), scale_(scale) {}

  Units units_ = 0;
  int scale_ = 0;
};

}  // namespace rapport
