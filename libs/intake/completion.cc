#include "libs/intake/completion.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/time.h"
#include "libs/intake/json_text.h"
#include "libs/intake/rfc3339.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/names.h"
#include "libs/touchpoint/record.h"
#include "libs/touchpoint/validate.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using touchpoint::v1::Touchpoint;

// What both kinds of log take in one record with their default settings.
constexpr size_t kMaxRecordBytes = 1'000'000;

bool Fail(absl::string_view path, std::string reason, Problem* problem) {
  problem->path = std::string(path);
  problem->reason = std::move(reason);
  return false;
}

// What the attribute `name` says goes into `field`, where data did not say the same.
bool Agree(absl::string_view path, absl::string_view name, absl::string_view value,
           std::string* field, Problem* problem) {
  if (value.empty() || *field == value) return true;
  if (field->empty()) {
    field->assign(value.data(), value.size());
    return true;
  }
  return Fail(path, absl::StrCat("in data is not what the event's ", name, " says"), problem);
}

bool AgreeOnTime(const EventAttributes& attributes, Touchpoint* touchpoint, Problem* problem) {
  if (attributes.time.empty()) return true;
  google::protobuf::Timestamp time;
  if (!ParseRfc3339(attributes.time, &time)) {
    return Fail("time",
                absl::StrCat("'", Utf8Prefix(attributes.time, 64),
                             "' is no time such as 2026-01-02T09:00:00Z (RFC 3339)"),
                problem);
  }
  if (!touchpoint->has_occurred_at()) {
    *touchpoint->mutable_occurred_at() = time;
    return true;
  }
  if (FromProto(time) == FromProto(touchpoint->occurred_at())) return true;
  return Fail("occurred_at", "in data is not what the event's time says", problem);
}

bool AgreeWithAttributes(const EventAttributes& attributes, const FieldDescriptor& kind,
                         Touchpoint* touchpoint, Problem* problem) {
  const auto held = touchpoint->payload_case();
  if (held != Touchpoint::PAYLOAD_NOT_SET && held != kind.number()) {
    return Fail("type",
                absl::StrCat("is ", kind.message_type()->name(), ", but data holds ",
                             absl::string_view(KindName(held))),
                problem);
  }
  return Agree("source_event_id", "id", attributes.id, touchpoint->mutable_source_event_id(),
               problem) &&
         Agree("source", "source", attributes.source, touchpoint->mutable_source(), problem) &&
         Agree("client_id", "subject", attributes.subject, touchpoint->mutable_client_id(),
               problem) &&
         AgreeOnTime(attributes, touchpoint, problem);
}

bool SetEventId(Touchpoint* touchpoint, IntakeEvent* event, Problem* problem) {
  event->id = MakeEventId(touchpoint->source(), touchpoint->source_event_id());
  const absl::string_view id = event->id.view();
  std::string* const field = touchpoint->mutable_event_id();
  if (!field->empty() && *field != id) {
    return Fail("event_id",
                "is not the one made from source and source_event_id; leave it out, or make it so",
                problem);
  }
  field->assign(id.data(), id.size());
  return true;
}

bool CheckPartition(int32_t partition, int partitions, Problem* problem) {
  if (partition >= 0 && partition < partitions) return true;
  return Fail("partition",
              absl::StrCat(partition, " is no partition of the log, which has ", partitions),
              problem);
}

// What holds for events from outside beyond what holds for every touchpoint.
bool CheckFromOutside(const IntakeLimits& limits, absl::Time now, const Touchpoint& touchpoint,
                      Problem* problem) {
  const absl::Duration ahead = FromProto(touchpoint.occurred_at()) - now;
  if (ahead > limits.max_future) {
    return Fail("occurred_at",
                absl::StrCat("is ", absl::FormatDuration(absl::Trunc(ahead, absl::Seconds(1))),
                             " ahead of the clock here; at most ",
                             absl::FormatDuration(limits.max_future), " are taken"),
                problem);
  }
  const auto kind = touchpoint.payload_case();
  bool good = true;
  if (kind == Touchpoint::kClockAdvanced) {
    return Fail("clock_advanced", "is written by the clock alone", problem);
  }
  if (kind == Touchpoint::kClockCorrected) {
    return Fail("clock_corrected", "is written by the clock alone; POST /v1/clock", problem);
  }
  if (kind == Touchpoint::kHistoryReopened || kind == Touchpoint::kHistoryClosed) {
    return Fail(KindFieldName(kind), "is written by Rapport alone; send clients_merged", problem);
  }
  if (touchpoint.former_client_ids_size() > 0) {
    return Fail("former_client_ids", "is written by Rapport alone", problem);
  }
  if (kind == Touchpoint::kDeadLetterRetried) {
    good = CheckPartition(touchpoint.dead_letter_retried().partition(), limits.partitions, problem);
  } else if (kind == Touchpoint::kDeadLetterSkipped) {
    good = CheckPartition(touchpoint.dead_letter_skipped().partition(), limits.partitions, problem);
  }
  if (!good) problem->Prepend(KindFieldName(kind));
  return good;
}

size_t BytesOf(const Record& record) {
  size_t bytes = record.key.size() + record.value.size();
  for (const Header& header : record.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

bool Validate(const Touchpoint& touchpoint, Problem* problem) {
  absl::Status status = ValidateTouchpoint(touchpoint);
  if (status.ok()) status = CheckClockWasSet(touchpoint);
  if (status.ok()) return true;
  const absl::string_view path = PathOf(status);
  const absl::string_view reason = status.message().substr(path.empty() ? 0 : path.size() + 2);
  return Fail(path, std::string(reason), problem);
}

}  // namespace

bool CompleteEvent(const IntakeLimits& limits, absl::string_view only_source, absl::Time now,
                   const EventAttributes* attributes, const FieldDescriptor* kind,
                   Touchpoint* touchpoint, IntakeEvent* event, Problem* problem) {
  if (attributes != nullptr && !AgreeWithAttributes(*attributes, *kind, touchpoint, problem)) {
    return false;
  }
  if (!only_source.empty() && touchpoint->source() != only_source) {
    return Fail("source", absl::StrCat("must be '", only_source, "' with this token"), problem);
  }
  if (!SetEventId(touchpoint, event, problem)) return false;
  ToProto(now, touchpoint->mutable_recorded_at());
  // From outside, nobody says who of ours wrote it.
  touchpoint->clear_recorded_by();
  if (!Validate(*touchpoint, problem) || !CheckFromOutside(limits, now, *touchpoint, problem)) {
    return false;
  }
  event->kind = touchpoint->payload_case();
  event->occurred_at = FromProto(touchpoint->occurred_at());
  event->record = MakeRecord(*touchpoint);
  if (BytesOf(event->record) <= kMaxRecordBytes) return true;
  return Fail(KindFieldName(event->kind),
              absl::StrCat("is too large: the record has ", BytesOf(event->record),
                           " bytes; at most ", kMaxRecordBytes, " are taken"),
              problem);
}

}  // namespace rapport
