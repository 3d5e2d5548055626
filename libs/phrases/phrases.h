#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/touchpoint/v1/common.pb.h"

namespace rapport {

// What a text is given by name: "{client}", "{count, plural, ...}".
using PhraseValue = std::variant<std::string, int64_t>;
using PhraseValues = std::vector<std::pair<std::string, PhraseValue>>;

// The texts of one language, with its plurals, days and amounts, in one time zone: what stands in
// mails. The texts are ICU messages in PO files, those of reasons the console's own. One thread at
// a time.
class Phrases {
 public:
  // `language` as in Languages(); English for any other.
  Phrases(absl::string_view language, absl::TimeZone zone);
  ~Phrases();

  const std::string& language() const { return language_; }
  absl::TimeZone zone() const { return zone_; }
  // All ids, sorted.
  std::vector<std::string> Ids() const;
  bool Has(absl::string_view id) const;
  // The text as it stands in the file; aborts when there is none.
  const std::string& Pattern(absl::string_view id) const;
  // The text with its values. Aborts when there is none, or it is no ICU message: a test looks at
  // all of them.
  std::string Text(absl::string_view id, const PhraseValues& values = {}) const;

  // "18 Nov", with the year when it is another than that of `now`.
  std::string Day(absl::Time at, absl::Time now) const;
  // "Friday 27 November".
  std::string LongDay(absl::Time at) const;
  // "14:20".
  std::string Hour(absl::Time at) const;
  // "3 days ago", "tomorrow", "in 2 hours".
  std::string Relative(absl::Time at, absl::Time now) const;
  // "£3,877.52"; "" when there is no amount.
  std::string Amount(const touchpoint::v1::Money& money) const;
  // Days of the calendar from one moment to another.
  int64_t CalendarDays(absl::Time from, absl::Time to) const;

 private:
  class Impl;
  std::string language_;
  absl::TimeZone zone_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rapport
