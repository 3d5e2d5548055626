#include "tests/compatibility/proto_rules.h"

#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/compatibility/descriptor_walk.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptorProto;

constexpr char kTimestamp[] = ".google.protobuf.Timestamp";

// "DealStage" -> "deal_stage"; a run of capitals is one word: "KPIName" -> "kpi_name".
std::string SnakeCase(const std::string& name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool starts_word = i > 0 && absl::ascii_isupper(name[i]) &&
                             (!absl::ascii_isupper(name[i - 1]) ||
                              (i + 1 < name.size() && absl::ascii_islower(name[i + 1])));
    if (starts_word) snake += '_';
    snake += absl::ascii_tolower(name[i]);
  }
  return snake;
}

// "rapport/alert/v1/alert.proto" -> "alert"; empty when it is no such path.
std::string AreaOf(const std::string& file_name) {
  const std::vector<std::string> parts = absl::StrSplit(file_name, '/');
  return parts.size() == 4 && parts[0] == "rapport" ? parts[1] : "";
}

bool IsVersion(absl::string_view text) {
  return absl::ConsumePrefix(&text, "v") && !text.empty() && text[0] != '0' &&
         text.find_first_not_of("0123456789") == absl::string_view::npos;
}

bool IsMap(const FieldView& view) {
  if (view.field->type() != Field::TYPE_MESSAGE) return false;
  for (const pb::DescriptorProto& nested : view.parent.message->nested_type()) {
    if (nested.options().map_entry() &&
        view.field->type_name() == absl::StrCat(".", view.parent.full_name, ".", nested.name())) {
      return true;
    }
  }
  return false;
}

bool IsPlural(const std::string& name) {
  static const std::set<std::string> irregular = {"people", "children", "criteria"};
  const std::string last = name.substr(name.rfind('_') + 1);  // the whole name without a '_'
  return irregular.count(last) > 0 || (absl::EndsWith(last, "s") && !absl::EndsWith(last, "ss"));
}

bool NamesMoment(const std::string& name) {
  static const std::set<std::string> words = {"at",        "now",        "time",  "times",
                                              "timestamp", "timestamps", "until", "since",
                                              "deadline",  "deadlines",  "date",  "dates"};
  return words.count(name.substr(name.rfind('_') + 1)) > 0 || absl::StrContains(name, "unix") ||
         absl::StrContains(name, "since_epoch");
}

bool IsPastTense(const std::string& message) {
  static const std::set<std::string> irregular = {"held",  "made", "kept", "broken",    "won",
                                                  "lost",  "left", "set",  "withdrawn", "given",
                                                  "split", "sent", "paid", "agreed",    "taken"};
  static const std::set<std::string> nouns = {"need", "feed", "speed", "deed", "bed", "red"};
  const std::string snake = SnakeCase(message);
  if (absl::EndsWith(snake, "_handed_over")) return true;
  const std::string last = snake.substr(snake.rfind('_') + 1);
  if (irregular.count(last) > 0) return true;
  return absl::EndsWith(last, "ed") && nouns.count(last) == 0;
}

}  // namespace

Breaches CheckPackages(const pb::FileDescriptorSet& set) {
  Breaches breaches;
  for (const pb::FileDescriptorProto* file : FilesOf(set)) {
    const std::vector<std::string> parts = absl::StrSplit(file->name(), '/');
    if (parts.size() != 4 || parts[0] != "rapport" || !IsVersion(parts[2])) {
      breaches.push_back(
          absl::StrCat(file->name(), ": must stand at rapport/<area>/v<N>/<name>.proto"));
      continue;
    }
    const std::string package = absl::StrCat("rapport.", parts[1], ".", parts[2]);
    if (file->package() != package) {
      breaches.push_back(absl::StrCat(file->name(), ": package is ", file->package(),
                                      ", must be that of its folder, ", package));
    }
    if (file->syntax() != "proto3") {
      breaches.push_back(absl::StrCat(file->name(), ": must be proto3"));
    }
  }
  return breaches;
}

