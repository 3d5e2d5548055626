#include "libs/phrases/phrases.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "libs/base/time.h"
#include "libs/organisation/organisation.h"
#include "libs/phrases/reason_phrase.h"
#include "unicode/messagepattern.h"
#include "unicode/plurrule.h"

namespace rapport {
namespace {

absl::TimeZone Warsaw() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Warsaw", &zone));
  return zone;
}

absl::Time At(const char* moment) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, moment, &time, &error)) << error;
  return time;
}

const absl::Time kNow = At("2026-11-30T08:00:00+01:00");

struct Parts {
  std::set<std::string> names;
  std::vector<std::set<std::string>> plurals;
};

// The values that a text asks for, and the forms of its plurals.
Parts PartsOf(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::MessagePattern pattern(icu::UnicodeString::fromUTF8(text), nullptr, status);
  EXPECT_TRUE(U_SUCCESS(status)) << text << ": " << u_errorName(status);
  Parts parts;
  std::vector<size_t> open;
  for (int32_t i = 0; i < pattern.countParts(); ++i) {
    const icu::MessagePattern::Part& part = pattern.getPart(i);
    std::string words;
    pattern.getSubstring(part).toUTF8String(words);
    switch (part.getType()) {
      case UMSGPAT_PART_TYPE_ARG_START:
        if (part.getArgType() == UMSGPAT_ARG_TYPE_PLURAL) {
          open.push_back(parts.plurals.size());
          parts.plurals.emplace_back();
        }
        break;
      case UMSGPAT_PART_TYPE_ARG_LIMIT:
        if (part.getArgType() == UMSGPAT_ARG_TYPE_PLURAL) open.pop_back();
        break;
      case UMSGPAT_PART_TYPE_ARG_NAME:
        parts.names.insert(words);
        break;
      case UMSGPAT_PART_TYPE_ARG_SELECTOR:
        if (!open.empty()) parts.plurals[open.back()].insert(words);
        break;
      default:
        break;
    }
  }
  return parts;
}

std::set<std::string> FormsOf(const std::string& language) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::PluralRules> rules(
      icu::PluralRules::forLocale(icu::Locale(language.c_str()), status));
  std::set<std::string> forms;
  for (int32_t n = 0; n < 200; ++n) {
    std::string form;
    rules->select(n).toUTF8String(form);
    forms.insert(form);
  }
  return forms;
}

TEST(PhrasesTest, EveryTextIsThereInEveryLanguageWithItsValuesAndPlurals) {
  const Phrases english("en", absl::UTCTimeZone());
  EXPECT_GT(english.Ids().size(), 80u);
  for (const absl::string_view language : Languages()) {
    const Phrases phrases(language, absl::UTCTimeZone());
    EXPECT_EQ(phrases.language(), language);
    EXPECT_EQ(phrases.Ids(), english.Ids()) << language;
    const std::set<std::string> forms = FormsOf(phrases.language());
    for (const std::string& id : phrases.Ids()) {
      SCOPED_TRACE(absl::StrCat(language, " ", id));
      const Parts parts = PartsOf(phrases.Pattern(id));
      EXPECT_EQ(parts.names, PartsOf(english.Pattern(id)).names);
      for (const std::set<std::string>& has : parts.plurals) {
        for (const std::string& form : forms) EXPECT_TRUE(has.contains(form)) << form;
      }
    }
  }
}

TEST(PhrasesTest, NumbersHaveTheFormOfTheirLanguage) {
  const auto matters = [](const char* language, int64_t count) {
    return Phrases(language, Warsaw())
        .Text("digest.subject", {{"day", std::string("-")}, {"count", count}});
  };
  EXPECT_EQ(matters("en", 1), "Your day, -: 1 matter");
  EXPECT_EQ(matters("pl", 1), "Twój dzień, -: 1 sprawa");
  EXPECT_EQ(matters("pl", 3), "Twój dzień, -: 3 sprawy");
  EXPECT_EQ(matters("pl", 5), "Twój dzień, -: 5 spraw");
  EXPECT_EQ(matters("ru", 21), "Ваш день, -: 21 дело");
  EXPECT_EQ(matters("ru", 22), "Ваш день, -: 22 дела");
  EXPECT_EQ(matters("sk", 4), "Váš deň, -: 4 záležitosti");
  EXPECT_EQ(matters("el", 2), "Η ημέρα σας, -: 2 θέματα");
}

