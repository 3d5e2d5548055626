#include "libs/phrases/phrases.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "libs/base/check.h"
#include "libs/phrases/phrase_file.h"
#include "unicode/dtptngen.h"
#include "unicode/msgfmt.h"
#include "unicode/numberformatter.h"
#include "unicode/reldatefmt.h"
#include "unicode/smpdtfmt.h"
#include "unicode/timezone.h"
#include "unicode/ucurr.h"

namespace rapport {
namespace {

using Texts = absl::flat_hash_map<std::string, std::string>;

// What a quoted string of a PO file holds.
std::string Unquoted(absl::string_view quoted) {
  std::string text;
  for (size_t i = 0; i < quoted.size(); ++i) {
    const bool escaped = quoted[i] == '\\' && i + 1 < quoted.size();
    if (!escaped) {
      text.push_back(quoted[i]);
      continue;
    }
    const char c = quoted[++i];
    text.push_back(c == 'n' ? '\n' : c == 't' ? '\t' : c);
  }
  return text;
}

// Entries of one line each, as both folders' files are written.
Texts ParsePo(absl::string_view file) {
  Texts texts;
  std::string id;
  for (absl::string_view line : absl::StrSplit(file, '\n')) {
    if (absl::ConsumePrefix(&line, "msgid \"") && absl::ConsumeSuffix(&line, "\"")) {
      id = Unquoted(line);
    } else if (absl::ConsumePrefix(&line, "msgstr \"") && absl::ConsumeSuffix(&line, "\"") &&
               !id.empty()) {
      texts[id] = Unquoted(line);
    }
  }
  return texts;
}

const Texts& TextsOf(const std::string& language) {
  static const auto* const all = [] {
    auto* const made = new std::map<std::string, Texts>();
    for (const char* const name : {"en", "pl", "el", "sk", "ru"}) {
      (*made)[name] = ParsePo(PhraseFile(name));
    }
    return made;
  }();
  return all->at(language);
}

// What days and amounts are written by; in English days before months.
const char* LocaleOf(const std::string& language) {
  if (language == "pl") return "pl_PL";
  if (language == "el") return "el_GR";
  if (language == "sk") return "sk_SK";
  if (language == "ru") return "ru_RU";
  return "en_GB";
}

void Check(UErrorCode status, absl::string_view what) {
  RAPPORT_CHECK(U_SUCCESS(status), absl::StrCat(what, ": ", u_errorName(status)));
}

std::string ToUtf8(const icu::UnicodeString& text) {
  std::string bytes;
  text.toUTF8String(bytes);
  return bytes;
}

UDate ToDate(absl::Time at) { return static_cast<UDate>(absl::ToUnixMillis(at)); }

}  // namespace

class Phrases::Impl {
 public:
  Impl(const std::string& language, absl::TimeZone zone)
      : texts(TextsOf(language)), locale(LocaleOf(language)) {
    UErrorCode status = U_ZERO_ERROR;
    relative = std::make_unique<icu::RelativeDateTimeFormatter>(locale, status);
    const std::unique_ptr<icu::DateTimePatternGenerator> patterns(
        icu::DateTimePatternGenerator::createInstance(locale, status));
    Check(status, "formats of days");
    const auto make = [&](const char* skeleton) {
      auto format = std::make_unique<icu::SimpleDateFormat>(
          patterns->getBestPattern(icu::UnicodeString::fromUTF8(skeleton), status), locale, status);
      Check(status, skeleton);
      format->adoptTimeZone(
          icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone.name())));
      return format;
    };
    day = make("dMMM");
    day_of_year = make("yMMMd");
    long_day = make("EEEEdMMMM");
    hour = std::make_unique<icu::SimpleDateFormat>(icu::UnicodeString("HH:mm"), locale, status);
    Check(status, "HH:mm");
    hour->adoptTimeZone(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone.name())));
  }

  static std::string Format(const icu::SimpleDateFormat& format, absl::Time at) {
    icu::UnicodeString text;
    format.format(ToDate(at), text);
    return ToUtf8(text);
  }

  const Texts& texts;
  const icu::Locale locale;
  std::unique_ptr<icu::RelativeDateTimeFormatter> relative;
  std::unique_ptr<icu::SimpleDateFormat> day;
  std::unique_ptr<icu::SimpleDateFormat> day_of_year;
  std::unique_ptr<icu::SimpleDateFormat> long_day;
  std::unique_ptr<icu::SimpleDateFormat> hour;
  mutable absl::flat_hash_map<std::string, std::unique_ptr<icu::MessageFormat>> messages;
};