Breaches CheckImports(const pb::FileDescriptorSet& set) {
  static const std::map<std::string, std::set<std::string>> may_know = {
      {"touchpoint", {}},
      {"alert", {"touchpoint"}},
      {"rejected", {"touchpoint"}},
      {"source", {"touchpoint"}},
      {"state", {"touchpoint", "alert"}},
      {"query", {"touchpoint", "alert"}},
      {"organisation", {}},
      {"access", {}},
      {"config", {"touchpoint", "alert"}},
  };
  Breaches breaches;
  for (const pb::FileDescriptorProto* file : FilesOf(set)) {
    const std::string area = AreaOf(file->name());
    const auto known = may_know.find(area);
    if (known == may_know.end()) {
      breaches.push_back(absl::StrCat(file->name(), ": there is no area \"", area,
                                      "\"; name it and whom it may know in CheckImports"));
      continue;
    }
    for (const std::string& dependency : file->dependency()) {
      const std::string other = AreaOf(dependency);
      if (absl::StartsWith(dependency, "google/") || other == area ||
          known->second.count(other) > 0) {
        continue;
      }
      breaches.push_back(absl::StrCat(file->name(), ": imports ", dependency, ", but ", area,
                                      " may not know ", other));
    }
  }
  return breaches;
}

Breaches CheckEnums(const pb::FileDescriptorSet& set) {
  Breaches breaches;
  for (const EnumView& view : EnumsOf(set)) {
    const std::string prefix =
        absl::StrCat(absl::AsciiStrToUpper(SnakeCase(view.declaration->name())), "_");
    const pb::EnumValueDescriptorProto& zero = view.declaration->value(0);
    if (zero.number() != 0 || zero.name() != absl::StrCat(prefix, "UNSPECIFIED")) {
      breaches.push_back(absl::StrCat(view.full_name, ": first value is ", zero.name(), " = ",
                                      zero.number(), ", must be ", prefix, "UNSPECIFIED = 0"));
    }
    for (const pb::EnumValueDescriptorProto& value : view.declaration->value()) {
      if (absl::StartsWith(value.name(), prefix)) continue;
      breaches.push_back(
          absl::StrCat(view.full_name, ": value ", value.name(), " must begin with ", prefix));
    }
  }
  return breaches;
}

Breaches CheckComments(const pb::FileDescriptorSet& set) {
  std::map<const pb::FileDescriptorProto*, std::set<DescriptorPath>> commented;
  for (const pb::FileDescriptorProto* file : FilesOf(set)) {
    for (const pb::SourceCodeInfo::Location& location : file->source_code_info().location()) {
      const std::string comment =
          absl::StrCat(location.leading_comments(), location.trailing_comments());
      if (absl::StripAsciiWhitespace(comment).empty()) continue;
      commented[file].insert(DescriptorPath(location.path().begin(), location.path().end()));
    }
  }
  Breaches breaches;
  auto check = [&](const pb::FileDescriptorProto* file, const DescriptorPath& path,
                   const std::string& name) {
    if (commented[file].count(path) == 0) breaches.push_back(absl::StrCat(name, ": no comment"));
  };
  for (const MessageView& view : MessagesOf(set)) {
    if (view.message->options().map_entry()) continue;
    check(view.file, view.path, view.full_name);
    for (int i = 0; i < view.message->oneof_decl_size(); ++i) {
      const std::string& oneof = view.message->oneof_decl(i).name();
      if (absl::StartsWith(oneof, "_")) continue;  // made by the compiler for `optional`
      DescriptorPath path = view.path;
      path.insert(path.end(), {pb::DescriptorProto::kOneofDeclFieldNumber, i});
      check(view.file, path, absl::StrCat(view.full_name, ".", oneof));
    }
  }
  for (const FieldView& view : FieldsOf(set)) check(view.parent.file, view.path, view.full_name);
  for (const EnumView& view : EnumsOf(set)) check(view.file, view.path, view.full_name);
  return breaches;
}