TEST(PhrasesTest, DaysHoursAndAmountsAreWrittenAsInTheLanguage) {
  const Phrases english("en", Warsaw());
  EXPECT_EQ(english.Day(kNow, kNow), "30 Nov");
  EXPECT_EQ(english.Day(At("2025-01-02T12:00:00Z"), kNow), "2 Jan 2025");
  EXPECT_EQ(english.LongDay(kNow), "Monday, 30 November");
  EXPECT_EQ(english.Hour(At("2026-11-30T13:20:00Z")), "14:20");
  EXPECT_EQ(english.Relative(kNow - absl::Hours(72), kNow), "3 days ago");
  EXPECT_EQ(english.Relative(kNow + absl::Hours(20), kNow), "tomorrow");
  EXPECT_EQ(english.Relative(kNow - absl::Hours(2), kNow), "2 hours ago");
  touchpoint::v1::Money money;
  money.set_minor_units(387752);
  money.set_currency_code("GBP");
  EXPECT_EQ(english.Amount(money), "£3,877.52");
  money.set_minor_units(1234);
  money.set_currency_code("JPY");
  EXPECT_EQ(english.Amount(money), "¥1,234");
  money.set_minor_units(9007199254740993);  // 2^53 + 1
  money.set_currency_code("EUR");
  EXPECT_EQ(english.Amount(money), "€90,071,992,547,409.93");
  EXPECT_EQ(english.Amount({}), "");
  EXPECT_EQ(Phrases("ru", Warsaw()).LongDay(kNow), "понедельник, 30 ноября");
  EXPECT_EQ(Phrases("pl", Warsaw()).Relative(kNow - absl::Hours(24), kNow), "wczoraj");
}

TEST(PhrasesTest, AnUnknownLanguageIsEnglish) {
  EXPECT_EQ(Phrases("de", Warsaw()).language(), "en");
  EXPECT_EQ(Phrases("", Warsaw()).language(), "en");
}

ReasonToTell Reason(const char* code, int32_t points = 100) {
  ReasonToTell reason{.code = code, .text = "the server's sentence", .points = points};
  ToProto(kNow - absl::Hours(24 * 40), reason.facts.mutable_since());
  reason.facts.set_count(5);
  reason.facts.set_usual_value(9);
  return reason;
}

TEST(ReasonPhraseTest, TellsWhatTheConsoleTells) {
  const Phrases english("en", Warsaw());
  EXPECT_EQ(ReasonPhrase(english, Reason("no_order"), kNow),
            "No order for 40 days; usually every 9 days");
  EXPECT_EQ(ReasonPhrase(english, Reason("no_order", -50), kNow),
            "Last order 40 days ago; usually every 9 days");
  ReasonToTell once = Reason("no_order");
  once.facts.set_count(1);
  EXPECT_EQ(ReasonPhrase(english, once, kNow), "Ordered on one day only, 21 Oct");
  ReasonToTell notice = Reason("notice_given");
  notice.facts.set_count(1);
  notice.facts.set_name("K-17");
  ToProto(kNow + absl::Hours(24 * 10), notice.facts.mutable_until());
  EXPECT_EQ(ReasonPhrase(english, notice, kNow),
            "Gave notice of contract K-17; it ends in 10 days");
  ToProto(kNow + absl::Hours(24 * 100), notice.facts.mutable_until());
  EXPECT_EQ(ReasonPhrase(english, notice, kNow),
            "Gave notice of contract K-17; it ends 10 Mar 2027");
  ReasonToTell left = Reason("decision_maker_left");
  left.facts.set_count(0);
  EXPECT_EQ(ReasonPhrase(english, left, kNow),
            "A decision maker left 40 days ago, and no other is known");
  EXPECT_EQ(ReasonPhrase(Phrases("pl", Warsaw()), Reason("commitment_overdue"), kNow),
            "5 naszych zobowiązań po terminie, najstarsze już 40 dni");
}

TEST(ReasonPhraseTest, ACodeWithoutATextHasTheServersSentence) {
  EXPECT_EQ(ReasonPhrase(Phrases("ru", Warsaw()), Reason("from_the_future"), kNow),
            "The server's sentence");
}

}  // namespace
}  // namespace rapport
