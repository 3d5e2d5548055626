#include "libs/telephony/csv_row.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rapport {
namespace {

constexpr size_t kMostFields = 64;

// The place of the quote that ends a field; npos when there is none.
size_t ClosingQuote(absl::string_view row, size_t begin, bool* doubled) {
  for (size_t at = row.find('"', begin); at != absl::string_view::npos; at = row.find('"', at)) {
    if (at + 1 == row.size() || row[at + 1] != '"') return at;
    *doubled = true;
    at += 2;
  }
  return absl::string_view::npos;
}

// `text` with each doubled quote as one, in `out`.
absl::string_view Unquote(absl::string_view text, std::string* out) {
  out->reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    out->push_back(text[i]);
    // All quotes are doubled.
    if (text[i] == '"') ++i;
  }
  return *out;
}

}  // namespace

absl::Status SplitCsvRow(absl::string_view row, std::vector<absl::string_view>* fields,
                         std::vector<std::string>* unquoted) {
  fields->clear();
  unquoted->clear();
  // Views of its elements stand in `fields`: they must not move.
  unquoted->reserve(kMostFields);
  for (size_t begin = 0;;) {
    if (fields->size() == kMostFields) {
      return absl::InvalidArgumentError(
          absl::StrCat("the row has more than ", kMostFields, " columns"));
    }
    size_t end;
    if (begin < row.size() && row[begin] == '"') {
      bool doubled = false;
      const size_t quote = ClosingQuote(row, begin + 1, &doubled);
      if (quote == absl::string_view::npos) {
        return absl::InvalidArgumentError(
            absl::StrCat("the quote of column ", fields->size() + 1, " is not closed"));
      }
      const absl::string_view text = row.substr(begin + 1, quote - begin - 1);
      end = quote + 1;
      if (doubled) {
        fields->push_back(Unquote(text, &unquoted->emplace_back()));
      } else {
        fields->push_back(text);
      }
    } else {
      end = std::min(row.find(',', begin), row.size());
      fields->push_back(row.substr(begin, end - begin));
      if (fields->back().find('"') != absl::string_view::npos) {
        return absl::InvalidArgumentError(
            absl::StrCat("a quote stands inside column ", fields->size()));
      }
    }
    if (end == row.size()) return absl::OkStatus();
    if (row[end] != ',') {
      return absl::InvalidArgumentError(
          absl::StrCat("something follows the quotes of column ", fields->size()));
    }
    begin = end + 1;
  }
}

}  // namespace rapport
