#include "services/rapport/output.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "libs/base/money.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

// Characters on the screen, wide ones not told apart.
size_t WidthOf(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// "SEVERITY_HIGH" without "SEVERITY_": "high"; empty for the zero value.
std::string Word(absl::string_view name, absl::string_view prefix) {
  const std::string word = absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
  return word == "unspecified" ? "" : absl::StrReplaceAll(word, {{"_", " "}});
}

}  // namespace

Table::Table(std::vector<std::string> headings) {
  for (std::string& heading : headings) {
    right_.push_back(!heading.empty() && heading.front() == '>');
    if (right_.back()) heading.erase(0, 1);
  }
  rows_.push_back(std::move(headings));
}

void Table::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  cells.resize(right_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::ToString() const {
  if (rows_.size() == 1) return "";
  std::vector<size_t> widths(right_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  const bool headed = std::any_of(rows_.front().begin(), rows_.front().end(),
                                  [](const std::string& heading) { return !heading.empty(); });
  for (size_t r = headed ? 0 : 1; r < rows_.size(); ++r) {
    const std::vector<std::string>& row = rows_[r];
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - WidthOf(row[i]), ' ');
      absl::StrAppend(&line, i == 0 ? "" : "  ", right_[i] ? padding : "", row[i],
                      right_[i] ? "" : padding);
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string FormatCount(int64_t count) {
  std::string digits = absl::StrCat(count);
  const size_t sign = count < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > sign + 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string CountOf(int64_t count, absl::string_view singular, absl::string_view plural) {
  return absl::StrCat(FormatCount(count), " ", count == 1 ? singular : plural);
}

std::string FormatMoment(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M", time, absl::LocalTimeZone());
}

std::string FormatMoment(const google::protobuf::Timestamp& time) {
  return FormatMoment(FromProto(time));
}

std::string FormatAmount(int64_t minor_units, absl::string_view currency_code) {
  std::string text = FormatMoney(minor_units, currency_code);
  const size_t sign = minor_units < 0 ? 1 : 0;
  for (size_t i = std::min(text.find('.'), text.find(' ')); i > sign + 3;) text.insert(i -= 3, ",");
  return text;
}

std::string SeverityWord(alert::v1::Severity severity) {
  return Word(alert::v1::Severity_Name(severity), "SEVERITY_");
}

std::string SegmentWord(touchpoint::v1::Segment segment) {
  return Word(touchpoint::v1::Segment_Name(segment), "SEGMENT_");
}

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Json MomentJson(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

Json MomentJson(const google::protobuf::Timestamp& time) { return MomentJson(FromProto(time)); }

Json AmountJson(int64_t minor_units, absl::string_view currency_code) {
  return {{"minor_units", minor_units}, {"currency_code", std::string(currency_code)}};
}

namespace {

Json FactsJson(const alert::v1::ReasonFacts& facts) {
  Json json = Json::object();
  if (facts.has_since()) json["since"] = MomentJson(facts.since());
  if (facts.has_until()) json["until"] = MomentJson(facts.until());
  if (facts.count() != 0) json["count"] = facts.count();
  if (facts.value() != 0 || facts.usual_value() != 0) json["value"] = facts.value();
  if (facts.usual_value() != 0) json["usual_value"] = facts.usual_value();
  if (!facts.name().empty()) json["name"] = facts.name();
  const auto amount = [&json](const char* name, bool has, const touchpoint::v1::Money& money) {
    if (has) json[name] = AmountJson(money.minor_units(), money.currency_code());
  };
  amount("amount", facts.has_amount(), facts.amount());
  amount("usual_amount", facts.has_usual_amount(), facts.usual_amount());
  return json;
}

}  // namespace

Json ReasonJson(const alert::v1::Reason& reason) {
  Json json = {{"code", reason.code()}, {"text", reason.text()}, {"points", reason.points()}};
  json["facts"] = FactsJson(reason.facts());
  Json& ids = json["touchpoint_ids"] = Json::array();
  for (const std::string& id : reason.touchpoint_ids()) ids.push_back(absl::BytesToHexString(id));
  return json;
}

Json ClearingJson(const alert::v1::WouldClear& clearing) {
  Json remedies = Json::array();
  for (const alert::v1::Remedy& remedy : clearing.remedies()) {
    remedies.push_back({{"code", remedy.code()},
                        {"text", remedy.text()},
                        {"facts", FactsJson(remedy.facts())},
                        {"item_id", remedy.item_id()}});
  }
  return {{"remedies", remedies}, {"score", clearing.score()}, {"clears", clearing.clears()}};
}

Json NextStepJson(const alert::v1::NextStep& step) {
  const std::string channel = touchpoint::v1::Channel_Name(step.channel());
  Json json = {{"code", step.code()},
               {"text", step.text()},
               {"facts", FactsJson(step.facts())},
               {"item_id", step.item_id()},
               {"channel", absl::AsciiStrToLower(absl::StripPrefix(channel, "CHANNEL_"))}};
  json["hours"] = nullptr;
  if (step.has_hours()) {
    json["hours"] = {{"from_hour", step.hours().from_hour()},
                     {"until_hour", step.hours().until_hour()},
                     {"time_zone", step.hours().time_zone()}};
  }
  return json;
}

std::string ClearingText(const alert::v1::WouldClear& clearing) {
  std::string text;
  for (const alert::v1::Remedy& remedy : clearing.remedies()) {
    absl::StrAppend(&text, text.empty() ? "" : "; and ", remedy.text());
  }
  return Printable(
      absl::StrCat(text, clearing.clears() ? " (then it is " : " (comes nearest: then it is ",
                   clearing.score(), ")"));
}

void Print(absl::string_view text) {
  const std::string lines = PrintableLines(text);
  std::fwrite(lines.data(), 1, lines.size(), stdout);
}

void PrintError(absl::string_view text) {
  const std::string lines = PrintableLines(text);
  std::fwrite(lines.data(), 1, lines.size(), stderr);
}

void PrintJson(const Json& json) {
  PrintJsonLine(json.dump(2, ' ', false, Json::error_handler_t::replace));
}

void PrintJsonLine(absl::string_view json) {
  const std::string line = PrintableJson(json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

}  // namespace rapport
