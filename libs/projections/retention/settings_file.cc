#include "libs/projections/retention/settings_file.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "libs/base/status.h"
#include "libs/projections/retention/settings_fields.h"

namespace rapport {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

std::string ValueText(const std::string& value) { return value; }
std::string ValueText(int64_t value) { return absl::StrCat(value); }
std::string ValueText(int value) { return absl::StrCat(value); }
std::string ValueText(double value) { return fmt::format("{}", value); }
std::string ValueText(absl::Duration value) {
  if (value % kDay == absl::ZeroDuration()) return absl::StrCat(value / kDay, "d");
  return fmt::format("{}h", absl::ToDoubleHours(value));
}

bool ParseValue(absl::string_view text, std::string* value) {
  *value = std::string(text);
  return true;
}
bool ParseValue(absl::string_view text, int64_t* value) { return absl::SimpleAtoi(text, value); }
bool ParseValue(absl::string_view text, int* value) { return absl::SimpleAtoi(text, value); }
bool ParseValue(absl::string_view text, double* value) { return absl::SimpleAtod(text, value); }
bool ParseValue(absl::string_view text, absl::Duration* value) {
  double number = 0;
  if (text.size() < 2 || !absl::SimpleAtod(text.substr(0, text.size() - 1), &number)) return false;
  if (text.back() != 'd' && text.back() != 'h') return false;
  *value = absl::Seconds(static_cast<int64_t>(number * (text.back() == 'd' ? 86400 : 3600)));
  return true;
}

// How far the value is along its range.
double Measure(const std::string& value) { return static_cast<double>(value.size()); }
double Measure(double value) { return value; }
double Measure(int64_t value) { return static_cast<double>(value); }
double Measure(int value) { return value; }
double Measure(absl::Duration value) { return absl::ToDoubleHours(value) / 24; }

template <class T>
std::string RangeText(const T&, SettingRange range) {
  if constexpr (std::is_same_v<T, std::string>)
    return fmt::format("a text of {} to {} characters", range.least, range.most);
  if constexpr (std::is_same_v<T, absl::Duration>)
    return fmt::format("{} to {} days, such as 30d or 48h", range.least, range.most);
  return fmt::format("a {}number from {} to {}", std::is_integral_v<T> ? "whole " : "", range.least,
                     range.most);
}

struct Line {
  int number = 0;
  std::string value;
};

absl::Status At(absl::string_view file, int line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file, ":", line, ": ", what));
}

// Levenshtein's, to name what was probably meant.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string Nearest(absl::string_view name) {
  std::string nearest;
  size_t least = name.size();
  const RetentionSettings settings;
  VisitSettings(settings, [&](const std::string& known, const auto&, SettingRange) {
    const size_t distance = Distance(name, known);
    if (distance >= least) return;
    least = distance;
    nearest = known;
  });
  return nearest;
}

absl::StatusOr<std::map<std::string, Line>> ReadLines(absl::string_view text,
                                                      absl::string_view file) {
  std::map<std::string, Line> lines;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (line.find(':') == absl::string_view::npos)
      return At(file, number, absl::StrCat("'", line, "' is not of the form name: value"));
    const std::string name(absl::StripAsciiWhitespace(parts.first));
    const auto [place, is_new] = lines.try_emplace(
        name, Line{number, std::string(absl::StripAsciiWhitespace(parts.second))});
    if (!is_new)
      return At(file, number,
                absl::StrCat("'", name, "' stands in line ", place->second.number, " already"));
  }
  return lines;
}

// What several settings have to be together.
absl::Status CheckTogether(const RetentionSettings& settings, absl::string_view file,
                           const std::map<std::string, Line>& lines) {
  const auto ordered = [&](const char* low, double low_value, const char* high,
                           double high_value) -> absl::Status {
    if (low_value < high_value) return absl::OkStatus();
    const auto place = lines.find(low);
    const auto other = lines.find(high);
    const int line = std::max(place == lines.end() ? 0 : place->second.number,
                              other == lines.end() ? 0 : other->second.number);
    return At(file, line,
              absl::StrCat(low, " is ", low_value, " and ", high, " is ", high_value,
                           ": the first has to be below the second"));
  };
  const RetentionSettings& s = settings;
  RAPPORT_RETURN_IF_ERROR(ordered("clear_points", s.clear_points, "raise_points", s.raise_points));
  RAPPORT_RETURN_IF_ERROR(ordered("raise_points", s.raise_points, "high_points", s.high_points));
  RAPPORT_RETURN_IF_ERROR(
      ordered("high_points", s.high_points, "critical_points", s.critical_points));
  RAPPORT_RETURN_IF_ERROR(ordered("notice_high_value", static_cast<double>(s.notice_high_value),
                                  "notice_critical_value",
                                  static_cast<double>(s.notice_critical_value)));
  RAPPORT_RETURN_IF_ERROR(ordered("loss_high_value", static_cast<double>(s.loss_high_value),
                                  "loss_critical_value",
                                  static_cast<double>(s.loss_critical_value)));
  const std::pair<const char*, const RhythmSettings*> rhythms[] = {
      {"phone", &s.phone}, {"e_mail", &s.e_mail},   {"meetings", &s.meetings},
      {"chat", &s.chat},   {"letters", &s.letters}, {"portal", &s.portal}};
  for (const auto& [channel, rhythm] : rhythms)
    RAPPORT_RETURN_IF_ERROR(ordered(absl::StrCat(channel, ".least").c_str(), rhythm->least,
                                    absl::StrCat(channel, ".most").c_str(), rhythm->most));
  return absl::OkStatus();
}

}  // namespace

std::string SettingsText(const RetentionSettings& settings) {
  std::string text;
  VisitSettings(settings, [&](const std::string& name, const auto& value, SettingRange) {
    absl::StrAppend(&text, name, ": ", ValueText(value), "\n");
  });
  return text;
}

absl::StatusOr<RetentionSettings> ParseSettings(absl::string_view text, absl::string_view file,
                                                const RetentionSettings& base) {
  RAPPORT_ASSIGN_OR_RETURN(const auto lines, ReadLines(text, file));
  RetentionSettings settings = base;
  absl::Status status;
  std::map<std::string, Line> unknown = lines;
  VisitSettings(settings, [&](const std::string& name, auto& value, SettingRange range) {
    const auto place = lines.find(name);
    if (place == lines.end()) return;
    unknown.erase(name);
    const auto& [number, given] = place->second;
    const bool right =
        ParseValue(given, &value) && Measure(value) >= range.least && Measure(value) <= range.most;
    if (!right && status.ok())
      status = At(file, number,
                  absl::StrCat(name, " is '", given, "', and has to be ", RangeText(value, range)));
  });
  if (!unknown.empty()) {
    const auto first = std::min_element(
        unknown.begin(), unknown.end(),
        [](const auto& a, const auto& b) { return a.second.number < b.second.number; });
    return At(file, first->second.number,
              absl::StrCat("there is no setting '", first->first, "'; did you mean ",
                           Nearest(first->first), "?"));
  }
  RAPPORT_RETURN_IF_ERROR(status);
  RAPPORT_RETURN_IF_ERROR(CheckTogether(settings, file, lines));
  RetentionSettings renamed = settings;
  renamed.model_version = base.model_version;
  if (settings.model_version == base.model_version && SettingsText(renamed) != SettingsText(base))
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": model_version is '", base.model_version,
                     "' as before, though settings differ: give it a line \"model_version: NAME\" "
                     "with a name of its own, which every alert will carry"));
  return settings;
}

}  // namespace rapport
