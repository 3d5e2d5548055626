#include "libs/base/folded_words.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "unicode/normalizer2.h"
#include "unicode/uchar.h"
#include "unicode/unistr.h"

namespace rapport {
namespace {

// What has no decomposition, though people write it with other letters.
absl::string_view AsOthersWriteIt(UChar32 letter) {
  switch (letter) {
    case U'ł':
      return "l";
    case U'ø':
      return "o";
    case U'đ':
    case U'ð':
      return "d";
    case U'ħ':
      return "h";
    case U'ŧ':
      return "t";
    case U'ı':
      return "i";
    case U'æ':
      return "ae";
    case U'œ':
      return "oe";
    case U'þ':
      return "th";
    default:
      return "";
  }
}

const icu::Normalizer2& Of(const icu::Normalizer2* (*instance)(UErrorCode&)) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const normalizer = instance(error);
  RAPPORT_CHECK(U_SUCCESS(error), "ICU has no tables of normal forms");
  return *normalizer;
}

icu::UnicodeString Normalised(const icu::Normalizer2& normalizer, const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  icu::UnicodeString normal = normalizer.normalize(text, error);
  RAPPORT_CHECK(U_SUCCESS(error), "ICU cannot normalise a text");
  return normal;
}

bool IsMark(UChar32 c) { return (U_GET_GC_MASK(c) & (U_GC_MN_MASK | U_GC_ME_MASK)) != 0; }

std::vector<std::string> WordsOfUnicode(absl::string_view text) {
  static const icu::Normalizer2& case_fold = Of(icu::Normalizer2::getNFKCCasefoldInstance);
  static const icu::Normalizer2& decompose = Of(icu::Normalizer2::getNFDInstance);
  const icu::UnicodeString folded = Normalised(
      decompose, Normalised(case_fold, icu::UnicodeString::fromUTF8(icu::StringPiece(
                                           text.data(), static_cast<int32_t>(text.size())))));
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
    const UChar32 c = folded.char32At(i);
    if (IsMark(c)) continue;
    if (!u_isalnum(c) && u_charType(c) != U_COMBINING_SPACING_MARK) {
      end_word();
    } else if (const absl::string_view others = AsOthersWriteIt(c); !others.empty()) {
      absl::StrAppend(&word, others);
    } else {
      icu::UnicodeString(c).toUTF8String(word);
    }
  }
  end_word();
  return words;
}

std::vector<std::string> WordsOfAscii(absl::string_view text) {
  std::vector<std::string> words;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && absl::ascii_isalnum(static_cast<unsigned char>(text[i]))) continue;
    if (i > begin) words.push_back(absl::AsciiStrToLower(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return words;
}

}  // namespace

std::vector<std::string> FoldedWords(absl::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isascii(static_cast<unsigned char>(c));
  });
  return ascii ? WordsOfAscii(text) : WordsOfUnicode(text);
}

bool BeginWith(const std::vector<std::string>& words, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& beginning) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return absl::StartsWith(word, beginning); });
  });
}

std::string FoldingVersion() { return absl::StrCat("Unicode ", U_UNICODE_VERSION); }

}  // namespace rapport
