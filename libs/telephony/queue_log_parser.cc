#include "libs/telephony/queue_log_parser.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/base/time.h"

namespace rapport {
namespace {

using source::v1::QueueEvent;

constexpr size_t kMaxIdBytes = 200;
constexpr int kNone = -1;

// Which parameter (from 0) tells what; the others are of no use to us.
struct EventKind {
  absl::string_view name;
  QueueEvent event;
  int wait = kNone;     // seconds
  int talk = kNone;     // seconds
  int caller = kNone;   // number
  int channel = kNone;  // uniqueid of the agent's channel
  // Whether the parameters are counted from the end, since older versions have fewer.
  bool from_end = false;
};

constexpr EventKind kKinds[] = {
    {.name = "ENTERQUEUE", .event = source::v1::QUEUE_EVENT_ENTERED, .caller = 1},
    {.name = "CONNECT", .event = source::v1::QUEUE_EVENT_CONNECTED, .wait = 0, .channel = 1},
    {.name = "COMPLETEAGENT", .event = source::v1::QUEUE_EVENT_COMPLETED, .wait = 0, .talk = 1},
    {.name = "COMPLETECALLER", .event = source::v1::QUEUE_EVENT_COMPLETED, .wait = 0, .talk = 1},
    {.name = "ABANDON", .event = source::v1::QUEUE_EVENT_ABANDONED, .wait = 2},
    {.name = "EXITEMPTY", .event = source::v1::QUEUE_EVENT_LEFT, .wait = 2},
    {.name = "EXITWITHTIMEOUT", .event = source::v1::QUEUE_EVENT_LEFT, .wait = 2},
    {.name = "EXITWITHKEY", .event = source::v1::QUEUE_EVENT_LEFT, .wait = 3},
    {.name = "SYSCOMPAT", .event = source::v1::QUEUE_EVENT_LEFT},
    {.name = "RINGNOANSWER", .event = source::v1::QUEUE_EVENT_NOT_TAKEN},
    {.name = "RINGCANCELED", .event = source::v1::QUEUE_EVENT_NOT_TAKEN},
    {.name = "AGENTDUMP", .event = source::v1::QUEUE_EVENT_NOT_TAKEN},
    {.name = "TRANSFER", .event = source::v1::QUEUE_EVENT_TRANSFERRED, .wait = 2, .talk = 3},
    {.name = "BLINDTRANSFER", .event = source::v1::QUEUE_EVENT_TRANSFERRED, .wait = 2, .talk = 3},
    {.name = "ATTENDEDTRANSFER",
     .event = source::v1::QUEUE_EVENT_TRANSFERRED,
     .wait = 2,
     .talk = 1,
     .from_end = true},
};

const EventKind* FindKind(absl::string_view name) {
  for (const EventKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

// A number of seconds; 0 when the line ends before it.
absl::StatusOr<int32_t> Seconds(const std::vector<absl::string_view>& parameters, int place,
                                absl::string_view what) {
  if (place < 0 || static_cast<size_t>(place) >= parameters.size() ||
      parameters[static_cast<size_t>(place)].empty()) {
    return 0;
  }
  int64_t seconds;
  const absl::string_view text = parameters[static_cast<size_t>(place)];
  if (!absl::SimpleAtoi(text, &seconds)) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": '", ToUtf8(text), "' is no number of seconds"));
  }
  return ToSeconds(seconds);
}

absl::StatusOr<source::v1::QueueStep> MakeStep(const EventKind& kind,
                                               const std::vector<absl::string_view>& fields) {
  const std::vector<absl::string_view> parameters(fields.begin() + 5, fields.end());
  source::v1::QueueStep step;
  step.set_event(kind.event);
  step.set_queue(ToUtf8(fields[2]));
  if (fields[3] != "NONE") step.set_agent(ToUtf8(fields[3]));
  const int count = static_cast<int>(parameters.size());
  // From the end: the last one but `place`.
  const auto place_of = [&](int place) {
    return place == kNone ? kNone : kind.from_end ? count - 1 - place : place;
  };
  RAPPORT_ASSIGN_OR_RETURN(const int32_t wait,
                           Seconds(parameters, place_of(kind.wait), "waiting time"));
  RAPPORT_ASSIGN_OR_RETURN(const int32_t talk,
                           Seconds(parameters, place_of(kind.talk), "talking time"));
  step.set_wait_seconds(wait);
  step.set_talk_seconds(talk);
  if (kind.caller != kNone && kind.caller < count) {
    step.set_caller(ToUtf8(parameters[static_cast<size_t>(kind.caller)]));
  }
  return step;
}

}  // namespace

absl::StatusOr<source::v1::SourceRecord> ParseQueueLogLine(absl::string_view line,
                                                           absl::string_view file_id,
                                                           int64_t offset, const CallSource& source,
                                                           absl::Time received_at) {
  std::vector<absl::string_view> fields = absl::StrSplit(line, '|');
  // Some writers put blanks round the bars.
  for (absl::string_view& field : fields) field = absl::StripAsciiWhitespace(field);
  if (fields.size() < 5) {
    return absl::InvalidArgumentError(
        absl::StrCat("the line has ", fields.size(), " fields, and at least 5 are expected"));
  }
  int64_t epoch;
  if (!absl::SimpleAtoi(fields[0], &epoch) || epoch < 0 || epoch > 100'000'000'000) {
    return absl::InvalidArgumentError(
        absl::StrCat("time: '", ToUtf8(fields[0]), "' is no number of seconds since 1970"));
  }
  const std::string record_id =
      absl::StrCat("queue_log/", HashId(absl::StrCat(source.source, "\n", file_id, "\n", offset)));
  const std::string call_id = ToUtf8(fields[1]);
  const EventKind* const kind = FindKind(fields[4]);
  const bool no_call = call_id.empty() || call_id == "NONE" || call_id == "REALTIME";
  if (no_call || kind == nullptr) {
    source::v1::SourceRecord skipped =
        MakeSkippedRecord(source, record_id, received_at,
                          absl::StrCat(ToUtf8(fields[4]),
                                       no_call ? " is about no call" : " tells nothing of a call"));
    ToProto(absl::FromUnixSeconds(epoch), skipped.mutable_occurred_at());
    return skipped;
  }
  if (call_id.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError("callid: longer than 200 bytes");
  }
  RAPPORT_ASSIGN_OR_RETURN(source::v1::QueueStep step, MakeStep(*kind, fields));
  ToProto(absl::FromUnixSeconds(epoch), step.mutable_at());
  step.set_sequence(offset);
  source::v1::SourceRecord record = MakeSourceRecord(source, record_id, received_at);
  ToProto(absl::FromUnixSeconds(epoch), record.mutable_occurred_at());
  source::v1::CallFact* const fact = record.mutable_call_fact();
  fact->set_system(source.system);
  fact->set_call_id(call_id);
  if (kind->channel != kNone && fields.size() > 5 + static_cast<size_t>(kind->channel)) {
    const std::string channel = ToUtf8(fields[5 + static_cast<size_t>(kind->channel)]);
    if (!channel.empty() && channel != call_id && channel.size() <= kMaxIdBytes) {
      fact->add_related_call_ids(channel);
    }
  }
  *fact->mutable_queue_step() = std::move(step);
  return record;
}

}  // namespace rapport