Phrases::Phrases(absl::string_view language, absl::TimeZone zone)
    : language_(PhraseFile(language).empty() ? "en" : std::string(language)),
      zone_(zone),
      impl_(std::make_unique<Impl>(language_, zone)) {}
Phrases::~Phrases() = default;

std::vector<std::string> Phrases::Ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, text] : impl_->texts) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool Phrases::Has(absl::string_view id) const { return impl_->texts.contains(id); }

const std::string& Phrases::Pattern(absl::string_view id) const {
  const auto text = impl_->texts.find(id);
  RAPPORT_CHECK(text != impl_->texts.end(), absl::StrCat("there is no text '", id, "'"));
  return text->second;
}

std::string Phrases::Text(absl::string_view id, const PhraseValues& values) const {
  std::unique_ptr<icu::MessageFormat>& message = impl_->messages[id];
  UErrorCode status = U_ZERO_ERROR;
  if (message == nullptr) {
    message = std::make_unique<icu::MessageFormat>(icu::UnicodeString::fromUTF8(Pattern(id)),
                                                   impl_->locale, status);
    Check(status, id);
  }
  std::vector<icu::UnicodeString> names;
  std::vector<icu::Formattable> arguments;
  for (const auto& [name, value] : values) {
    names.push_back(icu::UnicodeString::fromUTF8(name));
    if (const auto* const number = std::get_if<int64_t>(&value)) {
      arguments.emplace_back(*number);
    } else {
      arguments.emplace_back(icu::UnicodeString::fromUTF8(std::get<std::string>(value)));
    }
  }
  icu::UnicodeString text;
  message->format(names.data(), arguments.data(), static_cast<int32_t>(names.size()), text, status);
  Check(status, id);
  return ToUtf8(text);
}

std::string Phrases::Day(absl::Time at, absl::Time now) const {
  const bool this_year = absl::ToCivilYear(at, zone_) == absl::ToCivilYear(now, zone_);
  return Impl::Format(this_year ? *impl_->day : *impl_->day_of_year, at);
}

std::string Phrases::LongDay(absl::Time at) const { return Impl::Format(*impl_->long_day, at); }
std::string Phrases::Hour(absl::Time at) const { return Impl::Format(*impl_->hour, at); }

int64_t Phrases::CalendarDays(absl::Time from, absl::Time to) const {
  return absl::ToCivilDay(to, zone_) - absl::ToCivilDay(from, zone_);
}

std::string Phrases::Relative(absl::Time at, absl::Time now) const {
  const absl::Duration difference = at - now;
  const int64_t days = CalendarDays(now, at);
  double value = static_cast<double>(days);
  URelativeDateTimeUnit unit = UDAT_REL_UNIT_DAY;
  if (absl::AbsDuration(difference) < absl::Hours(1)) {
    value = absl::ToDoubleMinutes(difference);
    unit = UDAT_REL_UNIT_MINUTE;
  } else if (days == 0) {
    value = absl::ToDoubleHours(difference);
    unit = UDAT_REL_UNIT_HOUR;
  }
  icu::UnicodeString text;
  UErrorCode status = U_ZERO_ERROR;
  impl_->relative->format(
      static_cast<double>(static_cast<int64_t>(value + (value < 0 ? -0.5 : 0.5))), unit, text,
      status);
  Check(status, "relative day");
  return ToUtf8(text);
}

std::string Phrases::Amount(const touchpoint::v1::Money& money) const {
  if (money.currency_code().empty()) return "";
  UErrorCode status = U_ZERO_ERROR;
  const icu::CurrencyUnit currency(icu::StringPiece(money.currency_code().c_str()), status);
  const int32_t digits = ucurr_getDefaultFractionDigits(currency.getISOCurrency(), &status);
  // Exact: a double would lose digits beyond 2^53.
  const std::string units = absl::StrCat(money.minor_units());
  icu::number::FormattedNumber formatted =
      icu::number::NumberFormatter::withLocale(impl_->locale)
          .unit(currency)
          .unitWidth(UNUM_UNIT_WIDTH_NARROW)
          .formatDecimal(absl::StrCat(units, "E-", digits), status);
  const icu::UnicodeString text = formatted.toString(status);
  // The API takes any three letters as a currency.
  if (U_FAILURE(status)) return absl::StrCat(units, " ", money.currency_code());
  return ToUtf8(text);
}

}  // namespace rapport
