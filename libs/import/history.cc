#include "libs/import/history.h"

#include <algorithm>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/base/status.h"
#include "libs/base/time.h"
#include "rapport/touchpoint/v1/client.pb.h"

namespace rapport {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;
using touchpoint::v1::ClientDetails;

void ShiftMessage(absl::Duration by, Message* message) {
  if (message->GetDescriptor() == Timestamp::descriptor()) {
    auto* const time = static_cast<Timestamp*>(message);
    ToProto(FromProto(*time) + by, time);
    return;
  }
  const auto* const get = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  get->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_birth = field->containing_type() == ClientDetails::descriptor() &&
                          field->number() == ClientDetails::kBornAtFieldNumber;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || is_birth) continue;
    if (!field->is_repeated()) {
      ShiftMessage(by, get->MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < get->FieldSize(*message, field); ++i) {
      ShiftMessage(by, get->MutableRepeatedMessage(message, field, i));
    }
  }
}

}  // namespace

void ShiftTimes(absl::Duration by, touchpoint::v1::Touchpoint* touchpoint) {
  if (by == absl::ZeroDuration()) return;
  ShiftMessage(by, touchpoint);
  touchpoint::v1::Touchpoint corrected;
  if (!touchpoint->has_touchpoint_corrected() ||
      !corrected.ParseFromString(touchpoint->touchpoint_corrected().correction())) {
    return;
  }
  ShiftMessage(by, &corrected);
  touchpoint->mutable_touchpoint_corrected()->set_correction(corrected.SerializeAsString());
}

absl::Duration ShiftToNow(absl::Time last, absl::Time now) {
  return absl::Floor(now - last, absl::Hours(24));
}

absl::StatusOr<absl::Time> LatestRecordTime(EventLog* log, absl::string_view topic,
                                            int partitions) {
  absl::Time latest = absl::InfinitePast();
  for (int i = 0; i < partitions; ++i) {
    RAPPORT_ASSIGN_OR_RETURN(const Watermarks marks, log->GetWatermarks(topic, Partition(i)));
    if (marks.end <= marks.begin) continue;
    RAPPORT_ASSIGN_OR_RETURN(const auto reader,
                             log->OpenReader(topic, Partition(i), marks.end - 1));
    RAPPORT_ASSIGN_OR_RETURN(const auto records, reader->Read(1, absl::ZeroDuration()));
    for (const RecordView& record : records) latest = std::max(latest, record.timestamp);
  }
  return latest;
}

ClockSteps::ClockSteps(absl::Time from, absl::Duration step)
    : step_(step), next_(absl::UnixEpoch() + absl::Floor(from - absl::UnixEpoch(), step) + step) {}

bool ClockSteps::Next(absl::Time until, absl::Time* tick) {
  if (next_ > until) return false;
  *tick = next_;
  next_ += step_;
  return true;
}

}  // namespace rapport
