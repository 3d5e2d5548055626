#include "libs/touchpoint/record.h"

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/event_id.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/names.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr absl::string_view kClockSource = "rapport/clock";

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::vector<Header> CloudEventHeaders(const Touchpoint& touchpoint) {
  const auto id = EventId::FromBytes(touchpoint.event_id());
  RAPPORT_CHECK(id.has_value(), "a touchpoint is encoded before it was validated");
  std::vector<Header> headers = {
      {"ce_specversion", "1.0"},
      {"ce_id", id->ToHex()},
      {"ce_type", std::string(KindFullName(touchpoint.payload_case()))},
      {"ce_source", touchpoint.source()},
      {"ce_time", Rfc3339(FromProto(touchpoint.occurred_at()))},
      {"content-type", "application/protobuf"},
  };
  // CloudEvents forbids an empty subject.
  if (!touchpoint.client_id().empty()) headers.push_back({"ce_subject", touchpoint.client_id()});
  return headers;
}

Record Encode(const Touchpoint& touchpoint) {
  Record record;
  record.key = touchpoint.client_id();
  record.value = touchpoint.SerializeAsString();
  record.headers = CloudEventHeaders(touchpoint);
  record.timestamp = FromProto(touchpoint.recorded_at());
  return record;
}

}  // namespace

Record MakeRecord(const Touchpoint& touchpoint) {
  Record record = Encode(touchpoint);
  if (!touchpoint.client_id().empty()) return record;
  switch (touchpoint.payload_case()) {
    case Touchpoint::kDeadLetterRetried:
      record.partition = Partition(touchpoint.dead_letter_retried().partition());
      break;
    case Touchpoint::kDeadLetterSkipped:
      record.partition = Partition(touchpoint.dead_letter_skipped().partition());
      break;
    default:
      RAPPORT_CHECK(touchpoint.payload_case() != Touchpoint::kClockAdvanced,
                    "a clock record needs its partition: use MakeClockRecord");
      record.partition = Partition(0);
  }
  return record;
}

Record MakeClockRecord(absl::Time now, Partition partition) {
  Touchpoint touchpoint;
  ToProto(now, touchpoint.mutable_occurred_at());
  ToProto(now, touchpoint.mutable_recorded_at());
  ToProto(now, touchpoint.mutable_clock_advanced()->mutable_now());
  touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  touchpoint.set_source(kClockSource.data(), kClockSource.size());
  touchpoint.set_source_event_id(absl::StrCat(partition.value(), "/", Rfc3339(now)));
  const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
  touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
  Record record = Encode(touchpoint);
  record.partition = partition;
  return record;
}

}  // namespace rapport
