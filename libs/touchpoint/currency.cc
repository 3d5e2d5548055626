#include "libs/touchpoint/currency.h"

#include <bitset>

#include "libs/base/money.h"

namespace rapport::touchpoint_internal {
namespace {

constexpr size_t kLetters = 26;
using Table = std::bitset<kLetters * kLetters * kLetters>;

const Table& Codes() {
  static const auto* const table = [] {
    auto* const codes = new Table;
    for (size_t i = 0; i < codes->size(); ++i) {
      const char code[3] = {static_cast<char>('A' + i / (kLetters * kLetters)),
                            static_cast<char>('A' + i / kLetters % kLetters),
                            static_cast<char>('A' + i % kLetters)};
      codes->set(i, CurrencyDigits(absl::string_view(code, 3)) >= 0);
    }
    return codes;
  }();
  return *table;
}

}  // namespace

bool IsCurrency(absl::string_view code) {
  if (code.size() != 3) return false;
  size_t index = 0;
  for (const char c : code) {
    if (c < 'A' || c > 'Z') return false;
    index = index * kLetters + static_cast<size_t>(c - 'A');
  }
  return Codes()[index];
}

}  // namespace rapport::touchpoint_internal
