#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"
#include "rapport/touchpoint/v1/touchpoint.pb.h"

// Small records of one size, joined in a string: how the risk factors keep the latest few of what
// happens often, without the cost of a message for each.

namespace rapport {

// Seconds since 1970, as far as 4 bytes can tell; of a touchpoint when it happened.
uint32_t RecordSeconds(const google::protobuf::Timestamp& at);
inline uint32_t RecordSeconds(const touchpoint::v1::Touchpoint& touchpoint) {
  return RecordSeconds(touchpoint.occurred_at());
}

// 0 for an empty id only.
uint32_t RecordHash(absl::string_view id);

// Adds `record` to `records`, which are sorted, and of which the `most` greatest are kept: the
// latest ones when each begins with its time, whatever the order of arrival.
void KeepRecord(absl::string_view record, size_t most, std::string* records);

// Records of `size` bytes.
inline size_t CountRecords(absl::string_view records, size_t size) { return records.size() / size; }
inline absl::string_view RecordAt(absl::string_view records, size_t size, size_t index) {
  return records.substr(index * size, size);
}

// A record of an event: seconds since 1970 (4 bytes, big-endian) and event_id.
inline constexpr size_t kEventRecordBytes = 20;
std::string EventRecord(const touchpoint::v1::Touchpoint& touchpoint);

}  // namespace rapport
