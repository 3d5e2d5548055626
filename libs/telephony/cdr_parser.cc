#include "libs/telephony/cdr_parser.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "libs/telephony/csv_row.h"

namespace rapport {
namespace {

using touchpoint::v1::CallOutcome;

// Clocks within one machine: the channel is made an instant before the leg begins.
constexpr absl::Duration kClockSlack = absl::Seconds(60);

// Of an id of a channel, as it is kept; Asterisk's have at most 150.
constexpr size_t kMaxIdBytes = 200;

std::optional<int> Digits(absl::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// "2024-01-27 15:07:24".
absl::StatusOr<absl::CivilSecond> ParseCivil(absl::string_view name, absl::string_view text) {
  const auto bad = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", ToUtf8(text), "' is no time such as 2024-01-27 15:07:24"));
  };
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' ||
      text[16] != ':') {
    return bad();
  }
  std::array<int, 6> parts;
  static constexpr std::array<size_t, 6> kBegins = {0, 5, 8, 11, 14, 17};
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::optional<int> part = Digits(text.substr(kBegins[i], i == 0 ? 4 : 2));
    if (!part.has_value()) return bad();
    parts[i] = *part;
  }
  const absl::CivilSecond civil(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  // What does not exist was carried over into the next unit.
  if (civil.year() != parts[0] || civil.month() != parts[1] || civil.day() != parts[2] ||
      civil.hour() != parts[3] || civil.minute() != parts[4] || civil.second() != parts[5] ||
      parts[0] < 1) {
    return bad();
  }
  return civil;
}

absl::StatusOr<int64_t> ParseWhole(absl::string_view name, absl::string_view text) {
  int64_t value;
  if (text.empty()) return 0;
  if (!absl::SimpleAtoi(text, &value) || value < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", ToUtf8(text), "' is no whole number"));
  }
  return value;
}

absl::StatusOr<CallOutcome> ParseDisposition(absl::string_view text) {
  if (text == "ANSWERED") return touchpoint::v1::CALL_OUTCOME_ANSWERED;
  if (text == "NO ANSWER") return touchpoint::v1::CALL_OUTCOME_NO_ANSWER;
  if (text == "BUSY") return touchpoint::v1::CALL_OUTCOME_BUSY;
  if (text == "FAILED" || text == "CONGESTION") return touchpoint::v1::CALL_OUTCOME_FAILED;
  return absl::InvalidArgumentError(
      absl::StrCat("disposition: '", ToUtf8(text),
                   "' is none of ANSWERED, NO ANSWER, BUSY, FAILED and CONGESTION"));
}

// When the channel came to be: "1706368044.0", or "system-1706368044.0".
std::optional<absl::Time> ChannelTime(absl::string_view unique_id) {
  const size_t dash = unique_id.rfind('-');
  if (dash != absl::string_view::npos) unique_id.remove_prefix(dash + 1);
  int64_t seconds;
  if (!absl::SimpleAtoi(unique_id.substr(0, unique_id.find('.')), &seconds) ||
      seconds < 1'000'000'000 || seconds > 100'000'000'000) {
    return std::nullopt;
  }
  return absl::FromUnixSeconds(seconds);
}

// As zone.At, which looks through the changes of the zone's clocks each time: rows of a file are
// near each other, and mostly far from a change.
absl::TimeZone::TimeInfo TimeOf(const absl::TimeZone& zone, const absl::CivilSecond& civil) {
  // Around the last time that was far from a change: no clocks are changed by more than a day.
  constexpr int kHour = 3600;
  constexpr int kBefore = 12 * kHour;
  constexpr int kAfter = 24 * kHour;
  constexpr int kFar = 48 * kHour;
  struct Quiet {
    absl::TimeZone zone;
    absl::CivilSecond begin, end;
    absl::Time at_begin;
  };
  thread_local Quiet quiet;
  if (civil >= quiet.begin && civil < quiet.end && zone == quiet.zone) {
    const absl::Time time = quiet.at_begin + absl::Seconds(civil - quiet.begin);
    return {.kind = absl::TimeZone::TimeInfo::UNIQUE, .pre = time, .trans = time, .post = time};
  }
  const absl::TimeZone::TimeInfo info = zone.At(civil);
  absl::TimeZone::CivilTransition change;
  if (info.kind == absl::TimeZone::TimeInfo::UNIQUE &&
      (!zone.NextTransition(info.pre - absl::Seconds(kFar), &change) ||
       change.from - civil > kAfter + kFar)) {
    quiet = {.zone = zone,
             .begin = civil - kBefore,
             .end = civil + kAfter,
             .at_begin = info.pre - absl::Seconds(kBefore)};
  }
  return info;
}

// The earlier of the two times that a repeated local time stands for which is not before `least`.
absl::Time Resolve(const absl::TimeZone& zone, const absl::CivilSecond& civil, absl::Time least) {
  const absl::TimeZone::TimeInfo info = TimeOf(zone, civil);
  if (info.kind != absl::TimeZone::TimeInfo::REPEATED) return info.pre;
  return info.pre >= least ? info.pre : info.post;
}

struct Times {
  absl::Time start;
  std::optional<absl::Time> answer;
  absl::Time end;
};

absl::StatusOr<Times> ParseTimes(const CdrFields& fields, const absl::TimeZone& zone,
                                 int64_t duration) {
  Times times;
  RAPPORT_ASSIGN_OR_RETURN(const absl::CivilSecond start, ParseCivil("start", fields.start));
  std::optional<absl::CivilSecond> end;
  if (!fields.end.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(end, ParseCivil("end", fields.end));
  }
  const std::optional<absl::Time> channel = ChannelTime(fields.unique_id);
  absl::Time least = absl::InfinitePast();
  if (channel.has_value()) {
    least = *channel - kClockSlack;
  } else if (end.has_value() && zone.At(*end).kind != absl::TimeZone::TimeInfo::REPEATED) {
    least = zone.At(*end).pre - absl::Seconds(duration) - kClockSlack;
  }
  times.start = Resolve(zone, start, least);
  times.end = times.start + absl::Seconds(duration);
  if (end.has_value()) {
    times.end = std::max(times.start, Resolve(zone, *end, times.start));
  }
  if (!fields.answer.empty()) {
    RAPPORT_ASSIGN_OR_RETURN(const absl::CivilSecond answer, ParseCivil("answer", fields.answer));
    times.answer = Resolve(zone, answer, times.start);
  }
  return times;
}

// `"Name" <number>`, as much of it as there is.
absl::string_view CallerName(absl::string_view caller_id) {
  caller_id = absl::StripAsciiWhitespace(caller_id.substr(0, caller_id.rfind('<')));
  if (caller_id.size() >= 2 && caller_id.front() == '"' && caller_id.back() == '"') {
    return caller_id.substr(1, caller_id.size() - 2);
  }
  return caller_id;
}

// What a userfield is used for most, and all we take it for.
bool IsRecording(absl::string_view user_field) {
  for (const absl::string_view ending : {".wav", ".WAV", ".wav49", ".mp3", ".gsm", ".ogg"}) {
    if (absl::EndsWith(user_field, ending)) return true;
  }
  return false;
}

// What a row tells beside its texts.
struct Values {
  int64_t billed = 0;  // seconds
  int64_t sequence = 0;
  Times times;
  CallOutcome outcome = touchpoint::v1::CALL_OUTCOME_UNSPECIFIED;
};

absl::StatusOr<Values> ParseValues(const CdrFields& fields, const absl::TimeZone& zone) {
  Values values;
  RAPPORT_ASSIGN_OR_RETURN(const int64_t duration, ParseWhole("duration", fields.duration));
  RAPPORT_ASSIGN_OR_RETURN(values.billed, ParseWhole("billsec", fields.billed_seconds));
  RAPPORT_ASSIGN_OR_RETURN(values.sequence, ParseWhole("sequence", fields.sequence));
  if (duration > ToSeconds(duration) || values.billed > ToSeconds(values.billed)) {
    return absl::InvalidArgumentError(absl::StrCat("duration: ", duration, " and ", values.billed,
                                                   " seconds are no length of a call"));
  }
  RAPPORT_ASSIGN_OR_RETURN(values.times, ParseTimes(fields, zone, duration));
  RAPPORT_ASSIGN_OR_RETURN(values.outcome, ParseDisposition(fields.disposition));
  return values;
}

absl::Status CheckIds(absl::string_view call_id, absl::string_view leg_id) {
  if (std::max(call_id.size(), leg_id.size()) <= kMaxIdBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("uniqueid or linkedid: longer than ", kMaxIdBytes, " bytes"));
}

std::string RecordId(const CdrFields& fields) {
  if (!fields.unique_id.empty() && !fields.linked_id.empty() && !fields.sequence.empty()) {
    return ToUtf8(
        absl::StrCat("cdr/", fields.unique_id, "/", fields.linked_id, "/", fields.sequence));
  }
  const std::string all = absl::StrCat(
      absl::StrCat(fields.source, "\n", fields.destination, "\n", fields.context, "\n"),
      absl::StrCat(fields.channel, "\n", fields.destination_channel, "\n", fields.application, "\n",
                   fields.application_data, "\n"),
      absl::StrCat(fields.start, "\n", fields.answer, "\n", fields.end, "\n"),
      absl::StrCat(fields.duration, "\n", fields.billed_seconds, "\n", fields.disposition, "\n"));
  return absl::StrCat("cdr/", ToUtf8(fields.unique_id), "/", HashId(all));
}

void FillCallId(const CdrFields& fields, const std::string& record_id, source::v1::CallFact* fact) {
  if (!fields.linked_id.empty()) {
    fact->set_call_id(ToUtf8(fields.linked_id));
    if (!fields.unique_id.empty() && fields.unique_id != fields.linked_id) {
      fact->add_related_call_ids(ToUtf8(fields.unique_id));
    }
  } else {
    fact->set_call_id(fields.unique_id.empty() ? record_id : ToUtf8(fields.unique_id));
  }
  fact->mutable_leg()->set_leg_id(fields.unique_id.empty() ? fact->call_id()
                                                           : ToUtf8(fields.unique_id));
}

}  // namespace

