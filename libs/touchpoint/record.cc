#include "libs/touchpoint/record.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "libs/base/check.h"
#include "libs/base/event_id.h"
#include "libs/base/time.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/names.h"

namespace rapport {
namespace {

using touchpoint::v1::Touchpoint;

constexpr absl::string_view kClockSource = "rapport/clock";
constexpr absl::Duration kClockError = absl::Minutes(5);

// Digits of `value`, with zeros before them, up to `end`.
void WriteDigits(uint64_t value, int count, char* end) {
  for (; count > 0; --count, value /= 10) *--end = static_cast<char>('0' + value % 10);
}

// As absl::FormatTime with "%Y-%m-%dT%H:%M:%E*SZ" in UTC, at a tenth of its cost.
void AppendRfc3339(const google::protobuf::Timestamp& time, std::string* out) {
  const absl::CivilSecond civil =
      absl::CivilSecond(1970, 1, 1, 0, 0, 0) + absl::civil_diff_t{time.seconds()};
  char text[] = "0000-00-00T00:00:00.000000000Z";
  const bool is_plain = civil.year() >= 1000 && civil.year() <= 9999 && time.nanos() >= 0 &&
                        time.nanos() <= 999'999'999;
  if (!is_plain) {
    absl::StrAppend(out,
                    absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", FromProto(time), absl::UTCTimeZone()));
    return;
  }
  WriteDigits(static_cast<uint64_t>(civil.year()), 4, text + 4);
  WriteDigits(static_cast<uint64_t>(civil.month()), 2, text + 7);
  WriteDigits(static_cast<uint64_t>(civil.day()), 2, text + 10);
  WriteDigits(static_cast<uint64_t>(civil.hour()), 2, text + 13);
  WriteDigits(static_cast<uint64_t>(civil.minute()), 2, text + 16);
  WriteDigits(static_cast<uint64_t>(civil.second()), 2, text + 19);
  size_t size = 19;
  if (time.nanos() > 0) {
    WriteDigits(static_cast<uint64_t>(time.nanos()), 9, text + 29);
    size = 29;
    while (text[size - 1] == '0') --size;
  }
  text[size++] = 'Z';
  out->append(text, size);
}

void SetCloudEventHeaders(const Touchpoint& touchpoint, std::vector<Header>* headers) {
  const auto id = EventId::FromBytes(touchpoint.event_id());
  RAPPORT_CHECK(id.has_value(), "a touchpoint is encoded before it was validated");
  // CloudEvents forbids an empty subject.
  const bool has_subject = !touchpoint.client_id().empty();
  headers->resize(has_subject ? 7 : 6);
  size_t next = 0;
  const auto set = [&](absl::string_view name, absl::string_view value) -> std::string& {
    Header& header = (*headers)[next++];
    header.name.assign(name.data(), name.size());
    header.value.assign(value.data(), value.size());
    return header.value;
  };
  set("ce_specversion", "1.0");
  set("ce_id", id->ToHex());
  set("ce_type", KindFullName(touchpoint.payload_case()));
  set("ce_source", touchpoint.source());
  AppendRfc3339(touchpoint.occurred_at(), &set("ce_time", ""));
  set("content-type", "application/protobuf");
  if (has_subject) set("ce_subject", touchpoint.client_id());
}

void Encode(const Touchpoint& touchpoint, Record* record) {
  record->key = touchpoint.client_id();
  touchpoint.SerializeToString(&record->value);
  SetCloudEventHeaders(touchpoint, &record->headers);
  record->timestamp = FromProto(touchpoint.recorded_at());
  record->partition.reset();
}

}  // namespace

Record MakeRecord(const Touchpoint& touchpoint) {
  Record record;
  MakeRecord(touchpoint, &record);
  return record;
}

void MakeRecord(const Touchpoint& touchpoint, Record* record) {
  Encode(touchpoint, record);
  if (!touchpoint.client_id().empty()) return;
  switch (touchpoint.payload_case()) {
    case Touchpoint::kDeadLetterRetried:
      record->partition = Partition(touchpoint.dead_letter_retried().partition());
      break;
    case Touchpoint::kDeadLetterSkipped:
      record->partition = Partition(touchpoint.dead_letter_skipped().partition());
      break;
    default:
      RAPPORT_CHECK(touchpoint.payload_case() != Touchpoint::kClockAdvanced &&
                        touchpoint.payload_case() != Touchpoint::kClockCorrected,
                    "a clock record needs its partition: use MakeClockRecord");
      record->partition = Partition(0);
  }
}

namespace {

// `touchpoint` has its payload. What is told of `now` in that partition has one id.
Record MakeRecordOfClock(absl::Time now, absl::string_view prefix, Partition partition,
                         Touchpoint touchpoint) {
  ToProto(now, touchpoint.mutable_occurred_at());
  ToProto(now, touchpoint.mutable_recorded_at());
  touchpoint.set_direction(touchpoint::v1::DIRECTION_INTERNAL);
  touchpoint.set_source(kClockSource.data(), kClockSource.size());
  std::string place = absl::StrCat(prefix, partition.value(), "/");
  AppendRfc3339(touchpoint.occurred_at(), &place);
  touchpoint.set_source_event_id(std::move(place));
  const EventId id = MakeEventId(touchpoint.source(), touchpoint.source_event_id());
  touchpoint.set_event_id(id.bytes.data(), id.bytes.size());
  Record record;
  Encode(touchpoint, &record);
  record.partition = partition;
  return record;
}

std::string Moment(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace

Record MakeClockRecord(absl::Time now, Partition partition) {
  Touchpoint touchpoint;
  ToProto(now, touchpoint.mutable_clock_advanced()->mutable_now());
  return MakeRecordOfClock(now, "", partition, std::move(touchpoint));
}

Record MakeClockCorrectionRecord(absl::Time now, absl::string_view reason, Partition partition) {
  Touchpoint touchpoint;
  ToProto(now, touchpoint.mutable_clock_corrected()->mutable_now());
  touchpoint.mutable_clock_corrected()->set_reason(reason.data(), reason.size());
  return MakeRecordOfClock(now, "correction/", partition, std::move(touchpoint));
}

absl::Status CheckClock(const Touchpoint& touchpoint, absl::Time recorded) {
  const bool corrected = touchpoint.has_clock_corrected();
  if (!corrected && !touchpoint.has_clock_advanced()) return absl::OkStatus();
  const absl::Time now =
      FromProto(corrected ? touchpoint.clock_corrected().now() : touchpoint.clock_advanced().now());
  const bool late = corrected && now < recorded - kClockError;
  if (now <= recorded + kClockError && !late) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(corrected ? "clock_corrected.now: " : "clock_advanced.now: ", Moment(now),
                   " is ", late ? "far before " : "far ahead of ", Moment(recorded),
                   ", when the record was written: the clock stays as it is"));
}

}  // namespace rapport