// Days and hours of the firm's calendar are no moments: readers get them as text, "2026-05-31" or
// "07:00". A state of figures has hundreds of moments, whole milliseconds, at a third of the size;
// the figure at which pay leaps, and what a change of dates has moved, are amounts.
bool IsNoMoment(const FieldView& view) {
  const bool text = view.field->type() == Field::TYPE_STRING;
  return (text && (absl::StartsWith(view.full_name, "rapport.query.v1.Kpi") ||
                   view.full_name == "rapport.query.v1.MailDigest.not_sent_since" ||
                   view.full_name == "rapport.config.v1.AlertMail.digest_at")) ||
         absl::StartsWith(view.full_name, "rapport.state.v1.Kpi") ||
         absl::StartsWith(view.full_name, "rapport.query.v1.BonusCliff.") ||
         absl::StartsWith(view.full_name, "rapport.query.v1.KpiDeal") ||
         view.full_name == "rapport.query.v1.KpiForecastMove.date";
}

Breaches CheckTimes(const pb::FileDescriptorSet& set) {
  Breaches breaches;
  for (const FieldView& view : FieldsOf(set)) {
    if (!NamesMoment(view.field->name()) || view.field->type_name() == kTimestamp) continue;
    if (IsNoMoment(view)) continue;
    breaches.push_back(absl::StrCat(view.full_name,
                                    ": names a moment, so it must be a google.protobuf.Timestamp"));
  }
  return breaches;
}

Breaches CheckPlurals(const pb::FileDescriptorSet& set) {
  Breaches breaches;
  for (const FieldView& view : FieldsOf(set)) {
    if (view.field->label() != Field::LABEL_REPEATED) continue;
    const std::string& name = view.field->name();
    const size_t by = name.find("_by_");
    // Cases in which something holds, as "skip_when { } skip_when { }" in a file that people write.
    if (IsPlural(name) || absl::EndsWith(name, "_when") || absl::EndsWith(name, "_days_of") ||
        (IsMap(view) && by != std::string::npos && IsPlural(name.substr(0, by)))) {
      continue;
    }
    breaches.push_back(absl::StrCat(view.full_name, ": is repeated, so its name must be plural"));
  }
  return breaches;
}

Breaches CheckEvents(const pb::FileDescriptorSet& set) {
  static const std::set<std::string> event_oneofs = {"rapport.touchpoint.v1.Touchpoint.payload",
                                                     "rapport.alert.v1.AlertEvent.change"};
  Breaches breaches;
  for (const FieldView& view : FieldsOf(set)) {
    const std::string oneof = OneofOf(*view.parent.message, *view.field);
    if (event_oneofs.count(absl::StrCat(view.parent.full_name, ".", oneof)) == 0) continue;
    const std::string& type = view.field->type_name();
    const std::string message = type.substr(type.rfind('.') + 1);
    if (!IsPastTense(message)) {
      breaches.push_back(absl::StrCat(view.full_name, ": ", message,
                                      " must be in the past tense; if it is, say so in "
                                      "IsPastTense"));
    }
    // A step may leave out the name of what it is a step of: AlertRaised as `raised`.
    const std::string snake = SnakeCase(message);
    if (view.field->name() != snake &&
        !absl::EndsWith(snake, absl::StrCat("_", view.field->name()))) {
      breaches.push_back(absl::StrCat(view.full_name, ": must be named after ", message));
    }
  }
  return breaches;
}

Breaches CheckExactNumbers(const pb::FileDescriptorSet& set) {
  Breaches breaches;
  for (const FieldView& view : FieldsOf(set)) {
    const std::string area = AreaOf(view.parent.file->name());
    if (area != "touchpoint" && area != "alert") continue;
    if (view.field->type() != Field::TYPE_FLOAT && view.field->type() != Field::TYPE_DOUBLE) {
      continue;
    }
    breaches.push_back(absl::StrCat(view.full_name,
                                    ": what is written to a log has no floating-point numbers; "
                                    "use an integer with its unit in the name"));
  }
  return breaches;
}

}  // namespace rapport