absl::StatusOr<CdrLayout> CdrLayout::Parse(absl::string_view further_columns) {
  CdrLayout layout;
  for (absl::string_view name : absl::StrSplit(further_columns, ',')) {
    name = absl::StripAsciiWhitespace(name);
    if (name.empty()) continue;
    bool* const part = name == "uniqueid"    ? &layout.unique_id
                       : name == "userfield" ? &layout.user_field
                       : name == "linkage"   ? &layout.linkage
                                             : nullptr;
    if (part == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("further_columns: '", name, "' is none of uniqueid, userfield and linkage"));
    }
    *part = true;
  }
  return layout;
}

absl::StatusOr<source::v1::SourceRecord> CdrRecord(const CdrFields& fields,
                                                   const CallSource& source,
                                                   absl::Time received_at) {
  RAPPORT_ASSIGN_OR_RETURN(const Values values, ParseValues(fields, source.time_zone));
  const std::string record_id = RecordId(fields);
  source::v1::SourceRecord record = MakeSourceRecord(source, record_id, received_at);
  ToProto(values.times.end, record.mutable_occurred_at());
  source::v1::CallFact* const fact = record.mutable_call_fact();
  fact->set_system(source.system);
  FillCallId(fields, record_id, fact);
  RAPPORT_RETURN_IF_ERROR(CheckIds(fact->call_id(), fact->leg().leg_id()));
  source::v1::CallLeg* const leg = fact->mutable_leg();
  leg->set_sequence(values.sequence);
  leg->set_from(ToUtf8(fields.source));
  leg->set_to(ToUtf8(fields.destination));
  leg->set_caller_name(ToUtf8(CallerName(fields.caller_id)));
  leg->set_context(ToUtf8(fields.context));
  leg->set_channel(ToUtf8(fields.channel));
  leg->set_to_channel(ToUtf8(fields.destination_channel));
  leg->set_application(ToUtf8(fields.application));
  leg->set_application_data(ToUtf8(fields.application_data));
  ToProto(values.times.start, leg->mutable_began_at());
  if (values.times.answer.has_value()) ToProto(*values.times.answer, leg->mutable_answered_at());
  ToProto(values.times.end, leg->mutable_ended_at());
  leg->set_outcome(values.outcome);
  leg->set_talk_seconds(ToSeconds(values.billed));
  if (IsRecording(fields.user_field)) leg->set_recording_reference(ToUtf8(fields.user_field));
  return record;
}

CdrParser::CdrParser(CallSource source, const CdrLayout& layout)
    : source_(std::move(source)), layout_(layout) {}

absl::StatusOr<source::v1::SourceRecord> CdrParser::Parse(absl::string_view row,
                                                          absl::Time received_at) {
  RAPPORT_ASSIGN_OR_RETURN(const CdrFields fields, Split(row));
  return CdrRecord(fields, source_, received_at);
}

absl::StatusOr<CdrLeg> CdrParser::ParseLeg(absl::string_view row) {
  RAPPORT_ASSIGN_OR_RETURN(const CdrFields fields, Split(row));
  if (!IsUtf8(row) || (fields.unique_id.empty() && fields.linked_id.empty())) {
    RAPPORT_ASSIGN_OR_RETURN(record_, CdrRecord(fields, source_, absl::UnixEpoch()));
    return CdrLeg{.call_id = record_.call_fact().call_id(),
                  .leg = ViewOf(record_.call_fact().leg())};
  }
  RAPPORT_ASSIGN_OR_RETURN(const Values values, ParseValues(fields, source_.time_zone));
  const CdrLeg leg{
      .call_id = fields.linked_id.empty() ? fields.unique_id : fields.linked_id,
      .leg = {.leg_id = fields.unique_id.empty() ? fields.linked_id : fields.unique_id,
              .from = fields.source,
              .to = fields.destination,
              .caller_name = CallerName(fields.caller_id),
              .channel = fields.channel,
              .to_channel = fields.destination_channel,
              .application = fields.application,
              .application_data = fields.application_data,
              .recording_reference =
                  IsRecording(fields.user_field) ? fields.user_field : absl::string_view(),
              .sequence = values.sequence,
              .began_at = values.times.start,
              .answered_at = values.times.answer,
              .ended_at = values.times.end,
              .outcome = values.outcome,
              .talk_seconds = ToSeconds(values.billed)}};
  RAPPORT_RETURN_IF_ERROR(CheckIds(leg.call_id, leg.leg.leg_id));
  return leg;
}

absl::StatusOr<CdrFields> CdrParser::Split(absl::string_view row) {
  RAPPORT_RETURN_IF_ERROR(SplitCsvRow(row, &fields_, &unquoted_));
  if (fields_.size() != layout_.columns()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the row has ", fields_.size(), " columns, and further_columns says ", layout_.columns()));
  }
  CdrFields fields{.source = fields_[1],
                   .destination = fields_[2],
                   .context = fields_[3],
                   .caller_id = fields_[4],
                   .channel = fields_[5],
                   .destination_channel = fields_[6],
                   .application = fields_[7],
                   .application_data = fields_[8],
                   .start = fields_[9],
                   .answer = fields_[10],
                   .end = fields_[11],
                   .duration = fields_[12],
                   .billed_seconds = fields_[13],
                   .disposition = fields_[14]};
  size_t next = 16;
  if (layout_.unique_id) fields.unique_id = fields_[next++];
  if (layout_.user_field) fields.user_field = fields_[next++];
  if (layout_.linkage) {
    fields.linked_id = fields_[next + 1];
    fields.sequence = fields_[next + 2];
  }
  return fields;
}

}  // namespace rapport
